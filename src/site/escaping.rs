//! Refuses templates that put what a visitor sent where escaping does not protect.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Shown;
use super::step::Step;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::template::escape::{self, Danger, For};
use crate::template::helpers::is_helper;
use crate::template::library::Library;

/// Reports every value of a visitor's that browsers would not read as a value.
///
/// What could run as a script is an error. What can only change how a page looks or where a link leads is
/// a warning: there are sites where everybody may do that.
pub fn check(library: &Library, shown: &[Shown], problems: &mut Diagnostics) {
    let mut dangers: BTreeMap<&str, Vec<escape::Shown>> = BTreeMap::new();
    // One for each place is enough: the worst.
    let mut worst: BTreeMap<_, (escape::Shown, String)> = BTreeMap::new();
    for page in shown {
        for template in &page.templates {
            let dangers = dangers.entry(template).or_insert_with(|| escape::dangers(library, template));
            for value in dangers.iter() {
                let source = value.names.iter().find(|name| !page.fixed.contains(*name));
                let danger = source.map(|_| value.danger.clone()).or_else(|| value.always());
                let Some(danger) = danger else { continue };
                let at = (value.template.clone(), value.spot, value.written.clone());
                if worst.get(&at).is_none_or(|(known, _)| danger.is_grave() && !known.danger.is_grave()) {
                    let value = escape::Shown { danger, ..value.clone() };
                    worst.insert(at, (value, source.cloned().unwrap_or_default()));
                }
            }
        }
    }
    let has_errors = problems.has_errors() || worst.values().any(|(value, _)| is_clear_error(&value.danger));
    let is_told = |value: &escape::Shown| match &value.danger {
        Danger::Unclear => !has_errors,
        // The quotes that are missing there are missing for this one, too.
        Danger::Behind(attribute) => worst
            .values()
            .all(|(other, _)| other.template != value.template || other.danger != Danger::Unquoted(attribute.clone())),
        _ => true,
    };
    let told = worst.values().filter(|(value, _)| is_told(value));
    problems.extend(told.filter_map(|(value, source)| problem(library, value, source)));
}

fn is_clear_error(danger: &Danger) -> bool {
    danger.is_grave() && *danger != Danger::Unclear
}

fn problem(library: &Library, value: &escape::Shown, source: &str) -> Option<Diagnostic> {
    let name = if value.written.is_empty() { source } else { &value.written };
    let (message, help) = told(&value.danger, name);
    Some(value.diagnostic(library, message)?.help(help))
}

