//! `require`: goes on only if an expression holds, as a view predicate or a permission would.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Scene, Verb};
use crate::template::expression::Expression;
use crate::template::values::truthy;

pub const VERB: Verb = Verb {
    name: "require",
    summary: "Goes on only if an expression holds.",
    operand: Operand::Expression,
    options: &[],
    yields: None,
    cannot: Some("the expression does not hold"),
    example: r#"{ require = "(gt (len session.cart) 0)", or = { redirect = "home" } }"#,
    build,
};

#[derive(Debug)]
struct Require {
    condition: Expression,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    let condition = args.operand.take().ok_or("it needs an expression")?;
    Ok(Box::new(Require { condition }))
}

impl Action for Require {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let holds = truthy(&scene.evaluate(&self.condition)?);
        if holds { Ok(Value::Null) } else { Err(Cannot::Refused) }
    }

    /// What the expression reads is known of every expression.
    fn effects(&self) -> Vec<Effect> {
        Vec::new()
    }
}
