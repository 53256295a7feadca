//! `sitewright schema`: what may stand in `config.toml`, as a JSON Schema, which editors complete and check by.
//!
//! It is made from the lists that the parser uses. What needs more than a look at one value, the parser
//! alone knows: a schema that says less than `check` is of use, one that says otherwise is not.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::Exit;
use crate::action::{Operand, Takes, Verb};
use crate::config::keys::{self, Declared, Key, Kind};
use crate::config::param::PARAM_TYPES;
use crate::site::Vocabulary;

/// Prints it.
pub fn run(vocabulary: &Vocabulary, out: &mut impl Write) -> io::Result<Exit> {
    writeln!(out, "{:#}", schema(vocabulary)).map(|()| Exit::Fine)
}

/// The schema (draft 7, which the extensions of editors for TOML read) of the sites that may use this
/// vocabulary.
pub fn schema(vocabulary: &Vocabulary) -> Value {
    let mut schema = table(keys::TOP, |name| {
        Some(match name {
            "server" => settings(keys::SERVER, vocabulary),
            "session" => settings(keys::SESSION, vocabulary),
            "csrf" => settings(keys::CSRF, vocabulary),
            "cors" => settings(keys::CORS, vocabulary),
            "defaults" => reference("route"),
            "routes" => map_of(&json!({ "allOf": [reference("route")], "required": ["path"] })),
            "static" => map_of(&any_of([string(), table(keys::STATIC, |_| None)])),
            "users" => map_of(&required(&["file"], table(keys::USERS, |_| None))),
            "cache" => table(keys::CACHE, |_| None),
            "errors" => json!({
                "type": "object",
                "patternProperties": { "^[45](xx|[0-9][0-9])$": reference("response") },
                "additionalProperties": false,
            }),
            "messages" => object(keys::MESSAGES.iter().map(|(name, _, when)| (*name, described(string(), when)))),
            "mount" => array_of(&required(&["site", "at"], table(keys::MOUNT, |_| None))),
            _ => return None,
        })
    });
    let definitions = json!({
        "route": table(&[keys::ROUTE, keys::RESPONSE].concat(), response_part),
        "response": response(),
        "redirect": any_of([string(), table(keys::REDIRECT, |_| None)]),
        "match": table(keys::MATCH, |_| None),
        "param": any_of([types(), table(keys::PARAM, |name| (name == "type").then(types))]),
        "action": { "anyOf": vocabulary.verbs().iter().map(|verb| action(verb)).collect::<Vec<_>>() },
    });
    if let Some(top) = schema.as_object_mut() {
        top.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
        top.insert("title".to_owned(), "config.toml of Sitewright".into());
        top.insert("definitions".to_owned(), definitions);
    }
    schema
}

/// A table of declared keys; `special` says what a key takes where the words beside it are not enough.
fn table(list: &[Declared], special: impl Fn(&str) -> Option<Value>) -> Value {
    object(list.iter().map(|(name, takes, means)| {
        let schema = special(name).or_else(|| in_words(takes)).unwrap_or_else(|| json!({}));
        (*name, described(schema, means))
    }))
}

/// What the words of the reference say that a key takes; `None` if they say nothing.
fn in_words(takes: &str) -> Option<Value> {
    Some(match takes {
        "string" => string(),
        "boolean" => json!({ "type": "boolean" }),
        "integer" | "whole number" => json!({ "type": "integer" }),
        "number, date or time" => json!({ "type": ["number", "string"] }),
        "value" | "table, array or string" => json!({}),
        "table" => json!({ "type": "object" }),
        "table of strings" => map_of(&string()),
        "table of seconds" => map_of(&json!({ "type": "integer", "minimum": 1 })),
        "array of strings" => array_of(&string()),
        "array of actions" => array_of(&reference("action")),
        "array, or string" => any_of([json!({ "type": "array" }), string()]),
        "string or array" => any_of([string(), array_of(&string())]),
        "string or table" => any_of([string(), map_of(&string())]),
        "response" => reference("response"),
        "table of predicates" => reference("match"),
        "table of parameters" => map_of(&reference("param")),
        _ => return None,
    })
}

/// The keys of a route or a response that take more than their words say.
fn response_part(name: &str) -> Option<Value> {
    Some(match name {
        "redirect" => reference("redirect"),
        "cache" => any_of([string(), json!({ "const": false }), table(keys::ROUTE_CACHE, |_| None)]),
        "csrf" => json!({ "enum": [true, false, "origin"] }),
        "status" => json!({ "type": "integer", "minimum": 200, "maximum": 599 }),
        _ => return None,
    })
}

fn response() -> Value {
    let mut response = table(keys::RESPONSE, response_part);
    let kinds: Vec<Value> = keys::RESPONSE_KINDS.iter().map(|kind| json!({ "required": [kind] })).collect();
    if let Some(response) = response.as_object_mut() {
        response.insert("oneOf".to_owned(), kinds.into());
    }
    response
}

