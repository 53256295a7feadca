//! One walk over a template's syntax tree, for everything that must be known before it is shown:
//! which names it uses, which partials, helpers and routes.

use handlebars::template::{BlockParam, DecoratorTemplate, HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::{Map, Value};

use super::names::{self, Start};

/// What stands at a place in a template.
#[derive(Debug)]
pub enum Finding<'t> {
    /// A value.
    Variable {
        /// The path from the site's names down, such as `session`, `user`.
        path: Vec<String>,
        /// How it is written, such as `../session.user`.
        written: String,
        /// Whether `(default …)` says what it is where there is none.
        has_default: bool,
        /// What its path goes down from.
        reach: Reach,
    },
    /// A path inside a block over a value that is known, which does not have this entry.
    NoSuchEntry {
        /// The entry that is not there.
        name: String,
        /// The entries that are.
        valid: Vec<String>,
        /// How the path is written.
        written: String,
    },
    /// A name inside a block over something that is not known before a request: it is an entry of that.
    Entry {
        /// The path, from the item down.
        path: Vec<String>,
        /// The block.
        block: Block,
        /// How the path is written.
        written: &'t str,
    },
    /// `{{helper …}}`, `(helper …)` or `{{#helper …}}`.
    Helper {
        /// The helper.
        name: &'t str,
        /// How many values it is given, those with names left out.
        values: usize,
        /// The names of those with names.
        names: Vec<&'t str>,
        /// Whether there is a block for it.
        block: bool,
    },
    /// `{{> partial}}` with its literal name.
    Partial {
        /// The partial.
        name: &'t str,
        /// What is around it, from the outermost block of this template to what it sees itself;
        /// `None` for what is not one of the scopes that [`Reach`] names, such as an item.
        around: Vec<Option<Reach>>,
        /// The entries that it sees, if it sees a value that is known.
        sees: Option<Vec<String>>,
        /// The block whose item it sees, if that is not known before a request.
        block: Option<Block>,
        /// The names it is given, as in `{{> row item=product}}`, and those that blocks bind.
        given: Vec<&'t str>,
        /// Whether `{{#> partial}}…{{/partial}}` says what to show where there is no such partial.
        fallback: bool,
        /// The inline partial in whose body this stands.
        inside: Option<&'t str>,
    },
    /// `{{#*inline "name"}}`: a partial for the templates that this one includes.
    Inline(&'t str),
    /// `{{> (…)}}`: a name nobody knows before.
    DynamicPartial,
    /// `{{url "route" …}}` with its literal name and the names of its markers' values.
    Url(&'t str, Vec<&'t str>),
    /// `{{static_url "/path" …}}`: the path if it is written out, and whether it is all there is.
    StaticUrl(Option<&'t str>, bool),
    /// `{{date x "form"}}` with its literal form.
    DateForm(&'t str),
    /// `{{number x decimals=…}}` with its literal.
    Decimals(&'t Value),
    /// `{{*decorator}}`, except `inline`.
    Decorator(&'t str),
}

/// A `{{#each}}` or `{{#with}}`.
#[derive(Clone, Debug)]
pub struct Block {
    /// Whether it is an `{{#each}}`.
    pub is_each: bool,
    /// The path that it is over, unless a helper makes it.
    pub over: Option<String>,
}

/// A finding and the line and column (from 1) of the tag it stands in.
pub type Found<'t> = (Finding<'t>, (usize, usize));

/// What the paths of a template go down from, outside of its own blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// What the template is shown with: the site's names, unless it is included in a block. `../` leads
    /// so many blocks further out from there.
    Outer(usize),
    /// The site's names, wherever the template is included: `@root`.
    Root,
}

/// What a scope is known to hold.
#[derive(Clone, Copy, Debug)]
enum Scope<'v> {
    /// Names from outside of the template.
    Around(Reach),
    /// Values nobody knows before the request.
    Open,
    /// A value from `[data]`.
    Known(&'v Value),
}

/// Walks `template`, telling `tell` of everything it finds. `known` holds the values that are the
/// same for every request.
pub fn walk<'t>(template: &'t Template, known: &Map<String, Value>, tell: &mut dyn FnMut(Found<'t>)) {
    let scopes = vec![(Scope::Around(Reach::Outer(0)), None)];
    let mut walker = Walker { known, tell, scopes, params: Vec::new(), inside: None, has_default: false };
    walker.template(template);
}

struct Walker<'t, 'v, 'a> {
    known: &'v Map<String, Value>,
    tell: &'a mut dyn FnMut(Found<'t>),
    /// What `this` is, the innermost last, and the block that makes it so.
    scopes: Vec<(Scope<'v>, Option<Block>)>,
    /// Names that blocks and partials bind: `as |item|`, `{{> row item=…}}`.
    params: Vec<(&'t str, Scope<'v>)>,
    /// The inline partial whose body is being walked.
    inside: Option<&'t str>,
    /// Whether what is being walked is the first value of a `default`.
    has_default: bool,
}

type Spot = (usize, usize);

impl<'t, 'v> Walker<'t, 'v, '_> {
    fn template(&mut self, template: &'t Template) {
        for (i, element) in template.elements.iter().enumerate() {
            let spot = template.mapping.get(i).map_or((1, 1), |mapping| (mapping.0, mapping.1));
            self.element(element, spot);
        }
    }

    fn element(&mut self, element: &'t TemplateElement, spot: Spot) {
        match element {
            TemplateElement::Expression(tag) | TemplateElement::HtmlExpression(tag) => self.expression(tag, spot),
            TemplateElement::HelperBlock(block) => self.block(block, spot),
            TemplateElement::PartialExpression(tag) | TemplateElement::PartialBlock(tag) => self.partial(tag, spot),
            TemplateElement::DecoratorExpression(tag) | TemplateElement::DecoratorBlock(tag) => {
                self.decorator(tag, spot)
            }
            _ => {}
        }
    }

    fn expression(&mut self, tag: &'t HelperTemplate, spot: Spot) {
        let Some(name) = tag.name.as_name() else {
            self.value(&tag.name, spot);
            return;
        };
        if tag.params.is_empty() && tag.hash.is_empty() && !super::helpers::is_helper(name) {
            self.path(name, spot);
        } else {
            self.call(name, tag, spot);
        }
    }

    /// Tells of `{{helper params hash}}` or `(helper …)`, and what is known of its value.
    fn call(&mut self, name: &'t str, tag: &'t HelperTemplate, spot: Spot) -> Scope<'v> {
        self.helper(name, tag, spot);
        if name == "url"
            && let Some(Parameter::Literal(Value::String(route))) = tag.params.first()
        {
            let markers = tag.hash.keys().map(String::as_str).collect();
            (self.tell)((Finding::Url(route, markers), spot));
        }
        if name == "date"
            && let Some(Parameter::Literal(Value::String(form))) = tag.params.get(1)
        {
            (self.tell)((Finding::DateForm(form), spot));
        }
        if name == "number"
            && let Some(Parameter::Literal(decimals)) = tag.hash.get("decimals")
        {
            (self.tell)((Finding::Decimals(decimals), spot));
        }
        if name == "static_url" {
            let path = match tag.params.first() {
                Some(Parameter::Literal(Value::String(path))) => Some(path.as_str()),
                _ => None,
            };
            (self.tell)((Finding::StaticUrl(path, tag.params.len() == 1), spot));
        }
        let outside = self.has_default;
        self.has_default |= name == "default";
        let first = tag.params.first().map_or(Scope::Open, |first| self.value(first, spot));
        self.has_default = outside;
        for parameter in tag.params.iter().skip(1).chain(tag.hash.values()) {
            self.value(parameter, spot);
        }
        if name == "lookup" { item_of(first) } else { Scope::Open }
    }

    fn helper(&mut self, name: &'t str, tag: &'t HelperTemplate, spot: Spot) {
        let mut names: Vec<&str> = tag.hash.keys().map(String::as_str).collect();
        names.sort_unstable();
        let (values, block) = (tag.params.len(), tag.template.is_some());
        (self.tell)((Finding::Helper { name, values, names, block }, spot));
    }

    /// Tells of a parameter, and what is known of its value.
    fn value(&mut self, parameter: &'t Parameter, spot: Spot) -> Scope<'v> {
        if let Some(raw) = parameter.as_name() {
            return self.path(raw, spot);
        }
        if let Parameter::Subexpression(inner) = parameter
            && let TemplateElement::Expression(tag) = inner.as_element()
        {
            return self.call(inner.name(), tag, spot);
        }
        Scope::Open
    }

    /// Tells of a path, and what is known of the value it leads to.
    fn path(&mut self, raw: &'t str, spot: Spot) -> Scope<'v> {
        let (start, segments) = names::parse(raw);
        let innermost = self.scopes.len() - 1;
        let bound = segments.first().and_then(|name| self.params.iter().rev().find(|(param, _)| param == name));
        let scope = match start {
            Start::Local => return Scope::Open,
            Start::Root => Scope::Around(Reach::Root),
            Start::Here | Start::Up(_) if let Some((_, scope)) = bound => {
                return self.down(*scope, &segments[1..], raw, spot);
            }
            Start::Up(levels) => match innermost.checked_sub(levels) {
                Some(at) => self.scopes[at].0,
                None => Scope::Around(Reach::Outer(levels - innermost)),
            },
            Start::Here => {
                let (scope, block) = &self.scopes[innermost];
                if let (Scope::Open, Some(block)) = (scope, block)
                    && !(self.has_default || segments.is_empty() || names::is_explicit(raw))
                {
                    let (path, block) = (segments.clone(), block.clone());
                    (self.tell)((Finding::Entry { path, block, written: raw }, spot));
                }
                *scope
            }
        };
        self.down(scope, &segments, raw, spot)
    }

    /// Goes down from a scope.
    fn down(&mut self, scope: Scope<'v>, segments: &[String], raw: &str, spot: Spot) -> Scope<'v> {
        let Scope::Around(reach) = scope else { return self.descend(scope, segments, raw, spot) };
        let (path, written) = (segments.to_vec(), raw.to_owned());
        (self.tell)((Finding::Variable { path, written, has_default: self.has_default, reach }, spot));
        let Some((name, below)) = segments.split_first() else { return scope };
        match self.known.get(name) {
            Some(value) => self.descend(Scope::Known(value), below, raw, spot),
            None => Scope::Open,
        }
    }

    fn descend(&mut self, mut scope: Scope<'v>, segments: &[String], raw: &str, spot: Spot) -> Scope<'v> {
        for name in segments {
            let Scope::Known(value) = scope else { return Scope::Open };
            let entry = match value {
                Value::Object(map) => map.get(name),
                Value::Array(list) => name.parse().ok().and_then(|at: usize| list.get(at)),
                _ => None,
            };
            let Some(entry) = entry else {
                let valid = match value {
                    Value::Object(map) => map.keys().cloned().collect(),
                    _ => Vec::new(),
                };
                let finding = Finding::NoSuchEntry { name: name.clone(), valid, written: raw.to_owned() };
                (self.tell)((finding, spot));
                return Scope::Open;
            };
            scope = Scope::Known(entry);
        }
        scope
    }

    fn block(&mut self, block: &'t HelperTemplate, spot: Spot) {
        let name = block.name.as_name().unwrap_or_default();
        self.helper(name, block, spot);
        let over = block.params.first().map_or(Scope::Open, |over| self.value(over, spot));
        for parameter in block.params.iter().skip(1).chain(block.hash.values()) {
            self.value(parameter, spot);
        }
        let bound = self.params.len();
        let opens_scope = matches!(name, "each" | "with");
        if opens_scope {
            let item = if name == "each" { item_of(over) } else { over };
            self.params.extend(block_params(block.block_param.as_ref(), item));
            let over = block.params.first().and_then(Parameter::as_name).map(str::to_owned);
            self.scopes.push((item, Some(Block { is_each: name == "each", over })));
        }
        if let Some(body) = &block.template {
            self.template(body);
        }
        if opens_scope {
            self.scopes.pop();
            self.params.truncate(bound);
        }
        if let Some(inverse) = &block.inverse {
            self.template(inverse);
        }
    }

    fn partial(&mut self, tag: &'t DecoratorTemplate, spot: Spot) {
        let innermost = self.scopes.last().cloned().unwrap_or((Scope::Open, None));
        let (base, block) = tag.params.first().map_or(innermost, |context| (self.value(context, spot), None));
        let given: Vec<_> = tag.hash.iter().map(|(name, value)| (name.as_str(), self.value(value, spot))).collect();
        let bound = self.params.len();
        self.params.extend(given);
        self.scopes.push((base, block.clone()));
        match tag.name.as_name() {
            Some("@partial-block") => {}
            Some(name) => {
                let reach = |(scope, _): &(Scope<'_>, _)| match scope {
                    Scope::Around(reach) => Some(*reach),
                    Scope::Open | Scope::Known(_) => None,
                };
                let finding = Finding::Partial {
                    name,
                    around: self.scopes.iter().skip(1).map(reach).collect(),
                    sees: match base {
                        Scope::Known(Value::Object(item)) => Some(item.keys().cloned().collect()),
                        _ => None,
                    },
                    block: block.filter(|_| matches!(base, Scope::Open)),
                    given: self.params.iter().map(|(name, _)| *name).collect(),
                    fallback: tag.template.is_some(),
                    inside: self.inside,
                };
                (self.tell)((finding, spot));
            }
            None => (self.tell)((Finding::DynamicPartial, spot)),
        }
        if let Some(body) = &tag.template {
            self.template(body);
        }
        self.scopes.pop();
        self.params.truncate(bound);
    }

    fn decorator(&mut self, tag: &'t DecoratorTemplate, spot: Spot) {
        let outside = self.inside;
        match (tag.name.as_name(), tag.params.first()) {
            (Some("inline"), Some(Parameter::Literal(Value::String(name)))) => {
                (self.tell)((Finding::Inline(name), spot));
                self.inside = Some(name);
            }
            (name, _) => (self.tell)((Finding::Decorator(name.unwrap_or_default()), spot)),
        }
        if let Some(body) = &tag.template {
            self.template(body);
        }
        self.inside = outside;
    }
}

/// What is known of each item of a list or map.
fn item_of(scope: Scope<'_>) -> Scope<'_> {
    let Scope::Known(value) = scope else { return Scope::Open };
    let items: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => return Scope::Open,
    };
    // Items may differ; only where all have the same entries can one stand for all.
    let keys = |value: &Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
    match items.split_first() {
        Some((first, rest)) if rest.iter().all(|item| keys(item) == keys(first)) => Scope::Known(first),
        _ => Scope::Open,
    }
}

/// The names of `as |item key|`: the first stands for the item.
fn block_params<'t, 'v>(param: Option<&'t BlockParam>, item: Scope<'v>) -> Vec<(&'t str, Scope<'v>)> {
    let (first, second) = match param {
        Some(BlockParam::Single(first)) => (first.as_name(), None),
        Some(BlockParam::Pair((first, second))) => (first.as_name(), second.as_name()),
        _ => (None, None),
    };
    let first = first.map(|name| (name, item));
    let second = second.map(|name| (name, Scope::Open));
    first.into_iter().chain(second).collect()
}
