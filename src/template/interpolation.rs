//! Templates without logic: text, and names in braces.
//!
//! Most strings of a site are such, and many pages. They become what Handlebars would make of
//! them, but without its engine and a context built for it: in a tenth of the time.

use handlebars::template::{HelperTemplate, Template, TemplateElement};
use handlebars::{JsonRender, html_escape};

use super::expression::Expression;
use super::helpers;
use super::names::{Start, parse};
use super::render::{Escaping, Scope};

/// A template without logic.
#[derive(Debug)]
pub(super) struct Interpolation(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    /// `{{path}}`, or `{{{path}}}`, which is not escaped.
    Value {
        path: Expression,
        raw: bool,
    },
}

impl Interpolation {
    /// `None` if the template needs Handlebars.
    pub fn of(template: &Template) -> Option<Self> {
        let pieces = template.elements.iter().map(|element| match element {
            TemplateElement::RawString(text) => Some(Piece::Text(text.clone())),
            TemplateElement::Expression(tag) => Some(Piece::Value { path: path(tag)?, raw: false }),
            TemplateElement::HtmlExpression(tag) => Some(Piece::Value { path: path(tag)?, raw: true }),
            _ => None,
        });
        pieces.collect::<Option<_>>().map(Self)
    }

    /// The text with the values in place; nothing where there is no value.
    pub fn render(&self, escaping: Escaping, scope: &dyn Scope) -> String {
        let mut out = String::with_capacity(self.0.iter().map(Piece::usual_length).sum());
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value { path, raw } => {
                    let value = path.lookup(scope).unwrap_or_default().render();
                    match escaping {
                        Escaping::Html if !raw => out.push_str(&html_escape(&value)),
                        _ => out.push_str(&value),
                    }
                }
            }
        }
        out
    }
}

impl Piece {
    fn usual_length(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Value { .. } => 32,
        }
    }
}

/// The path of a tag that shows a value from the site's names down.
fn path(tag: &HelperTemplate) -> Option<Expression> {
    let written = tag.name.as_name()?;
    let is_value = tag.params.is_empty() && tag.hash.is_empty() && !helpers::is_helper(written);
    match parse(written) {
        (Start::Here, parts) if is_value => Expression::of_parts(parts),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::BTreeSet;

    use handlebars::{Handlebars, no_escape};
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    struct Values(Map<String, Value>);

    impl Scope for Values {
        fn get(&self, name: &str, _: Option<&BTreeSet<String>>) -> Option<Cow<'_, Value>> {
            self.0.get(name).map(Cow::Borrowed)
        }
    }

    const TEXT: &str = "<p class=\"{{a}}\">\n  {{~b.c}} {{{a}}} {{b.[0]}}{{b.list.1}} \\{{a}} {{none}} {{b.c.d}}\n</p>";

    #[test]
    fn what_has_logic_is_left_to_handlebars() {
        let is_plain = |text| Interpolation::of(&Template::compile(text).unwrap()).is_some();
        for plain in ["", "text", "{{a}}", "{{{a.b}}}", "{{a.[b c]/d}} {{~e~}}"] {
            assert!(is_plain(plain), "{plain}");
        }
        for logic in ["{{#if a}}{{/if}}", "{{> a}}", "{{json a}}", "{{len}}", "{{this}}", "{{@root.a}}", "{{../a}}"] {
            assert!(!is_plain(logic), "{logic}");
        }
    }

    #[test]
    fn a_value_is_found_where_it_is_and_not_copied() {
        let scope = Values(json!({ "shop": { "teas": [{ "name": "Assam" }] } }).as_object().unwrap().clone());
        let path = ["shop", "teas", "0", "name"].map(str::to_owned).to_vec();
        let found = Expression::of_parts(path).unwrap();
        let there = &scope.0["shop"]["teas"][0]["name"];
        assert!(matches!(found.lookup(&scope), Some(Cow::Borrowed(name)) if std::ptr::eq(name, there)));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[<>&\"'`= a-zé\\PC]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(|list| json!({ "list": list })),
                (inner.clone(), inner).prop_map(|(c, list)| json!({ "c": c, "0": 1, "list": list })),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_page_is_the_one_handlebars_makes(a in any_value(), b in any_value()) {
            let template = Template::compile(TEXT).unwrap();
            let interpolation = Interpolation::of(&template).unwrap();
            let values = json!({ "a": a, "b": b });
            let scope = Values(values.as_object().unwrap().clone());
            let mut handlebars = Handlebars::new();
            let html = handlebars.render_template(TEXT, &values).unwrap();
            prop_assert_eq!(interpolation.render(Escaping::Html, &scope), html);
            handlebars.register_escape_fn(no_escape);
            let plain = handlebars.render_template(TEXT, &values).unwrap();
            prop_assert_eq!(interpolation.render(Escaping::Plain, &scope), plain);
        }
    }
}
