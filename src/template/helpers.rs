//! The helpers of templates and expressions.

use std::ops::RangeInclusive;

use super::csrf_field::CSRF_FIELD;
use super::operators::{self, Operator};
use super::urls::web_url;
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
    operator(
        "slice",
        "(slice list from count)",
        "so many items of a list, or characters of a text, from a place that is counted from 0; without `count`, the rest",
        2..=3,
        operators::slice,
    ),
    operator("range", "(range x y)", "the list of whole numbers from `x` to `y`, 1000 at most", 2..=2, numbers::range),
    operator("add", "(add x y)", "the sum of two numbers or more, exact", 2..=usize::MAX, numbers::add),
    operator("sub", "(sub x y)", "`x` less `y`, exact", 2..=2, numbers::sub),
    operator("mul", "(mul x y)", "the product of two numbers or more, exact", 2..=usize::MAX, numbers::mul),
    operator("div", "(div x y)", "`x` divided by `y`; `null` if `y` is 0", 2..=2, numbers::div),
    operator("round", "(round x 2)", "`x` to so many decimals, or to none, rounded half up", 1..=2, numbers::round),
    operator("ceil", "(ceil x)", "the least whole number that is not less than `x`", 1..=1, numbers::ceil),
    operator("floor", "(floor x)", "the greatest whole number that is not greater than `x`", 1..=1, numbers::floor),
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
    operator("join", "(join list \", \")", "the texts of the items, with a text between them", 2..=2, operators::join),
    operator("upper", "(upper x)", "a text in capital letters", 1..=1, operators::upper),
    operator("lower", "(lower x)", "a text in small letters", 1..=1, operators::lower),
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

/// Names that helpers have elsewhere, with ours.
const ELSEWHERE: &[(&str, &str)] = &[
    ("plus", "add"),
    ("minus", "sub"),
    ("subtract", "sub"),
    ("times", "mul"),
    ("multiply", "mul"),
    ("divide", "div"),
    ("equal", "eq"),
    ("equals", "eq"),
    ("contains", "in"),
    ("includes", "in"),
    ("length", "len"),
    ("count", "len"),
    ("size", "len"),
    ("substring", "slice"),
    ("truncate", "slice"),
    ("uppercase", "upper"),
    ("lowercase", "lower"),
    ("tojson", "json"),
    ("strftime", "date"),
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
            _ => match ELSEWHERE.iter().find(|(elsewhere, _)| name.eq_ignore_ascii_case(elsewhere)) {
                Some((_, ours)) => find(ours).and_then(|ours| write(ours.call)),
                None => did_you_mean(name, HELPERS.iter().map(|helper| helper.name)),
            },
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
            (2, 3) => "two values or three",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_from_elsewhere_is_told_our_name() {
        for (elsewhere, ours) in ELSEWHERE {
            let (_, help) = misuse(elsewhere, 1, &[], false).unwrap();
            assert!(help.unwrap().contains(ours), "{elsewhere}");
            assert!(!is_helper(elsewhere));
        }
    }
}
