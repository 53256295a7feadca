//! Expressions as Handlebars reads them, compiled: values go in and a value comes out, its kind kept,
//! without Handlebars and without text in between.

use std::borrow::Cow;

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::Value;

use super::csrf_field::{CSRF_FIELD, csrf_field};
use super::expression::Expression;
use super::helpers::{Helper, Work, find};
use super::json::script_safe_json;
use super::markdown::markdown;
use super::names::{Start, parse};
use super::render::{RenderFailure, Scope, Templates};
use super::urls;

/// A call of a helper: `(gt session.count 3)`.
#[derive(Clone, Debug)]
pub struct Call {
    helper: &'static Helper,
    values: Vec<Expression>,
    /// The values with names.
    named: Vec<(String, Expression)>,
}

/// Why there is no expression in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoExpression {
    /// It is more than an expression, or has something that needs a block around it.
    Shape,
    /// It calls a helper that does not exist, or that is for blocks.
    Helper,
}

/// The expression of a template that is nothing but one, such as `{{(gt session.count 3)}}`.
pub fn expression(template: &Template) -> Result<Expression, NoExpression> {
    match template.elements.as_slice() {
        [TemplateElement::Expression(tag)] if tag.name.as_name() == Some(CSRF_FIELD) => call(tag),
        [TemplateElement::Expression(tag)] if tag.params.is_empty() => parameter(&tag.name),
        _ => Err(NoExpression::Shape),
    }
}

fn parameter(parameter: &Parameter) -> Result<Expression, NoExpression> {
    match parameter {
        Parameter::Literal(value) => Ok(Expression::Fixed(value.clone())),
        Parameter::Subexpression(inner) => match inner.as_element() {
            TemplateElement::Expression(tag) => call(tag),
            _ => Err(NoExpression::Shape),
        },
        name => path(name.as_name().ok_or(NoExpression::Shape)?),
    }
}

fn path(written: &str) -> Result<Expression, NoExpression> {
    match parse(written) {
        (Start::Here | Start::Root, parts) => Expression::of_parts(parts).ok_or(NoExpression::Shape),
        (Start::Up(_) | Start::Local, _) => Err(NoExpression::Shape),
    }
}

fn call(tag: &HelperTemplate) -> Result<Expression, NoExpression> {
    let name = tag.name.as_name().ok_or(NoExpression::Shape)?;
    let values = tag.params.iter().map(parameter).collect::<Result<_, _>>()?;
    let named = tag.hash.iter().map(|(name, value)| Ok((name.clone(), parameter(value)?)));
    let named = named.collect::<Result<_, _>>()?;
    let helper = find(name).filter(|helper| !matches!(helper.work, Work::Block)).ok_or(NoExpression::Helper)?;
    Ok(Expression::Call(Call { helper, values, named }))
}

impl Call {
    /// What the helper makes of its values.
    pub fn value(&self, templates: &Templates, scope: &dyn Scope) -> Result<Value, RenderFailure> {
        let mut named = Vec::with_capacity(self.named.len());
        for (name, value) in &self.named {
            named.push((name.as_str(), value.value(templates, scope)?));
        }
        let named: Vec<(&str, &Value)> = named.iter().map(|(name, value)| (*name, value)).collect();
        let find =
            |wanted: &str| named.iter().find(|(name, _)| *name == wanted).map_or(&Value::Null, |(_, value)| value);
        let values: Vec<Cow<'_, Value>> =
            self.values.iter().map(|value| value.borrowed(templates, scope)).collect::<Result<_, _>>()?;
        let mut values: Vec<&Value> = values.iter().map(AsRef::as_ref).collect();
        let first = values.first().copied().unwrap_or(&Value::Null);
        match self.helper.work {
            Work::Operator(operator) => {
                values.extend(self.helper.named.iter().map(|name| find(name)));
                Ok(operator(&values))
            }
            Work::StaticUrl => {
                urls::static_url(templates.versions(), &values).map(Value::String).map_err(RenderFailure::Unfit)
            }
            Work::CsrfField => {
                let token = scope.get("csrf_token", None).unwrap_or_default();
                Ok(Value::String(csrf_field(&token)))
            }
            Work::Markdown => Ok(Value::String(markdown(first))),
            Work::Json => Ok(Value::String(script_safe_json(first))),
            Work::Url => urls::url(templates.links(), first, &named).map(Value::String).map_err(RenderFailure::Unfit),
            Work::Block => Err(RenderFailure::Broken(format!("`{}` is a block helper", self.helper.name))),
        }
    }
}
