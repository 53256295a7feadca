//! Responses: declarations to compiled ones.

use std::path::Path;
use std::sync::Arc;

use http::StatusCode;

use super::check::open_redirect;
use super::headers;
use super::response::{Content, Redirect, Response, Target};
use super::terms::{all, expression};
use crate::config::declaration::ResponseDeclaration;
use crate::config::keys;
use crate::config::read::reason;
use crate::config::tree::{Entry, Node, Tree};
use crate::diagnostic::{Diagnostic, Written, did_you_mean};
use crate::template::expression::{Term, Text};
use crate::template::library::own_names;
use crate::template::links::{Misfit, misfits};
use crate::template::render::Escaping;
use crate::template::urls::is_own_path;
use crate::template::writing::Writing;

/// Compiles a response; `None` if it is broken.
pub fn response(declared: &ResponseDeclaration, writing: &mut Writing<'_>) -> Option<Response> {
    let body = &declared.body;
    let before = writing.added.len();
    let content = match declared.kind.value {
        "template" => template(body, writing).map(Content::Template),
        "html" => text(body, Escaping::Html, writing).map(Content::Html),
        "text" => text(body, Escaping::Plain, writing).map(Content::Text),
        "json" => json(body, writing).map(Term::fold).map(Content::Json),
        "file" => file(body, writing).map(Content::File),
        _ => redirect(body, writing).map(Content::Redirect),
    };
    let shown = writing.added.get(before..).unwrap_or_default();
    let redirects = declared.kind.value == "redirect";
    let shows_flash = !redirects && shown.iter().any(|template| writing.library.shows(template, "flash"));
    let shows_token = shown.iter().any(|template| writing.library.shows_token(template));
    if redirects && shows_token {
        writing.problems.push(
            body.error("this would put the CSRF token into a URL")
                .help("logs and other sites see URLs; a form sends the token in its body: `{{csrf_field}}`"),
        );
        return None;
    }
    let status = match &declared.status {
        Some(status) if declared.kind.value == "redirect" && !is_redirect(status.value) => {
            writing.problems.push(
                Diagnostic::error(&status.place, format!("{} is not a redirect's status", status.value))
                    .key(body.key.rsplit_once('.').map_or("", |(table, _)| table))
                    .help("use 301, 302, 303, 307 or 308"),
            );
            return None;
        }
        Some(status) => StatusCode::from_u16(status.value).ok(),
        None => None,
    };
    let shows_nonce = shown.iter().any(|template| writing.library.shows(template, "csp_nonce"));
    let shows_visitors = shown.iter().any(|template| headers::shows_visitors(template, writing));
    let headers = headers::compile(declared, shows_visitors, shows_nonce, writing);
    Some(Response { content: content?, status, headers, shows_flash, shows_token, shows_nonce })
}

