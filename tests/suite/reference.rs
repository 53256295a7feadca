//! The parts of the documentation that the code knows are made from the code's own lists.
//!
//! They stand between `<!-- generated: NAME -->` and `<!-- end -->`. This test makes them anew and
//! compares; with `UPDATE=1` in the environment it rewrites them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use sitewright::action::{Takes, VERBS, Verb};
use sitewright::config::keys::{self, Declared, Key};
use sitewright::config::kind::describe;
use sitewright::config::param::PARAM_TYPES;
use sitewright::session::factory::HashAlg;
use sitewright::site::factories::FACTORIES;
use sitewright::site::{ERROR, request};
use sitewright::snapshot::DIRECTIVES;
use sitewright::template::helpers::HELPERS;
use toml::Value;

use crate::documentation::completed;

/// Held while pages are read and rewritten.
pub static TURN: Mutex<()> = Mutex::new(());

const PAGES: [&str; 3] = ["README.md", "docs/reference.md", "docs/testing.md"];

#[test]
#[cfg_attr(not(feature = "default"), ignore = "needs every factory that there is by default")]
fn generated_parts_of_the_documentation_are_what_the_code_says() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stale = Vec::new();
    for page in PAGES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let before = std::fs::read_to_string(&path).unwrap();
        let after = regenerate(&before, page);
        if before == after {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, after).unwrap();
        } else {
            let difference = similar::TextDiff::from_lines(&before, &after).unified_diff().to_string();
            stale.push(format!("{page}:\n{difference}"));
        }
    }
    assert!(stale.is_empty(), "run `UPDATE=1 cargo test --test suite reference`\n\n{}", stale.join("\n"));
}

/// Who reads the pages alone finds each key written out somewhere, in the table it belongs to.
#[test]
fn every_key_verb_helper_and_directive_stands_in_an_example() {
    let reference = page("docs/reference.md");
    let mut written = BTreeSet::new();
    for text in blocks(&reference, &["toml", "toml,fragment"]) {
        let site = completed(text).parse().unwrap_or_else(|error| panic!("{error}in:\n{text}"));
        collect("top", &Value::Table(site), &mut written);
        written.extend(called(text).map(|name| ("helper", name.to_owned())));
    }
    let testing = page("docs/testing.md");
    let lines = blocks(&testing, &["http", "http,fragment"]).flat_map(str::lines);
    let directives = lines.filter_map(|line| line.strip_prefix("# @")?.split_whitespace().next());
    written.extend(directives.map(|name| ("directive", name.to_owned())));

    let declared = [
        ("top", keys::TOP),
        ("route", keys::ROUTE),
        ("match", keys::MATCH),
        ("param", keys::PARAM),
        ("action", keys::ACTION),
        ("response", keys::RESPONSE),
        ("redirect", keys::REDIRECT),
        ("cache", keys::CACHE),
        ("route-cache", keys::ROUTE_CACHE),
        ("static", keys::STATIC),
        ("mount", keys::MOUNT),
        ("users", keys::USERS),
    ];
    let declared = declared.into_iter().flat_map(|(table, keys)| keys.iter().map(move |(name, ..)| (table, *name)));
    let settings = [("server", keys::SERVER), ("session", keys::SESSION), ("csrf", keys::CSRF), ("cors", keys::CORS)];
    let settings = settings.into_iter().flat_map(|(table, keys)| keys.iter().map(move |key| (table, key.name)));
    let verbs = VERBS.iter().map(|verb| ("action", verb.name));
    let options = VERBS.iter().flat_map(|verb| verb.options.iter().map(|option| (verb.name, option.name)));
    let messages = keys::MESSAGES.iter().map(|(name, ..)| ("messages", *name));
    let types = PARAM_TYPES.iter().map(|(name, ..)| ("type", *name));
    let factories = FACTORIES.iter().map(|kind| ("factory", kind.name));
    let helpers = HELPERS.iter().map(|helper| ("helper", helper.name));
    let directives = DIRECTIVES.iter().map(|(name, ..)| ("directive", *name));
    let all = declared.chain(settings).chain(verbs).chain(options).chain(messages).chain(types).chain(factories);
    let all = all.chain(helpers).chain(directives).map(|(table, name)| (table, name.to_owned()));
    let missing: Vec<_> = all.filter(|place| !written.contains(place)).collect();
    assert!(missing.is_empty(), "in no example: {missing:?}");
}

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The blocks of these kinds.
fn blocks<'p>(page: &'p str, kinds: &'p [&str]) -> impl Iterator<Item = &'p str> {
    let blocks = page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    blocks.filter(|(kind, _)| kinds.contains(kind)).map(|(_, text)| text)
}

