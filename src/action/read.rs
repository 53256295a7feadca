//! `read`: the login site's `user = session['user']`.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Opt, Scene, Takes, Verb};
use crate::template::expression::{Key, Term};

pub const VERB: Verb = Verb {
    name: "read",
    summary: "Binds a value of the session for the template.",
    operand: Operand::Key,
    options: &[Opt {
        name: "default",
        takes: Takes::Value,
        summary: "What it is when the session does not have the key.",
    }],
    yields: Some("what the session holds there"),
    cannot: Some("the session does not have the key, and there is no `default`"),
    example: r#"{ read = "user", or = { redirect = "login" } }"#,
    build,
};

#[derive(Debug)]
struct Read {
    key: Key,
    default: Option<Term>,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(Read { key: args.key()?, default: args.value("default") }))
}

impl Action for Read {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let path = scene.key(&self.key)?;
        match (scene.session.get(&path), &self.default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => scene.value(default),
            (None, None) => Err(Cannot::Missing(path.join("."))),
        }
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Reads(self.key.known_parts())]
    }

    fn follows_from_arguments(&self) -> bool {
        true
    }
}
