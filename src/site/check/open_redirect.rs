//! Redirects to other sites that a visitor chooses: a link to this site that leads to another is what
//! phishing is made of (OWASP, Unvalidated Redirects and Forwards).

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, Written};
use crate::site::Part;
use crate::site::escaping::unbound;
use crate::site::response::{Content, Target};
use crate::site::route::Route;
use crate::template::escape::{self, Danger};
use crate::template::expression::Text;
use crate::template::library::Library;
use crate::template::render::Escaping;
use crate::template::writing::Writing;

/// The name of the template that stands for the address in a page.
fn in_page(name: &str) -> String {
    format!("{name}/in-a-page")
}

/// Puts the address of a redirect where browsers go by themselves: what a value of a page could do there,
/// it can do here.
pub fn put_in_page(address: &Text, written: &Written, key: &str, writing: &mut Writing<'_>) {
    if let Text::Template(name, _) = address {
        let page = written.part("<a formaction=\"", 0..written.text.len(), "\">");
        writing.library.add(&in_page(name), writing.home, &page, Some(Escaping::Html), key, writing.problems);
    }
}

/// Warns of the addresses whose host a visitor could choose.
pub fn check(library: &Library, routes: &[Route], parts: &[Part], problems: &mut Diagnostics) {
    for route in routes {
        let site = parts.get(route.part).map(|part| &part.data);
        let data: BTreeSet<String> =
            site.into_iter().flatten().chain(&route.data).map(|(name, _)| name.clone()).collect();
        let fixed = unbound(&unbound(&data, &route.steps.guards), &route.steps.actions);
        for response in route.responses() {
            let Content::Redirect(redirect) = &response.content else { continue };
            let Target::External(Text::Template(name, _)) = &redirect.target else { continue };
            let mut values = escape::dangers(library, &in_page(name));
            values.retain(|value| matches!(value.danger, Danger::Scheme(..) | Danger::Host(..)));
            values.sort_by_key(|value| value.spot);
            let mut has_own_host = false;
            for value in values {
                let Some(source) = value.names.iter().find(|name| !fixed.contains(*name)) else {
                    has_own_host |= !value.names.is_empty();
                    continue;
                };
                // `{{shop}}/{{query.x}}`, where the site says what `shop` is.
                if has_own_host && matches!(value.danger, Danger::Host(..)) {
                    continue;
                }
                let name = if value.written.is_empty() { source } else { &value.written };
                problems.extend(value.place(library).map(|(place, key)| {
                    Diagnostic::warning(&place, format!("`{name}` decides to which site this redirect leads"))
                        .key(key)
                        .help("a visitor can be sent there by a link to this site; begin with a fixed one: `https://example.org/{{…}}`")
                        .help("to stay on this site, leave `external` out")
                }));
            }
        }
    }
}
