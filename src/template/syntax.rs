//! What keeps a text from being a template, in plain words. Handlebars says what its grammar expected;
//! this looks for the slip.

use std::ops::Range;

use handlebars::TemplateError;

use super::advice::{as_call, as_tag, has_operator};
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

const MISSING_PARENTHESIS: &str = "a `)` is missing";

/// Advice for a text that is no expression.
pub fn not_an_expression(text: &str) -> Vec<String> {
    if text.starts_with('(') && text.matches('(').count() > text.matches(')').count() {
        return vec![MISSING_PARENTHESIS.to_owned()];
    }
    if text.starts_with('(') && (text.contains("../") || text.replace("@root.", "").contains('@')) {
        return vec!["there is no block around an expression, and so no `../` and no `@index`".to_owned()];
    }
    if let Some(call) = as_call(text).filter(|call| call != text) {
        return vec![format!("a helper stands in front of its values, in parentheses: `{call}`")];
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
        if let Some(wrong) = inner.strip_prefix('#').and_then(else_if) {
            let message = format!("`{{{{{inner}}}}}` begins no block");
            return Some(Slip::new(span, message, format!("write `{{{{{wrong}}}}}`")));
        } else if let Some(opened) = inner.strip_prefix('#') {
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

/// `else`, `elseif x` and `elif x` as they are written in Handlebars.
fn else_if(text: &str) -> Option<String> {
    let (word, condition) = text.trim_start().split_once(char::is_whitespace).unwrap_or((text.trim_start(), ""));
    let condition = condition.trim_start();
    match word {
        "else" if condition.is_empty() => Some("else".to_owned()),
        "else" => Some(format!("else {condition}")),
        "elseif" | "elsif" | "elif" => Some(format!("else if {condition}")),
        _ => None,
    }
}

/// Where the `{{else if …}}` tags of the block stand that begins at a byte.
pub fn else_tags(text: &str, block: usize) -> Vec<usize> {
    let Some(from) = text.get(block..) else { return Vec::new() };
    let mut found = Vec::new();
    let mut depth = 0_usize;
    for (start, end) in tags(from) {
        let inner = inner(&from[start..end.unwrap_or(from.len())]);
        match inner.chars().next() {
            Some('#') => depth += 1,
            Some('/') => depth = depth.saturating_sub(1),
            _ if depth == 1 && inner.starts_with("else ") => found.push(block + start),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// How the tag at a line and column is written, if its values can be told from what other languages have.
pub fn mended(text: &str, spot: (usize, usize)) -> Option<String> {
    let at = offset_of(text, spot);
    let (start, end) = tags(text.get(at..)?).into_iter().next()?;
    let written = inner(text.get(at + start..at + end?)?);
    as_tag(written).filter(|tag| inner(tag) != written)
}

/// What another language has for blocks: here it is text.
pub fn foreign_block(text: &str) -> Option<(Range<usize>, &'static str)> {
    const WORDS: [(&str, &str); 6] = [
        ("if", "{{#if x}}…{{else}}…{{/if}}"),
        ("unless", "{{#unless x}}…{{/unless}}"),
        ("for", "{{#each list as |item|}}…{{/each}}"),
        ("include", "{{> name}}"),
        ("extends", "{{#> layout}}…{{/layout}}"),
        ("block", "{{#*inline \"name\"}}…{{/inline}}"),
    ];
    let (start, _) = text.match_indices("{%").find(|(at, _)| text[*at..].contains("%}"))?;
    let word = text.get(start + 2..)?.trim_start_matches(['-', '+']).split_whitespace().next()?;
    let (_, write) = WORDS.iter().find(|(known, _)| *known == word)?;
    let end = start + text.get(start..)?.find("%}")? + 2;
    Some((start..end, write))
}

/// Some other mistake, in the tag at or before a byte.
fn unreadable_tag(text: &str, at: usize) -> Slip {
    let around = tags(text).into_iter().rfind(|(start, _)| *start <= at);
    let span = around.map_or(at..text.len(), |(start, end)| start..end.unwrap_or(text.len()));
    let tag = inner(&text[span.clone()]);
    if tag.is_empty() {
        return Slip::new(span, "there is nothing in this tag", "write a name into it, such as `{{name}}`");
    }
    if tag.matches('(').count() > tag.matches(')').count() {
        return Slip::new(span, "this tag cannot be read", MISSING_PARENTHESIS);
    }
    let help = match as_tag(tag) {
        Some(tag) => format!("a helper stands in front of its values: `{tag}`"),
        None if has_operator(tag) => {
            "there are no operators and filters; helpers compare and reckon, such as `(gt x y)` and `(add x 1)`"
                .to_owned()
        }
        None => "a tag is a name, `{{user}}`, or a helper with what it takes, `{{url \"home\"}}`".to_owned(),
    };
    Slip::new(span, "this tag cannot be read", help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_too_odd() {
        let odd = "{{#if é}}{{else if \"(a' == !b | c}}{% for - %}{{/if}}(@[../) && {{{{";
        for start in (0..=odd.len()).filter(|at| odd.is_char_boundary(*at)) {
            for end in (start..=odd.len()).filter(|at| odd.is_char_boundary(*at)) {
                let text = &odd[start..end];
                mended(text, (1, 1));
                else_tags(text, 0);
                foreign_block(text);
                not_an_expression(text);
                unreadable_tag(text, 0);
                has_operator(text);
            }
        }
    }
}
