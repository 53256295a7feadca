//! `append`: `session.setdefault('items', []).append('tea')`.

use serde_json::{Number, Value};

use super::{Action, Args, Cannot, Effect, Operand, Opt, Scene, Takes, Verb};
use crate::template::expression::{Key, Term};
use crate::template::values::same;

pub const VERB: Verb = Verb {
    name: "append",
    summary: "Adds an item to the end of a list in the session; the first one begins the list.",
    operand: Operand::Key,
    options: &[
        super::set::VALUE,
        super::set::FROM,
        Opt {
            name: "unique",
            takes: Takes::Boolean,
            summary: "With `true`, an item that is in the list already is not added again.",
        },
        Opt { name: "limit", takes: Takes::Number, summary: "The most items the list may have." },
        Opt {
            name: "overflow",
            takes: Takes::Word(&["refuse", "drop-oldest"]),
            summary: "What happens beyond `limit`: the action cannot do its work (the default), or the first items go.",
        },
    ],
    yields: Some("the list as it is now"),
    cannot: Some("the key holds something that is not a list, or the list has reached its `limit`"),
    example: r#"{ append = "seen", value = "{{path.sku}}", unique = true, limit = 20, overflow = "drop-oldest" }"#,
    build,
};

#[derive(Debug)]
struct Append {
    key: Key,
    item: Term,
    unique: bool,
    limit: Option<Term>,
    drops: bool,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    let (limit, overflow) = (args.number("limit"), args.word("overflow"));
    if limit.is_none() && overflow.is_some() {
        return Err("`overflow` says what happens beyond a `limit`, and there is none".to_owned());
    }
    if let Some(Term::Fixed(Value::Number(limit))) = &limit
        && most(limit).is_none_or(|most| most == 0)
    {
        return Err(format!("`limit` is {limit}; it must be a whole number, 1 or more"));
    }
    Ok(Box::new(Append {
        key: args.key()?,
        item: args.value_or_from()?,
        unique: args.boolean("unique").unwrap_or_default(),
        limit,
        drops: overflow.is_some_and(|overflow| overflow == "drop-oldest"),
    }))
}

impl Action for Append {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let path = scene.key(&self.key)?;
        let item = scene.value(&self.item)?;
        let mut items = scene.list(&path)?.unwrap_or_default();
        if self.unique && items.iter().any(|known| same(known, &item)) {
            return Ok(Value::Array(items));
        }
        let limit = match &self.limit {
            None => usize::MAX,
            Some(limit) => {
                let limit = scene.number("limit", limit)?;
                most(&limit).ok_or_else(|| Cannot::BadValue(format!("`limit` is {limit}, not a number of items")))?
            }
        };
        let excess = (items.len() + 1).saturating_sub(limit);
        if excess > items.len() || (excess > 0 && !self.drops) {
            return Err(Cannot::Full(format!("`{}` has {} items; the limit is {limit}", path.join("."), items.len())));
        }
        scene.append(&path, item.clone())?;
        items.push(item);
        for _ in 0..excess {
            scene.remove_item(&path, 0);
        }
        items.drain(..excess);
        Ok(Value::Array(items))
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Changes(self.key.known_parts())]
    }
}

/// A number of items.
fn most(limit: &Number) -> Option<usize> {
    usize::try_from(limit.as_u64()?).ok()
}
