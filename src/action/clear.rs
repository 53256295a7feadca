//! `clear`: the dictionary's `session.clear()`; the session itself goes on.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Scene, Verb};

pub const VERB: Verb = Verb {
    name: "clear",
    summary: "Removes everything from the session; the session itself goes on.",
    operand: Operand::Nothing,
    options: &[],
    yields: None,
    cannot: None,
    example: "{ clear = true }",
    build,
};

#[derive(Debug)]
struct Clear;

fn build(_: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(Clear))
}

impl Action for Clear {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        scene.session.clear();
        Ok(Value::Null)
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Clears]
    }
}
