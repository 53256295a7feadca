//! Masking secrets in a text before any of it can be shown.

use std::ops::Range;

use super::keys;
use super::tree::{Node, Tree};
use crate::diagnostic::nearest;

/// The text with every value under a key that looks like `secret`, and every password in a URL,
/// replaced by asterisks.
///
/// Lengths stay, so places stay. `tree` is what could be parsed; where the text is `broken`, lines
/// that look like secrets are masked by their looks.
pub fn mask_secrets(text: &str, tree: &Node, broken: bool) -> String {
    let mut spans = Vec::new();
    collect(tree, false, &mut spans);
    collect_from_urls(text, &mut spans);
    if broken {
        collect_by_looks(text, &mut spans);
    }
    masked(text, spans)
}

/// The text of a file of users with every password and everything that looks like a hash replaced by
/// asterisks. Of a `broken` one, which may be so anywhere, no word is left.
pub fn mask_users(text: &str, tree: &Node, broken: bool) -> String {
    if broken {
        let hidden = text.char_indices().filter(|(_, c)| !(c.is_ascii_whitespace() || "[]{}=\"'#,.".contains(*c)));
        return masked(text, hidden.map(|(at, c)| at..at + c.len_utf8()).collect());
    }
    let mut spans = hash_names(tree);
    for entry in tree.entries() {
        // Of who takes a name's value for its password, too.
        let is_user = matches!(entry.node.tree, Tree::Table(_));
        collect_passwords(&entry.node, !is_user || looks_like_password(&entry.name), &mut spans);
    }
    let mut start = 0;
    while let Some(found) = text.get(start..).and_then(|rest| rest.find('$')) {
        let begin = start + found;
        let rest = text.get(begin..).unwrap_or_default();
        let length = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).unwrap_or(rest.len());
        spans.push(begin..begin + length);
        start = begin + length;
    }
    masked(text, spans)
}

/// Where the names of entries are that have a `$` in them, as hashes do.
pub fn hash_names(node: &Node) -> Vec<Range<usize>> {
    let entries = node.entries().iter();
    let mut spans: Vec<_> = entries.clone().flat_map(|entry| hash_names(&entry.node)).collect();
    let named = entries.filter(|entry| entry.name.contains('$'));
    spans.extend(named.map(|entry| entry.name.place.span.clone()));
    if let Tree::List(items) = &node.tree {
        spans.extend(items.iter().flat_map(hash_names));
    }
    spans
}

/// Whether a value under this key of a user may be a password or its hash, misspelt keys included.
pub fn looks_like_password(key: &str) -> bool {
    let key = key.to_lowercase();
    ["pass", "pwd", "hash", "secret"].iter().any(|word| key.contains(word)) || nearest(&key, ["password"]).is_some()
}

fn collect_passwords(node: &Node, hidden: bool, spans: &mut Vec<Range<usize>>) {
    match &node.tree {
        Tree::Text(text) if hidden || text.contains('$') => spans.push(node.place.span.clone()),
        Tree::Scalar(_) if hidden => spans.push(node.place.span.clone()),
        Tree::List(items) => items.iter().for_each(|item| collect_passwords(item, hidden, spans)),
        Tree::Table(entries) => {
            entries
                .iter()
                .for_each(|entry| collect_passwords(&entry.node, hidden || looks_like_password(&entry.name), spans));
        }
        _ => {}
    }
}

fn masked(text: &str, spans: Vec<Range<usize>>) -> String {
    let mut masked = text.as_bytes().to_vec();
    for span in spans {
        for byte in masked.get_mut(span).into_iter().flatten() {
            if !matches!(byte, b'\n' | b'\r' | b'"' | b'\'') {
                *byte = b'*';
            }
        }
    }
    String::from_utf8(masked).unwrap_or_default()
}

/// Whether a value under this key may be a secret, misspelt keys included.
fn looks_like_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    let harmless = keys::SESSION.iter().any(|known| known.name == key && !known.name.contains("secret"));
    !harmless && (key.contains("secret") || nearest(&key, ["secret", "secrets"]).is_some())
}

/// In `secret = { file = …, generate = true }` and `{ env = … }` nothing is secret.
fn names_place(key: &str) -> bool {
    matches!(key.trim(), "file" | "env" | "generate")
}

fn collect(node: &Node, secret: bool, spans: &mut Vec<Range<usize>>) {
    match &node.tree {
        Tree::Text(_) | Tree::Scalar(_) if secret => spans.push(node.place.span.clone()),
        Tree::List(items) => items.iter().for_each(|item| collect(item, secret, spans)),
        Tree::Table(entries) => {
            for entry in entries {
                let inside = secret && !names_place(&entry.name);
                collect(&entry.node, inside || looks_like_secret(&entry.name), spans);
            }
        }
        _ => {}
    }
}