/// Compiles the `invalid` of a route: a bad request unless it says otherwise.
pub fn invalid(declared: &ResponseDeclaration, writing: &mut Writing<'_>) -> Option<Response> {
    let mut response = response(declared, writing)?;
    if !matches!(response.content, Content::Redirect(_)) {
        response.status = response.status.or(Some(StatusCode::BAD_REQUEST));
    }
    Some(response)
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

fn template(node: &Node, writing: &mut Writing<'_>) -> Option<String> {
    let name = node.text(writing.problems)?;
    let full = writing.home.qualify(&name);
    let error = node.error(format!("there is no template `{}`", name.value));
    if let Some(error) = writing.library.missing(&name, writing.home, error) {
        writing.problems.push(error);
        return None;
    }
    // The names it uses are checked against what this response provides.
    writing.added.push(full.clone());
    Some(full)
}

fn text(node: &Node, escaping: Escaping, writing: &mut Writing<'_>) -> Option<Text> {
    let text = node.text(writing.problems)?;
    writing.text(&Written::quoted(text.value, &text.place), escaping, &node.key)
}

/// A file that is there when the site is loaded.
fn file(node: &Node, writing: &mut Writing<'_>) -> Option<Arc<Path>> {
    let name = node.text(writing.problems)?;
    if name.contains("{{") {
        let help = "the files of a folder, by their names, are for `[static]`; they are everybody's";
        writing.problems.push(node.error("a `file` is always the same one, without braces").help(help));
        return None;
    }
    let path = writing.folder.join(&name.value);
    match std::fs::metadata(&path) {
        Ok(found) if found.is_file() => return Some(path.into()),
        Ok(_) => writing.problems.push(node.error(format!("`{}` is not a file", name.value))),
        Err(error) => {
            let beside = path.parent().and_then(|folder| std::fs::read_dir(folder).ok());
            let names: Vec<String> = beside
                .into_iter()
                .flatten()
                .filter_map(|entry| Some(path.with_file_name(entry.ok()?.file_name())))
                .filter_map(|path| Some(path.strip_prefix(writing.folder).ok()?.to_str()?.to_owned()))
                .collect();
            writing.problems.push(
                node.error(format!("cannot read `{}`: {}", name.value, reason(&error)))
                    .maybe_help(did_you_mean(&name, names.iter().map(String::as_str))),
            );
        }
    }
    None
}

/// What is between quotes, as expressions write text.
fn quoted(text: &str) -> Option<&str> {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote).filter(|inside| !inside.contains(quote));
    inside('\'').or_else(|| inside('"'))
}

/// JSON whose strings are expressions, text in quotes, or templates if they hold braces.
fn json(node: &Node, writing: &mut Writing<'_>) -> Option<Term> {
    Some(match &node.tree {
        Tree::Text(template) if template.contains("{{") => Term::Text(text(node, Escaping::Plain, writing)?),
        Tree::Text(text) => match quoted(text) {
            Some(fixed) => Term::Fixed(fixed.into()),
            None => Term::Expression(expression(node, writing)?),
        },
        Tree::Scalar(value) => Term::Fixed(value.clone()),
        Tree::List(items) => Term::List(all(items, |item| json(item, writing))?),
        Tree::Table(entries) => {
            Term::Map(all(entries, |entry| Some((entry.name.value.clone(), json(&entry.node, writing)?)))?)
        }
    })
}

fn redirect(node: &Node, writing: &mut Writing<'_>) -> Option<Redirect> {
    let default = |target| Redirect { target, query: Vec::new(), status: StatusCode::SEE_OTHER };
    match &node.tree {
        Tree::Text(text) if text.starts_with('/') || text.contains("{{") => path_target(node, writing).map(default),
        Tree::Text(_) => route_target(node, None, writing).map(default),
        Tree::Table(_) => redirect_table(node, writing),
        _ => node.expected("the name of a route, a path, or a table", writing.problems),
    }
}

fn redirect_table(node: &Node, writing: &mut Writing<'_>) -> Option<Redirect> {
    let node = node.only(&keys::names(keys::REDIRECT), writing.problems);
    let external = node.get("external").is_some_and(|entry| entry.node.boolean(writing.problems) == Some(true));
    let target = match (node.get("route"), node.get("path")) {
        (Some(route), None) => route_target(&route.node, node.get("params"), writing)?,
        (None, Some(path)) if external => external_target(&path.node, writing)?,
        (None, Some(path)) => path_target(&path.node, writing)?,
        (Some(route), Some(path)) => {
            writing.problems.push(
                Diagnostic::error(&path.name.place, "a redirect leads to one place, not to two")
                    .key(&node.key)
                    .related(&route.name.place, "the other")
                    .help("keep either `route` or `path`"),
            );
            return None;
        }
        (None, None) => {
            let error = node.error("this redirect leads nowhere").help("give it a `route` or a `path`");
            writing.problems.push(error);
            return None;
        }
    };
    let status = match node.get("status") {
        None => StatusCode::SEE_OTHER,
        Some(entry) => {
            let code = entry.node.integer(writing.problems)?;
            let status = u16::try_from(code).ok().filter(|code| is_redirect(*code));
            let Some(status) = status.and_then(|code| StatusCode::from_u16(code).ok()) else {
                writing.problems.push(
                    entry
                        .node
                        .error(format!("{code} is not a redirect's status"))
                        .help("use 301, 302, 303, 307 or 308"),
                );
                return None;
            };
            status
        }
    };
    Some(Redirect { target, query: texts(node.get("query"), writing)?, status })
}

