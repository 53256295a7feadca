//! `require`: goes on only if an expression holds, as a view predicate or a permission would.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Opt, Scene, Takes, Verb};
use crate::template::expression::{Expression, Term};
use crate::template::values::truthy;

pub const VERB: Verb = Verb {
    name: "require",
    summary: "Goes on only if an expression holds.",
    operand: Operand::Expression,
    options: &[
        Opt {
            name: "field",
            takes: Takes::Name,
            summary: "The field of the form that is wrong if it does not hold: `errors` has the `message` under its name.",
        },
        Opt { name: "message", takes: Takes::Value, summary: "What `errors` says then." },
    ],
    yields: None,
    cannot: Some("the expression does not hold"),
    example: r#"{ require = "(gt (len session.cart) 0)", or = { redirect = "home" } }"#,
    build,
};

#[derive(Debug)]
struct Require {
    condition: Expression,
    /// The field that is wrong if it does not hold, and what is said about it.
    fault: Option<(String, Term)>,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    let condition = args.operand.take().ok_or("it needs an expression")?;
    let fault = match (args.word("field"), args.value("message")) {
        (None, None) => None,
        (Some(field), Some(message)) => Some((field, message)),
        (Some(_), None) => return Err("a `field` needs a `message` that says what is wrong with it".to_owned()),
        (None, Some(_)) => return Err("a `message` needs the `field` that it is about".to_owned()),
    };
    Ok(Box::new(Require { condition, fault }))
}

impl Action for Require {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        if truthy(&scene.evaluate(&self.condition)?) {
            return Ok(Value::Null);
        }
        Err(match &self.fault {
            Some((field, message)) => scene.wrong(field, message)?,
            None => Cannot::Refused,
        })
    }

    /// What the expression reads is known of every expression.
    fn effects(&self) -> Vec<Effect> {
        Vec::new()
    }

    fn follows_from_arguments(&self) -> bool {
        true
    }

    fn faults(&self) -> Option<&str> {
        self.fault.as_ref().map(|(field, _)| field.as_str())
    }
}
