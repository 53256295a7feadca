//! What holds of values, the same in expressions and in templates: truth, sameness, order.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// What counts as true, as in Handlebars' `{{#if}}`: not `null`, `false`, 0, `""`, `[]` or `{}`.
pub fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(boolean) => *boolean,
        Value::Number(number) => number.as_f64().is_none_or(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// Whether two values are the same: numbers by what they are worth, maps whatever the order of
/// their keys. Values of different kinds never are.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare(a, b) == Ordering::Equal,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// The order of two numbers, or of two texts by code points; no other values have one.
pub fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(compare(a, b)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Compares numbers exactly, however large they are or however many digits they have.
pub fn compare(a: &Number, b: &Number) -> Ordering {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        return a.cmp(&b);
    }
    let (a, b) = (Decimal::of(a.as_str()), Decimal::of(b.as_str()));
    let by_size = || (a.magnitude, &a.digits).cmp(&(b.magnitude, &b.digits));
    a.sign.cmp(&b.sign).then_with(|| if a.sign < 0 { by_size().reverse() } else { by_size() })
}

/// A number as `sign × 0.digits × 10^magnitude`, without zeros around the digits.
struct Decimal {
    sign: i8,
    magnitude: i64,
    digits: String,
}

impl Decimal {
    /// Takes the JSON spelling of a number apart.
    fn of(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let unsigned = mantissa.strip_prefix('-');
        let (whole, fraction) =
            unsigned.unwrap_or(mantissa).split_once('.').unwrap_or((unsigned.unwrap_or(mantissa), ""));
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        if significant.is_empty() {
            return Self { sign: 0, magnitude: 0, digits: String::new() };
        }
        let places = whole.len().cast_signed() - (digits.len() - significant.len()).cast_signed();
        let far = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
        let exponent: i64 = exponent.parse().unwrap_or(far);
        Self {
            sign: if unsigned.is_some() { -1 } else { 1 },
            magnitude: exponent.saturating_add(places as i64),
            digits: significant.trim_end_matches('0').to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn truth_is_that_of_handlebars() {
        for no in ["null", "false", "0", "0.0", "\"\"", "[]", "{}"] {
            assert!(!truthy(&value(no)), "{no}");
        }
        for yes in ["true", "1", "-1", "\"0\"", "[0]", "{\"a\":0}"] {
            assert!(truthy(&value(yes)), "{yes}");
        }
    }

    #[test]
    fn values_are_the_same_if_kind_and_worth_are() {
        for (a, b) in [
            ("1", "1.0"),
            ("1e2", "100"),
            ("0", "-0.0"),
            ("[1, {\"a\": 2, \"b\": 3}]", "[1.0, {\"b\": 3, \"a\": 2}]"),
            ("9007199254740993", "9007199254740993"),
        ] {
            assert!(same(&value(a), &value(b)), "{a} {b}");
        }
        for (a, b) in [
            ("1", "\"1\""),
            ("0", "false"),
            ("null", "false"),
            ("\"\"", "null"),
            ("[]", "{}"),
            ("[1, 2]", "[2, 1]"),
            ("{\"a\": 1}", "{\"a\": 1, \"b\": 1}"),
            ("9007199254740993", "9007199254740992"),
        ] {
            assert!(!same(&value(a), &value(b)), "{a} {b}");
        }
    }

    #[test]
    fn only_numbers_and_texts_have_an_order() {
        let order = |a, b| order(&value(a), &value(b));
        assert_eq!(order("2", "10"), Some(Ordering::Less));
        assert_eq!(order("\"2\"", "\"10\""), Some(Ordering::Greater));
        assert_eq!(order("\"\u{ffff}\"", "\"\u{10000}\""), Some(Ordering::Less), "by code points, not UTF-16");
        for (a, b) in [("1", "\"1\""), ("null", "0"), ("false", "true"), ("[1]", "[2]"), ("null", "null")] {
            assert_eq!(order(a, b), None, "{a} {b}");
        }
    }

    #[test]
    fn numbers_compare_exactly_whatever_their_size() {
        let ascending = [
            "-1e99999999999999999999",
            "-18446744073709551617",
            "-18446744073709551616",
            "-2",
            "-1.5",
            "-1e-400",
            "0",
            "1e-99999999999999999999",
            "0.1",
            "0.10000000000000000001",
            "1",
            "9007199254740992",
            "9007199254740992.5",
            "9007199254740993",
            "18446744073709551616",
            "1.8446744073709551617E+19",
            "1e400",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(order(&value(a), &value(b)), Some(i.cmp(&j)), "{a} {b}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_floats_can_tell_apart_is_told_apart_alike(a in any::<f64>(), b in any::<f64>()) {
            let number = |float: f64| Number::from_f64(float);
            if let (Some(x), Some(y)) = (number(a), number(b)) {
                prop_assert_eq!(Some(compare(&x, &y)), a.partial_cmp(&b));
            }
        }
    }
}
