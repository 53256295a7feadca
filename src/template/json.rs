//! `{{json value}}`: values for scripts.

use serde_json::Value;

/// JSON that ends nothing it stands in: a script, a comment, an attribute or a text in single quotes, a
/// template literal.
pub(super) fn script_safe_json(value: &Value) -> String {
    // Outside of its texts, JSON has none of these.
    const ENDING: [char; 10] = ['<', '>', '&', '\'', '`', '$', '*', '/', '\u{2028}', '\u{2029}'];
    let text = value.to_string();
    if !text.contains(ENDING) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c == '/' {
            safe.push_str("\\/");
        } else if ENDING.contains(&c) {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_ends_nothing_that_it_stands_in() {
        let hostile = json!({ "</script><!--": ["\u{2028}\u{2029}&amp;'", "`${x}` */", "/", 1] });
        let text = script_safe_json(&hostile);
        assert!(
            !text.replace("\\/", "").contains(['/', '<', '>', '&', '\'', '`', '$', '*', '\u{2028}', '\u{2029}']),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), hostile);
    }
}
