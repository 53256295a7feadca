//! What one value of a parameter must be, and what it means: a pure function of what was sent.

use std::cmp::Ordering;
use std::sync::Arc;

use regex::Regex;
use serde_json::{Number, Value};

use super::formats::{is_date, is_email, is_invisible, is_plain, is_time, is_url};
use crate::config::param::ParamType;

/// Stands for the day of the request, in UTC, where a date is bounded.
pub const TODAY: &str = "today";

/// The rules for one value.
#[derive(Clone, Debug)]
pub struct Rules {
    /// `type`.
    pub kind: ParamType,
    /// `trim`.
    pub trim: bool,
    /// `min_length`, in characters.
    pub min_length: Option<usize>,
    /// `max_length`, in characters.
    pub max_length: Option<usize>,
    /// `min`, of the type, or [`TODAY`].
    pub min: Option<Value>,
    /// `max`, of the type, or [`TODAY`].
    pub max: Option<Value>,
    /// `pattern`, for the whole of a text.
    pub pattern: Option<Arc<Regex>>,
    /// `one_of`, each of the type.
    pub one_of: Option<Vec<Value>>,
}

/// A rule, as it is written in a `message`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It must be given.
    Required,
    /// It must be of its type.
    Type,
    /// So many characters at least.
    MinLength,
    /// So many characters at most.
    MaxLength,
    /// This at least.
    Min,
    /// This at most.
    Max,
    /// Of this form.
    Pattern,
    /// Among these.
    OneOf,
    /// So many items at most.
    MaxItems,
}

/// Every rule with its key.
pub const RULES: [(&str, Rule); 9] = [
    ("required", Rule::Required),
    ("type", Rule::Type),
    ("min_length", Rule::MinLength),
    ("max_length", Rule::MaxLength),
    ("min", Rule::Min),
    ("max", Rule::Max),
    ("pattern", Rule::Pattern),
    ("one_of", Rule::OneOf),
    ("max_items", Rule::MaxItems),
];

impl Rules {
    /// Those of a type alone.
    pub fn of(kind: ParamType) -> Self {
        Self { kind, trim: true, min_length: None, max_length: None, min: None, max: None, pattern: None, one_of: None }
    }

    /// What a value as it was sent means, on whatever day; `None` if nothing was entered.
    ///
    /// Reading what came out gives the same again.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold.
    pub fn read(&self, sent: &Value) -> Result<Option<Value>, Rule> {
        self.read_on(None, sent)
    }

    /// What it means on a day.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold.
    pub fn read_on(&self, today: Option<&Value>, sent: &Value) -> Result<Option<Value>, Rule> {
        if sent.is_null() || sent.as_str().is_some_and(|text| self.is_nothing(text)) {
            return Ok(None);
        }
        let value = self.typed(sent).ok_or(Rule::Type)?;
        self.check(today, &value)?;
        Ok(Some(value))
    }

    /// Whether there is nothing to be seen of it.
    fn is_nothing(&self, text: &str) -> bool {
        text.chars().all(|c| is_invisible(c) || self.trim && c.is_whitespace())
    }

    fn trimmed<'t>(&self, text: &'t str) -> &'t str {
        if self.trim { text.trim() } else { text }
    }

    fn typed(&self, sent: &Value) -> Option<Value> {
        let text = || sent.as_str().map(|text| self.trimmed(text));
        // A JSON body brings numbers as numbers.
        let digits = || match sent {
            Value::Number(number) => Some(number.to_string()),
            _ => text().map(str::to_owned),
        };
        match self.kind {
            ParamType::String => text().filter(|text| is_plain(text)).map(Value::from),
            ParamType::Integer => digits()?.parse::<i64>().ok().map(Value::from),
            ParamType::Number => number(&digits()?),
            ParamType::Boolean => match sent {
                Value::Bool(_) => Some(sent.clone()),
                _ => boolean(text()?).map(Value::from),
            },
            ParamType::Date => text().filter(|text| is_date(text)).map(Value::from),
            ParamType::Time => text().filter(|text| is_time(text)).map(Value::from),
            ParamType::Email => text().filter(|text| is_email(text)).map(Value::from),
            ParamType::Url => text().filter(|text| is_url(text)).map(Value::from),
        }
    }

    /// Whether a bound is the day of the request.
    pub fn ask_for_today(&self) -> bool {
        [&self.min, &self.max].into_iter().flatten().any(|bound| *bound == TODAY)
    }

    fn check(&self, today: Option<&Value>, value: &Value) -> Result<(), Rule> {
        let holds = |rule: Rule, holds: bool| if holds { Ok(()) } else { Err(rule) };
        let beyond = |bound: &Option<Value>, way: Ordering| {
            let bound = bound.as_ref().and_then(|bound| if *bound == TODAY { today } else { Some(bound) });
            bound.is_some_and(|bound| compare(value, bound) == Some(way))
        };
        holds(Rule::Min, !beyond(&self.min, Ordering::Less))?;
        holds(Rule::Max, !beyond(&self.max, Ordering::Greater))?;
        if let Some(text) = value.as_str() {
            let length = length(text);
            holds(Rule::MinLength, self.min_length.is_none_or(|least| length >= least))?;
            holds(Rule::MaxLength, self.max_length.is_none_or(|most| length <= most))?;
            holds(Rule::Pattern, self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text)))?;
        }
        holds(Rule::OneOf, self.one_of.as_ref().is_none_or(|options| options.contains(value)))
    }
}

/// Characters as a person counts them in a form: browsers send a line end as two.
fn length(text: &str) -> usize {
    text.chars().count() - text.matches("\r\n").count()
}

/// A number of double precision; a whole one has no decimal point.
fn number(text: &str) -> Option<Value> {
    /// The whole numbers below this are exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    // Rust would also read `inf` and `nan`.
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    let number: f64 = text.bytes().all(plain).then(|| text.parse().ok())??;
    if number.fract() == 0.0 && number.abs() < EXACT {
        return Some(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// The order of two values of one type.
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        // Days and times written as ISO 8601 are in the order of their letters.
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
