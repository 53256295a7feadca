//! A verb of your own: `toggle` turns a yes in the session into a no, and back.
//!
//! This is the whole program: everything `sitewright` can do, with one verb more.
//!
//! ```text
//! cargo run --example own_verb -- --config examples/own_verb.toml --reload
//! cargo run --example own_verb -- check examples/own_verb.toml
//! cargo run --example own_verb -- actions toggle
//! ```

use std::process::ExitCode;

use serde_json::Value;
use sitewright::action::{Action, Args, Cannot, Effect, Operand, Scene, Verb};
use sitewright::site::Vocabulary;
use sitewright::template::expression::Key;

fn main() -> ExitCode {
    let vocabulary = Vocabulary::standard().with_verb(&TOGGLE);
    sitewright::cli::run(std::env::args_os(), &vocabulary).into()
}

/// What the parser, the diagnostics and `actions` know of the verb.
pub const TOGGLE: Verb = Verb {
    name: "toggle",
    summary: "Turns a yes in the session into a no and back, starting from no.",
    operand: Operand::Key,
    options: &[],
    yields: Some("what it is now, `true` or `false`"),
    cannot: Some("the key holds something else"),
    example: r#"{ toggle = "dark" }"#,
    build,
};

/// One action, as a route declares it.
#[derive(Debug)]
struct Toggle {
    key: Key,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(Toggle { key: args.key()? }))
}

impl Action for Toggle {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let path = scene.key(&self.key)?;
        let before = match scene.session.get(&path) {
            None => false,
            Some(Value::Bool(yes)) => yes,
            Some(_) => return Err(Cannot::Unfit(format!("`{}` is neither yes nor no", path.join(".")))),
        };
        scene.store(&path, Value::Bool(!before))?;
        Ok(Value::Bool(!before))
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Changes(self.key.known_parts())]
    }
}
