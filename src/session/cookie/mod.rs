//! Cookies: reading the `Cookie` field, writing `Set-Cookie` (RFC 6265).

mod header;
mod problems;
mod webob;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use header::values;
pub use problems::CookieProblem;
pub use webob::values_as_webob;

/// The most bytes of name and value that browsers keep (RFC 6265 6.1). A
/// larger cookie is dropped without a word.
pub const MAX_COOKIE: usize = 4096;

/// Midnight before 10000-01-01, where four-digit years end.
const LAST_DATE: u64 = 253_402_300_799;

/// When a cookie carries the `Secure` attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secure {
    /// Where the request came over HTTPS; always, if the name starts with
    /// `__Secure-` or `__Host-`, which browsers refuse otherwise.
    #[default]
    Auto,
    /// On every response. The browser returns it over HTTPS only.
    Always,
    /// On no response.
    Never,
}

/// Which requests from other sites carry the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Links that lead here.
    Lax,
    /// None.
    Strict,
    /// All. Browsers insist on `Secure` then.
    None,
}

impl SameSite {
    /// As the attribute spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
            Self::None => "None",
        }
    }
}

/// A cookie's name and attributes, as Pyramid's session factories take them.
///
/// Options that make no working cookie can be built; [`problems`](Self::problems)
/// finds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieOptions {
    /// A token (RFC 6265 4.1.1).
    pub name: String,
    /// Seconds until the browser forgets it; `None`: when it closes.
    pub max_age: Option<u64>,
    /// The paths it is returned for; `None`: those beside the response's.
    pub path: Option<String>,
    /// The domain whose hosts get it; `None`: the host that set it alone.
    pub domain: Option<String>,
    /// Whether it is returned over HTTPS only.
    pub secure: Secure,
    /// Whether scripts are kept from it.
    pub http_only: bool,
    /// Whether other sites' requests carry it; `None`: the browser decides.
    pub same_site: Option<SameSite>,
}

impl Default for CookieOptions {
    fn default() -> Self {
        Self {
            name: "session".to_owned(),
            max_age: None,
            path: Some("/".to_owned()),
            domain: None,
            secure: Secure::Auto,
            http_only: true,
            same_site: Some(SameSite::Lax),
        }
    }
}

impl CookieOptions {
    /// The `Set-Cookie` value that gives the browser `value`, spelled as
    /// WebOb, and so Pyramid, spells it. `https`: whether the request came
    /// over HTTPS.
    #[must_use]
    pub fn set_cookie(&self, value: &str, https: bool, now: f64) -> String {
        let life = self.max_age.map(|seconds| (seconds, date(now, seconds)));
        self.header(value, life, https)
    }

    /// The `Set-Cookie` value that makes the browser forget the cookie. The
    /// attributes are the same, or browsers would keep it (RFC 6265 5.3).
    #[must_use]
    pub fn delete_cookie(&self, https: bool) -> String {
        self.header("", Some((0, date(0.0, 0))), https)
    }

    fn header(&self, value: &str, life: Option<(u64, String)>, https: bool) -> String {
        let mut header = String::with_capacity(self.name.len() + value.len() + 128);
        header.push_str(&self.name);
        header.push('=');
        header.push_str(value);
        let mut attribute = |parts: &[&str]| {
            header.push_str("; ");
            parts.iter().for_each(|part| header.push_str(part));
        };
        if let Some(domain) = &self.domain {
            attribute(&["Domain=", domain]);
        }
        if let Some((seconds, _)) = &life {
            attribute(&["Max-Age=", &seconds.to_string()]);
        }
        if let Some(path) = &self.path {
            attribute(&["Path=", path]);
        }
        if let Some((_, date)) = &life {
            attribute(&["expires=", date]);
        }
        if self.is_secure(https) {
            attribute(&["secure"]);
        }
        if self.http_only {
            attribute(&["HttpOnly"]);
        }
        if let Some(same_site) = self.same_site {
            attribute(&["SameSite=", same_site.as_str()]);
        }
        header
    }

    fn is_secure(&self, https: bool) -> bool {
        match self.secure {
            Secure::Always => true,
            Secure::Never => false,
            Secure::Auto => https || self.has_prefix("__Secure-") || self.has_prefix("__Host-"),
        }
    }

    /// Browsers compare these prefixes without regard to case.
    fn has_prefix(&self, prefix: &str) -> bool {
        let start = self.name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }
}

/// The moment `seconds` after `now`, with the dashes of RFC 850 that WebOb
/// still writes: `Sat, 21-Nov-2026 00:48:47 GMT`.
fn date(now: f64, seconds: u64) -> String {
    let moment = (now.max(0.0) as u64).saturating_add(seconds).min(LAST_DATE);
    let moment: SystemTime = UNIX_EPOCH + Duration::from_secs(moment);
    let date = httpdate::fmt_http_date(moment);
    match date.split_once(", ") {
        Some((weekday, rest)) => format!("{weekday}, {}", rest.replacen(' ', "-", 2)),
        None => date,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_cookie_is_the_safe_one() {
        let options = CookieOptions::default();
        assert_eq!(options.set_cookie("v", false, 0.0), "session=v; Path=/; HttpOnly; SameSite=Lax");
        assert_eq!(options.set_cookie("v", true, 0.0), "session=v; Path=/; secure; HttpOnly; SameSite=Lax");
        assert!(options.problems().is_empty());
    }

    #[test]
    fn attributes_come_in_webobs_order_and_spelling() {
        let options = CookieOptions {
            name: "sid".into(),
            max_age: Some(3600),
            path: Some("/app".into()),
            domain: Some("example.com".into()),
            secure: Secure::Always,
            http_only: true,
            same_site: Some(SameSite::None),
        };
        assert_eq!(
            options.set_cookie("v", false, 1_795_218_527.9),
            "sid=v; Domain=example.com; Max-Age=3600; Path=/app; \
             expires=Sat, 21-Nov-2026 00:48:47 GMT; secure; HttpOnly; SameSite=None"
        );
        assert_eq!(
            options.delete_cookie(false),
            "sid=; Domain=example.com; Max-Age=0; Path=/app; \
             expires=Thu, 01-Jan-1970 00:00:00 GMT; secure; HttpOnly; SameSite=None"
        );
    }

    #[test]
    fn absent_options_leave_no_attribute() {
        let options = CookieOptions {
            path: None,
            secure: Secure::Never,
            http_only: false,
            same_site: None,
            ..CookieOptions::default()
        };
        assert_eq!(options.set_cookie("v", true, 0.0), "session=v");
    }

    #[test]
    fn a_prefixed_cookie_is_always_secure() {
        for name in ["__Host-s", "__secure-s"] {
            let options = CookieOptions { name: name.into(), ..CookieOptions::default() };
            assert!(options.set_cookie("v", false, 0.0).contains("; secure;"));
        }
    }

    #[test]
    fn dates_far_away_do_not_overflow() {
        let options = CookieOptions { max_age: Some(u64::MAX), ..CookieOptions::default() };
        for now in [f64::MAX, f64::NAN, f64::NEG_INFINITY] {
            let header = options.set_cookie("v", false, now);
            assert!(header.contains("31-Dec-9999 23:59:59 GMT"), "{header}");
        }
    }
}
