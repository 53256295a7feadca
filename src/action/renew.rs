//! `renew`: a new name for the same session, against fixation (OWASP, Session Management).

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Scene, Verb};

pub const VERB: Verb = Verb {
    name: "renew",
    summary: "Gives the session a new id and a new CSRF token and keeps its data. Use it at a login, against session fixation.",
    operand: Operand::Nothing,
    options: &[],
    yields: None,
    cannot: None,
    example: "{ renew = true }",
    build,
};

#[derive(Debug)]
struct Renew;

fn build(_: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(Renew))
}

impl Action for Renew {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        scene.renew();
        Ok(Value::Null)
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Renews]
    }
}