/// The names that may be helpers' in the templates and expressions of a text.
fn called(text: &str) -> impl Iterator<Item = &str> {
    let calls = text.split("{{").skip(1).chain(text.split('(').skip(1));
    let names = calls.map(|call| call.trim_start_matches(['#', '{', ' ']));
    names.filter_map(|call| call.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next())
}

/// Puts down every key of a table, and of those in it, with the kind of table it stands in.
fn collect(table: &'static str, value: &Value, written: &mut BTreeSet<(&'static str, String)>) {
    if let Value::Array(items) = value {
        items.iter().for_each(|item| collect(table, item, written));
    }
    let Value::Table(entries) = value else { return };
    let verb = VERBS.iter().find(|verb| table == "action" && entries.contains_key(verb.name));
    for (key, value) in entries {
        written.insert((table, key.clone()));
        written.extend(verb.map(|verb| (verb.name, key.clone())));
        if table == "route" && keys::RESPONSE.iter().any(|(name, ..)| name == key) {
            written.insert(("response", key.clone()));
        }
        if let (("param", "type") | ("session", "factory"), Value::String(value)) = ((table, &**key), value) {
            written.insert((if table == "param" { "type" } else { "factory" }, value.clone()));
        }
        if let Some(below) = below(table, key) {
            collect(below, value, written);
        }
    }
}

/// The kind of table that is under this key of such a table, if it is one of ours.
fn below(table: &str, key: &str) -> Option<&'static str> {
    Some(match (table, key) {
        ("top", "server") => "server",
        ("top", "session") => "session",
        ("top", "csrf") => "csrf",
        ("top", "cors") => "cors",
        ("top", "cache") => "cache",
        ("top", "mount") => "mount",
        ("top", "routes") => "routes",
        ("top", "static") => "folders",
        ("folders", _) => "static",
        ("top", "users") => "files of users",
        ("files of users", _) => "users",
        ("top", "errors") => "responses",
        ("top", "defaults") | ("routes", _) => "route",
        ("route", "match") => "match",
        ("route", "params") => "params",
        ("route", "cache") => "route-cache",
        ("route", "guards" | "actions") => "action",
        ("params", _) => "param",
        ("top", "messages") | ("param", "message") => "messages",
        ("route", "invalid") | ("responses", _) | ("action", "or" | "respond") => "response",
        ("route" | "response", "redirect") => "redirect",
        _ => return None,
    })
}

/// The page with every generated part made anew.
fn regenerate(page: &str, name: &str) -> String {
    const END: &str = "<!-- end -->";
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, opened)) = rest.split_once("<!-- generated: ") {
        let (section, after) = opened.split_once(" -->").unwrap();
        let (old, after) = after.split_once(END).unwrap_or_else(|| panic!("{name}: `{section}` has no end"));
        let new = generate(section).unwrap_or_else(|| panic!("{name}: nothing is called `{section}`"));
        // A part within a line stays within it.
        let gap = if old.contains('\n') || new.contains('\n') { "\n" } else { "" };
        text += &format!("{before}<!-- generated: {section} -->{gap}{}{gap}{END}", new.trim_end());
        rest = after;
    }
    text + rest
}

