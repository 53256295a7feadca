//! Whether a setting's value is of its kind, in a file or in an environment variable.

use std::borrow::Cow;

use serde_json::Value;

use super::keys::Kind;
use super::tree::{Node, Tree};
use crate::diagnostic::{At, Diagnostic, Diagnostics, nearest_help};

/// What a person is told that a setting of this kind takes.
pub fn describe(kind: Kind) -> String {
    match kind {
        Kind::Text => "a string".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Seconds => "a whole number of seconds".to_owned(),
        Kind::SecondsOrNever => "a whole number of seconds or \"never\"".to_owned(),
        Kind::Count => "a whole number, 1 or more".to_owned(),
        Kind::OneOf(words) => format!("one of \"{}\"", words.join("\", \"")),
        Kind::BooleanOrAuto => "true, false or \"auto\"".to_owned(),
        Kind::Texts => "an array of strings".to_owned(),
        Kind::Secret => "a string, { env = \"NAME\" } or { file = \"PATH\" }".to_owned(),
        Kind::Secrets => "an array of secrets".to_owned(),
        Kind::Url => "a URL, { env = \"NAME\" } or { file = \"PATH\" }".to_owned(),
    }
}

/// A value from a file if it fits, misspelt keys put right; reports what does not.
pub fn fit<'n>(kind: Kind, node: &'n Node, problems: &mut Diagnostics) -> Option<Cow<'n, Node>> {
    let fits = match (kind, &node.tree) {
        (Kind::Text | Kind::Secret | Kind::Url, Tree::Text(_)) => true,
        (Kind::Boolean | Kind::BooleanOrAuto, Tree::Scalar(Value::Bool(_))) => true,
        (Kind::BooleanOrAuto, Tree::Text(text)) => text == "auto",
        (Kind::SecondsOrNever, Tree::Text(text)) => text == "never",
        (Kind::Seconds | Kind::SecondsOrNever, Tree::Scalar(value)) => value.as_u64().is_some(),
        (Kind::Count, Tree::Scalar(value)) => value.as_u64().is_some_and(|count| count > 0),
        (Kind::OneOf(words), Tree::Text(text)) => words.contains(&text.as_str()),
        (Kind::Secret, Tree::Table(_)) => return source_table(node, &["env", "file", "generate"], problems),
        (Kind::Url, Tree::Table(_)) => return source_table(node, &["env", "file"], problems),
        (Kind::Texts, Tree::List(items)) => return list(Kind::Text, node, items, problems),
        (Kind::Secrets, Tree::List(items)) if !items.is_empty() => return list(Kind::Secret, node, items, problems),
        _ => false,
    };
    if !fits {
        problems.push(misfit(kind, node));
    }
    fits.then_some(Cow::Borrowed(node))
}

fn list<'n>(kind: Kind, node: &'n Node, items: &'n [Node], problems: &mut Diagnostics) -> Option<Cow<'n, Node>> {
    let fitting: Vec<_> = items.iter().map(|item| fit(kind, item, problems).map(Cow::into_owned)).collect();
    let fitting = fitting.into_iter().collect::<Option<_>>()?;
    Some(Cow::Owned(Node { tree: Tree::List(fitting), ..node.clone() }))
}

fn misfit(kind: Kind, node: &Node) -> Diagnostic {
    let must_be = format!("`{}` must be {}", node.key, describe(kind));
    let found = match (kind, &node.tree) {
        // A secret is not repeated.
        (Kind::Secret | Kind::Secrets, Tree::List(_)) => "an empty one".to_owned(),
        (Kind::Secret | Kind::Secrets | Kind::Url, _) => node.kind().to_owned(),
        (Kind::Text | Kind::Texts, _) | (_, Tree::List(_) | Tree::Table(_)) => node.kind().to_owned(),
        (_, Tree::Text(_) | Tree::Scalar(_)) => node.to_value().to_string(),
    };
    let error = node.error(format!("{must_be}, not {found}"));
    match (kind, &node.tree) {
        (Kind::OneOf(words), Tree::Text(text)) => error.maybe_help(nearest_help(text, words.iter().copied())),
        (Kind::Texts, Tree::Text(_)) => error.help(node.in_brackets()),
        (Kind::Secrets, Tree::Text(_) | Tree::Table(_)) => error.help("put it into brackets: `[…]`"),
        (Kind::Seconds | Kind::SecondsOrNever | Kind::Count, Tree::Text(text)) => {
            error.maybe_help(unquoted(text, kind))
        }
        _ => error,
    }
}

