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
use super::urls::{static_url, url};

/// Registers every helper that is not Handlebars' own, and drops what Handlebars brings beyond
/// [`HELPERS`]: a value that happens to be named `raw` or `log` is to be shown.
pub fn register(registry: &mut Handlebars<'static>, links: &Arc<dyn Links>, versions: &Arc<Versions>) {
    for unwanted in ["raw", "log"] {
        registry.unregister_helper(unwanted);
    }
    for helper in HELPERS {
        let (links, versions) = (Arc::clone(links), Arc::clone(versions));
        let work = match helper.work {
            Work::Block => continue,
            Work::Operator(operator) => escaped(move |call, _| {
                let mut values = values(call);
                values.extend(
                    helper.named.iter().map(|name| call.hash_get(name).map_or(&Value::Null, PathAndJson::value)),
                );
                Ok(operator(&values))
            }),
            Work::Url => escaped(move |call, _| {
                let named: Vec<_> = call.hash().iter().map(|(name, value)| (*name, value.value())).collect();
                // The path is percent-encoded; `&` and `'` may still stand in it, and are escaped.
                url(&*links, first(call), &named).map(Value::String)
            }),
            Work::StaticUrl => escaped(move |call, _| static_url(&versions, &values(call)).map(Value::String)),
            Work::Json => unescaped(|call, _| script_safe_json(first(call))),
            Work::Markdown => unescaped(|call, _| markdown(first(call))),
            // The visitor's token, whatever block or partial the helper stands in.
            Work::CsrfField => unescaped(|_, site| csrf_field(site.data().get("csrf_token").unwrap_or(&Value::Null))),
        };
        registry.register_helper(helper.name, work);
    }
}

/// The values that a helper is called with.
fn values<'v>(call: &'v Call<'_>) -> Vec<&'v Value> {
    call.params().iter().map(PathAndJson::value).collect()
}

fn first<'v>(call: &'v Call<'_>) -> &'v Value {
    call.param(0).map_or(&Value::Null, PathAndJson::value)
}

/// A helper whose value is escaped where a template shows it.
fn escaped(
    value: impl Fn(&Call<'_>, &Context) -> Result<Value, String> + Send + Sync + 'static,
) -> Box<dyn HelperDef + Send + Sync> {
    Box::new(Computed(value))
}

/// A helper whose text goes out as it is: it is JSON or HTML already.
fn unescaped(text: impl Fn(&Call<'_>, &Context) -> String + Send + Sync + 'static) -> Box<dyn HelperDef + Send + Sync> {
    Box::new(Unescaped(Computed(move |call: &Call<'_>, site: &Context| Ok(Value::String(text(call, site))))))
}

/// A helper that makes a value of what it is called with and of what the site gives.
struct Computed<F>(F);

impl<F: Fn(&Call<'_>, &Context) -> Result<Value, String>> HelperDef for Computed<F> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Call<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let value = (self.0)(helper, context).map_err(|why| RenderErrorReason::NestedError(Box::new(Unfit(why))))?;
        Ok(ScopedJson::Derived(value))
    }
}

struct Unescaped<H>(H);

impl<H: HelperDef> HelperDef for Unescaped<H> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Call<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        self.0.call_inner(helper, registry, context, render)
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
