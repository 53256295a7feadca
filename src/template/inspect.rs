//! What one template has in it, and what is wrong with that whoever shows it.

use handlebars::template::Template;

use super::csrf_field::CSRF_FIELD;
use super::inclusion::Inclusion;
use super::library::{Home, Library, Variable};
use super::links::{FileLink, check_link};
use super::places::locate;
use super::syntax::{foreign_block, mended};
use super::walk::{Finding, walk};
use super::{dates, helpers, numbers};
use crate::diagnostic::{Diagnostic, Diagnostics, Written};

/// What was found in one template.
#[derive(Default)]
pub struct Contents {
    pub variables: Vec<Variable>,
    pub partials: Vec<Inclusion>,
    pub inlines: Vec<String>,
    pub unresolved: Vec<(String, Diagnostic)>,
    pub files: Vec<FileLink>,
    pub has_csrf_field: bool,
}

impl Library {
    /// Everything about a template that can be judged without knowing who shows it.
    pub(super) fn look_into(
        &self,
        template: &Template,
        home: Home<'_>,
        text: &Written,
        key: &str,
        problems: &mut Diagnostics,
    ) -> Contents {
        let mut found = Contents::default();
        problems.extend(foreign_block(&text.text).map(|(span, write)| {
            Diagnostic::warning(&text.place_of(span), "this is shown as it is written")
                .key(key)
                .help(format!("templates are Handlebars: `{write}`"))
        }));
        let mut misused = None;
        walk(template, home.data, &mut |(finding, spot)| {
            let place = |word: &str| locate(text, spot, word, 0..word.len());
            let error = |word: &str, message: String| Diagnostic::error(&place(word), message).key(key);
            match finding {
                // Not every word of it may be meant as a name.
                Finding::Variable { .. } if misused == Some(spot) => {}
                Finding::Variable { path, written, has_default, reach } => {
                    let first = path.first().map_or("", String::as_str);
                    let at = written.find(first).unwrap_or(0);
                    let end = at + first.len();
                    let place = locate(text, spot, &written, at..end);
                    let entry = path.get(1).and_then(|entry| {
                        let at = end + written.get(end..)?.find(entry.as_str())?;
                        Some(locate(text, spot, &written, at..at + entry.len()))
                    });
                    found.variables.push(Variable { path, place, entry, key: key.to_owned(), has_default, reach });
                }
                Finding::NoSuchEntry { name, valid, written } => {
                    let at = written.rfind(&name).unwrap_or(0);
                    let place = locate(text, spot, &written, at..at + name.len());
                    let error = Diagnostic::error(&place, format!("`[data]` has no `{name}` here")).key(key);
                    problems.push(error.maybe_help(self.site.advice(&name, &valid, &written)));
                }
                Finding::Entry { path, block, written } => {
                    let name = path.first().map_or("", String::as_str);
                    let place = locate(text, spot, written, 0..name.len());
                    let mistaken = self.site.mistaken(&path, &block, written);
                    let warning = |(message, help)| Diagnostic::warning(&place, message).key(key).help(help);
                    problems.extend(mistaken.map(warning));
                }
                Finding::Helper { name, values, names, block } => {
                    found.has_csrf_field |= name == CSRF_FIELD;
                    let problem = helpers::misuse(name, values, &names, block);
                    let mended = mended(&text.text, spot).filter(|_| block).map(|tag| format!("write `{tag}`"));
                    if let Some((message, help)) = problem {
                        problems.push(error(name, message).maybe_help(mended.or(help)));
                        misused = block.then_some(spot);
                    }
                }
                Finding::Partial { name, around, sees, block, given, fallback, inside } => {
                    let full = home.qualify(name);
                    if !fallback {
                        let error = error(name, format!("there is no template `{name}` to include"));
                        found.unresolved.extend(self.missing(name, home, error).map(|error| (full.clone(), error)));
                    }
                    found.partials.push(Inclusion {
                        name: full,
                        around,
                        sees,
                        block,
                        given: given.into_iter().map(str::to_owned).collect(),
                        inside: inside.map(|inline| home.qualify(inline)),
                        place: place(name),
                        key: key.to_owned(),
                    });
                }
                Finding::Inline(name) => found.inlines.push(home.qualify(name)),
                Finding::DynamicPartial => problems.push(
                    error("", "the name of a partial must be written out".to_owned())
                        .help("a name worked out while rendering cannot be checked; use `{{#if}}` around partials with fixed names"),
                ),
                Finding::Url(route, given) => {
                    let wrong = check_link(&*self.links, home, route, &given, &place);
                    problems.extend(wrong.into_iter().map(|problem| problem.key(key)));
                }
                Finding::StaticUrl(Some(path), whole) => found.files.push(FileLink {
                    written: path.to_owned(),
                    path: format!("{}{path}", home.prefix),
                    open: !whole,
                    place: place(path),
                    key: key.to_owned(),
                }),
                Finding::StaticUrl(None, _) => problems.push(
                    error("static_url", "`static_url` needs the beginning of the path written out".to_owned())
                        .help("such as `{{static_url \"/static/\" item.image}}`"),
                ),
                Finding::DateForm(form) => {
                    let problem = dates::misfit(form).map(|why| format!("`{form}` is no form of a date: {why}"));
                    problems.extend(problem.map(|message| error(form, message).help("write it as for `strftime`: `%d %B %Y`")));
                }
                Finding::Decimals(decimals) if numbers::decimals(decimals).is_none() => problems.push(
                    error("decimals", format!("`{decimals}` is no number of decimals"))
                        .help("it is a whole number from 0 to 30: `decimals=2`"),
                ),
                Finding::Decimals(_) => {}
                Finding::Decorator(name) => problems.push(
                    error(name, format!("unknown decorator `{name}`")).help("`inline` is the only one: `{{#*inline \"name\"}}`"),
                ),
            }
        });
        found
    }
}