/// The number that was meant by a text such as `20` or, for a time, `20m` or `1 hour`.
fn unquoted(text: &str, kind: Kind) -> Option<String> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = digits.parse().ok()?;
    if unit.is_empty() {
        return Some(format!("write `{number}`, a number without quotes"));
    }
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        _ if kind == Kind::Count => return None,
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 60 * 60,
        "d" | "day" | "days" => 24 * 60 * 60,
        "w" | "week" | "weeks" => 7 * 24 * 60 * 60,
        _ => return None,
    };
    Some(format!("a time is in seconds: write `{}`", number.checked_mul(factor)?))
}

/// A table that says where a secret or a URL is, with at most the keys in `allowed`.
fn source_table<'n>(node: &'n Node, allowed: &[&str], problems: &mut Diagnostics) -> Option<Cow<'n, Node>> {
    let table = node.only(allowed, problems);
    let (env, file, generate) = (table.get("env"), table.get("file"), table.get("generate"));
    let mut good = true;
    for (entry, kind) in [(env, Kind::Text), (file, Kind::Text), (generate, Kind::Boolean)] {
        good &= entry.is_none_or(|entry| fit(kind, &entry.node, problems).is_some());
    }
    let problem = match (env, file, generate) {
        (Some(env), Some(file), _) => Diagnostic::error(&file.name.place, "the value is in one place, not in two")
            .related(&env.name.place, "the other")
            .help("keep either `env` or `file`"),
        (Some(_), None, Some(generate)) => {
            Diagnostic::error(&generate.name.place, "an environment variable is not made by `generate`")
                .help("set it to what `sitewright secret` prints, or use `file`")
        }
        (None, None, _) => node.error("this does not say where the value is").help("give it `env` or `file`"),
        _ => return good.then_some(table),
    };
    problems.push(problem.key(&node.key));
    None
}

/// Whether a value from an environment variable fits; reports it if not. `below` is what follows
/// `TABLE__KEY__` in the variable's name: an entry of a secret's table.
pub fn fits_text(
    kind: Kind,
    setting: &At<String>,
    below: Option<&str>,
    value: &str,
    problems: &mut Diagnostics,
) -> bool {
    let number = || value.parse::<u64>().ok();
    let fits = match kind {
        Kind::Secret => below != Some("generate") || matches!(value, "true" | "false"),
        Kind::Secrets => false,
        Kind::Text | Kind::Texts | Kind::Url => true,
        Kind::Boolean => matches!(value, "true" | "false"),
        Kind::BooleanOrAuto => matches!(value, "true" | "false" | "auto"),
        Kind::Seconds => number().is_some(),
        Kind::SecondsOrNever => value == "never" || number().is_some(),
        Kind::Count => number().is_some_and(|count| count > 0),
        Kind::OneOf(words) => words.contains(&value),
    };
    if !fits {
        let expected = match kind {
            Kind::Secrets => "in a file: a variable cannot hold a list of secrets".to_owned(),
            Kind::Secret => "true or false".to_owned(),
            _ => describe(kind),
        };
        let help = match kind {
            Kind::OneOf(words) => nearest_help(value, words.iter().copied()),
            _ => None,
        };
        problems.push(
            Diagnostic::error(&setting.place, format!("`{}` must be {expected}", setting.value))
                .key(&setting.value)
                .maybe_help(help),
        );
    }
    fits
}
