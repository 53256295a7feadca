//! `[messages]`: a site's own sentences for what does not hold, for all its forms at once.

use super::keys;
use super::tree::{Entry, Node};
use crate::diagnostic::{Diagnostics, did_you_mean};

/// One of `[messages]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// A rule, or the type of what is none: one of [`keys::MESSAGES`].
    pub about: &'static str,
    /// Text, and names in braces between.
    pub parts: Vec<Part>,
}

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text.
    Text(String),
    /// `{{name}}`: one of those that the message may show.
    Name(&'static str),
}

/// Reads `[messages]`.
pub fn messages(top: &Node, problems: &mut Diagnostics) -> Vec<Message> {
    let Some(entry) = top.get("messages") else { return Vec::new() };
    let names: Vec<&str> = keys::MESSAGES.iter().map(|(name, ..)| *name).collect();
    let table = entry.node.only(&names, problems);
    let read = |entry: &Entry| {
        let (about, shows, _) = keys::MESSAGES.iter().find(|(name, ..)| *name == entry.name.value)?;
        Some(Message { about, parts: parts(&entry.node, shows, problems)? })
    };
    table.entries().iter().filter_map(read).collect()
}

/// A sentence, cut at the names that it shows: `label`, and those of `shows`.
fn parts(node: &Node, shows: &[&'static str], problems: &mut Diagnostics) -> Option<Vec<Part>> {
    let text = node.text(problems)?;
    let known: Vec<&'static str> = std::iter::once("label").chain(shows.iter().copied()).collect();
    let mut parts = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, opened)) = rest.split_once("{{") {
        let (name, after) = opened.split_once("}}").unwrap_or((opened, ""));
        let Some(name) = known.iter().find(|known| **known == name.trim()) else {
            let name = name.trim();
            let error = node.error(format!("this message cannot show `{name}`"));
            problems.push(error.maybe_help(did_you_mean(name, known.iter().copied())));
            return None;
        };
        parts.extend([Part::Text(before.to_owned()), Part::Name(name)]);
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    Some(parts)
}
