//! The helper that writes dates.

use handlebars::JsonRender;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::Value;

/// How a date is written when nothing is said.
const USUAL: &str = "%Y-%m-%d";

/// A time in UTC, in the form of `strftime`. What is no time is shown as it is.
pub fn date(values: &[&Value]) -> Value {
    let value = values.first().copied().unwrap_or(&Value::Null);
    let form = values.get(1).and_then(|form| form.as_str()).unwrap_or(USUAL);
    let shown = read(value).and_then(|time| strtime::format(form, &time).ok());
    Value::String(shown.unwrap_or_else(|| value.render()))
}

/// Why a form cannot be used, if it cannot.
pub fn misfit(form: &str) -> Option<String> {
    let sample = Zoned::new(Timestamp::UNIX_EPOCH, TimeZone::UTC);
    strtime::format(form, &sample).err().map(|error| error.to_string())
}

/// Seconds since 1970, or a text of ISO 8601: a day, a day and a time, or those with an offset.
fn read(value: &Value) -> Option<Zoned> {
    match value {
        Value::Number(number) => {
            let seconds = number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds.floor() as i64))?;
            Some(Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC))
        }
        Value::String(text) => {
            let text = text.trim();
            match text.parse::<Timestamp>() {
                Ok(time) => Some(time.to_zoned(TimeZone::UTC)),
                Err(_) => text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok(),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_date_is_read_from_seconds_and_from_iso_8601() {
        for (value, shown) in [
            (json!(0), "1970-01-01 00:00 Thursday"),
            (json!(1_795_265_917.75), "2026-11-21 12:58 Saturday"),
            (json!(-1), "1969-12-31 23:59 Wednesday"),
            (json!("2026-11-21"), "2026-11-21 00:00 Saturday"),
            (json!(" 2026-11-21T08:30:00 "), "2026-11-21 08:30 Saturday"),
            (json!("2026-11-21T00:30:00+01:00"), "2026-11-20 23:30 Friday"),
            (json!("2026-11-21 08:30:00Z"), "2026-11-21 08:30 Saturday"),
        ] {
            assert_eq!(date(&[&value, &json!("%Y-%m-%d %H:%M %A")]), json!(shown), "{value}");
        }
        assert_eq!(date(&[&json!("2026-11-21T08:30:00")]), json!("2026-11-21"));
    }

    #[test]
    fn what_is_no_date_is_shown_as_it_is() {
        for (value, shown) in [
            (json!("soon"), "soon"),
            (json!("2026-02-30"), "2026-02-30"),
            (json!(null), ""),
            (json!(1e300), "1e+300"),
            (json!([1]), "[1]"),
        ] {
            assert_eq!(date(&[&value]), json!(shown), "{value}");
        }
    }

    #[test]
    fn only_what_strftime_knows_is_a_form() {
        assert_eq!(misfit("%d %B %Y, %-H:%M %Z"), None);
        for bad in ["%", "%!"] {
            assert!(misfit(bad).is_some(), "{bad}");
        }
    }
}
