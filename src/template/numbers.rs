//! The helpers that reckon and that write numbers: exact, because they are for prices.

use std::str::FromStr;

use bigdecimal::{BigDecimal, RoundingMode, Signed, Zero};
use handlebars::JsonRender;
use serde_json::{Number, Value};

/// How many digits a number may have, zeros included: enough for any sum of money, and little enough
/// that no visitor's number keeps the server busy.
const DIGITS: u64 = 100;
/// The most decimals that a number is rounded to.
const MOST_DECIMALS: i64 = 30;
/// The most numbers that `range` lists.
const MOST_NUMBERS: usize = 1000;

/// A number, or a text that is nothing else, such as a price from a CSV file. `None` for everything
/// else, and for numbers that are too long to reckon with.
fn read(value: &Value) -> Option<BigDecimal> {
    let text = match value {
        Value::Number(number) => number.as_str(),
        Value::String(text) => text.trim(),
        _ => return None,
    };
    if text.len() as u64 > DIGITS || !text.contains(|c: char| c.is_ascii_digit()) || text.contains('_') {
        return None;
    }
    bounded(BigDecimal::from_str(text).ok()?)
}

/// The number, unless it has too many digits.
fn bounded(number: BigDecimal) -> Option<BigDecimal> {
    let places = number.fractional_digit_count();
    (places.unsigned_abs() <= DIGITS && number.digits() <= DIGITS).then_some(number)
}

fn written(number: Option<BigDecimal>) -> Value {
    let text = number.and_then(bounded).map(|number| number.to_plain_string());
    text.and_then(|text| Number::from_str(&text).ok()).map_or(Value::Null, Value::Number)
}

/// What `reckon` makes of all of them; `null` if one is no number.
fn fold(values: &[&Value], reckon: fn(BigDecimal, BigDecimal) -> BigDecimal) -> Value {
    let mut numbers = values.iter().map(|value| read(value));
    let first = numbers.next().flatten();
    written(numbers.fold(first, |so_far, next| bounded(reckon(so_far?, next?))))
}

pub fn add(values: &[&Value]) -> Value {
    fold(values, |a, b| a + b)
}

pub fn sub(values: &[&Value]) -> Value {
    fold(values, |a, b| a - b)
}

pub fn mul(values: &[&Value]) -> Value {
    fold(values, |a, b| a * b)
}

/// To as many decimals as it has, or 30; `null` for a division by zero.
pub fn div(values: &[&Value]) -> Value {
    let [a, b] = values else { return Value::Null };
    let (Some(a), Some(b)) = (read(a), read(b).filter(|b| !b.is_zero())) else { return Value::Null };
    let quotient = a / b;
    let places = quotient.fractional_digit_count().clamp(0, MOST_DECIMALS);
    written(Some(quotient.with_scale_round(places, RoundingMode::HalfUp).normalized()))
}

/// Half up, to so many decimals or to none.
pub fn round(values: &[&Value]) -> Value {
    let places = values.get(1).and_then(|places| decimals(places)).unwrap_or(0);
    rounded(values, places, RoundingMode::HalfUp)
}

/// The least whole number that is not less.
pub fn ceil(values: &[&Value]) -> Value {
    rounded(values, 0, RoundingMode::Ceiling)
}

/// The greatest whole number that is not greater.
pub fn floor(values: &[&Value]) -> Value {
    rounded(values, 0, RoundingMode::Floor)
}

fn rounded(values: &[&Value], places: i64, mode: RoundingMode) -> Value {
    let number = values.first().and_then(|value| read(value));
    written(number.map(|number| number.with_scale_round(places, mode)))
}

/// How many, or at which place: a whole number, its decimals left out, and never below 0.
pub fn count(value: &Value) -> Option<usize> {
    let number = read(value)?.with_scale_round(0, RoundingMode::Down);
    if number.is_negative() { Some(0) } else { Some(number.to_plain_string().parse().unwrap_or(usize::MAX)) }
}

/// The whole numbers from one to another, both of them included; none if one of the two is no number.
pub fn range(values: &[&Value]) -> Value {
    let whole = |value: &Value| -> Option<i64> {
        read(value)?.with_scale_round(0, RoundingMode::Down).to_plain_string().parse().ok()
    };
    match values {
        [from, to] => match (whole(from), whole(to)) {
            (Some(from), Some(to)) => (from..=to).take(MOST_NUMBERS).map(Value::from).collect(),
            _ => Value::Array(Vec::new()),
        },
        _ => Value::Null,
    }
}

