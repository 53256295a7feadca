//! `store-param`: the login site's `session['user'] = request.params['user']`.

use std::borrow::Cow;

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Opt, Scene, Takes, Verb};
use crate::template::expression::{Expression, Key};

pub const VERB: Verb = Verb {
    name: "store-param",
    summary: "Copies a parameter of the request into the session.",
    operand: Operand::Param,
    options: &[
        Opt { name: "key", takes: Takes::Key, summary: "The key to store it under; default: the parameter's name." },
        Opt {
            name: "from",
            takes: Takes::Word(&["params", "query", "form", "path"]),
            summary: "Where to look; default `params`: the query, then the form. The last of repeated values counts.",
        },
    ],
    yields: Some("the parameter's value"),
    cannot: Some("the request does not have the parameter"),
    example: r#"{ store-param = "user" }"#,
    build,
};

#[derive(Debug)]
struct StoreParam {
    param: String,
    value: Expression,
    key: Option<Key>,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    let param = args.param.take().ok_or("it needs the name of a parameter")?;
    let key = args.other_key("key");
    if param == "csrf_token" {
        return Err("the token of a form is in the session already, and nobody needs a copy".to_owned());
    }
    if key.is_none() && param.starts_with('_') {
        return Err(format!("`{param}` is the engine's own; give another `key`"));
    }
    let from = args.word("from").unwrap_or_else(|| "params".to_owned());
    let value = Expression::entry(&from, &param);
    Ok(Box::new(StoreParam { param, value, key }))
}

impl Action for StoreParam {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let value = self.value.lookup(&*scene).ok_or_else(|| Cannot::NoParam(self.param.clone()))?.into_owned();
        let path = match &self.key {
            Some(key) => scene.key(key)?,
            None => Cow::Borrowed(std::slice::from_ref(&self.param)),
        };
        scene.store(&path, value.clone())?;
        Ok(value)
    }

    fn effects(&self) -> Vec<Effect> {
        let key = self.key.as_ref().map_or_else(|| vec![self.param.clone()], Key::known_parts);
        vec![Effect::Writes(key)]
    }
}
