//! `increment-counter`: the quick tutorial's `session['counter'] += 1`.

use serde_json::{Number, Value};

use super::{Action, Args, Cannot, Effect, Operand, Opt, Scene, Takes, Verb};
use crate::template::expression::{Key, Term};
use crate::template::values::compare;

pub const VERB: Verb = Verb {
    name: "increment-counter",
    summary: "Adds to a number in the session, starting from 0.",
    operand: Operand::Key,
    options: &[
        Opt { name: "by", takes: Takes::Number, summary: "What to add; default 1, may be negative." },
        Opt { name: "min", takes: Takes::Number, summary: "The counter never goes below this." },
        Opt { name: "max", takes: Takes::Number, summary: "The counter never goes above this." },
    ],
    yields: Some("the new number"),
    cannot: Some("the key holds something that is not a number, or an option comes out as something else"),
    example: r#"{ increment-counter = "counter", by = 1, max = 1000 }"#,
    build,
};

#[derive(Debug)]
struct IncrementCounter {
    key: Key,
    by: Term,
    min: Option<Term>,
    max: Option<Term>,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    let action = IncrementCounter {
        key: args.key()?,
        by: args.number("by").unwrap_or_else(|| Term::Fixed(1.into())),
        min: args.number("min"),
        max: args.number("max"),
    };
    if let (Some(Term::Fixed(Value::Number(min))), Some(Term::Fixed(Value::Number(max)))) = (&action.min, &action.max)
        && compare(min, max).is_gt()
    {
        return Err(format!("`min` is {min}, which is more than `max`, {max}"));
    }
    Ok(Box::new(action))
}

impl Action for IncrementCounter {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let path = scene.key(&self.key)?;
        let unfit = || Cannot::Unfit(format!("`{}` is not a number to count with", path.join(".")));
        let before = match scene.session.get(&path) {
            None => Number::from(0),
            Some(Value::Number(number)) => number,
            Some(_) => return Err(unfit()),
        };
        let bound = |name, bound: &Option<Term>| bound.as_ref().map(|bound| scene.number(name, bound)).transpose();
        let (min, max) = (bound("min", &self.min)?, bound("max", &self.max)?);
        let mut after = add(&before, &scene.number("by", &self.by)?).ok_or_else(unfit)?;
        if let Some(min) = min.filter(|min| compare(&after, min).is_lt()) {
            after = min;
        }
        if let Some(max) = max.filter(|max| compare(&after, max).is_gt()) {
            after = max;
        }
        let after = Value::Number(after);
        scene.store(&path, after.clone())?;
        Ok(after)
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Changes(self.key.known_parts())]
    }
}

/// Whole numbers stay whole (up to 128 bits); anything else is added as floats. `None` if it does
/// not fit.
fn add(a: &Number, b: &Number) -> Option<Number> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Number::from_i128(a.checked_add(b)?),
        (None, _) if is_spelled_whole(a) => None,
        _ => Number::from_f64(a.as_f64()? + b.as_f64()?),
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_str().parse().ok()
}

fn is_spelled_whole(number: &Number) -> bool {
    !number.as_str().contains(['.', 'e', 'E'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(a: &str, b: &str) -> Option<String> {
        let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
        add(&number(a), &number(b)).map(|number| number.to_string())
    }

    #[test]
    fn whole_numbers_stay_whole_and_exact() {
        assert_eq!(sum("1", "1").as_deref(), Some("2"));
        assert_eq!(sum("18446744073709551616", "1").as_deref(), Some("18446744073709551617"));
        assert_eq!(sum("0.5", "1").as_deref(), Some("1.5"));
        assert_eq!(sum("5", "-7").as_deref(), Some("-2"));
    }

    #[test]
    fn a_number_too_large_to_count_exactly_is_refused() {
        assert_eq!(sum(&"9".repeat(400), "1"), None);
    }
}
