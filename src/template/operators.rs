//! The helpers that are functions of values and nothing else: compare, combine, count.

use std::cmp::Ordering;

use handlebars::JsonRender;
use serde_json::Value;

use super::numbers::count;
use super::values::{order, same, truthy};

/// What `eq` and its kin do with the values they are given: as many as they take.
pub type Operator = fn(&[&Value]) -> Value;

fn first<'v>(values: &[&'v Value]) -> &'v Value {
    values.first().copied().unwrap_or(&Value::Null)
}

fn second<'v>(values: &[&'v Value]) -> &'v Value {
    values.get(1).copied().unwrap_or(&Value::Null)
}

pub fn eq(values: &[&Value]) -> Value {
    same(first(values), second(values)).into()
}

pub fn ne(values: &[&Value]) -> Value {
    (!same(first(values), second(values))).into()
}

pub fn gt(values: &[&Value]) -> Value {
    ordered(values, Ordering::is_gt)
}

pub fn gte(values: &[&Value]) -> Value {
    ordered(values, Ordering::is_ge)
}

pub fn lt(values: &[&Value]) -> Value {
    ordered(values, Ordering::is_lt)
}

pub fn lte(values: &[&Value]) -> Value {
    ordered(values, Ordering::is_le)
}

fn ordered(values: &[&Value], holds: fn(Ordering) -> bool) -> Value {
    order(first(values), second(values)).is_some_and(holds).into()
}

pub fn and(values: &[&Value]) -> Value {
    values.iter().all(|value| truthy(value)).into()
}

pub fn or(values: &[&Value]) -> Value {
    values.iter().any(|value| truthy(value)).into()
}

pub fn not(values: &[&Value]) -> Value {
    (!truthy(first(values))).into()
}

/// An item of a list, a key of a map, a part of a text.
pub fn is_in(values: &[&Value]) -> Value {
    let sought = first(values);
    let found = match (sought, second(values)) {
        (_, Value::Array(items)) => items.iter().any(|item| same(item, sought)),
        (Value::String(key), Value::Object(map)) => map.contains_key(key),
        (Value::String(part), Value::String(text)) => text.contains(part.as_str()),
        _ => false,
    };
    found.into()
}

