//! UTC dates as seconds since the Unix epoch, and back: what the frozen clock and the cookie jar need.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};

/// Where the frozen clock of every file starts: 2030-01-01T00:00:00Z.
pub const START: f64 = 1_893_456_000.0;

/// The first second whose year has more than four digits: 10000-01-01T00:00:00Z.
pub const END: f64 = 253_402_300_800.0;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Seconds since the epoch of a UTC date, or `None` when there is no such date. Leap seconds do not
/// exist here, as in POSIX time.
pub fn epoch(date: (i16, i8, i8), time: (i8, i8, i8)) -> Option<f64> {
    let ((year, month, day), (hour, minute, second)) = (date, time);
    let date = Date::new(year, month, day).ok().filter(|_| year > 0)?;
    Some(seconds(date.to_datetime(Time::new(hour, minute, second, 0).ok()?)))
}

fn seconds(date: DateTime) -> f64 {
    date.duration_since(EPOCH).as_secs() as f64
}

/// Reads `2030-01-01T00:00:00Z` (RFC 3339 in UTC, whole seconds), and no other way to write it.
pub fn parse(text: &str) -> Option<f64> {
    let date: DateTime = text.strip_suffix('Z')?.parse().ok()?;
    Some(seconds(date)).filter(|seconds| format(*seconds) == text)
}

/// Writes an instant as `parse` reads it; what is finer than a second is cut off.
pub fn format(now: f64) -> String {
    match EPOCH.checked_add(SignedDuration::from_secs(now.floor() as i64)) {
        Ok(date) => format!("{date}Z"),
        Err(_) => "beyond the calendar".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants_are_read_and_written() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0.0),
            ("1969-12-31T23:59:59Z", -1.0),
            ("2000-02-29T12:00:00Z", 951_825_600.0),
            ("2030-01-01T00:00:00Z", START),
            ("9999-12-31T23:59:59Z", END - 1.0),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
            assert_eq!(format(seconds), text);
        }
    }

    #[test]
    fn an_instant_that_no_calendar_has_is_told_so() {
        for now in [f64::INFINITY, f64::NEG_INFINITY, END * 2.0] {
            assert_eq!(format(now), "beyond the calendar");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2030-01-01",
            "2030-01-01T00:00:00",
            "2030-13-01T00:00:00Z",
            "2030-02-29T00:00:00Z",
            "2030-01-01T24:00:00Z",
            "2030-01-01T23:59:60Z",
            "2030-01-01T00:00:00.5Z",
            "2030-01-01t00:00:00Z",
            "2030-01-01T00:00:00+01:00",
            "2030-01-01-01T00:00:00Z",
            "+230-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