/// Whatever follows a word that looks like `secret`, up to the next line that begins with a key or
/// is a header: in a broken text, better too much than too little.
fn collect_by_looks(text: &str, spans: &mut Vec<Range<usize>>) {
    let mut start = 0;
    let mut hiding = false;
    for line in text.split_inclusive('\n') {
        hiding &= !begins_with_key(line);
        if hiding {
            spans.push(start..start + line.len());
        } else if let Some(end) = end_of_secret_word(line) {
            hiding = true;
            let value = line[end..].trim_start_matches([' ', '\t', '=']);
            spans.push(start + line.len() - value.len()..start + line.len());
        }
        start += line.len();
    }
}

/// Who comes from where in `postgres://user:password@host/?password=…`, wherever it stands: up to
/// the last `@`, as a password may have one in it.
fn collect_from_urls(text: &str, spans: &mut Vec<Range<usize>>) {
    let mut start = 0;
    while let Some(found) = text.get(start..).and_then(|rest| rest.find("://")) {
        let begin = start + found + "://".len();
        let rest = text.get(begin..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).unwrap_or(rest.len());
        let url = rest.get(..end).unwrap_or_default();
        if let Some(at) = url.rfind('@') {
            spans.push(begin..begin + at);
        }
        for (word, _) in url.match_indices("password=") {
            let value = word + "password=".len();
            let length = url.get(value..).map_or(0, |value| value.find('&').unwrap_or(value.len()));
            spans.push(begin + value..begin + value + length);
        }
        start = begin + end;
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

/// `[header]` or `key = value`; the last line of a secret may end in `=`.
fn begins_with_key(line: &str) -> bool {
    let rest = line.trim_start_matches(is_word);
    let value = rest.trim_start().strip_prefix('=').map(str::trim_start);
    line.starts_with('[')
        || (rest.len() < line.len() && value.is_some_and(|value| !value.is_empty() && !value.starts_with('=')))
}

/// Where the first word that looks like `secret` ends, be there a stray character in it.
fn end_of_secret_word(line: &str) -> Option<usize> {
    let mut letters = String::new();
    let mut word_start = 0;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        if is_word(c) {
            letters.extend(c.to_lowercase());
            continue;
        }
        if letters.ends_with("secret") || letters.ends_with("secrets") || looks_like_secret(&line[word_start..at]) {
            return Some(at);
        }
        word_start = (at + c.len_utf8()).min(line.len());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;
    use crate::diagnostic::{Diagnostics, Source};

    fn masked(text: &str) -> String {
        let source = Source::file("config.toml", text);
        let (table, errors) = toml::de::DeTable::parse_recoverable(text);
        let tree = tree::read(&table, &source, &mut Diagnostics::default());
        mask_secrets(text, &tree, !errors.is_empty())
    }

    #[test]
    fn passwords_are_masked_in_every_url() {
        for text in [
            "[session]\nurl = \"postgres://app:CANARY@db.example/app\"\n",
            "[session]\nurl = 'redis://:CANARY@[::1]:6379/0'\n",
            "[session]\nurl = \"mysql://app:CA@NARY@/\"\n",
            "[session]\nurl = \"postgres:///app?user=app&password=CANARY&sslmode=require\"\n",
            "[session]\nurl = \"redis://CANARY@one",
        ] {
            let masked = masked(text);
            assert_eq!(masked.len(), text.len());
            assert!(!masked.contains("NARY") && !masked.contains("CA@"), "{masked}");
        }
        let harmless = "[data]\nhome = \"https://example.org/~me\"\nmail = \"me@example.org\"\n";
        assert_eq!(masked(harmless), harmless);
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        for text in [
            "[session]\nsecret = \"CANARY\"\n",
            "session = { factory = \"signed-cookie\", secret = \"CANARY\" }\n",
            "[session]\nsecrets = [\n  \"CANARY\",\n  'CANARY',\n]\n",
            "[session]\nsecrte = \"CANARY\"\n",
            "[session]\nsecret = \"CANARY\n",
            "[session]\nsecret = CANARY\n",
            "[session]\nsecret \"CANARY\"\n",
            "[session]\n  secret: CANARY\n",
            "[session]\nsecret = { value = \"CANARY\", generate = true }\n",
            "[session]\nsecret = { value = \"CANARY\"\n",
            "[session.secret]\nvalue = \"CANARY\"\n",
            "[session]\nsecret = \"\"\"\nCANARY\"\"\"\n",
            "[session]\nsecret = \"\"\"\nCANARY\n",
            "session = { factory = \"signed-cookie\", secret = \"CANARY\"\n",
            "[session]\nsecrets = [\n  \"CANARY\"\n  'CANARY',\n",
            "[session]\n\"secret\" = \"CANARY\"\n",
        ] {
            assert!(!masked(text).contains("CANARY"), "{text}");
            assert_eq!(masked(text).len(), text.len());
        }
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for text in [
            "[session]\nsecret = { file = \"session.secret\", generate = true }\n",
            "[session]\nsecure = \"auto\"\nsecret = { env = \"SECRET\" }\n",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
