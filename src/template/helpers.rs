//! The helpers of templates and expressions.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper as Call, HelperDef, HelperResult, Output, PathAndJson, RenderContext, RenderError,
    RenderErrorReason, ScopedJson,
};
use serde_json::Value;

use super::csrf_field::{CSRF_FIELD, csrf_field};
use super::json::script_safe_json;
use super::links::{Links, Versions};
use super::markdown::markdown;
use super::operators::{self, Operator};
use super::urls::{static_url, url, web_url};
use super::{dates, numbers};
use crate::diagnostic::did_you_mean;

/// A helper: how it is called, and what it gives.
#[derive(Debug)]
pub struct Helper {
    /// Its name.
    pub name: &'static str,
    /// A call of it, as it is written.
    pub call: &'static str,
    /// What the call is, or comes out as.
    pub is: &'static str,
    /// How many values it takes.
    takes: RangeInclusive<usize>,
    /// The names of further values; an operator gets these after the others, in this order.
    pub(super) named: &'static [&'static str],
    /// How it works.
    pub(super) work: Work,
}

/// How a helper works.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Handlebars does it, around a block.
    Block,
    /// Of its values alone.
    Operator(Operator),
    /// `url`: needs the routes.
    Url,
    /// `static_url`: needs the versions of the files.
    StaticUrl,
    /// `json`: is not escaped.
    Json,
    /// `csrf_field`: needs the token, and is not escaped.
    CsrfField,
    /// `markdown`: is HTML, and not escaped.
    Markdown,
}

const fn helper(name: &'static str, call: &'static str, is: &'static str, takes: usize, work: Work) -> Helper {
    Helper { name, call, is, takes: takes..=takes, named: &[], work }
}

const fn operator(
    name: &'static str,
    call: &'static str,
    is: &'static str,
    takes: RangeInclusive<usize>,
    operator: Operator,
) -> Helper {
    Helper { name, call, is, takes, named: &[], work: Work::Operator(operator) }
}

/// Every helper that templates and expressions can call.
pub const HELPERS: &[Helper] = &[
    helper("if", "{{#if x}}…{{else}}…{{/if}}", "the first block if `x` holds, else the second", 1, Work::Block),
    helper("unless", "{{#unless x}}…{{/unless}}", "the block unless `x` holds", 1, Work::Block),
    helper(
        "each",
        "{{#each list as |item|}}…{{else}}…{{/each}}",
        "the block for every item of a list or map, with `@index`, `@key`, `@first` and `@last`; else the second",
        1,
        Work::Block,
    ),
    helper("with", "{{#with x}}…{{/with}}", "the block, with the entries of `x` for names", 1, Work::Block),
    operator(
        "eq",
        "(eq x y)",
        "whether both are the same, kind included: `1` is `1.0`, but not `\"1\"`",
        2..=2,
        operators::eq,
    ),
    operator("ne", "(ne x y)", "the opposite of `eq`", 2..=2, operators::ne),
    operator("gt", "(gt x y)", "whether `x` is greater: two numbers, or two texts", 2..=2, operators::gt),
    operator("gte", "(gte x y)", "whether `x` is greater or the same", 2..=2, operators::gte),
    operator("lt", "(lt x y)", "whether `x` is less", 2..=2, operators::lt),
    operator("lte", "(lte x y)", "whether `x` is less or the same", 2..=2, operators::lte),
    operator("and", "(and x y)", "whether all of them hold, two or more", 2..=usize::MAX, operators::and),
    operator("or", "(or x y)", "whether one of them holds, of two or more", 2..=usize::MAX, operators::or),
    operator("not", "(not x)", "whether `x` does not hold", 1..=1, operators::not),
    operator(
        "in",
        "(in x y)",
        "whether `x` is an item of the list `y`, a key of the map `y`, or a part of the text `y`",
        2..=2,
        operators::is_in,
    ),
    operator(
        "len",
        "(len x)",
        "how many items a list or map has, or how many characters a text; else 0",
        1..=1,
        operators::len,
    ),
    operator("default", "(default x y)", "`x`, or `y` if `x` is `null`", 2..=2, operators::default),
    operator(
        "lookup",
        "(lookup x y)",
        "the entry or item of `x` that the value of `y` names",
        2..=2,
        operators::lookup,
    ),
    operator("add", "(add x y)", "the sum of two numbers or more, exact", 2..=usize::MAX, numbers::add),
    operator("sub", "(sub x y)", "`x` less `y`, exact", 2..=2, numbers::sub),
    operator("mul", "(mul x y)", "the product of two numbers or more, exact", 2..=usize::MAX, numbers::mul),
    operator(
        "sum",
        "(sum list \"entry\")",
        "the sum over the items of a list or map; see *Numbers*",
        1..=usize::MAX,
        numbers::sum,
    ),
    Helper {
        name: "number",
        call: "{{number x decimals=2}}",
        is: "a number for people: `1,234.50`; see *Numbers*",
        takes: 1..=1,
        named: &["decimals", "group", "point"],
        work: Work::Operator(numbers::number),
    },
    operator(
        "date",
        "{{date x \"%d %B %Y\"}}",
        "a time in UTC: of seconds since 1970, or of an ISO 8601 text; see *Dates*",
        1..=2,
        dates::date,
    ),
    operator(
        "concat",
        "(concat x y)",
        "the text of all of them, one after the other",
        1..=usize::MAX,
        operators::concat,
    ),
    helper(
        "url",
        "{{url \"route\" marker=x page=y}}",
        "the path of a route, its markers filled in; the other values make its query",
        1,
        Work::Url,
    ),
    Helper {
        name: "static_url",
        call: "{{static_url \"/static/style.css\"}}",
        is: "the path of a file in `[static]`, with its version; further values are put after it",
        takes: 1..=usize::MAX,
        named: &[],
        work: Work::StaticUrl,
    },
    operator(
        "web_url",
        "{{web_url x}}",
        "`x` if it is a path of this site or begins with `http:`, `https:` or `mailto:`; else `#`",
        1..=1,
        web_url,
    ),
    helper("json", "{{json x}}", "the value as JSON, safe inside `<script>`", 1, Work::Json),
    helper("markdown", "{{markdown x}}", "a text in Markdown as HTML; see *Markdown*", 1, Work::Markdown),
    helper(
        CSRF_FIELD,
        "{{csrf_field}}",
        "the hidden field that a form with `method=\"post\"` needs",
        0,
        Work::CsrfField,
    ),
];

