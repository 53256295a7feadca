//! `flash`: `session.flash('Saved.')`.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Opt, Scene, Takes, Verb};
use crate::session::Session;
use crate::template::expression::{Term, Text};
use crate::template::values::same;

pub const VERB: Verb = Verb {
    name: "flash",
    summary: "Keeps a message for the next page that shows `flash`.",
    operand: Operand::Value,
    options: &[
        Opt { takes: Takes::Text, ..QUEUE },
        Opt {
            name: "allow_duplicate",
            takes: Takes::Boolean,
            summary: "With `false`, a message that waits in the queue already is not added again; default true.",
        },
    ],
    yields: None,
    cannot: Some("the session holds something that is not a queue there"),
    example: r#"{ flash = "Thank you, {{params.user}}.", queue = "success", allow_duplicate = false }"#,
    build,
};

/// The queue, for all verbs of flash messages.
pub const QUEUE: Opt = Opt {
    name: "queue",
    takes: Takes::Name,
    summary: "The name of the queue, such as `warning`; default: the one without a name.",
};

#[derive(Debug)]
struct Flash {
    message: Term,
    queue: Text,
    allow_duplicate: bool,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(Flash {
        message: args.given.take().ok_or("it needs a message")?,
        queue: args.text("queue").unwrap_or_else(|| Text::Fixed(String::new())),
        allow_duplicate: args.boolean("allow_duplicate").unwrap_or(true),
    }))
}

impl Action for Flash {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let message = scene.value(&self.message)?;
        let key = [Session::flash_key(&scene.text(&self.queue)?)];
        let waiting = scene.list(&key)?.unwrap_or_default();
        if self.allow_duplicate || !waiting.iter().any(|other| same(other, &message)) {
            scene.append(&key, message)?;
        }
        Ok(Value::Null)
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Flashes(match &self.queue {
            Text::Fixed(queue) => vec![Session::flash_key(queue)],
            Text::Template(..) => Vec::new(),
        })]
    }
}