fn texts(table: Option<&Entry>, writing: &mut Writing<'_>) -> Option<Vec<(String, Text)>> {
    let Some(table) = table else { return Some(Vec::new()) };
    let entries = table.node.table(writing.problems);
    all(entries, |entry| Some((entry.name.value.clone(), text(&entry.node, Escaping::Plain, writing)?)))
}

fn path_target(node: &Node, writing: &mut Writing<'_>) -> Option<Target> {
    let path = text(node, Escaping::Plain, writing)?;
    let written = node.text(writing.problems)?;
    // As far as it is known before a request.
    let start = written.split("{{").next().unwrap_or_default();
    let is_known = !start.is_empty() || matches!(path, Text::Fixed(_));
    if is_known && !is_own_path(start) {
        let help = if start.contains("//") {
            external_help(&written)
        } else if !start.starts_with('/') {
            "a path starts with a slash".to_owned()
        } else if start.contains(char::is_control) {
            "it has a control character in it; leave that out".to_owned()
        } else {
            "browsers read `/\\` as `//`, and what follows as another host; leave the backslash out".to_owned()
        };
        writing.problems.push(node.error(format!("`{}` is not a path of this site", written.value)).help(help));
        return None;
    }
    Some(Target::Path { prefix: writing.prefix.to_owned(), path })
}

fn external_target(node: &Node, writing: &mut Writing<'_>) -> Option<Target> {
    let written = Written::quoted(node.text(writing.problems)?.value, &node.place);
    let address = writing.text(&written, Escaping::Plain, &node.key)?;
    open_redirect::put_in_page(&address, &written, &node.key, writing);
    Some(Target::External(address))
}

fn external_help(target: &str) -> String {
    let url = if target.starts_with("//") { format!("https:{target}") } else { target.to_owned() };
    format!("to lead to another site, write `{{ path = \"{url}\", external = true }}`")
}

fn route_target(node: &Node, params: Option<&Entry>, writing: &mut Writing<'_>) -> Option<Target> {
    let name = node.text(writing.problems)?;
    let full = writing.home.qualify(&name);
    let links = writing.library.links();
    let values = texts(params, writing);
    let Some(markers) = links.markers(&full) else {
        if name.contains("://") {
            writing
                .problems
                .push(node.error(format!("`{}` is on another site", name.value)).help(external_help(&name)));
        } else if links.is_missing(&full) {
            let own = own_names(links.names().into_iter(), writing.home.site);
            writing
                .problems
                .push(node.error(format!("there is no route `{}`", name.value)).maybe_help(did_you_mean(&name, own)));
        }
        return None;
    };
    let params = params.map_or(&[][..], |table| table.node.entries());
    let given: Vec<&str> = params.iter().map(|entry| entry.name.as_str()).collect();
    let misfits = misfits(&markers, &given);
    let right: Vec<String> = markers.iter().map(|marker| format!("{marker} = \"…\"")).collect();
    let example = format!("{{ route = \"{}\", params = {{ {} }} }}", name.value, right.join(", "));
    for misfit in &misfits {
        let written = match misfit {
            Misfit::Missing(_) => None,
            Misfit::Unknown(name) => params.iter().find(|entry| entry.name.as_str() == *name),
        };
        let (place, key) = written.map_or((&node.place, &node.key), |entry| (&entry.name.place, &entry.node.key));
        writing.problems.push(misfit.error(place, &name, &markers, &example).key(key));
    }
    let params = values?;
    misfits.is_empty().then_some(Target::Route { name: full, params })
}
