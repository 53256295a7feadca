//! `peek-flash`: `session.peek_flash()`.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Scene, Verb, flash};
use crate::session::Session;

pub const VERB: Verb = Verb {
    name: "peek-flash",
    summary: "Binds the messages of a queue and leaves them there.",
    operand: Operand::Nothing,
    options: &[flash::QUEUE],
    yields: Some("the list of messages, oldest first"),
    cannot: None,
    example: r#"{ peek-flash = true, as = "messages" }"#,
    build,
};

#[derive(Debug)]
struct PeekFlash {
    queue: String,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(PeekFlash { queue: args.word("queue").unwrap_or_default() }))
}

impl Action for PeekFlash {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        Ok(Value::Array(scene.session.peek_flash(&self.queue)))
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Reads(vec![Session::flash_key(&self.queue)])]
    }

    fn follows_from_arguments(&self) -> bool {
        true
    }
}
