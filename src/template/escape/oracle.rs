//! Whether a page that is found without danger has none: its templates are rendered with hostile values,
//! and read by a parser that browsers' makers test (html5ever).

use std::collections::BTreeMap;
use std::sync::Arc;

use handlebars::Handlebars;
use handlebars::template::Template;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use scraper::{Html, Node};
use serde_json::{Value, json};

use super::{Danger, Shown, follow};
use crate::template::json::script_safe_json;
use crate::template::links::Links;
use crate::template::registry::register;
use crate::template::urls::{static_url, web_url};

struct NoRoutes;

impl Links for NoRoutes {
    fn path(&self, route: &str, value: &mut dyn FnMut(&str) -> Option<String>) -> Result<String, String> {
        if route == "home" {
            return Ok("/".to_owned());
        }
        let id = value("id").unwrap_or_default();
        Ok(format!("/item/{}", percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC)))
    }
    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
    fn markers(&self, _: &str) -> Option<Vec<&str>> {
        Some(vec!["id"])
    }
}

/// What pages are put together from: what opens and closes, values, and what is easily overlooked.
const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<p title=\"",
    "<p title='",
    "<p title=",
    "<a href=\"",
    "<a href='/x/",
    "<img src=\"?q=",
    "<script src=\"",
    "<form action=\"",
    "<select>",
    "<input ",
    "{{empty}}",
    "<p title={{empty}} lang=\"",
    "{{add a 0}}",
    "{{upper a}}",
    "{{slice a 1}}",
    "{{join list a}}",
    "{{div a 3}}",
    "{{slash}}",
    "{{url \"home\"}}",
    "{{static_url \"/f/\" a}}",
    "&#47;",
    "<p style=\"",
    "<p onclick=\"",
    "<p ",
    "<",
    "</",
    "<!",
    "<!--",
    "-->",
    "--!>",
    "--",
    "\">",
    "'>",
    ">",
    "\" ",
    "\"",
    "'",
    "=",
    "/",
    " ",
    "\n",
    "&",
    "`",
    "]]>",
    "<script>",
    "<script>let x = ",
    "</script>",
    ";</script>",
    "<style>",
    "</style>",
    "<title>",
    "</title>",
    "<textarea>",
    "</textarea>",
    "<svg>",
    "</svg>",
    "<svg><![CDATA[",
    "<svg><style>",
    "<svg><script>let x = ",
    "&quot;",
    "<math>",
    "<noscript>",
    "</noscript>",
    "<iframe>",
    "</iframe>",
    "<iframe srcdoc=\"",
    "<xmp>",
    "<template>",
    "<select><option>",
    "<table><tr>",
    "<meta http-equiv=refresh content=\"0; url=",
    "javascript:",
    "https://",
    "//",
    "x",
    "script",
    "//\n",
    "${",
    "}",
    "{{a}}",
    "{{a}}",
    "{{a}}",
    "{{a}}",
    "{{b}}",
    "{{json a}}",
    "{{json a}}",
    "{{{a}}}",
    "{{url \"item\" id=a}}",
    "{{web_url a}}",
    "{{concat \"/x\" a}}",
    "{{> part}}",
    "{{> row a=b}}",
];

fn pieces() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(PIECES).prop_map(str::to_owned);
    let flat = proptest::collection::vec(piece, 1..7).prop_map(|pieces| pieces.concat());
    flat.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}{b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{{{#if t}}}}{a}{{{{else}}}}{b}{{{{/if}}}}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{{{#unless t}}}}{a}{{{{/unless}}}}{b}")),
            inner.clone().prop_map(|a| format!("{{{{#each l as |b|}}}}{a}{{{{/each}}}}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{{{{#> layout}}}}{a}{{{{/layout}}}}{b}")),
        ]
    })
}

const HOSTILE: &[&str] = &[
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "</script><script>alert(1)//",
    "</title></textarea></style></xmp></noscript></iframe><b>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "&#106;avascript:alert(1)",
    "#106;avascript:alert(1)",
    "x onfocus=alert(1) autofocus",
    "--><b>",
    "--",
    "--!",
    "-",
    "]]",
    "]]><b>",
    "!--",
    "/script x",
    "script x",
    "b ",
    "//evil.example",
    "/evil.example",
    "ttps://evil.example",
    ":alert(1)",
    "..",
    "`${alert(1)}`",
    "*/alert(1)/*",
    "\u{2028}alert(1)",
    "{{a}}",
];

/// What no value shows up in otherwise.
const HARMLESS: &str = "harmless7";

/// A page as far as values must not change it: elements and the names of their attributes; and what may
/// only change as JSON does, or not at all.
#[derive(Debug, PartialEq, Eq)]
struct Skeleton {
    elements: Vec<String>,
    scripts: Vec<String>,
}

