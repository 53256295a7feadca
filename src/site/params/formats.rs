//! Texts with a form of their own: days of the calendar, e-mail addresses; and what is not to be seen.

/// Whether nothing in a text is for machines: no control characters but those that set it in lines and
/// columns.
pub fn is_plain(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// Whether nothing is shown for a character, not even a blank (Unicode, Default_Ignorable_Code_Point).
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

use jiff::civil::Date;

/// Whether this is a day of the calendar, written `YYYY-MM-DD` (ISO 8601; HTML, "Valid date string"
/// with a year of four digits, from 0001 on).
pub fn is_date(text: &str) -> bool {
    // Other ways to write a date are none here.
    text.parse::<Date>().is_ok_and(|date| date.year() > 0 && date.to_string() == text)
}

/// The day of a time, in seconds since the Unix epoch, in UTC.
pub fn day(now: f64) -> String {
    let time = jiff::Timestamp::from_second(now.floor() as i64).unwrap_or_default();
    time.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// Whether this is a time of day, `HH:MM` or `HH:MM:SS` (ISO 8601; HTML, "Valid time string" without
/// fractions of seconds).
pub fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let is_below = |part: &str, end: u32| {
        part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse().is_ok_and(|n: u32| n < end)
    };
    match parts[..] {
        [hour, minute] => is_below(hour, 24) && is_below(minute, 60),
        [hour, minute, second] => is_below(hour, 24) && is_below(minute, 60) && is_below(second, 60),
        _ => false,
    }
}

/// Whether this is the address of a page of the web: `http://` or `https://` and a host, without a name or a
/// password in front of it, which hide where an address leads.
pub fn is_url(text: &str) -> bool {
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let scheme = ["http://", "https://"].into_iter().find(|scheme| begins(scheme));
    let Some(rest) = scheme.and_then(|scheme| text.get(scheme.len()..)) else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':').filter(|_| !authority.ends_with(']')) {
        Some((host, port)) => (host, port),
        None => (authority, "0"),
    };
    let is_in_none =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '\\' | '`' | '{' | '}');
    let is_address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = is_address.map_or_else(
        || host.split('.').all(|label| !label.is_empty()) && !host.contains(['@', ':', '[', ']', '%']),
        |address| address.parse::<std::net::Ipv6Addr>().is_ok(),
    );
    is_host && port.parse::<u16>().is_ok() && !text.contains(is_in_none)
}

/// Whether browsers take this for an address (HTML, "Valid e-mail address").
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    !local.is_empty() && local.bytes().all(is_local) && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_to_be_seen_is_what_unicode_says() {
        let ignorable = regex::Regex::new(r"\A\p{Default_Ignorable_Code_Point}\z").unwrap();
        for c in '\0'..=char::MAX {
            assert_eq!(is_invisible(c), ignorable.is_match(c.encode_utf8(&mut [0; 4])), "{c:?}");
        }
    }

    #[test]
    fn a_date_is_a_day_that_there_was_or_will_be() {
        for good in ["2026-11-21", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert!(is_date(good), "{good}");
        }
        for bad in [
            "",
            "2026",
            "2026-11",
            "2026-11-31",
            "2023-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "0000-01-01",
            "26-11-21",
            "2026-1-1",
            "+026-01-01",
            "2026-11-21T00:00",
            "20261121",
            "2026-11-21-",
            "２０２６-11-21",
        ] {
            assert!(!is_date(bad), "{bad}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_in_greenwich() {
        for (now, shown) in
            [(0.0, "1970-01-01"), (86_399.9, "1970-01-01"), (86_400.0, "1970-01-02"), (-1.0, "1969-12-31")]
        {
            assert_eq!(day(now), shown, "{now}");
        }
    }

    #[test]
    fn a_time_is_one_of_a_day() {
        for good in ["00:00", "23:59", "08:30:15"] {
            assert!(is_time(good), "{good}");
        }
        for bad in
            ["", "8:30", "24:00", "12:60", "08:30:60", "08:30:15.5", "+8:30", "08", "08:30:15:00", "０８:30", "08.30"]
        {
            assert!(!is_time(bad), "{bad}");
        }
    }

    #[test]
    fn a_web_address_has_a_host_and_no_password() {
        for good in [
            "http://localhost",
            "HTTPS://example.org:8443/a?b=c&d[]=#e",
            "https://exämple.org/über",
            "https://[2001:db8::1]:80/",
            "http://192.0.2.1/@a:b",
        ] {
            assert!(is_url(good), "{good}");
        }
        for bad in [
            "",
            "example.org",
            "https:",
            "https://",
            "https:///a",
            "https://a..b",
            "https://.a",
            "https://a:b/",
            "https://a:99999/",
            "https://ada:secret@example.org/",
            "https://example.org@evil.example",
            "https://a b/",
            "https://a/b c",
            "https://a/\"",
            "https:\\\\a",
            "https://[::g]/",
            "javascript:alert(1)//https://a",
            "ftp://a/",
            "//a/",
            "https://a/\0",
        ] {
            assert!(!is_url(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_is_what_browsers_take_for_one() {
        let long = "x".repeat(63);
        for good in ["ada@example.org", "a.b+c@localhost", "o'neil@a-b.example", "..@x", &format!("a@{long}.{long}")] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "ada",
            "@",
            "@x",
            "ada@",
            "a b@x",
            "ada@ex ample",
            "a@-x",
            "a@x-",
            "a@x..y",
            "a@.x",
            "a@x.",
            "a@b@c",
            "zoë@x",
            "ada@exämple",
            "a\"b@x",
            &format!("a@{long}y"),
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
