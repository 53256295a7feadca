//! The paths that `url` and `static_url` make, and which paths lead to no other host.

use handlebars::JsonRender;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::links::{Links, Versions};

/// Whether a browser takes this for a path of the host that it is at. `//host` and `/\host` are others,
/// and so is either with a tab in it, which browsers drop.
pub fn is_own_path(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| !rest.starts_with(['/', '\\'])) && !path.contains(char::is_control)
}

/// The path of a route, its markers filled in, and what is no marker put behind it as a query; or why
/// there is none. A value that is `null` is left out of the query, a list is there item by item.
pub fn url(links: &dyn Links, route: &Value, named: &[(&str, &Value)]) -> Result<String, String> {
    let Value::String(route) = route else { return Err("`url` was given no route".to_owned()) };
    let find = |wanted: &str| named.iter().find(|(name, _)| *name == wanted).map(|(_, value)| marker_text(value));
    let mut url = links.path(route, &mut |name| find(name))?;
    let markers = links.markers(route).unwrap_or_default();
    let mut query: Vec<(&str, &Value)> = Vec::new();
    for (name, value) in named.iter().filter(|(name, _)| !markers.contains(name)) {
        match value {
            Value::Object(map) if *name == WHOLE_QUERY => {
                query.extend(map.iter().map(|(name, value)| (name.as_str(), value)));
            }
            _ if *name == WHOLE_QUERY => {}
            value => query.push((name, value)),
        }
    }
    query.sort_by_key(|(name, _)| *name);
    let mut separator = '?';
    for (name, value) in query {
        let values = match value {
            Value::Null => &[],
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            let (name, value) = (utf8_percent_encode(name, QUERY), value.render());
            url.push_str(&format!("{separator}{name}={}", utf8_percent_encode(&value, QUERY)));
            separator = '&';
        }
    }
    Ok(url)
}

/// The value of `url` that is a map of query parameters (Pyramid, `route_path`).
const WHOLE_QUERY: &str = "_query";

/// What of a query's names and values stays as it is (RFC 3986, unreserved).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What of a static file's path stays as it is (RFC 3986: unreserved, and `/`).
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The path of a static file in parts, with its version if it is one that was written out; or why there is
/// none: what comes of the parts would lead elsewhere.
pub fn static_url(versions: &Versions, parts: &[&Value]) -> Result<String, String> {
    let path: String = parts.iter().map(|part| part.render()).collect();
    let leads_elsewhere = |segment| matches!(segment, "." | "..");
    if path.starts_with("//") || path.split('/').any(leads_elsewhere) || path.contains(char::is_control) {
        return Err(format!("no static file has the path {path:?}"));
    }
    let mut url = utf8_percent_encode(&path, PATH).to_string();
    if let Some(version) = versions.get(&path) {
        url.push_str("?v=");
        url.push_str(version);
    }
    Ok(url)
}

/// What of another's URL stays as it is: what the URL Standard has in URLs, quotes left out.
const ELSEWHERE: &AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'\'')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// A URL that somebody entered, if it leads to a web page or a mailbox: never a script. Anything else
/// becomes `#`, which leads nowhere.
pub fn web_url(values: &[&Value]) -> Value {
    let url = values.first().map(|url| url.render()).unwrap_or_default();
    let url = url.trim();
    let begins = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if is_own_path(url) || ["http://", "https://", "mailto:"].into_iter().any(begins) {
        return Value::String(utf8_percent_encode(url, ELSEWHERE).to_string());
    }
    Value::from("#")
}

/// A value as a marker takes it; the parts of a `*rest` are joined with `/`.
fn marker_text(value: &Value) -> String {
    match value {
        Value::Array(parts) => parts.iter().map(JsonRender::render).collect::<Vec<_>>().join("/"),
        one => one.render(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_takes_for_another_host_is_no_own_path() {
        for (path, is_own) in [
            ("/", true),
            ("/read", true),
            ("/read?x=//y", true),
            ("/a//b", true),
            ("/a\\b", true),
            ("/a/b#c", true),
            ("/http://evil.example", true),
            ("", false),
            ("read", false),
            ("?x=/", false),
            ("//", false),
            ("//evil.example", false),
            ("///evil.example", false),
            ("/\\evil.example", false),
            ("\\/evil.example", false),
            ("/\t/evil.example", false),
            ("/\n\\evil.example", false),
            ("\t//evil.example", false),
            (" //evil.example", false),
            ("/a\u{7f}", false),
            ("https://evil.example", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(is_own_path(path), is_own, "{path:?}");
        }
    }

    #[test]
    fn a_static_file_stays_below_its_folder() {
        let shown = |part: &str| static_url(&Versions::new(), &[&Value::from("/"), &Value::from(part)]);
        for (good, url) in [("a/b.png", "/a/b.png"), ("a\"b\\", "/a%22b%5C"), ("..a", "/..a"), ("", "/")] {
            assert_eq!(shown(good).as_deref(), Ok(url), "{good}");
        }
        for bad in ["/evil.example/a.js", "..", "a/../../b", "./a", "\t/evil.example"] {
            assert!(shown(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_addresses_of_the_web_stay() {
        let shown = |url: &str| web_url(&[&Value::from(url)]).render();
        for good in ["/", "/a?b=c#d", "http://example.org", "HTTPS://example.org/%20", "mailto:a@example.org", "/é"] {
            assert_eq!(shown(good), utf8_percent_encode(good, ELSEWHERE).to_string(), "{good}");
        }
        assert_eq!(shown(" https://example.org/a b\"><'"), "https://example.org/a%20b%22%3E%3C%27");
        for bad in [
            "",
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "data:text/html,x",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "example.org",
            "https:",
            "\u{130}ttps://",
        ] {
            assert_eq!(shown(bad), "#", "{bad}");
        }
        assert_eq!(web_url(&[&Value::Null]).render(), "#");
    }
}