/// The sum over a list or map: of its items; of one entry of each, or of several multiplied; or, with a
/// second map, of its items times what the second has under their keys.
pub fn sum(values: &[&Value]) -> Value {
    let Some((over, factors)) = values.split_first() else { return Value::Null };
    let items: Vec<(Option<&String>, &Value)> = match over {
        Value::Array(items) => items.iter().map(|item| (None, item)).collect(),
        Value::Object(map) => map.iter().map(|(key, item)| (Some(key), item)).collect(),
        _ => Vec::new(),
    };
    let worth = |(key, item): (Option<&String>, &Value)| match factors.split_first() {
        Some((Value::Object(other), entries)) => {
            let times = entries_multiplied(other.get(key?)?, entries)?;
            bounded(read(item)? * times)
        }
        _ => entries_multiplied(item, factors),
    };
    let mut all = items.into_iter().filter_map(worth);
    written(all.try_fold(BigDecimal::from(0), |sum, next| bounded(sum + next)))
}

/// The product of these entries of an item; without any, the item itself.
fn entries_multiplied(item: &Value, entries: &[&Value]) -> Option<BigDecimal> {
    if entries.is_empty() {
        return read(item);
    }
    entries.iter().try_fold(BigDecimal::from(1), |product, entry| bounded(product * read(item.get(entry.as_str()?)?)?))
}

/// How many decimals a value asks for: a number, or its text.
pub fn decimals(value: &Value) -> Option<i64> {
    let places = match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    };
    places.filter(|places| (0..=MOST_DECIMALS).contains(places))
}

