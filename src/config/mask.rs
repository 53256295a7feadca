//! Masking secrets in a text before any of it can be shown.

use std::ops::Range;

use super::keys;
use super::tree::{Node, Tree};
use crate::diagnostic::nearest;

/// The text with every value under a key that looks like `secret` replaced by asterisks.
///
/// Lengths stay, so places stay. `tree` is what could be parsed; where the text is `broken`, lines
/// that look like secrets are masked by their looks.
pub fn mask_secrets(text: &str, tree: &Node, broken: bool) -> String {
    let mut spans = Vec::new();
    collect(tree, false, &mut spans);
    if broken {
        collect_by_looks(text, &mut spans);
    }
    let mut masked = text.as_bytes().to_vec();
    for span in spans {
        for byte in masked.get_mut(span).into_iter().flatten() {
            if !matches!(byte, b'\n' | b'\r' | b' ' | b'"' | b'\'') {
                *byte = b'*';
            }
        }
    }
    String::from_utf8(masked).unwrap_or_default()
}

/// Whether a value under this key may be a secret, misspelt keys included.
fn looks_like_secret(key: &str) -> bool {
    let key = key.trim().trim_matches(['"', '\'']).to_lowercase();
    let harmless = keys::SESSION.iter().any(|known| known.name == key && !known.name.contains("secret"));
    !harmless && (key.contains("secret") || nearest(&key, ["secret", "secrets"]).is_some())
}

fn collect(node: &Node, secret: bool, spans: &mut Vec<Range<usize>>) {
    match &node.tree {
        Tree::Text(_) | Tree::Scalar(_) if secret => spans.push(node.place.span.clone()),
        Tree::List(items) => items.iter().for_each(|item| collect(item, secret, spans)),
        // In `secret = { file = … }` nothing is secret.
        Tree::Table(entries) => {
            for entry in entries {
                collect(&entry.node, looks_like_secret(&entry.name), spans);
            }
        }
        _ => {}
    }
}

/// What follows `secret =` up to the end of its line, and on lines that go on with a list.
fn collect_by_looks(text: &str, spans: &mut Vec<Range<usize>>) {
    let mut start = 0;
    let mut hiding = false;
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            hiding = false;
        }
        let mut from = 0;
        for (equals, _) in line.match_indices('=') {
            let before = &line[..equals];
            let key = before.trim_end().rsplit(['{', ',', ' ', '\t']).next().unwrap_or_default();
            if looks_like_secret(key) && !line[equals + 1..].trim_start().starts_with('{') {
                (hiding, from) = (true, equals + 1);
                break;
            }
            hiding &= !key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        }
        let (word, rest) = line.trim_start().split_once([' ', '\t', '"', '\'', ':']).unwrap_or_default();
        if looks_like_secret(word) && !rest.contains('=') {
            // The `=` is what is missing.
            spans.push(start + line.len() - rest.len()..start + line.len());
        }
        if hiding {
            spans.push(start + from..start + line.len());
        }
        start += line.len();
    }
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
            "[session]\nsecret = { env = \"SECRET\" }\nfactory = \"signed-cookie\n",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
