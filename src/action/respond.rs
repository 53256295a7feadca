//! `respond`: answers now, as a view that raises `HTTPSeeOther` does.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Scene, Verb};

pub const VERB: Verb = Verb {
    name: "respond",
    summary: "Answers now; the actions after it do not run. What those before it did is kept.",
    operand: Operand::Response,
    options: &[],
    yields: None,
    cannot: None,
    example: r#"{ respond = { redirect = "login" }, if = "(not session.user)" }"#,
    build,
};

#[derive(Debug)]
struct Respond;

fn build(_: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(Respond))
}

impl Action for Respond {
    fn run(&self, _: &mut Scene<'_>) -> Result<Value, Cannot> {
        Err(Cannot::Answers)
    }

    fn effects(&self) -> Vec<Effect> {
        Vec::new()
    }

    fn follows_from_arguments(&self) -> bool {
        true
    }
}