/// `1234.5` as `1,234.50`: with `decimals` places, rounded half up; with `group` between thousands and
/// `point` before the decimals. What is no number is shown as it is.
pub fn number(values: &[&Value]) -> Value {
    let [value, options @ ..] = values else { return Value::Null };
    let Some(mut number) = read(value) else { return Value::String(value.render()) };
    if let Some(places) = options.first().and_then(|places| decimals(places)) {
        number = number.with_scale_round(places, RoundingMode::HalfUp);
    }
    let mark = |at: usize, usual: &'static str| match options.get(at) {
        Some(Value::Null) | None => usual.to_owned(),
        Some(own) => own.render(),
    };
    let (group, point) = (mark(1, ","), mark(2, "."));
    let text = number.to_plain_string();
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |text| ("-", text));
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let mut shown = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            shown.push_str(&group);
        }
        shown.push(digit);
    }
    if !decimals.is_empty() {
        shown.push_str(&point);
        shown.push_str(decimals);
    }
    Value::String(shown)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::operators::Operator;
    use super::*;

    fn call(operator: Operator, values: &Value) -> String {
        operator(&values.as_array().unwrap().iter().collect::<Vec<_>>()).to_string()
    }

    #[test]
    fn reckoning_is_exact() {
        assert_eq!(call(add, &json!([0.1, 0.2])), "0.3");
        assert_eq!(call(add, &json!([1, 2, "3.50"])), "6.50");
        assert_eq!(call(sub, &json!([1, "1.10"])), "-0.10");
        assert_eq!(call(mul, &json!(["4.50", 3])), "13.50");
        let large: Value = serde_json::from_str("[123456789012345678901234567890, 10]").unwrap();
        assert_eq!(call(mul, &large), "1234567890123456789012345678900");
    }

    #[test]
    fn a_division_is_exact_or_has_thirty_decimals() {
        for (values, quotient) in [
            (json!([6, 2]), "3"),
            (json!(["4.50", 4]), "1.125"),
            (json!([1, 3]), "0.333333333333333333333333333333"),
            (json!([-2, 3]), "-0.666666666666666666666666666667"),
            (json!([1000, 0.1]), "10000"),
            (json!([0, 7]), "0"),
            (json!([1, 0]), "null"),
            (json!([1, "0.00"]), "null"),
            (json!([1, "x"]), "null"),
        ] {
            assert_eq!(call(div, &values), quotient, "{values}");
        }
        let tiny: Value = serde_json::from_str("[1e-90, 3]").unwrap();
        assert_eq!(call(div, &tiny), "0");
    }

    #[test]
    fn a_number_is_rounded_half_up() {
        for (values, rounded) in [
            (json!([2.5]), "3"),
            (json!([-2.5]), "-3"),
            (json!(["2.345", 2]), "2.35"),
            (json!([2, 2]), "2.00"),
            (json!([2.345, "1"]), "2.3"),
            (json!(["x", 1]), "null"),
        ] {
            assert_eq!(call(round, &values), rounded, "{values}");
        }
    }

    #[test]
    fn a_number_is_rounded_to_the_whole_number_above_or_below() {
        for (value, above, below) in [
            (json!(2.1), "3", "2"),
            (json!(-2.1), "-2", "-3"),
            (json!("4.00"), "4", "4"),
            (json!(null), "null", "null"),
        ] {
            assert_eq!((call(ceil, &json!([value])).as_str(), call(floor, &json!([value])).as_str()), (above, below));
        }
    }

    #[test]
    fn a_range_has_both_its_ends_and_no_end_of_numbers() {
        assert_eq!(call(range, &json!([1, "3"])), "[1,2,3]");
        assert_eq!(call(range, &json!([-1, 0.9])), "[-1,0]");
        for none in [json!([2, 1]), json!([1, "x"]), json!([null, 3])] {
            assert_eq!(call(range, &none), "[]");
        }
        let long = range(&[&json!(1), &json!(1e18)]);
        assert_eq!(long.as_array().unwrap().len(), 1000);
        assert_eq!(range(&[&json!(i64::MAX - 1), &json!(i64::MAX)]).as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_place_is_a_whole_number_that_is_not_below_zero() {
        for (value, place) in [(json!("2"), Some(2)), (json!(2.9), Some(2)), (json!(-3), Some(0)), (json!("x"), None)] {
            assert_eq!(count(&value), place, "{value}");
        }
        assert_eq!(count(&json!("9".repeat(40))), Some(usize::MAX));
    }

    #[test]
    fn what_is_no_number_comes_out_as_nothing() {
        for other in [json!("x"), json!(""), json!(null), json!([1]), json!(true), json!("NaN"), json!("1_000")] {
            assert_eq!(call(add, &json!([1, other])), "null", "{other}");
        }
    }

    #[test]
    fn a_number_of_endless_digits_is_refused_at_once() {
        let huge: Value = serde_json::from_str("[1e999999999, 1]").unwrap();
        let tiny: Value = serde_json::from_str("[1e-999999999, 1]").unwrap();
        for values in [huge, tiny, json!(["9".repeat(101), 1]), json!(["9".repeat(60), "9".repeat(60)])] {
            assert_eq!(call(mul, &values), "null");
        }
        assert_eq!(call(number, &json!(["1e999999999"])), "\"1e999999999\"");
    }

    #[test]
    fn a_sum_is_of_items_of_entries_or_of_what_another_map_says() {
        assert_eq!(call(sum, &json!([[1, "2.50", "x", null]])), "3.50");
        let lines = json!([{ "price": "4.50", "cups": 2 }, { "price": 1.25, "cups": 4 }, { "cups": 9 }]);
        assert_eq!(call(sum, &json!([lines, "price"])), "5.75");
        assert_eq!(call(sum, &json!([lines, "price", "cups"])), "14.00");
        let teas = json!({ "assam": { "price": "4.50" }, "mate": { "price": 3 } });
        assert_eq!(call(sum, &json!([{ "assam": 2, "mate": 1, "gone": 7 }, teas, "price"])), "12.00");
        assert_eq!(call(sum, &json!([{ "assam": 2 }, { "assam": 3 }])), "6");
        for nothing in [json!([[]]), json!([null]), json!([null, teas, "price"]), json!(["x", "price"])] {
            assert_eq!(call(sum, &nothing), "0", "{nothing}");
        }
    }

    #[test]
    fn a_number_is_written_for_people() {
        for (value, shown) in [
            (json!([1_234_567]), "1,234,567"),
            (json!([-1234.5, 2]), "-1,234.50"),
            (json!([123]), "123"),
            (json!(["0.30"]), "0.30"),
            (json!([2.345, 2]), "2.35"),
            (json!([0.5, 0]), "1"),
            (json!([-0.001, 2]), "0.00"),
            (json!([1234.5, 2, ".", ","]), "1.234,50"),
            (json!([1234.5, null, ""]), "1234.5"),
            (json!(["<b>"]), "<b>"),
            (json!([null]), ""),
            (json!([12.345, "2"]), "12.35"),
            (json!([1.005, 2]), "1.01"),
            (json!([1.5, "x"]), "1.5"),
            (json!([1.5, 99]), "1.5"),
        ] {
            assert_eq!(call(number, &value), format!("\"{shown}\""), "{value}");
        }
        let large: Value = serde_json::from_str("[123456789012345678901.10]").unwrap();
        assert_eq!(call(number, &large), "\"123,456,789,012,345,678,901.10\"");
    }
}
