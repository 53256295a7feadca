use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config::param::PARAM_TYPES;

fn read(kind: ParamType, sent: impl Into<Value>) -> Result<Option<Value>, Rule> {
    Rules::of(kind).read(&sent.into())
}

#[test]
fn text_is_trimmed_unless_told_otherwise() {
    assert_eq!(read(ParamType::String, " \u{a0}Zoë Q \r\n"), Ok(Some(json!("Zoë Q"))));
    let exact = Rules { trim: false, ..Rules::of(ParamType::String) };
    assert_eq!(exact.read(&json!(" p w ")), Ok(Some(json!(" p w "))));
    assert_eq!(exact.read(&json!("  ")), Ok(Some(json!("  "))));
    assert_eq!(exact.read(&json!("")), Ok(None));
    assert_eq!(read(ParamType::String, 5), Err(Rule::Type));
    assert_eq!(read(ParamType::String, true), Err(Rule::Type));
}

#[test]
fn nothing_is_nothing_in_every_type() {
    for (name, kind, ..) in PARAM_TYPES {
        for nothing in [Value::Null, json!(""), json!(" \t\n ")] {
            assert_eq!(read(*kind, nothing), Ok(None), "{name}");
        }
        assert_eq!(read(*kind, json!([])), Err(Rule::Type), "{name}");
        assert_eq!(read(*kind, json!({"a": 1})), Err(Rule::Type), "{name}");
    }
}

#[test]
fn nothing_to_be_seen_is_nothing() {
    for nothing in ["\u{200b}", " \u{feff}\u{a0}\u{200d} ", "\u{3164}\u{2060}"] {
        assert_eq!(read(ParamType::String, nothing), Ok(None), "{nothing:?}");
    }
    let exact = Rules { trim: false, ..Rules::of(ParamType::String) };
    assert_eq!(exact.read(&json!("\u{200b}")), Ok(None));
    assert_eq!(exact.read(&json!("\u{200b} ")), Ok(Some(json!("\u{200b} "))));
    assert_eq!(read(ParamType::String, "👩\u{200d}🚀"), Ok(Some(json!("👩\u{200d}🚀"))));
}

#[test]
fn text_has_no_control_characters_but_those_of_lines() {
    for bad in ["a\0", "\u{1b}[31m", "a\u{7f}b", "\u{85}"] {
        let exact = Rules { trim: false, ..Rules::of(ParamType::String) };
        assert_eq!(exact.read(&json!(bad)), Err(Rule::Type), "{bad:?}");
    }
    assert_eq!(read(ParamType::String, "a\tb\r\nc"), Ok(Some(json!("a\tb\r\nc"))));
}

#[test]
fn an_integer_is_digits_within_64_bits() {
    for (sent, value) in [(" 42 ", 42), ("-0", 0), ("+7", 7), ("007", 7), ("-9223372036854775808", i64::MIN)] {
        assert_eq!(read(ParamType::Integer, sent), Ok(Some(json!(value))), "{sent}");
    }
    for bad in ["9223372036854775808", "1.0", "1e3", "1,000", "1 000", "0x10", "٣", "-", "12a"] {
        assert_eq!(read(ParamType::Integer, bad), Err(Rule::Type), "{bad}");
    }
    assert_eq!(read(ParamType::Integer, 7), Ok(Some(json!(7))));
    assert_eq!(read(ParamType::Integer, 7.5), Err(Rule::Type));
    assert_eq!(read(ParamType::Integer, true), Err(Rule::Type));
}

#[test]
fn a_number_is_finite_and_whole_ones_stay_whole() {
    for (sent, shown) in
        [("2.50", "2.5"), ("5", "5"), ("5.0", "5"), ("-0", "0"), (".5", "0.5"), ("1e-3", "0.001"), ("1E2", "100")]
    {
        assert_eq!(read(ParamType::Number, sent).unwrap().unwrap().to_string(), shown, "{sent}");
    }
    for bad in ["inf", "nan", "Infinity", "1e999", "1,5", "e", ".", "--1", "1_0", "0x1p3"] {
        assert_eq!(read(ParamType::Number, bad), Err(Rule::Type), "{bad}");
    }
}

