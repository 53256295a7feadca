//! `set-default`: the dictionary's `session.setdefault('theme', 'light')`.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Scene, Verb};
use crate::template::expression::{Key, Term};

pub const VERB: Verb = Verb {
    name: "set-default",
    summary: "Stores a value in the session unless the key is there already.",
    operand: Operand::Key,
    options: super::set::OPTIONS,
    yields: Some("the value that is there now"),
    cannot: None,
    example: r#"{ set-default = "theme", value = "light" }"#,
    build,
};

#[derive(Debug)]
struct SetDefault {
    key: Key,
    value: Term,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(SetDefault { key: args.key()?, value: args.value_or_from()? }))
}

impl Action for SetDefault {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let path = scene.key(&self.key)?;
        if let Some(value) = scene.session.get(&path) {
            return Ok(value);
        }
        let value = scene.value(&self.value)?;
        scene.store(&path, value.clone())?;
        Ok(value)
    }

    fn effects(&self) -> Vec<Effect> {
        let key = self.key.known_parts();
        vec![Effect::Reads(key.clone()), Effect::Writes(key)]
    }
}
