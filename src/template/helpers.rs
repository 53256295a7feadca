//! The helpers of Sitewright's templates, beside those that Handlebars brings.

use std::fmt;
use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonRender, Output, RenderContext, RenderError,
    RenderErrorReason,
};
use serde_json::Value;

/// Every helper a template can call, how it is called and what it gives.
pub const HELPERS: &[(&str, &str, &str)] = &[
    ("if", "{{#if x}}…{{else}}…{{/if}}", "the first block if `x` holds, else the second"),
    ("unless", "{{#unless x}}…{{/unless}}", "the block unless `x` holds"),
    (
        "each",
        "{{#each list as |item|}}…{{else}}…{{/each}}",
        "the block for every item of a list or map, with `@index`, `@key`, `@first` and `@last`; else the second",
    ),
    ("with", "{{#with x}}…{{/with}}", "the block, with the entries of `x` for names"),
    ("lookup", "{{lookup x y}}", "the entry of `x` that the value of `y` names"),
    ("eq", "(eq x y)", "whether both are the same, kind included: `1` is not `\"1\"`"),
    ("ne", "(ne x y)", "the opposite of `eq`"),
    ("gt", "(gt x y)", "whether `x` is greater"),
    ("gte", "(gte x y)", "whether `x` is greater or the same"),
    ("lt", "(lt x y)", "whether `x` is less"),
    ("lte", "(lte x y)", "whether `x` is less or the same"),
    ("and", "(and x y)", "whether both hold"),
    ("or", "(or x y)", "whether one of them holds"),
    ("not", "(not x)", "whether `x` does not hold"),
    ("len", "(len x)", "how many items a list or map has, or how many bytes a string"),
    ("url", "{{url \"route\" marker=x}}", "the path of a route, its markers filled in"),
    ("json", "{{json x}}", "the value as JSON, safe inside `<script>`"),
];

/// The names of all helpers.
pub fn names() -> impl Iterator<Item = &'static str> {
    HELPERS.iter().map(|(name, ..)| *name)
}

/// How many values a helper takes.
pub fn arity(name: &str) -> usize {
    match name {
        "lookup" | "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "and" | "or" => 2,
        _ => 1,
    }
}

/// Whether a helper is for `{{#name …}}…{{/name}}` and nothing else.
pub fn is_block(name: &str) -> bool {
    matches!(name, "if" | "unless" | "each" | "with")
}

/// Whether a helper has this name.
pub fn is_helper(name: &str) -> bool {
    names().any(|helper| helper == name)
}

/// Paths of routes, by name.
pub trait Links: Send + Sync {
    /// The path of `route`, its markers filled in by `value`; or why there is none.
    fn path(&self, route: &str, value: &mut dyn FnMut(&str) -> Option<String>) -> Result<String, String>;
    /// The names of all routes.
    fn names(&self) -> Vec<&str>;
    /// The markers of a route's path; `None` if there is no such route or its path is broken.
    fn markers(&self, route: &str) -> Option<Vec<&str>>;
    /// Whether there are mounts whose names are not known.
    fn has_unread_mounts(&self) -> bool {
        false
    }
    /// Whether there is certainly no route of this name, be it a broken one.
    fn is_missing(&self, route: &str) -> bool {
        !(self.names().contains(&route) || (self.has_unread_mounts() && route.contains('/')))
    }
}

/// Registers `url` and `json`, and drops what Handlebars brings beyond [`HELPERS`]: a value that
/// happens to be named `raw` or `log` is to be shown.
pub fn register(registry: &mut Handlebars<'static>, links: &Arc<dyn Links>) {
    for unwanted in ["raw", "log"] {
        registry.unregister_helper(unwanted);
    }
    registry.register_helper("url", Box::new(Url(Arc::clone(links))));
    registry.register_helper("json", Box::new(json));
}

/// `{{url "route" marker=value}}`: the path of a route.
struct Url(Arc<dyn Links>);

impl HelperDef for Url {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let route = helper.param(0).and_then(|param| param.value().as_str());
        let route = route.ok_or(RenderErrorReason::ParamNotFoundForIndex("url", 0))?;
        let mut value = |name: &str| helper.hash_get(name).map(|value| marker_text(value.value()));
        let path =
            self.0.path(route, &mut value).map_err(|why| RenderErrorReason::NestedError(Box::new(Unfit(why))))?;
        // The path is percent-encoded; `&` and `'` may still stand in it.
        out.write(&registry.get_escape_fn()(&path))?;
        Ok(())
    }
}

/// A value as a marker takes it; the parts of a `*rest` are joined with `/`.
fn marker_text(value: &Value) -> String {
    match value {
        Value::Array(parts) => parts.iter().map(JsonRender::render).collect::<Vec<_>>().join("/"),
        one => one.render(),
    }
}

/// A helper was given a value that it cannot work with.
#[derive(Debug)]
pub struct Unfit(String);

impl Unfit {
    /// Whether this is why rendering failed.
    pub fn caused(error: &RenderError) -> bool {
        matches!(error.reason(), RenderErrorReason::NestedError(cause) if cause.is::<Self>())
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

/// `{{json value}}`: a value as JSON, safe inside `<script>`.
fn json(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let value = helper.param(0).map_or(&Value::Null, |param| param.value());
    out.write(&script_safe_json(value))?;
    Ok(())
}

/// JSON without the characters that could end a `<script>` or start an entity or a comment.
pub fn script_safe_json(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            // Outside strings JSON has none of these.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => safe.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct OneRoute;

    impl Links for OneRoute {
        fn path(&self, route: &str, value: &mut dyn FnMut(&str) -> Option<String>) -> Result<String, String> {
            Ok(format!("/{route}/{}", value("marker").unwrap_or_default()))
        }
        fn names(&self) -> Vec<&str> {
            vec!["route"]
        }
        fn markers(&self, _: &str) -> Option<Vec<&str>> {
            Some(vec!["marker"])
        }
    }

    fn render(template: &str, data: &Value) -> String {
        let links: Arc<dyn Links> = Arc::new(OneRoute);
        let mut registry = Handlebars::new();
        register(&mut registry, &links);
        registry.render_template(template, data).unwrap_or_else(|error| panic!("{template}: {error}"))
    }

    #[test]
    fn every_helper_can_be_called_as_it_is_listed() {
        for (name, call, _) in HELPERS {
            let template = match call.strip_prefix('(').and_then(|call| call.strip_suffix(')')) {
                Some(call) => format!("{{{{{call}}}}}"),
                None => (*call).to_owned(),
            };
            assert!(call.contains(name));
            render(&template, &json!({ "x": 1, "y": 1, "list": [1] }));
        }
    }

    #[test]
    fn a_value_may_have_any_other_name() {
        assert_eq!(render("{{raw}} {{log}}", &json!({ "raw": "a", "log": "b" })), "a b");
    }

    #[test]
    fn a_list_fills_a_remainder_with_its_parts() {
        assert_eq!(render("{{url \"route\" marker=x}}", &json!({ "x": ["a", "b", 1] })), "/route/a/b/1");
    }

    #[test]
    fn json_cannot_end_a_script() {
        let text = script_safe_json(&Value::from("</script><!--\u{2028}&"));
        assert!(!text.contains(['<', '>', '&', '\u{2028}']));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), Value::from("</script><!--\u{2028}&"));
    }
}
