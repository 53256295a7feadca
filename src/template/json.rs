//! `{{json value}}`: values for scripts.

use handlebars::{
    Context, Handlebars, Helper as Call, HelperDef, HelperResult, Output, PathAndJson, RenderContext, RenderError,
    ScopedJson,
};
use serde_json::Value;

/// `{{json value}}`: a value as JSON, safe inside `<script>`.
pub(super) struct Json;

impl HelperDef for Json {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Call<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let value = helper.param(0).map_or(&Value::Null, PathAndJson::value);
        Ok(ScopedJson::Derived(Value::String(script_safe_json(value))))
    }

    /// As it is: entities would not be read in a script.
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Call<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let json = self.call_inner(helper, registry, context, render)?;
        out.write(&json.render())?;
        Ok(())
    }
}

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
