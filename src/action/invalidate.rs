//! `invalidate`: `ISession.invalidate()`, and more than Pyramid's: the cookie is deleted.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Scene, Verb};

pub const VERB: Verb = Verb {
    name: "invalidate",
    summary: "Ends the session: its data is gone and its cookie is deleted.",
    operand: Operand::Nothing,
    options: &[],
    yields: None,
    cannot: None,
    example: "{ invalidate = true }",
    build,
};

#[derive(Debug)]
struct Invalidate;

fn build(_: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(Invalidate))
}

impl Action for Invalidate {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let now = scene.now;
        scene.session.invalidate(now);
        Ok(Value::Null)
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Clears]
    }
}
