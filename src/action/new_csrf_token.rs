//! `new-csrf-token`: `session.new_csrf_token()`.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Scene, Verb};
use crate::session::Session;

pub const VERB: Verb = Verb {
    name: "new-csrf-token",
    summary: "Draws a new CSRF token: forms shown before are refused from then on. `renew` does this as well.",
    operand: Operand::Nothing,
    options: &[],
    yields: None,
    cannot: None,
    example: "{ new-csrf-token = true }",
    build,
};

#[derive(Debug)]
struct NewCsrfToken;

fn build(_: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(NewCsrfToken))
}

impl Action for NewCsrfToken {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        scene.session.set_csrf_token(scene.token);
        Ok(Value::Null)
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Writes(vec![Session::CSRF_KEY.to_owned()])]
    }
}
