//! `delete`: `del session['user']`, without an error if it is not there.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Scene, Verb};
use crate::template::expression::Key;

pub const VERB: Verb = Verb {
    name: "delete",
    summary: "Removes a key from the session, if it is there.",
    operand: Operand::Key,
    options: &[],
    yields: None,
    cannot: None,
    example: r#"{ delete = "cart.{{path.sku}}" }"#,
    build,
};

#[derive(Debug)]
struct Delete {
    key: Key,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(Delete { key: args.key()? }))
}

impl Action for Delete {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let path = scene.key(&self.key)?;
        scene.session.remove(&path);
        Ok(Value::Null)
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Removes(self.key.known_parts())]
    }
}
