//! A session cookie taken apart, for people.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{EncryptedCookie, SignedCookie, Standing, payload, pyramid};

/// What a cookie holds and how it would fare. Shows the visitor's data.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What the factory would say to it.
    pub standing: Standing,
    /// What vouches for it: `"signature"` or `"seal"`.
    pub proof: &'static str,
    /// The secret it was made with, from 0; `None`: none of ours.
    pub made_with: Option<usize>,
    /// What it says, genuine or not; `None`: it cannot be decoded.
    pub contents: Option<Contents>,
    /// The time it was looked at.
    pub now: f64,
}

/// What is behind the signature or under the seal.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The text; bytes that are no UTF-8 show as U+FFFD.
    pub payload: String,
    /// When it was last written.
    pub renewed: Option<f64>,
    /// When the session began.
    pub created: Option<f64>,
    /// The data.
    pub state: Option<Value>,
    /// What keeps it from being a session in plain form.
    pub flaw: Option<String>,
}

impl SignedCookie {
    /// Decodes and verifies the `value` of a cookie, alone and at `now`, and
    /// says what it found. Never fails: whatever can be seen is shown.
    #[must_use]
    pub fn explain(&self, value: &[u8], now: f64) -> Explanation {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(value).ok();
        let sealed = sealed.or_else(|| pyramid::decode(value)).unwrap_or_default();
        let message = self.signer.split(&sealed).map(|(_, message)| message);
        Explanation {
            standing: self.standing(value, now),
            proof: "signature",
            made_with: self.signer.open(&sealed).map(|(secret, _)| secret),
            contents: message.map(Contents::read),
            now,
        }
    }
}

impl EncryptedCookie {
    /// Opens the `value` of a cookie, alone and at `now`, and says what it
    /// found. Never fails; what does not open stays sealed.
    #[must_use]
    pub fn explain(&self, value: &[u8], now: f64) -> Explanation {
        let opened = self.unseal(value).ok();
        Explanation {
            standing: self.standing(value, now),
            proof: "seal",
            made_with: opened.as_ref().map(|(secret, _)| *secret),
            contents: opened.map(|(_, message)| Contents::read(&message)),
            now,
        }
    }
}

impl Contents {
    fn read(message: &[u8]) -> Self {
        let strict = payload::read(message);
        let flaw = strict.as_ref().err().map(ToString::to_string);
        let read = strict.or_else(|_| pyramid::read(message)).ok();
        Self {
            payload: String::from_utf8_lossy(message).into_owned(),
            renewed: read.as_ref().map(|read| read.renewed),
            created: read.as_ref().map(|read| read.session.created()),
            state: read.as_ref().map(|read| read.session.to_value()),
            flaw,
        }
    }
}

/// What is invisible, escaped; the quotes and backslashes of JSON stay.
fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => visible.push(character),
            other => visible.extend(other.escape_debug()),
        }
    }
    visible
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<11}", self.proof)?;
        match self.made_with {
            Some(secret) => writeln!(f, "good, by {}", Standing::name_of_secret(secret))?,
            None => writeln!(f, "not by any of the secrets")?,
        }
        if let Some(contents) = &self.contents {
            writeln!(f, "payload    {}", visible(&contents.payload))?;
            for (label, time) in [("renewed", contents.renewed), ("created", contents.created)] {
                if let Some(time) = time {
                    writeln!(f, "{label}    {}", Moment { time, now: self.now })?;
                }
            }
            if let Some(state) = &contents.state {
                writeln!(f, "state      {state:#}")?;
            }
            if let Some(flaw) = &contents.flaw {
                writeln!(f, "flaw       {flaw}")?;
            }
        }
        match self.standing {
            Standing::Verified { .. } => write!(f, "verdict    a session"),
            Standing::Refused(why) => write!(f, "verdict    no session: {why}"),
            Standing::Absent => write!(f, "verdict    no cookie"),
        }
    }
}

/// A time, and how far it is from now.
struct Moment {
    time: f64,
    now: f64,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, now } = *self;
        // Four-digit years only: that is what the date format can say.
        if (0.0..253_402_300_800.0).contains(&time) {
            let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(time as u64));
            write!(f, "{date}, ")?;
        }
        if time <= now {
            write!(f, "{:.0} seconds ago ({time})", now - time)
        } else {
            write!(f, "{:.0} seconds ahead ({time})", time - now)
        }
    }
}
