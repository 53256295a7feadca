//! Names in a mounted site's templates.

use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::Value;

use super::library::Home;
use super::links::Links;

/// Turns a site's own names in a template into full ones, so that a mounted site means what it
/// means alone.
pub struct Qualifier<'q> {
    /// The site.
    pub home: Home<'q>,
    /// The paths of all routes.
    pub links: &'q dyn Links,
}

impl Qualifier<'_> {
    /// Does it all the way down. The site that is served has full names already.
    pub fn template(&self, template: &mut Template) {
        if !self.home.site.is_empty() {
            template.elements.iter_mut().for_each(|element| self.element(element));
        }
    }

    fn element(&self, element: &mut TemplateElement) {
        match element {
            TemplateElement::Expression(tag)
            | TemplateElement::HtmlExpression(tag)
            | TemplateElement::HelperBlock(tag) => {
                self.helper(tag);
            }
            TemplateElement::PartialExpression(tag) | TemplateElement::PartialBlock(tag) => {
                if let Some(name) = tag.name.as_name().filter(|name| *name != "@partial-block") {
                    tag.name = Parameter::Name(self.home.qualify(name));
                }
                self.decorator(tag);
            }
            TemplateElement::DecoratorBlock(tag) if tag.name.as_name() == Some("inline") => {
                if let Some(Parameter::Literal(Value::String(name))) = tag.params.first_mut() {
                    *name = self.home.qualify(name);
                }
                self.decorator(tag);
            }
            TemplateElement::DecoratorExpression(tag) | TemplateElement::DecoratorBlock(tag) => self.decorator(tag),
            _ => {}
        }
    }

    fn helper(&self, tag: &mut HelperTemplate) {
        if tag.name.as_name() == Some("url")
            && let Some(Parameter::Literal(Value::String(route))) = tag.params.first_mut()
        {
            let full = self.home.qualify(route);
            if self.links.markers(&full).is_some() {
                *route = full;
            }
        }
        if tag.name.as_name() == Some("static_url")
            && let Some(Parameter::Literal(Value::String(path))) = tag.params.first_mut()
        {
            path.insert_str(0, self.home.prefix);
        }
        self.parameter(&mut tag.name);
        tag.params.iter_mut().chain(tag.hash.values_mut()).for_each(|parameter| self.parameter(parameter));
        for body in [&mut tag.template, &mut tag.inverse].into_iter().flatten() {
            self.template(body);
        }
    }

    fn decorator(&self, tag: &mut DecoratorTemplate) {
        tag.params.iter_mut().chain(tag.hash.values_mut()).for_each(|parameter| self.parameter(parameter));
        if let Some(body) = &mut tag.template {
            self.template(body);
        }
    }

    fn parameter(&self, parameter: &mut Parameter) {
        if let Parameter::Subexpression(inner) = parameter {
            self.element(&mut inner.element);
        }
    }
}
