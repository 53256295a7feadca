//! Reading a `Set-Cookie` header as a browser does: RFC 6265 section 5.2, with the limits that its
//! successor (draft-ietf-httpbis-rfc6265bis section 5) wrote down from what browsers do.

use std::fmt;

use super::clock;

/// Browsers drop a cookie whose name and value together are longer than this, in bytes.
pub const MAX_NAME_AND_VALUE: usize = 4096;

/// Browsers pass over an attribute whose value is longer than this, in bytes.
const MAX_ATTRIBUTE_VALUE: usize = 1024;

/// One `Set-Cookie` header, taken apart. Nothing is judged yet: that needs the request it answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SetCookie {
    /// The cookie's name, never empty.
    pub name: String,
    /// The cookie's value, quotes and all.
    pub value: String,
    /// `Expires`, in seconds since the epoch.
    pub expires: Option<f64>,
    /// `Max-Age`, in seconds; zero or less deletes.
    pub max_age: Option<i64>,
    /// `Domain`, lower-cased and without its leading dot.
    pub domain: Option<String>,
    /// `Path`, when it begins with a slash.
    pub path: Option<String>,
    /// `Secure`.
    pub secure: bool,
    /// `SameSite=None`.
    pub same_site_none: bool,
}

/// Why a browser would not keep a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// No `name=value`, or an empty name.
    NoName,
    /// A control character inside.
    ControlCharacter,
    /// Name and value are this many bytes together, more than [`MAX_NAME_AND_VALUE`].
    TooLong(usize),
    /// `Domain` is not the host that answered, nor a parent of it.
    ForeignDomain,
    /// `Secure`, but it came over plain HTTP.
    InsecureOrigin,
    /// `SameSite=None` without `Secure`.
    SameSiteNone,
    /// The name begins with `__Secure-` or `__Host-` and the attributes do not keep that promise.
    Prefix,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str("it has no name"),
            Self::ControlCharacter => f.write_str("it holds a control character"),
            Self::TooLong(bytes) => {
                write!(f, "name and value are {bytes} bytes, the most is {MAX_NAME_AND_VALUE}")
            }
            Self::ForeignDomain => f.write_str("its Domain does not cover the host"),
            Self::InsecureOrigin => f.write_str("it is Secure and came over plain HTTP"),
            Self::SameSiteNone => f.write_str("SameSite=None needs Secure"),
            Self::Prefix => f.write_str("its attributes break the promise of its name's prefix"),
        }
    }
}

impl SetCookie {
    /// Takes a header value apart (RFC 6265 section 5.2). Unknown and malformed attributes are passed
    /// over; of repeated ones the last counts.
    pub fn parse(header: &str) -> Result<Self, Dropped> {
        if header.chars().any(|c| c.is_ascii_control() && c != '\t') {
            return Err(Dropped::ControlCharacter);
        }
        let (name, value, attributes) = split(header);
        if name.is_empty() {
            return Err(Dropped::NoName);
        }
        let mut cookie = Self { name: name.to_owned(), value: value.to_owned(), ..Self::default() };
        let length = cookie.name.len() + cookie.value.len();
        if length > MAX_NAME_AND_VALUE {
            return Err(Dropped::TooLong(length));
        }
        for part in attributes.split(';') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            cookie.attribute(&trim(name).to_ascii_lowercase(), trim(value));
        }
        Ok(cookie)
    }

    fn attribute(&mut self, name: &str, value: &str) {
        if value.len() > MAX_ATTRIBUTE_VALUE {
            return;
        }
        match name {
            "expires" => self.expires = date(value).or(self.expires),
            "max-age" => self.max_age = max_age(value).or(self.max_age),
            "domain" if !value.is_empty() => {
                self.domain = Some(value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase());
            }
            "path" => self.path = value.starts_with('/').then(|| value.to_owned()),
            "secure" => self.secure = true,
            "samesite" => self.same_site_none = value.eq_ignore_ascii_case("none"),
            _ => {}
        }
    }
}

/// Name, value and attributes (from their `;` on) of a header, whatever they are worth; a header without
/// `=` has an empty name.
pub fn split(header: &str) -> (&str, &str, &str) {
    let (pair, attributes) = header.split_at(header.find(';').unwrap_or(header.len()));
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    (trim(name), trim(value), attributes)
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// RFC 6265 section 5.2.2. A number too large to count is as good as for ever.
fn max_age(text: &str) -> Option<i64> {
    let (digits, limit) = match text.strip_prefix('-') {
        Some(digits) => (digits, i64::MIN),
        None => (text, i64::MAX),
    };
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| text.parse().unwrap_or(limit))
}