fn generate(section: &str) -> Option<String> {
    Some(match section {
        "top" => declared("Table", keys::TOP),
        "route" => declared("Key", keys::ROUTE),
        "cache" => declared("Key", keys::CACHE),
        "route-cache" => declared("Key", keys::ROUTE_CACHE),
        "match" => declared("Key", keys::MATCH),
        "param" => declared("Key", keys::PARAM),
        "messages" => table(
            ["Key", "It may show", "When it is shown"],
            keys::MESSAGES.iter().map(|(name, shows, when)| {
                let shows: Vec<String> =
                    ["label"].iter().chain(*shows).map(|name| code(&format!("{{{{{name}}}}}"))).collect();
                [code(name), shows.join(", "), (*when).to_owned()]
            }),
        ),
        "param-types" => table(
            ["`type`", "Takes", "Becomes"],
            PARAM_TYPES.iter().map(|(name, _, takes, is)| [code(name), (*takes).to_owned(), (*is).to_owned()]),
        ),
        "response" => declared("Key", keys::RESPONSE),
        "redirect" => declared("Key", keys::REDIRECT),
        "users" => declared("Key", keys::USERS),
        "static" => declared("Key", keys::STATIC),
        "mount" => declared("Key", keys::MOUNT),
        "action" => declared("Key", keys::ACTION),
        "server" => settings(keys::SERVER),
        "session" => settings(keys::SESSION),
        "csrf" => settings(keys::CSRF),
        "cors" => settings(keys::CORS),
        "names" => pairs("Name", request::NAMES),
        "request" => pairs("Entry", request::REQUEST),
        "error" => pairs("Entry", ERROR),
        "helpers" => table(["Helper", "Is"], HELPERS.iter().map(|helper| [code(helper.call), helper.is.to_owned()])),
        "directives" => table(
            ["Directive", "Does"],
            DIRECTIVES.iter().map(|(_, written, does)| [code(written), (*does).to_owned()]),
        ),
        "hashalg" => HashAlg::NAMES.map(code).join(", "),
        "factories" => table(
            ["`factory`", "Its sessions live", "It promises"],
            FACTORIES.iter().map(|kind| [code(kind.name), kind.summary.to_owned(), kind.guarantee.to_owned()]),
        ),
        "verb-table" => table(
            ["Verb", "Does"],
            VERBS.iter().map(|verb| [format!("[`{0}`](docs/reference.md#{0})", verb.name), verb.summary.to_owned()]),
        ),
        "verbs" => VERBS.iter().map(|verb| describe_verb(verb)).collect(),
        _ => return None,
    })
}

fn describe_verb(verb: &Verb) -> String {
    let operand = verb.operand.written();
    let mut text = format!("\n#### {}\n\n`{{ {} = {operand} }}`\n\n{}", verb.name, verb.name, verb.summary);
    if let Some(value) = verb.yields {
        write!(text, " Its value is {value}.").unwrap();
    }
    if let Some(cannot) = verb.cannot {
        write!(text, " It cannot do its work if {cannot}.").unwrap();
    }
    text += "\n";
    if !verb.options.is_empty() {
        let rows = verb.options.iter().map(|opt| [code(opt.name), takes(opt.takes), opt.summary.to_owned()]);
        write!(text, "\n{}", table(["Option", "Takes", "Means"], rows)).unwrap();
    }
    text + &format!("\n```toml,fragment\nactions = [{}]\n```\n", verb.example)
}

fn takes(takes: Takes) -> String {
    match takes {
        Takes::Value => "any value".to_owned(),
        Takes::Expression => "an expression".to_owned(),
        Takes::Number => "a number, or an expression for one".to_owned(),
        Takes::Boolean => "`true` or `false`".to_owned(),
        Takes::Key => "a key".to_owned(),
        Takes::Name => "a name".to_owned(),
        Takes::Text => "a text; it may have braces".to_owned(),
        Takes::Word(words) => words.iter().map(|word| code(&format!("\"{word}\""))).collect::<Vec<_>>().join(", "),
    }
}

fn declared(what: &str, list: &[Declared]) -> String {
    let row = |(name, takes, means): &Declared| [code(name), (*takes).to_owned(), (*means).to_owned()];
    table([what, "Takes", "Means"], list.iter().map(row))
}

fn settings(list: &[Key]) -> String {
    let row = |key: &Key| {
        // Some defaults are words about a value.
        let is_value = serde_json::from_str::<serde_json::Value>(key.default).is_ok();
        let default = if is_value { code(key.default) } else { key.default.to_owned() };
        [code(key.name), describe(key.kind), default, key.summary.to_owned()]
    };
    table(["Key", "Takes", "Default", "Means"], list.iter().map(row))
}

fn pairs(what: &str, list: &[(&str, &str)]) -> String {
    table([what, "Is"], list.iter().map(|(name, is)| [code(name), (*is).to_owned()]))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&head.map(str::to_owned));
    text += &line(&[const { "---" }; N].map(str::to_owned)).replace(' ', "");
    rows.for_each(|row| text += &line(&row.map(|cell| cell.replace('|', "\\|"))));
    text
}
