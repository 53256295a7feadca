//! What keeps a text from being a template, in plain words. Handlebars says what its grammar expected;
//! this looks for the slip.

use std::ops::Range;

use handlebars::TemplateError;

use super::helpers::is_helper;
use super::places::offset_of;
use crate::diagnostic::{Diagnostic, Written};

/// The error for a text that is no template.
pub fn explain(error: &TemplateError, text: &Written, key: &str) -> Diagnostic {
    let slip = unclosed_tag(&text.text).or_else(|| unbalanced_block(&text.text)).unwrap_or_else(|| {
        let at = offset_of(&text.text, error.pos().unwrap_or((1, 1)));
        unreadable_tag(&text.text, at)
    });
    let mut diagnostic = Diagnostic::error(&text.place_of(slip.span), slip.message).key(key).help(slip.help);
    if let Some((span, what)) = slip.related {
        diagnostic = diagnostic.related(&text.place_of(span), what);
    }
    diagnostic
}

/// What other template languages have between two values.
const OPERATORS: &[&str] = &[" + ", " - ", " * ", " / ", " < ", " > ", " | ", "==", "!=", "&&", "||", " ? ", " = "];

/// Operators of other languages, and the helper that does the same; longer ones first.
const HELPERS_FOR: &[(&str, &str)] = &[
    ("===", "eq"),
    ("!==", "ne"),
    ("==", "eq"),
    ("!=", "ne"),
    (">=", "gte"),
    ("<=", "lte"),
    ("&&", "and"),
    ("||", "or"),
    (" and ", "and"),
    (" or ", "or"),
    (" in ", "in"),
    (" + ", "add"),
    (" - ", "sub"),
    (" * ", "mul"),
    (">", "gt"),
    ("<", "lt"),
];

/// Advice for a text that is no expression.
pub fn not_an_expression(text: &str) -> Vec<String> {
    if text.starts_with('(') && text.matches('(').count() > text.matches(')').count() {
        return vec!["a `)` is missing".to_owned()];
    }
    let inner = text.trim_start_matches('(').trim_end_matches(')').trim();
    if inner.split_whitespace().next().is_some_and(is_helper) {
        return vec!["a helper stands in parentheses, with its values behind it: `(not session.user)`".to_owned()];
    }
    if let Some(negated) = inner.strip_prefix('!') {
        return vec![format!("write `(not {})`", negated.trim())];
    }
    let operation = HELPERS_FOR.iter().find_map(|(operator, helper)| {
        let (left, right) = inner.split_once(operator)?;
        Some((helper, left.trim(), right.trim()))
    });
    let is_one = |side: &str| !side.is_empty() && !side.contains(char::is_whitespace);
    if let Some((helper, left, right)) = operation.filter(|(_, left, right)| is_one(left) && is_one(right)) {
        return vec![format!("write the helper in front: `({helper} {left} {right})`")];
    }
    vec![
        "an expression is a path such as `session.user`, or a helper in parentheses: `(gt session.count 3)`".to_owned(),
        "a value that is always the same is given a name in `data`, and named here".to_owned(),
    ]
}

struct Slip {
    span: Range<usize>,
    message: String,
    help: String,
    related: Option<(Range<usize>, String)>,
}

impl Slip {
    fn new(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: help.into(), related: None }
    }
}

/// Every `{{…}}` of a text, comments and escaped braces left out; an end that is missing is `None`.
fn tags(text: &str) -> Vec<(usize, Option<usize>)> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("{{")) {
        let start = at + found;
        let rest = &text[start..];
        let end_of = |closing: &str| rest.find(closing).map(|end| start + end + closing.len());
        if text[..start].ends_with('\\') && !text[..start].ends_with("\\\\") {
            at = start + 2;
            continue;
        }
        let is_comment = rest.starts_with("{{!");
        let end = match rest {
            _ if rest.starts_with("{{!--") => end_of("--}}"),
            _ if rest.starts_with("{{{") => end_of("}}}"),
            _ => end_of("}}"),
        };
        // A tag does not reach into the next one.
        let next = rest.get(3..).and_then(|after| after.find("{{")).map(|next| start + 3 + next);
        let end = end.filter(|end| is_comment || next.is_none_or(|next| *end <= next));
        at = end.unwrap_or(start + 2);
        if end.is_none() || !is_comment {
            tags.push((start, end));
        }
    }
    tags
}

/// What stands between the braces, without `~` and spaces.
fn inner(tag: &str) -> &str {
    tag.trim_start_matches('{').trim_end_matches('}').trim_matches('~').trim()
}

fn unclosed_tag(text: &str) -> Option<Slip> {
    let (start, _) = tags(text).into_iter().find(|(_, end)| end.is_none())?;
    Some(Slip::new(start..start + 2, "this `{{` is not closed", "put `}}` after the name"))
}

/// A block that is closed by another name, or not, or not opened.
fn unbalanced_block(text: &str) -> Option<Slip> {
    let mut open: Vec<(&str, Range<usize>)> = Vec::new();
    for (start, end) in tags(text) {
        let span = start..end?;
        let inner = inner(&text[span.clone()]);
        if let Some(opened) = inner.strip_prefix('#') {
            let opened = opened.trim_start_matches(['>', '*']).trim();
            open.push((opened.split_whitespace().next().unwrap_or_default(), span));
        } else if let Some(closing) = inner.strip_prefix('/') {
            let closing = closing.trim();
            match open.pop() {
                Some((opened, _)) if opened == closing => {}
                Some((opened, opening)) => {
                    let message = format!("`{{{{/{closing}}}}}` cannot close `{{{{#{opened}}}}}`");
                    let mut slip = Slip::new(span, message, format!("put `{{{{/{opened}}}}}` before it"));
                    slip.related = Some((opening, "this is open".to_owned()));
                    return Some(slip);
                }
                None => {
                    let message = format!("`{{{{/{closing}}}}}` closes nothing");
                    return Some(Slip::new(span, message, format!("a block begins with `{{{{#{closing} …}}}}`")));
                }
            }
        } else if open.is_empty() && (inner == "else" || inner.starts_with("else ")) {
            return Some(Slip::new(span, "this `{{else}}` is in no block", "a block begins with `{{#if …}}`"));
        }
    }
    let (name, opening) = open.pop()?;
    let message = format!("`{{{{#{name}}}}}` is not closed");
    Some(Slip::new(opening, message, format!("put `{{{{/{name}}}}}` where it ends")))
}

/// Some other mistake, in the tag at or before a byte.
fn unreadable_tag(text: &str, at: usize) -> Slip {
    let around = tags(text).into_iter().rfind(|(start, _)| *start <= at);
    let span = around.map_or(at..text.len(), |(start, end)| start..end.unwrap_or(text.len()));
    if inner(&text[span.clone()]).is_empty() {
        return Slip::new(span, "there is nothing in this tag", "write a name into it, such as `{{name}}`");
    }
    let help = if OPERATORS.iter().any(|operator| text[span.clone()].contains(operator)) {
        "there are no operators and filters; helpers compare and reckon, such as `(gt x y)` and `(add x 1)`"
    } else {
        "a tag is a name, `{{user}}`, or a helper with what it takes, `{{url \"home\"}}`"
    };
    Slip::new(span, "this tag cannot be read", help)
}
