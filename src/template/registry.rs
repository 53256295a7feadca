//! The helpers as Handlebars calls them.

use std::fmt;
use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper as Call, HelperDef, HelperResult, Output, PathAndJson, RenderContext, RenderError,
    RenderErrorReason, ScopedJson,
};
use serde_json::Value;

use super::csrf_field::csrf_field;
use super::helpers::{HELPERS, Work};
use super::json::script_safe_json;
use super::links::{Links, Versions};
use super::markdown::markdown;
use super::operators::Operator;
use super::urls::{static_url, url};

/// Registers every helper that is not Handlebars' own, and drops what Handlebars brings beyond
/// [`HELPERS`]: a value that happens to be named `raw` or `log` is to be shown.
pub fn register(registry: &mut Handlebars<'static>, links: &Arc<dyn Links>, versions: &Arc<Versions>) {
    for unwanted in ["raw", "log"] {
        registry.unregister_helper(unwanted);
    }
    for helper in HELPERS {
        match helper.work {
            Work::Block => {}
            Work::Operator(operator) => {
                registry.register_helper(helper.name, Box::new(Operated(operator, helper.named)))
            }
            Work::Url => registry.register_helper(helper.name, Box::new(Url(Arc::clone(links)))),
            Work::StaticUrl => registry.register_helper(helper.name, Box::new(StaticUrl(Arc::clone(versions)))),
            Work::Json => {
                registry.register_helper(helper.name, Box::new(Unescaped { text: script_safe_json, of: first }))
            }
            Work::Markdown => registry.register_helper(helper.name, Box::new(Unescaped { text: markdown, of: first })),
            Work::CsrfField => {
                registry.register_helper(helper.name, Box::new(Unescaped { text: csrf_field, of: csrf_token }))
            }
        }
    }
}

/// `(eq x y)` and its kin, in a template.
struct Operated(Operator, &'static [&'static str]);

impl HelperDef for Operated {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Call<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let mut values: Vec<&Value> = helper.params().iter().map(PathAndJson::value).collect();
        values.extend(self.1.iter().map(|name| helper.hash_get(name).map_or(&Value::Null, PathAndJson::value)));
        Ok(ScopedJson::Derived((self.0)(&values)))
    }
}

/// A helper whose text goes out as it is: it is JSON or HTML already.
struct Unescaped {
    /// The text, made of one value.
    text: fn(&Value) -> String,
    /// That value.
    of: for<'v> fn(&'v Call<'_>, &'v Context) -> Option<&'v Value>,
}

/// What the helper is called with.
fn first<'v>(call: &'v Call<'_>, _: &'v Context) -> Option<&'v Value> {
    call.param(0).map(PathAndJson::value)
}

/// The visitor's token, whatever block or partial the helper stands in.
fn csrf_token<'v>(_: &'v Call<'_>, context: &'v Context) -> Option<&'v Value> {
    context.data().get("csrf_token")
}

impl HelperDef for Unescaped {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Call<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let value = (self.of)(helper, context).unwrap_or(&Value::Null);
        Ok(ScopedJson::Derived(Value::String((self.text)(value))))
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Call<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let text = self.call_inner(helper, registry, context, render)?;
        out.write(&text.render())?;
        Ok(())
    }
}

/// `{{url "route" marker=value}}`: the path of a route.
struct Url(Arc<dyn Links>);

impl HelperDef for Url {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Call<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let route = helper.param(0).map_or(&Value::Null, PathAndJson::value);
        let named: Vec<(&str, &Value)> = helper.hash().iter().map(|(name, value)| (*name, value.value())).collect();
        let path = url(&*self.0, route, &named).map_err(|why| RenderErrorReason::NestedError(Box::new(Unfit(why))))?;
        // The path is percent-encoded; `&` and `'` may still stand in it, and are escaped.
        Ok(ScopedJson::Derived(Value::String(path)))
    }
}

/// `{{static_url "/static/style.css"}}`: the path of a static file.
struct StaticUrl(Arc<Versions>);

impl HelperDef for StaticUrl {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Call<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let parts: Vec<&Value> = helper.params().iter().map(PathAndJson::value).collect();
        let path = static_url(&self.0, &parts).map_err(|why| RenderErrorReason::NestedError(Box::new(Unfit(why))))?;
        Ok(ScopedJson::Derived(Value::String(path)))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::helpers::Helper;
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
        register(&mut registry, &links, &Arc::default());
        registry.render_template(template, data).unwrap_or_else(|error| panic!("{template}: {error}"))
    }

    #[test]
    fn every_helper_can_be_called_as_it_is_listed() {
        for Helper { name, call, .. } in HELPERS {
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
}
