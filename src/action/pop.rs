//! `pop`: the login site's `session.pop('user')`.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Opt, Scene, Takes, Verb};
use crate::template::expression::{Key, Term};

pub const VERB: Verb = Verb {
    name: "pop",
    summary: "Binds a value of the session and removes it.",
    operand: Operand::Key,
    options: &[Opt {
        name: "default",
        takes: Takes::Value,
        summary: "What it is when the session does not have the key.",
    }],
    yields: Some("the value that was there"),
    cannot: Some("the session does not have the key, and there is no `default`"),
    example: r#"{ pop = "user", default = "nobody" }"#,
    build,
};

#[derive(Debug)]
struct Pop {
    key: Key,
    default: Option<Term>,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(Pop { key: args.key()?, default: args.value("default") }))
}

impl Action for Pop {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let path = scene.key(&self.key)?;
        match (scene.session.remove(&path), &self.default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => scene.value(default),
            (None, None) => Err(Cannot::Missing(path.join("."))),
        }
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Takes(self.key.known_parts())]
    }
}