#[test]
fn a_boolean_is_what_checkboxes_and_people_say() {
    for yes in ["on", "true", "TRUE", " yes ", "1"] {
        assert_eq!(read(ParamType::Boolean, yes), Ok(Some(json!(true))), "{yes}");
    }
    for no in ["off", "false", "no", "0"] {
        assert_eq!(read(ParamType::Boolean, no), Ok(Some(json!(false))), "{no}");
    }
    assert_eq!(read(ParamType::Boolean, false), Ok(Some(json!(false))));
    assert_eq!(read(ParamType::Boolean, "maybe"), Err(Rule::Type));
}

#[test]
fn bounds_are_of_the_type() {
    let bounds = |kind, min: Value, max: Value| Rules { min: Some(min), max: Some(max), ..Rules::of(kind) };
    let whole = bounds(ParamType::Integer, json!(-1), json!(10));
    assert_eq!(whole.read(&json!("-2")), Err(Rule::Min));
    assert_eq!(whole.read(&json!("9")), Ok(Some(json!(9))));
    assert_eq!(whole.read(&json!("11")), Err(Rule::Max));
    let half = bounds(ParamType::Number, json!(0), json!(0.5));
    assert_eq!(half.read(&json!("0.51")), Err(Rule::Max));
    assert_eq!(half.read(&json!("-1e-9")), Err(Rule::Min));
    assert_eq!(half.read(&json!("0.50")), Ok(Some(json!(0.5))));
    let year = bounds(ParamType::Date, json!("2026-01-01"), json!("2026-12-31"));
    assert_eq!(year.read(&json!("2025-12-31")), Err(Rule::Min));
    assert_eq!(year.read(&json!("2027-01-01")), Err(Rule::Max));
    assert_eq!(year.read(&json!("2026-06-31")), Err(Rule::Type));
}

#[test]
fn characters_are_counted_as_people_count_them() {
    let rules = Rules { min_length: Some(3), max_length: Some(4), ..Rules::of(ParamType::String) };
    assert_eq!(rules.read(&json!("é😀")), Err(Rule::MinLength));
    assert_eq!(rules.read(&json!("é😀ß")), Ok(Some(json!("é😀ß"))));
    assert_eq!(rules.read(&json!("ab\r\nc")), Ok(Some(json!("ab\r\nc"))));
    assert_eq!(rules.read(&json!("ab\r\ncd")), Err(Rule::MaxLength));
}

#[test]
fn the_first_rule_that_does_not_hold_is_told() {
    let rules = Rules {
        max_length: Some(4),
        pattern: Some(Arc::new(Regex::new(r"\A(?:[a-z]+)\z").unwrap())),
        one_of: Some(vec![json!("tea"), json!("milk")]),
        ..Rules::of(ParamType::String)
    };
    assert_eq!(rules.read(&json!("TEA TIME")), Err(Rule::MaxLength));
    assert_eq!(rules.read(&json!("TEA")), Err(Rule::Pattern));
    assert_eq!(rules.read(&json!("rum")), Err(Rule::OneOf));
    assert_eq!(rules.read(&json!("tea ")), Ok(Some(json!("tea"))));
}

/// Anything a JSON body may hold, texts that nearly are something above all.
fn sent() -> impl Strategy<Value = Value> {
    let texts = prop_oneof![
        any::<String>().prop_map(Value::from),
        "[ \t]{0,2}[-+]?[0-9]{0,20}[.]?[0-9]{0,3}(e-?[0-9]{1,3})? ?".prop_map(Value::from),
        "[0-9]{1,4}-[01][0-9]-[0-3][0-9]".prop_map(Value::from),
        "[a-z.]{0,5}@[a-z.-]{0,9}".prop_map(Value::from),
        "(on|off|true|false|yes|no|1|0|TRUE)".prop_map(Value::from),
    ];
    let others = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([1])),
    ];
    prop_oneof![4 => texts, 1 => others]
}

proptest! {
    #[test]
    fn what_was_read_reads_as_itself(sent in sent(), trim in any::<bool>()) {
        for (_, kind, ..) in PARAM_TYPES {
            let rules = Rules {
                trim: trim || *kind != ParamType::String,
                max_length: Some(40),
                ..Rules::of(*kind)
            };
            if let Ok(Some(value)) = rules.read(&sent) {
                prop_assert_eq!(rules.read(&value), Ok(Some(value.clone())), "{:?}", kind);
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                prop_assert_eq!(rules.read(&Value::from(text)), Ok(Some(value)), "{:?} as text", kind);
            }
        }
    }
}
