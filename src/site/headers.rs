//! `headers` of a response: what may be declared, and what would undo the engine's care.

use http::HeaderName;
use http::header::LOCATION;

use crate::config::declaration::ResponseDeclaration;
use crate::config::tree::Entry;
use crate::diagnostic::{Diagnostic, Written};
use crate::site::request::NAMES;
use crate::template::expression::Text;
use crate::template::render::Escaping;
use crate::template::writing::Writing;

/// Headers that are the engine's own: setting them would break the connection or the session.
const OWN_HEADERS: [&str; 6] = ["set-cookie", "content-length", "transfer-encoding", "connection", "date", "upgrade"];

/// The headers of a response, without the broken ones. `shows_visitors` says whether its body shows what
/// came from visitors, `shows_nonce` whether it shows the nonce.
pub fn compile(
    declared: &ResponseDeclaration,
    shows_visitors: bool,
    shows_nonce: bool,
    writing: &mut Writing<'_>,
) -> Vec<(HeaderName, Text)> {
    let redirects = declared.kind.value == "redirect";
    let headers = declared.headers.iter().filter_map(|entry| header(entry, redirects, writing)).collect();
    if shows_nonce {
        check_policy(&declared.headers, writing);
    }
    if shows_visitors && matches!(declared.kind.value, "text" | "json") {
        check_type(declared, writing);
    }
    headers
}

/// Whether a template or an expression shows what came from visitors, or what actions made of it.
pub fn shows_visitors(template: &str, writing: &Writing<'_>) -> bool {
    let names = writing.library.variables(template).into_iter().filter_map(|variable| variable.path.into_iter().next());
    let mut asked = names.filter(|name| name != "csp_nonce");
    asked.any(|name| NAMES.iter().any(|(known, _)| *known == name) || !writing.home.data.contains_key(&name))
}

fn header(entry: &Entry, redirects: bool, writing: &mut Writing<'_>) -> Option<(HeaderName, Text)> {
    let mut refuse = |message: String, help: &str| {
        writing.problems.push(Diagnostic::error(&entry.name.place, message).key(&entry.node.key).help(help));
    };
    let written = &entry.name.value;
    let Ok(name) = HeaderName::from_bytes(written.as_bytes()) else {
        let help = "a name is letters, digits and hyphens, such as `X-Robots-Tag`";
        refuse(format!("`{written}` is not the name of a header"), help);
        return None;
    };
    if OWN_HEADERS.contains(&name.as_str()) {
        refuse(format!("the header `{written}` cannot be declared"), "the server sets it by itself; leave it out");
        return None;
    }
    if name == LOCATION && redirects {
        refuse(format!("a redirect sets `{written}` itself"), "say in `redirect` where it leads, and leave this out");
        return None;
    }
    let given = entry.node.text(writing.problems)?;
    let text = writing.text(&Written::quoted(given.value, &given.place), Escaping::Plain, &entry.node.key)?;
    let Text::Fixed(fixed) = &text else {
        // What the first leads to and what the second makes of a body is for the author alone to say.
        if matches!(name.as_str(), "refresh" | "content-type") {
            let help = "write it out, without braces";
            writing.problems.push(entry.node.error(format!("the header `{written}` cannot hold values")).help(help));
            return None;
        }
        let shown = if let Text::Template(template, _) = &text { template.as_str() } else { "" };
        if writing.library.shows_token(shown) || writing.library.shows(shown, "flash") {
            let help = "show it in the page: there the token is kept for the form, and messages are taken out";
            writing.problems.push(entry.node.error("neither a token nor messages go into a header").help(help));
            return None;
        }
        return Some((name, text));
    };
    if http::HeaderValue::from_str(fixed).is_err() {
        writing.problems.push(
            entry.node.error("this cannot stand in a header").help("a header is one line without control characters"),
        );
        return None;
    }
    Some((name, text))
}

/// Refuses a type that browsers run, for a body that is not escaped for it.
fn check_type(declared: &ResponseDeclaration, writing: &mut Writing<'_>) {
    let Some(entry) = declared.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-type")) else {
        return;
    };
    let value = entry.node.to_value();
    let kind = value.as_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_run = kind.ends_with("/html") || kind.ends_with("xml") || kind.ends_with("script");
    if is_run {
        let message = format!(
            "`{}` does not escape for `{kind}`, so what a visitor sends could run as a script",
            declared.kind.value
        );
        let help = match kind.ends_with("script") {
            true => "let the script ask for the values: a route with `json`",
            false => "write it as `html`, which escapes, with the same header",
        };
        writing.problems.push(entry.node.error(message).help(help));
    }
}

/// Warns of a policy of the route's own that does not take the nonce that its page shows.
fn check_policy(headers: &[Entry], writing: &mut Writing<'_>) {
    let own = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-security-policy"));
    if let Some(own) = own.filter(|own| own.node.to_value().as_str().is_none_or(|text| !text.contains("csp_nonce"))) {
        writing.problems.push(
            Diagnostic::warning(&own.node.place, "the page shows `csp_nonce`, but this policy does not have it")
                .key(&own.node.key)
                .help(
                    "without it, scripts and styles with the nonce are not taken: `script-src 'nonce-{{csp_nonce}}'`",
                ),
        );
    }
}
