//! `pop-flash`: `session.pop_flash()`.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Scene, Verb, flash};
use crate::session::Session;

pub const VERB: Verb = Verb {
    name: "pop-flash",
    summary: "Binds the messages of a queue and removes them.",
    operand: Operand::Nothing,
    options: &[flash::QUEUE],
    yields: Some("the list of messages, oldest first"),
    cannot: None,
    example: r#"{ pop-flash = true, queue = "warning", as = "warnings" }"#,
    build,
};

#[derive(Debug)]
struct PopFlash {
    queue: String,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(PopFlash { queue: args.word("queue").unwrap_or_default() }))
}

impl Action for PopFlash {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        Ok(Value::Array(scene.session.pop_flash(&self.queue)))
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Takes(vec![Session::flash_key(&self.queue)])]
    }
}
