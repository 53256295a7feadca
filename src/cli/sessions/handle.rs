//! The name of a session on the command line: a whole handle, or its beginning.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::super::Exit;
use super::row::SHORT;
use super::{PAGE, Place, Sessions, Stop};
use crate::session::store::{Found, Key};

/// How many sessions an ambiguous handle names.
const NAMED: usize = 3;

/// What was given: hexadecimal digits, at most as many as a key has.
#[derive(Clone, Debug)]
pub struct Handle(String);

impl FromStr for Handle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.to_ascii_lowercase();
        if digits.is_empty() || digits.len() > 2 * Key::SIZE || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("a handle is hexadecimal, as `sitewright sessions` prints it; \
                        for a cookie's, ask `sitewright cookie VALUE`"
                .to_owned());
        }
        Ok(Self(digits))
    }
}

impl Handle {
    /// The one session that is meant.
    pub async fn find(&self, sessions: &Sessions<'_>) -> Result<(Key, Found), Stop> {
        if let Some(key) = Key::parse(&self.0) {
            return match sessions.load(&key).await? {
                Some(found) => Ok((key, found)),
                None => Err(self.unknown()),
            };
        }
        let mut fitting = BTreeMap::new();
        let mut place = Place::Start;
        // A few are enough to say that it is not one.
        while fitting.len() <= NAMED
            && let Some(page) = sessions.page(&mut place, PAGE).await.map_err(|error| sessions.unlisted(error))?
        {
            fitting.extend(page.entries.into_iter().filter(|(key, _)| key.to_string().starts_with(&self.0)));
        }
        match fitting.pop_first() {
            None => Err(self.unknown()),
            Some(only) if fitting.is_empty() => Ok(only),
            Some((first, _)) => Err(self.ambiguous([&first].into_iter().chain(fitting.keys()))),
        }
    }

    fn ambiguous<'k>(&self, keys: impl Iterator<Item = &'k Key>) -> Stop {
        // Four digits more tell them apart.
        let length = SHORT.max(self.0.len() + 4);
        let names: Vec<String> = keys.map(|key| key.to_string().chars().take(length).collect()).collect();
        let more = if names.len() > NAMED { ", …" } else { "" };
        let names = names.get(..NAMED).unwrap_or(&names).join(", ");
        let message = format!("several sessions begin with `{}`: {names}{more}", self.0);
        Stop::Because(Exit::Problems, message)
    }

    fn unknown(&self) -> Stop {
        Stop::Because(Exit::Problems, format!("there is no session `{}`; it may have ended", self.0))
    }
}
