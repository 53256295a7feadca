//! Where templates compare a value with a number that is written out.

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::{Number, Value};

use super::library::Library;
use super::names::parse;
use super::places::locate;
use crate::diagnostic::Place;

/// A comparison of a value with a number: `(gt query.page 1)`.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The helper that compares.
    pub helper: &'static str,
    /// The parts of the path to the value.
    pub path: Vec<String>,
    /// Where the first of them stands.
    pub place: Place,
    /// The number.
    pub number: Number,
    /// The key path of the template; empty for a file.
    pub key: String,
}

/// Helpers that compare two values.
const COMPARING: [&str; 6] = ["eq", "ne", "gt", "gte", "lt", "lte"];

/// The comparisons in a template, those of its partials left out.
pub fn comparisons(library: &Library, name: &str) -> Vec<Comparison> {
    let (Some(template), Some((text, key, _))) = (library.template(name), library.written(name)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    each_call(template, &mut |helper, params, spot| {
        let Some(helper) = COMPARING.into_iter().find(|name| *name == helper) else { return };
        let (path, number) = match params {
            [path, Parameter::Literal(Value::Number(number))] | [Parameter::Literal(Value::Number(number)), path] => {
                (path, number)
            }
            _ => return,
        };
        let Some(raw) = path.as_name() else { return };
        let (_, path) = parse(raw);
        let first = path.first().map_or("", String::as_str);
        let at = raw.find(first).unwrap_or(0);
        let place = locate(text, spot, raw, at..at + first.len());
        found.push(Comparison { helper, path, place, number: number.clone(), key: key.to_owned() });
    });
    found
}

/// Line and column of a tag.
type Spot = (usize, usize);

/// What is told of each call of a helper: its name and the values that it is given.
type Tell<'a> = dyn FnMut(&str, &[Parameter], Spot) + 'a;

fn each_call(template: &Template, tell: &mut Tell<'_>) {
    for (i, element) in template.elements.iter().enumerate() {
        let spot = template.mapping.get(i).map_or((1, 1), |mapping| (mapping.0, mapping.1));
        match element {
            TemplateElement::Expression(tag) | TemplateElement::HtmlExpression(tag) => in_tag(tag, spot, tell),
            TemplateElement::HelperBlock(tag) => {
                in_tag(tag, spot, tell);
                tag.template.iter().chain(&tag.inverse).for_each(|inner| each_call(inner, tell));
            }
            TemplateElement::PartialExpression(tag)
            | TemplateElement::PartialBlock(tag)
            | TemplateElement::DecoratorExpression(tag)
            | TemplateElement::DecoratorBlock(tag) => {
                tag.params.iter().chain(tag.hash.values()).for_each(|inner| in_parameter(inner, spot, tell));
                tag.template.iter().for_each(|inner| each_call(inner, tell));
            }
            _ => {}
        }
    }
}

fn in_tag(tag: &HelperTemplate, spot: Spot, tell: &mut Tell<'_>) {
    match tag.name.as_name() {
        Some(name) => tell(name, &tag.params, spot),
        None => in_parameter(&tag.name, spot, tell),
    }
    tag.params.iter().chain(tag.hash.values()).for_each(|inner| in_parameter(inner, spot, tell));
}

fn in_parameter(parameter: &Parameter, spot: Spot, tell: &mut Tell<'_>) {
    if let Parameter::Subexpression(inner) = parameter
        && let TemplateElement::Expression(tag) = inner.as_element()
    {
        in_tag(tag, spot, tell);
    }
}
