//! What a visitor is told when a rule does not hold: what to do, in one sentence.

use serde_json::Value;

use super::rules::{Rule, Rules};
use crate::config::param::ParamType;

/// The sentence about `rule`. `items` is the most there may be of a list.
pub fn sentence(rule: Rule, rules: &Rules, items: Option<usize>) -> String {
    match rule {
        Rule::Required => required(rules, items.is_some()).to_owned(),
        Rule::Type | Rule::Min | Rule::Max => format!("Please {}.", wanted(rules)),
        Rule::MinLength | Rule::MaxLength => format!("Please enter {}.", characters(rules)),
        Rule::Pattern => "Please match the requested format.".to_owned(),
        Rule::OneOf => "Please choose one of the options.".to_owned(),
        Rule::MaxItems => format!("Please choose at most {}.", items.unwrap_or_default()),
    }
}

fn required(rules: &Rules, many: bool) -> &'static str {
    match (rules.kind, &rules.one_of) {
        (ParamType::Boolean, _) => "Please tick this box.",
        _ if many => "Please choose at least one.",
        (_, Some(_)) => "Please choose one of the options.",
        _ => "Please fill in this field.",
    }
}

/// What there is to do, for what has to be of a type and within bounds.
fn wanted(rules: &Rules) -> String {
    let what = match rules.kind {
        ParamType::String => "enter plain text",
        ParamType::Integer => "enter a whole number",
        ParamType::Number => "enter a number",
        ParamType::Boolean => "answer yes or no",
        ParamType::Date => "enter a date",
        ParamType::Time => "enter a time",
        ParamType::Email => "enter an e-mail address, such as ada@example.org",
        ParamType::Url => "enter a web address, such as https://example.org",
    };
    let (is_date, is_time) = (rules.kind == ParamType::Date, rules.kind == ParamType::Time);
    let bounds = match (&rules.min, &rules.max) {
        (Some(min), Some(max)) => format!(" from {} to {}", plain(min), plain(max)),
        (Some(min), None) if is_date || is_time => format!(", {} or later", plain(min)),
        (None, Some(max)) if is_date || is_time => format!(", {} or earlier", plain(max)),
        (Some(min), None) => format!(" of at least {}", plain(min)),
        (None, Some(max)) => format!(" of at most {}", plain(max)),
        (None, None) if is_date => ", such as 2026-11-21".to_owned(),
        (None, None) if is_time => ", such as 08:30".to_owned(),
        (None, None) => String::new(),
    };
    what.to_owned() + &bounds
}

/// A bound as it is written.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn characters(rules: &Rules) -> String {
    let unit = |count: usize| if count == 1 { "1 character".to_owned() } else { format!("{count} characters") };
    match (rules.min_length, rules.max_length) {
        (Some(least), Some(most)) if least == most => format!("exactly {}", unit(most)),
        (Some(least), Some(most)) => format!("{least} to {}", unit(most)),
        (Some(least), None) => format!("at least {}", unit(least)),
        (None, Some(most)) => format!("at most {}", unit(most)),
        (None, None) => unit(0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sentence_says_all_that_is_asked_for() {
        let age = Rules { min: Some(json!(0)), ..Rules::of(ParamType::Integer) };
        assert_eq!(sentence(Rule::Type, &age, None), "Please enter a whole number of at least 0.");
        assert_eq!(sentence(Rule::Min, &age, None), "Please enter a whole number of at least 0.");
        let share = Rules { min: Some(json!(0)), max: Some(json!(0.5)), ..Rules::of(ParamType::Number) };
        assert_eq!(sentence(Rule::Max, &share, None), "Please enter a number from 0 to 0.5.");
        let day = Rules { max: Some(json!("2026-12-31")), ..Rules::of(ParamType::Date) };
        assert_eq!(sentence(Rule::Type, &day, None), "Please enter a date, 2026-12-31 or earlier.");
        let day = Rules { min: Some(json!("today")), ..Rules::of(ParamType::Date) };
        assert_eq!(sentence(Rule::Min, &day, None), "Please enter a date, today or later.");
        let from = Rules { min: Some(json!("08:00")), max: Some(json!("17:30")), ..Rules::of(ParamType::Time) };
        assert_eq!(sentence(Rule::Max, &from, None), "Please enter a time from 08:00 to 17:30.");
        let name = Rules { min_length: Some(2), max_length: Some(9), ..Rules::of(ParamType::String) };
        assert_eq!(sentence(Rule::MinLength, &name, None), "Please enter 2 to 9 characters.");
        let terms = Rules::of(ParamType::Boolean);
        assert_eq!(sentence(Rule::Required, &terms, None), "Please tick this box.");
        assert_eq!(sentence(Rule::MaxItems, &name, Some(3)), "Please choose at most 3.");
    }
}
