//! UTC dates as seconds since the Unix epoch, and back: the little calendar the frozen clock and the
//! cookie jar need.

/// Where the frozen clock of every file starts: 2030-01-01T00:00:00Z.
pub const START: f64 = 1_893_456_000.0;

/// The first second the calendar no longer writes with four digits of year: 10000-01-01T00:00:00Z.
pub const END: f64 = 253_402_300_800.0;

const DAY: i64 = 86_400;

/// Seconds since the epoch of a UTC date of the proleptic Gregorian calendar, or `None` when there is
/// no such date. Leap seconds do not exist here, as in POSIX time.
pub fn epoch(date: (i64, i64, i64), time: (i64, i64, i64)) -> Option<f64> {
    let ((year, month, day), (hour, minute, second)) = (date, time);
    let valid = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    valid.then(|| (days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second) as f64)
}

/// Reads `2030-01-01T00:00:00Z` (RFC 3339 in UTC, whole seconds).
pub fn parse(text: &str) -> Option<f64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    epoch(triple(date, '-', [4, 2, 2])?, triple(time, ':', [2, 2, 2])?)
}

/// Writes an instant as `parse` reads it; what is finer than a second is cut off.
pub fn format(now: f64) -> String {
    let seconds = now.floor() as i64;
    let (year, month, day) = civil_from_days(seconds.div_euclid(DAY));
    let rest = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn triple(text: &str, separator: char, widths: [usize; 3]) -> Option<(i64, i64, i64)> {
    let mut parts = text.split(separator).zip(widths).map(|(part, width)| {
        let digits = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    });
    let triple = (parts.next()??, parts.next()??, parts.next()??);
    (text.matches(separator).count() == 2).then_some(triple)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Both directions count in eras of 400 years that begin on 1 March, so that the leap day comes last
// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
const ERA_DAYS: i64 = 146_097;
const ERA_TO_UNIX: i64 = 719_468;

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * ERA_DAYS + day_of_era - ERA_TO_UNIX
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(ERA_TO_UNIX);
    let (era, day_of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
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
    fn every_day_of_eight_centuries_comes_back() {
        let first = days_from_civil(1601, 1, 1);
        for days in first..first + 2 * ERA_DAYS {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
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
            "2030-01-01T00:00:00+01:00",
            "2030-01-01-01T00:00:00Z",
            "+230-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
