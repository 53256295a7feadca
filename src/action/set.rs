//! `set`: `session['theme'] = 'dark'`.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Opt, Scene, Takes, Verb};
use crate::template::expression::{Key, Term};

/// What `set` and `set-default` take.
pub const OPTIONS: &[Opt] = &[VALUE, FROM];

/// A value as it is written.
pub const VALUE: Opt =
    Opt { name: "value", takes: Takes::Value, summary: "The value; strings in it are inline templates." };

/// A value that is worked out.
pub const FROM: Opt =
    Opt { name: "from", takes: Takes::Expression, summary: "An expression for the value, instead of `value`." };

pub const VERB: Verb = Verb {
    name: "set",
    summary: "Stores a value in the session.",
    operand: Operand::Key,
    options: OPTIONS,
    yields: Some("what was stored"),
    cannot: None,
    example: r#"{ set = "theme", value = "dark" }"#,
    build,
};

#[derive(Debug)]
struct Set {
    key: Key,
    value: Term,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(Set { key: args.key()?, value: args.value_or_from()? }))
}

impl Action for Set {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let path = scene.key(&self.key)?;
        let value = scene.value(&self.value)?;
        scene.store(&path, value.clone())?;
        Ok(value)
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Writes(self.key.known_parts())]
    }
}