/// RFC 6265 section 5.1.1: a date in whatever spelling, its parts recognised by their shape.
fn date(text: &str) -> Option<f64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if time.is_none()
            && let Some(found) = time_of_day(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = number(token, 1..=2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = month_number(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = number(token, 2..=4)
        {
            year = Some(found);
        }
    }
    let year: i16 = match year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year if year < 1601 => return None,
        year => year,
    };
    let small = |number: i16| i8::try_from(number).ok();
    let (hour, minute, second) = time?;
    clock::epoch((year, small(month?)?, small(day?)?), (small(hour)?, small(minute)?, small(second)?))
}

fn is_delimiter(c: char) -> bool {
    matches!(c, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

fn time_of_day(token: &str) -> Option<(i16, i16, i16)> {
    let mut fields = token.splitn(3, ':');
    let (hour, minute, second) = (fields.next()?, fields.next()?, fields.next()?);
    let exact = |field: &str| field.len() <= 2 && field.bytes().all(|byte| byte.is_ascii_digit());
    (exact(hour) && exact(minute)).then_some(())?;
    Some((number(hour, 1..=2)?, number(minute, 1..=2)?, number(second, 1..=2)?))
}

fn month_number(token: &str) -> Option<i16> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = token.get(..3)?.to_ascii_lowercase();
    MONTHS.iter().zip(1..).find_map(|(month, number)| (*month == start).then_some(number))
}

/// The number a token begins with, when it has that many digits; what follows is of no account.
fn number(token: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i16> {
    let end = token.find(|c: char| !c.is_ascii_digit()).unwrap_or(token.len());
    digits.contains(&end).then(|| token.get(..end)?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> SetCookie {
        SetCookie::parse(header).unwrap()
    }

    #[test]
    fn a_pair_and_its_attributes_are_taken_apart() {
        let cookie = parse(" session = a=b ; Path=/x; DOMAIN=.Example.COM;secure; Max-Age=60; HttpOnly; SameSite=None");
        assert_eq!(
            cookie,
            SetCookie {
                name: "session".into(),
                value: "a=b".into(),
                expires: None,
                max_age: Some(60),
                domain: Some("example.com".into()),
                path: Some("/x".into()),
                secure: true,
                same_site_none: true,
            }
        );
    }

    #[test]
    fn the_last_of_repeated_attributes_counts_and_malformed_ones_do_not() {
        let cookie = parse("a=b; Max-Age=5; Max-Age=x; Path=/one; Path=two; Domain=; Expires=never");
        assert_eq!((cookie.max_age, cookie.path, cookie.domain, cookie.expires), (Some(5), None, None, None));
        assert_eq!(parse("a=b; Path=/one; Path=/two").path.as_deref(), Some("/two"));
        assert_eq!(parse(&format!("a=b; Path=/{}", "x".repeat(1024))).path, None);
    }

    #[test]
    fn max_age_may_be_negative_and_never_overflows() {
        for (text, seconds) in [
            ("-1", Some(-1)),
            ("0", Some(0)),
            ("-", None),
            ("", None),
            ("1.5", None),
            ("+5", None),
            ("99999999999999999999", Some(i64::MAX)),
            ("-99999999999999999999", Some(i64::MIN)),
        ] {
            assert_eq!(max_age(text), seconds, "{text}");
        }
    }

    #[test]
    fn dates_are_read_in_every_spelling_browsers_meet() {
        let expected = clock::parse("1994-11-06T08:49:37Z");
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "08:49:37x 6th november 94x",
        ] {
            assert_eq!(date(text), expected, "{text}");
        }
    }

    #[test]
    fn impossible_dates_are_passed_over() {
        for text in [
            "",
            "Thu, 01 Jan 1600 00:00:00 GMT",
            "Thu, 31 Feb 2030 00:00:00 GMT",
            "Thu, 01 Jan 2030 24:00:00 GMT",
            "Thu, 01 2030 00:00:00 GMT",
            "Thu, 01 Jan 2030",
            "Thu, 01 Jan 2030 001:00:00",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn what_has_no_name_is_dropped() {
        for header in ["", "value", "=value", "  =value; Path=/", "; a=b"] {
            assert_eq!(SetCookie::parse(header), Err(Dropped::NoName), "{header:?}");
        }
    }

    #[test]
    fn name_and_value_hold_4096_bytes_together_and_no_more() {
        let header = |length: usize| format!("name={}; Path=/", "v".repeat(length - 4));
        assert!(SetCookie::parse(&header(4096)).is_ok());
        assert_eq!(SetCookie::parse(&header(4097)), Err(Dropped::TooLong(4097)));
    }

    #[test]
    fn control_characters_drop_the_cookie() {
        assert_eq!(SetCookie::parse("a=b\u{1}c"), Err(Dropped::ControlCharacter));
        assert_eq!(parse("a=b\tc").value, "b\tc");
    }
}