/// What is wrong with a value, and how to mend it.
fn told(danger: &Danger, x: &str) -> (String, String) {
    let (tag, inner) = match is_helper(x) {
        true => (format!("{{{{{x} …}}}}"), format!("({x} …)")),
        false => (format!("{{{{{x}}}}}"), x.to_owned()),
    };
    match danger {
        Danger::Raw => (
            format!("`{x}` is not escaped, so a visitor can send a script in it"),
            format!("two braces escape it: `{tag}`"),
        ),
        Danger::Script | Danger::Quoted => (
            format!("`{x}` stands in a script, where escaping for HTML does not help"),
            format!("write it as JSON, without quotes around it: `{{{{json {inner}}}}}`"),
        ),
        Danger::Mangled => (
            format!("`{x}` is escaped for HTML, and a script takes `&amp;` and `&#x3D;` as they are"),
            format!("write it as JSON, without quotes around it: `{{{{json {inner}}}}}`"),
        ),
        Danger::JsonInQuotes => (
            "`json` brings its own quotes, so a visitor could end this text of the script".to_owned(),
            "leave the quotes around it out: `let x = {{json …}};`".to_owned(),
        ),
        Danger::InsideScript => (
            format!("`{x}` stands in a comment or a regular expression of a script, which it could end"),
            "give it a name in the script, and use that: `let x = {{json …}};`".to_owned(),
        ),
        Danger::ForeignScript => (
            format!("`{x}` stands in a script within `<svg>` or `<math>`, where browsers undo escaping"),
            "put the script behind the `</svg>`, and write the value as JSON there: `let x = {{json …}};`".to_owned(),
        ),
        Danger::Handler(attribute) => (
            format!("`{attribute}` is a script, and a visitor could write in it"),
            format!("put the value into `data-value=\"{tag}\"`, and read that in a script"),
        ),
        Danger::Framework(attribute) => (
            format!("frameworks take `{attribute}` for a script, and a visitor could write in it"),
            format!("write it as JSON, in single quotes: `{attribute}='{{{{json {inner}}}}}'`"),
        ),
        Danger::Scheme(attribute, leads) => (
            format!("a visitor could begin this `{attribute}` with `javascript:`"),
            match leads {
                For::Link => format!(
                    "begin it with a path: `/…/{tag}`, or with `{{{{url \"route\" …}}}}`; \
                     for an address elsewhere, write `{{{{web_url {inner}}}}}`"
                ),
                For::Target | For::Part | For::List => {
                    format!("begin it with a path: `/…/{tag}`, or write `{{{{url \"route\" …}}}}`")
                }
            },
        ),
        Danger::Host(attribute, leads) => (
            match leads {
                For::Part => format!("a visitor could let this `{attribute}` bring something from another site"),
                For::Target => format!("a visitor could let this `{attribute}` send people to another site"),
                For::Link => format!("a visitor could let this `{attribute}` lead to another site: `//…`"),
                For::List => format!("a visitor could add addresses of another site to this `{attribute}`"),
            },
            match leads {
                For::List => {
                    "write `{{url \"route\" …}}` or `{{static_url \"/…/\" …}}`, so that it stays one address".to_owned()
                }
                _ => "write `{{url \"route\" …}}`, or a fixed part of the path in front: `/teas/{{…}}`".to_owned(),
            },
        ),
        Danger::Unquoted(attribute) => (
            format!("the value of `{attribute}` has no quotes, so a visitor could add attributes"),
            format!("write `{attribute}=\"{tag}\"`"),
        ),
        Danger::Behind(attribute) => (
            format!("`{attribute}` before `{x}` has no quotes: if it is empty, a visitor could add attributes"),
            format!("put quotes around the value of `{attribute}`: `{attribute}=\"{{{{…}}}}\"`"),
        ),
        Danger::Tag => (
            format!("`{x}` stands in a tag, but not in a value: a visitor could add attributes"),
            "write the names of tags and attributes out, with `{{#if}}` around them".to_owned(),
        ),
        Danger::Element => (
            format!("`{x}` is the name of an element, which may be `script`"),
            "write the name out, with `{{#if}}` around it".to_owned(),
        ),
        Danger::Attribute => (
            format!("`{x}` is the value of an attribute whose name is a value, too: it may be `onclick`"),
            "write the name of the attribute out, with `{{#if}}` around it".to_owned(),
        ),
        Danger::NoBody => (
            "there is nothing that `@partial-block` could stand for here".to_owned(),
            "it stands in the template that `{{#> …}}` includes, not in one that this includes; \
             with `{{#> @partial-block}}…{{/@partial-block}}` it has a text of its own"
                .to_owned(),
        ),
        Danger::Document => (
            "what stands in `srcdoc` is a page, and a visitor could put a script into it".to_owned(),
            "give that page a route of its own, and link to it with `src`".to_owned(),
        ),
        Danger::Semantics(attribute) => (
            format!("a visitor could choose what `{attribute}` makes of the other attributes"),
            "write it out, with `{{#if}}` around it".to_owned(),
        ),
        Danger::JsonInAttribute(attribute) => (
            "JSON has double quotes in it, which end the value of an attribute".to_owned(),
            format!("use single quotes: `{attribute}='{{{{json …}}}}'`"),
        ),
        Danger::Html => (format!("`{x}` makes HTML, but only text can stand here"), "put it between tags".to_owned()),
        Danger::Style => (
            format!("`{x}` stands in a style, so a visitor could change how the page looks"),
            format!("choose among classes instead, with `{{{{#if}}}}`; a number is safe as `{{{{add {inner} 0}}}}`"),
        ),
        Danger::Comment => (
            format!("`{x}` stands in a comment, which every visitor is sent"),
            "take it out; what stands in `{{! … }}` is for the author alone".to_owned(),
        ),
        Danger::Unclear => (
            "it cannot be told whether what visitors send is safe here".to_owned(),
            "the branches before leave too many different tags and quotes open; let each close its own".to_owned(),
        ),
    }
}

/// The names that none of the steps binds.
pub fn unbound(names: &BTreeSet<String>, steps: &[Step]) -> BTreeSet<String> {
    let is_bound = |name: &&String| steps.iter().any(|step| step.bind.as_ref() == Some(name));
    names.iter().filter(|name| !is_bound(name)).cloned().collect()
}
