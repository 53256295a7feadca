//! `remove`: takes items out of a list, as Python's `list.remove` does, but all that are the same.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Scene, Verb};
use crate::template::expression::{Key, Term};
use crate::template::values::same;

pub const VERB: Verb = Verb {
    name: "remove",
    summary: "Takes an item out of a list in the session, wherever it stands in it.",
    operand: Operand::Key,
    options: super::set::OPTIONS,
    yields: Some("the list as it is now"),
    cannot: Some("the key holds something that is not a list"),
    example: r#"{ remove = "seen", value = "{{path.sku}}" }"#,
    build,
};

#[derive(Debug)]
struct Remove {
    key: Key,
    item: Term,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(Remove { key: args.key()?, item: args.value_or_from()? }))
}

impl Action for Remove {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let path = scene.key(&self.key)?;
        let item = scene.value(&self.item)?;
        let Some(mut items) = scene.list(&path)? else { return Ok(Value::Null) };
        for at in (0..items.len()).rev() {
            if items.get(at).is_some_and(|known| same(known, &item)) {
                scene.remove_item(&path, at);
            }
        }
        items.retain(|known| !same(known, &item));
        Ok(Value::Array(items))
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Removes(self.key.known_parts())]
    }
}