fn skeleton(page: &str, value: &str) -> Skeleton {
    let page = Html::parse_document(page);
    let mut elements = Vec::new();
    let mut scripts = Vec::new();
    for node in page.tree.root().descendants() {
        let depth = node.ancestors().count();
        match node.value() {
            Node::Element(element) => {
                let mut attributes: Vec<_> = element.attrs().collect();
                attributes.sort_unstable();
                let names: Vec<_> = attributes.iter().map(|(name, _)| *name).collect();
                elements.push(format!("{depth} {} {}", element.name(), names.join(" ")));
                for (name, shown) in attributes {
                    if name.starts_with("on") || name == "style" || name == "srcdoc" {
                        scripts.push(format!("{name}: {shown}"));
                    }
                    let url: String = shown.chars().filter(|c| !c.is_control() && *c != ' ').collect();
                    if matches!(name, "href" | "src" | "action") {
                        scripts.push(format!("{name}: {:?}", host(shown)));
                    }
                    // `0; url=…` of a page that leads elsewhere.
                    let url = url.to_lowercase();
                    let leads = name == "content" && element.name() == "meta";
                    let url = url.split_once("url=").filter(|_| leads).map_or(url.as_str(), |(_, url)| url);
                    let is_script = (leads || matches!(name, "href" | "src")) && url.starts_with("javascript:a");
                    assert!(!is_script, "{name}={shown}");
                }
                if matches!(element.name(), "script" | "style") {
                    let text: String =
                        node.descendants().filter_map(|node| node.value().as_text().map(|text| &**text)).collect();
                    let json = script_safe_json(&Value::from(value));
                    let path = NoRoutes.path("", &mut |_| Some(value.to_owned())).unwrap();
                    let file = static_url(&BTreeMap::new(), &[&Value::from("/f/"), &Value::from(value)]);
                    let text = text.replace(&json, "JSON").replace(&path, "PATH");
                    scripts.push(file.map_or(text.clone(), |file| text.replace(&file, "FILE")));
                }
            }
            Node::Comment(_) => elements.push(format!("{depth} comment")),
            _ => {}
        }
    }
    Skeleton { elements, scripts }
}

/// The host that a URL leads to, if it is another.
fn host(url: &str) -> Option<String> {
    let url: String = url.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let url = url.trim_start_matches(|c: char| c <= ' ').replace('\\', "/").to_lowercase();
    let behind = ["http:", "https:", "ftp:", "ws:", "wss:"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let authority = match behind {
        Some(behind) => behind.trim_start_matches('/'),
        None => url.strip_prefix("//")?,
    };
    authority.split(['/', '?', '#']).next().map(str::to_owned)
}

/// What is written in the site itself: no visitor has a part in it.
const FIXED: [&str; 2] = ["empty", "slash"];

fn render(templates: &BTreeMap<&str, Template>, value: &str) -> Option<String> {
    let links: Arc<dyn Links> = Arc::new(NoRoutes);
    let mut registry = Handlebars::new();
    register(&mut registry, &links, &Arc::default());
    for (name, template) in templates {
        registry.register_template(name, template.clone());
    }
    registry
        .render("page", &json!({ "a": value, "b": value, "t": true, "l": [value, value], "empty": "", "slash": "/" }))
        .ok()
}

fn check(text: &str, hostile: &str) -> bool {
    let sources = [
        ("page", text),
        ("part", "<i>{{a}}</i>"),
        ("row", "{{a}}"),
        ("layout", "<main title=\"{{b}}\">{{> @partial-block}}</main>"),
    ];
    let compiled = sources.iter().map(|(name, text)| Some((*name, Template::compile(text).ok()?)));
    let Some(templates) = compiled.collect::<Option<BTreeMap<_, _>>>() else { return false };
    let found = follow("page", &|name| templates.get(name));
    let is_of_visitors = |name: &String| !FIXED.contains(&name.as_str());
    let is_harmful = |shown: &Shown| shown.always().is_some() || shown.names.iter().any(is_of_visitors);
    if found.iter().any(|shown| shown.danger != Danger::Mangled && is_harmful(shown)) {
        return false;
    }
    let (Some(harmless), Some(page)) = (render(&templates, HARMLESS), render(&templates, hostile)) else {
        return false;
    };
    assert_eq!(skeleton(&harmless, HARMLESS), skeleton(&page, hostile), "{text}\n{harmless}\n{page}");
    true
}

#[test]
fn the_oracle_sees_what_is_wrong() {
    let changed = |text: &str, value: &str| {
        let templates = BTreeMap::from([("page", Template::compile(text).unwrap())]);
        let page = |value| skeleton(&render(&templates, value).unwrap(), value);
        page(HARMLESS) != page(value)
    };
    assert!(changed("<p>{{{a}}}</p>", "<b>"));
    assert!(changed("<p class={{a}}>", "x hidden"));
    assert!(changed("<p class={{empty}} title=\"{{a}}\">", "x hidden"));
    assert!(changed("<script>let x = '{{a}}'</script>", "\\"));
    assert!(changed("<title></{{a}}><b>", "title "));
    assert!(changed("<p onclick=\"{{a}}\">", "x"));
    assert!(changed("<a href=\"{{slash}}{{a}}\">", "/evil.example"));
    assert!(changed("<a href=\"h{{a}}\">", "ttps://evil.example"));
    assert!(!changed("<p title=\"{{a}}\">{{a}}<script>{{json a}}</script>", "\"</script>"));
}

proptest! {
    // Always the same pages: whoever looks for more gives another seed, and more cases.
    #![proptest_config(ProptestConfig {
        cases: 1500,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_page_without_danger_is_the_same_for_hostile_values(
        text in pieces(),
        hostile in prop_oneof![
            proptest::sample::select(HOSTILE).prop_map(str::to_owned),
            "[<>&\"'`=/!\\-\\] a-z:;#\\\\\n]{1,12}",
        ],
    ) {
        // Blanks alone are no text where text is not allowed; an address of the web may lead anywhere.
        let is_free = text.contains("web_url") && web_url(&[&Value::from(hostile.as_str())]) != "#";
        if hostile.trim().is_empty() || is_free {
            return Ok(());
        }
        check(&text, &hostile);
    }
}
