//! `match`: from its table to [`Predicates`].

use http::HeaderName;

use super::{Header, Param, Predicates, Start, is_host};
use crate::config::keys;
use crate::config::tree::{Node, Tree};
use crate::diagnostic::{At, Diagnostic, Diagnostics, Written};
use crate::site::pattern::regex_pool;

/// Compiles the table; what is broken in it is reported and left out.
pub fn predicates(node: &Node, problems: &mut Diagnostics) -> Predicates {
    let mut predicates = Predicates::default();
    for entry in node.only(&keys::names(keys::MATCH), problems).entries() {
        let node = &entry.node;
        match entry.name.as_str() {
            "xhr" => predicates.xhr = node.boolean(problems),
            "header" => predicates.headers = each(node, header, problems),
            "param" => {
                predicates.params = each(node, param, problems);
                check_params(node, &predicates.params, problems);
            }
            "accept" => predicates.accept = each(node, media_type, problems),
            _ => predicates.hosts = each(node, host, problems),
        }
    }
    predicates
}

/// One string or an array of them, each read by `read`.
fn each<T>(
    node: &Node,
    read: fn(&Node, &At<String>, &mut Diagnostics) -> Option<T>,
    problems: &mut Diagnostics,
) -> Vec<T> {
    let items = match &node.tree {
        Tree::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut each = Vec::new();
    for item in items {
        if let Some(text) = item.text(problems) {
            each.extend(read(item, &text, problems));
        }
    }
    each
}

fn header(node: &Node, text: &At<String>, problems: &mut Diagnostics) -> Option<Header> {
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (text.as_str(), None),
    };
    let Ok(parsed) = HeaderName::from_bytes(name.trim().as_bytes()) else {
        problems.push(
            node.error(format!("`{name}` is not the name of a header"))
                .help("write `\"X-Api\"`, or `\"X-Api:2\"` for how its value begins, as a regular expression"),
        );
        return None;
    };
    if parsed == http::header::HOST {
        problems.push(node.error("the host has a predicate of its own").help("write `host = \"api.example.org\"`"));
        return None;
    }
    let Some(value) = value else { return Some(Header { name: parsed, value: None }) };
    let written = value.trim_start();
    let start = text.len() - written.len();
    if let Err((span, message)) = regex_pool::check(written) {
        let place = Written::quoted(text.value.clone(), &text.place).place_of(start + span.start..start + span.end);
        problems
            .push(Diagnostic::error(&place, format!("bad pattern: {message}")).key(&node.key).help(regex_pool::SYNTAX));
        return None;
    }
    match regex_pool::compile(&format!(r"\A(?:{written})")) {
        Ok(regex) => Some(Header { name: parsed, value: Some(Start { written: written.to_owned(), regex }) }),
        Err(regex::Error::CompiledTooBig(limit)) => {
            let message = format!("compiled, this pattern takes more than {limit} bytes");
            problems.push(node.error(message).help(regex_pool::SMALLER));
            None
        }
        Err(_) => {
            let message = "this pattern cannot be matched from the start";
            problems.push(node.error(message).help("do not use the `x` flag of regular expressions"));
            None
        }
    }
}

fn param(node: &Node, text: &At<String>, problems: &mut Diagnostics) -> Option<Param> {
    // As in Pyramid, an equals sign at the front belongs to the name.
    let front = text.len() - text.trim_start_matches('=').len();
    let (name, value) = match text.get(front..).and_then(|rest| rest.split_once('=')) {
        Some((name, value)) => (text.get(..front + name.len())?.trim(), Some(value.trim().to_owned())),
        None => (text.trim(), None),
    };
    if name.is_empty() {
        problems.push(node.error("this names no parameter").help("write `\"q\"`, or `\"q=tea\"` for its value"));
        return None;
    }
    Some(Param { name: name.to_owned(), value })
}

/// One parameter cannot have two values: the last one that is sent counts.
fn check_params(node: &Node, params: &[Param], problems: &mut Diagnostics) {
    for (i, param) in params.iter().enumerate() {
        let differs = |other: &&Param| other.name == param.name && other.value != param.value && other.value.is_some();
        if let (Some(value), Some(other)) = (&param.value, params.iter().take(i).find(differs)) {
            let first = other.value.as_deref().unwrap_or_default();
            problems.push(
                node.error(format!("`{}` cannot be `{first}` and `{value}` at once: no request matches", param.name))
                    .help("all of several must hold; write a route for each value"),
            );
        }
    }
}

fn media_type(node: &Node, text: &At<String>, problems: &mut Diagnostics) -> Option<String> {
    let kind = text.trim().to_ascii_lowercase();
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let good = kind.split_once('/').is_some_and(|(group, own)| is_token(group) && is_token(own));
    if !good {
        let error = node.error(format!("`{}` is not a media type", text.value));
        let help = if kind.contains('*') {
            "name the types one by one: `[\"text/html\", \"application/json\"]`"
        } else {
            "write it out, without parameters: `\"application/json\"`"
        };
        problems.push(error.help(help));
        return None;
    }
    Some(kind)
}

fn host(node: &Node, text: &At<String>, problems: &mut Diagnostics) -> Option<String> {
    let host = text.trim().to_ascii_lowercase();
    if !is_host(&host) {
        problems.push(
            node.error(format!("`{}` is not a host", text.value))
                .help("write a name without a port: `\"api.example.org\"`, or `\".example.org\"` with all below it"),
        );
        return None;
    }
    Some(host)
}