/// The types of parameters.
fn types() -> Value {
    json!({ "enum": PARAM_TYPES.iter().map(|(name, ..)| *name).collect::<Vec<_>>() })
}

fn action(verb: &Verb) -> Value {
    let operand = match verb.operand {
        Operand::Key | Operand::Param | Operand::Expression | Operand::Users => string(),
        Operand::Value => json!({}),
        Operand::Response => reference("response"),
        Operand::Nothing => json!({ "const": true }),
    };
    let own = verb.options.iter().map(|opt| (opt.name, described(option(opt.takes), opt.summary)));
    let common = keys::ACTION.iter().filter(|(name, ..)| *name != "as" || verb.yields.is_some());
    let common = common.map(|(name, takes, means)| (*name, described(in_words(takes).unwrap_or_default(), means)));
    let entries = [(verb.name, described(operand, verb.summary))].into_iter().chain(own).chain(common);
    required(&[verb.name], object(entries))
}

fn option(takes: Takes) -> Value {
    match takes {
        Takes::Value => json!({}),
        Takes::Expression | Takes::Key | Takes::Name | Takes::Text => string(),
        Takes::Number => json!({ "type": ["number", "string"] }),
        Takes::Boolean => json!({ "type": "boolean" }),
        Takes::Word(words) => json!({ "enum": words }),
    }
}

fn settings(list: &[Key], vocabulary: &Vocabulary) -> Value {
    object(list.iter().map(|key| {
        let mut schema = described(kind(key.kind), key.summary);
        if let Some(schema) = schema.as_object_mut() {
            // Some defaults are words about a value.
            schema.extend(serde_json::from_str(key.default).ok().map(|default| ("default".to_owned(), default)));
            if key.name == "factory" {
                let names: Vec<_> = vocabulary.factories().iter().map(|kind| kind.name).collect();
                schema.insert("enum".to_owned(), json!(names));
            }
        }
        (key.name, schema)
    }))
}

fn kind(kind: Kind) -> Value {
    let from = |names: &[&'static str]| object(names.iter().map(|name| (*name, string())));
    let seconds = json!({ "type": "integer", "minimum": 0 });
    match kind {
        Kind::Text => string(),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Seconds => seconds,
        Kind::SecondsOrNever => any_of([seconds, json!({ "const": "never" })]),
        Kind::Count => json!({ "type": "integer", "minimum": 1 }),
        Kind::OneOf(words) => json!({ "enum": words }),
        Kind::BooleanOrAuto => json!({ "enum": [true, false, "auto"] }),
        Kind::Texts => array_of(&string()),
        Kind::Secret => {
            let file = object([("file", string()), ("generate", json!({ "type": "boolean" }))]);
            any_of([string(), required(&["env"], from(&["env"])), required(&["file"], file)])
        }
        Kind::Secrets => array_of(&self::kind(Kind::Secret)),
        Kind::Url => any_of([string(), required(&["env"], from(&["env"])), required(&["file"], from(&["file"]))]),
    }
}

fn string() -> Value {
    json!({ "type": "string" })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn any_of<const N: usize>(schemas: [Value; N]) -> Value {
    json!({ "anyOf": schemas.to_vec() })
}

fn array_of(item: &Value) -> Value {
    json!({ "type": "array", "items": item })
}

/// A table whose keys are names that the site gives.
fn map_of(value: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": value })
}

/// A table with these keys and no others.
fn object<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let properties: Map<_, _> = entries.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn required(names: &[&str], mut object: Value) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.insert("required".to_owned(), json!(names));
    }
    object
}

/// Beside a reference, nothing else counts: so that goes one level down.
fn described(schema: Value, means: &str) -> Value {
    let mut schema = if schema.get("$ref").is_some() { json!({ "allOf": [schema] }) } else { schema };
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), means.into());
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_what_every_key_takes() {
        let special = [
            "server", "session", "csrf", "cors", "defaults", "routes", "static", "users", "errors", "messages", "mount",
        ];
        let in_part = ["cache", "csrf", "redirect", "status"];
        for list in [keys::TOP, keys::STATIC, keys::ROUTE, keys::CACHE, keys::ROUTE_CACHE, keys::MATCH, keys::PARAM] {
            for (name, takes, _) in list {
                let known = in_words(takes).is_some() || special.contains(name) || in_part.contains(name);
                assert!(known, "`{name}` takes: {takes}");
            }
        }
        for (name, takes, _) in [keys::RESPONSE, keys::REDIRECT, keys::MOUNT, keys::ACTION, keys::USERS].concat() {
            assert!(in_words(takes).is_some() || response_part(name).is_some(), "`{name}` takes: {takes}");
        }
    }
}