/// The helper of this name.
pub fn find(name: &str) -> Option<&'static Helper> {
    HELPERS.iter().find(|helper| helper.name == name)
}

/// Whether a helper has this name.
pub fn is_helper(name: &str) -> bool {
    find(name).is_some()
}

/// What is wrong with a call: `values` given, and others by `names`, before a `block` or not.
/// Says how to mend it, too.
pub fn misuse(name: &str, values: usize, names: &[&str], block: bool) -> Option<(String, Option<String>)> {
    let Some(helper) = find(name) else {
        let write = |text: &str| Some(format!("write `{text}`"));
        let help = match values {
            _ if matches!(name, "elif" | "elseif" | "elsif") => write("{{else if x}}"),
            _ if matches!(name, "for" | "foreach") => write("{{#each list as |item|}}…{{/each}}"),
            0 => Some(format!("a name stands without parentheses: `{name}`")),
            _ => did_you_mean(name, HELPERS.iter().map(|helper| helper.name)),
        };
        return Some((format!("unknown helper `{name}`"), help));
    };
    let write = format!("write `{}`", helper.call);
    match (matches!(helper.work, Work::Block), block) {
        (true, false) => return Some((format!("`{name}` is a block helper"), Some(write))),
        (false, true) => {
            let help = format!("write `{{{{#if ({name} …)}}}}…{{{{/if}}}}`");
            return Some((format!("`{name}` is not a block helper"), Some(help)));
        }
        _ => {}
    }
    if !helper.takes.contains(&values) {
        let things = match (helper.takes.start(), helper.takes.end()) {
            (0, _) => "no value",
            (1, &usize::MAX) => "one value or more",
            (1, 2) => "one value or two",
            (1, _) => "one value",
            (_, &usize::MAX) => "two values or more",
            _ => "two values",
        };
        return Some((format!("`{name}` takes {things}, not {values}"), Some(write)));
    }
    let known = |given: &&&str| {
        matches!(helper.work, Work::Url)
            || helper.named.contains(*given)
            || (**given == "includeZero" && matches!(name, "if" | "unless"))
    };
    let unknown = names.iter().find(|given| !known(given))?;
    Some((format!("`{name}` takes no `{unknown}=`"), Some(write)))
}

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