/// Items, entries or characters; 0 for everything that has none.
pub fn len(values: &[&Value]) -> Value {
    let length = match first(values) {
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        Value::String(text) => text.chars().count(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    length.into()
}

/// The first that is not `null`.
pub fn default(values: &[&Value]) -> Value {
    values.iter().copied().find(|value| !value.is_null()).cloned().unwrap_or_default()
}

/// A text in capital letters; what is `null` stays so.
pub fn upper(values: &[&Value]) -> Value {
    text_of(first(values), str::to_uppercase)
}

/// A text in small letters; what is `null` stays so.
pub fn lower(values: &[&Value]) -> Value {
    text_of(first(values), str::to_lowercase)
}

fn text_of(value: &Value, change: fn(&str) -> String) -> Value {
    if value.is_null() { Value::Null } else { change(&value.render()).into() }
}

/// The texts of the items of a list or map, with a text between them; of anything else, its own.
pub fn join(values: &[&Value]) -> Value {
    let items: Vec<String> = match first(values) {
        Value::Array(items) => items.iter().map(JsonRender::render).collect(),
        Value::Object(map) => map.values().map(JsonRender::render).collect(),
        one => vec![one.render()],
    };
    items.join(&second(values).render()).into()
}

/// A part of a list or a text. A place that is none counts as the first; without a number, the rest.
pub fn slice(values: &[&Value]) -> Value {
    let from = count(second(values)).unwrap_or(0);
    let most = values.get(2).and_then(|most| count(most)).unwrap_or(usize::MAX);
    match first(values) {
        Value::Array(items) => items.iter().skip(from).take(most).cloned().collect(),
        Value::String(text) => text.chars().skip(from).take(most).collect::<String>().into(),
        _ => Value::Null,
    }
}

/// The texts of all values, as a page would show them.
pub fn concat(values: &[&Value]) -> Value {
    values.iter().map(|value| value.render()).collect::<String>().into()
}

/// An entry of a map, or an item of a list, whose place may come as text: so does what is in a path.
pub fn lookup(values: &[&Value]) -> Value {
    let at = second(values);
    let found = match (first(values), at) {
        (Value::Object(map), Value::String(key)) => map.get(key),
        (Value::Array(items), Value::Number(place)) => place.as_u64().and_then(|place| item(items, place)),
        (Value::Array(items), Value::String(place)) => place.parse().ok().and_then(|place| item(items, place)),
        _ => None,
    };
    found.cloned().unwrap_or_default()
}

fn item(items: &[Value], place: u64) -> Option<&Value> {
    items.get(usize::try_from(place).ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(operator: Operator, values: &Value) -> Value {
        operator(&values.as_array().unwrap().iter().collect::<Vec<_>>())
    }

    #[test]
    fn what_has_no_order_is_neither_more_nor_less_nor_as_much() {
        for values in [json!([1, "1"]), json!([null, 0]), json!([true, false]), json!([[1], [0]])] {
            for operator in [gt, gte, lt, lte] {
                assert_eq!(call(operator, &values), json!(false), "{values}");
            }
        }
        assert_eq!(call(gte, &json!([2, 2.0])), json!(true));
        assert_eq!(call(lt, &json!(["a", "b"])), json!(true));
    }

    #[test]
    fn and_and_or_take_any_number_of_values() {
        assert_eq!(call(and, &json!([1, "x", [0]])), json!(true));
        assert_eq!(call(and, &json!([1, "x", []])), json!(false));
        assert_eq!(call(or, &json!([null, 0, "x"])), json!(true));
        assert_eq!(call(or, &json!([null, 0, ""])), json!(false));
    }

    #[test]
    fn a_value_is_in_a_list_a_key_in_a_map_and_a_part_in_a_text() {
        for values in [json!([1, [2, 1.0]]), json!(["a", {"a": null}]), json!(["ea", "tea"]), json!([null, [null]])] {
            assert_eq!(call(is_in, &values), json!(true), "{values}");
        }
        for values in [json!(["1", [1]]), json!(["b", {"a": "b"}]), json!([1, "1"]), json!(["a", null])] {
            assert_eq!(call(is_in, &values), json!(false), "{values}");
        }
    }

    #[test]
    fn a_length_counts_items_entries_and_characters() {
        for (value, length) in
            [(json!([1, 2]), 2), (json!({"a": 1}), 1), (json!("d\u{e9}j\u{e0}"), 4), (json!(null), 0)]
        {
            assert_eq!(call(len, &json!([value])), json!(length), "{value}");
        }
    }

    #[test]
    fn a_default_stands_in_for_null_alone() {
        assert_eq!(call(default, &json!([null, "x"])), json!("x"));
        for present in [json!(""), json!(0), json!(false), json!([])] {
            assert_eq!(call(default, &json!([present, "x"])), present);
        }
    }

    #[test]
    fn letters_are_those_of_all_languages_and_nothing_stays_nothing() {
        assert_eq!(call(upper, &json!(["tea \u{e9}\u{df}"])), json!("TEA \u{c9}SS"));
        assert_eq!(call(lower, &json!(["TEA \u{c9}"])), json!("tea \u{e9}"));
        assert_eq!((call(upper, &json!([null])), call(upper, &json!([1.5]))), (json!(null), json!("1.5")));
    }

    #[test]
    fn items_are_joined_with_what_stands_between_them() {
        assert_eq!(call(join, &json!([["a", 1, null], ", "])), json!("a, 1, "));
        assert_eq!(call(join, &json!([{ "x": "a", "y": "b" }, "-"])), json!("a-b"));
        assert_eq!(call(join, &json!([[], ", "])), json!(""));
        assert_eq!(call(join, &json!(["a", ", "])), json!("a"));
    }

    #[test]
    fn a_slice_is_as_much_of_a_list_or_text_as_there_is() {
        for (values, part) in [
            (json!([[1, 2, 3], 1, 1]), json!([2])),
            (json!([[1, 2, 3], "1"]), json!([2, 3])),
            (json!([[1, 2, 3], 2, 9]), json!([3])),
            (json!([[1, 2, 3], 3, 1]), json!([])),
            (json!([[1, 2, 3], -1, 2]), json!([1, 2])),
            (json!([[1, 2, 3], null, "x"]), json!([1, 2, 3])),
            (json!(["d\u{e9}j\u{e0}", 1, 2]), json!("\u{e9}j")),
            (json!([{ "a": 1 }, 0, 1]), json!(null)),
            (json!([null, 0, 1]), json!(null)),
        ] {
            assert_eq!(call(slice, &values), part, "{values}");
        }
    }

    #[test]
    fn a_place_in_a_list_may_be_a_number_or_its_text() {
        for (values, found) in [
            (json!([["a", "b"], 1]), json!("b")),
            (json!([["a", "b"], "1"]), json!("b")),
            (json!([["a"], 1]), json!(null)),
            (json!([["a"], "-1"]), json!(null)),
            (json!([{"k": 1}, "k"]), json!(1)),
            (json!([{"1": 1}, 1]), json!(null)),
            (json!([null, "k"]), json!(null)),
        ] {
            assert_eq!(call(lookup, &values), found, "{values}");
        }
    }
}
