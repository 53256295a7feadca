//! A page from its beginning to its end, in all the ways its templates may go.

use std::collections::BTreeSet;

use handlebars::html_escape;
use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::Value;

use super::html::{Html, dedup};
use super::sources::{Depth, Origin, Scopes};
use super::{Danger, For, Made, Shown, danger};
use crate::template::helpers::is_helper;

/// The most states of HTML at one place: what branches leave open multiplies.
const MOST_STATES: usize = 64;

/// The most elements that are looked at for one page, those of partials each time.
const MOST_STEPS: usize = 200_000;

/// How deep partials are followed; one that includes itself is an error anyway.
const DEEPEST: usize = 64;

/// The values in the page that a template makes, and what can come of them. `find` gives templates by
/// their full names.
pub fn follow<'t>(template: &str, find: &dyn Fn(&str) -> Option<&'t Template>) -> Vec<Shown> {
    let mut page = Page {
        find,
        html: vec![Html::new()],
        scopes: Scopes::new(),
        frames: vec![Frame::default()],
        bodies: Vec::new(),
        within: vec![template.to_owned()],
        late: Vec::new(),
        shown: Vec::new(),
        steps: 0,
    };
    if let Some(template) = find(template) {
        page.template(template);
    }
    page.shown
}

struct Page<'t, 'f> {
    find: &'f dyn Fn(&str) -> Option<&'t Template>,
    /// What the HTML so far may have led to.
    html: Vec<Html>,
    scopes: Scopes,
    /// The inline partials, by the block that they are for.
    frames: Vec<Frame<'t>>,
    /// What stands between the tags of the partials we are in.
    bodies: Vec<Option<Body<'t>>>,
    /// The named templates we are in.
    within: Vec<String>,
    /// By the numbers of the values so far: what could come of each if it is read as a URL after all.
    late: Vec<Option<Shown>>,
    shown: Vec<Shown>,
    steps: usize,
}

/// The inline partials of a block.
#[derive(Clone, Debug, Default)]
struct Frame<'t> {
    inlines: Vec<Inline<'t>>,
    /// How many `{{#if}}` are around what comes now.
    conditions: usize,
}

#[derive(Clone, Debug)]
struct Inline<'t> {
    name: &'t str,
    template: &'t Template,
    /// The named template that it stands in.
    home: String,
    /// Whether it is certainly there.
    certain: bool,
}

/// What stands between the tags of a partial, and what it sees.
#[derive(Clone)]
struct Body<'t> {
    template: &'t Template,
    home: String,
    depth: Depth,
    frames: usize,
    bodies: usize,
}

type Spot = (usize, usize);

impl<'t> Page<'t, '_> {
    fn template(&mut self, template: &'t Template) {
        for (at, element) in template.elements.iter().enumerate() {
            let spot = template.mapping.get(at).map_or((1, 1), |mapping| (mapping.0, mapping.1));
            self.steps += 1;
            if self.steps > MOST_STEPS || self.html.len() > MOST_STATES || self.within.len() > DEEPEST {
                return self.give_up(spot);
            }
            self.element(element, spot);
        }
    }

    fn give_up(&mut self, spot: Spot) {
        self.html.clear();
        self.steps = MOST_STEPS;
        let names = ["this".to_owned()].into();
        let danger = Danger::Unclear;
        if self.shown.iter().all(|shown| shown.danger != danger) {
            self.shown.push(Shown { template: self.home(), spot, written: String::new(), names, danger });
        }
    }

    fn home(&self) -> String {
        self.within.last().cloned().unwrap_or_default()
    }

    fn element(&mut self, element: &'t TemplateElement, spot: Spot) {
        match element {
            TemplateElement::RawString(text) => self.text(text),
            TemplateElement::Expression(tag) => self.expression(tag, false, spot),
            TemplateElement::HtmlExpression(tag) => self.expression(tag, true, spot),
            TemplateElement::HelperBlock(block) => self.block(block),
            TemplateElement::PartialExpression(tag) | TemplateElement::PartialBlock(tag) => self.partial(tag, spot),
            TemplateElement::DecoratorExpression(tag) | TemplateElement::DecoratorBlock(tag) => self.inline(tag),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let mut urls = Vec::new();
        Html::read(&mut self.html, text, &mut |number| urls.push(number));
        for number in urls {
            if let Some(shown) = self.late.get(number).cloned().flatten() {
                self.show(shown);
            }
        }
    }

    fn show(&mut self, shown: Shown) {
        if !self.shown.contains(&shown) {
            self.shown.push(shown);
        }
    }

    /// `{{x}}`, `{{{x}}}` or `{{helper …}}`.
    fn expression(&mut self, tag: &'t HelperTemplate, raw: bool, spot: Spot) {
        let name = tag.name.as_name();
        let is_call = name.is_some_and(is_helper);
        let (written, origin) = match name {
            Some("concat") if !raw => return self.concat(&tag.params, spot),
            Some(name) if is_call => (name, self.scopes.of_call(name, tag)),
            name => (name.unwrap_or_default(), self.scopes.of(&tag.name)),
        };
        let made = match (origin.made, raw) {
            // They write themselves as they are.
            (Made::Json | Made::Html, _) if is_call || raw => origin.made,
            (Made::Json | Made::Html, false) => Made::Value,
            (made, false) => made,
            (_, true) => Made::Raw,
        };
        if let Some(text) = origin.text.as_deref() {
            return if raw { self.text(text) } else { self.text(&html_escape(text)) };
        }
        self.value(written, &Origin { made, ..origin }, spot);
    }

    /// `{{concat "/a/" x}}` is what `/a/{{x}}` is.
    fn concat(&mut self, parts: &'t [Parameter], spot: Spot) {
        for part in parts {
            let origin = self.scopes.of(part);
            if let Some(text) = origin.text.as_deref() {
                self.text(&html_escape(text));
                continue;
            }
            let made = match origin.made {
                Made::Json | Made::Html => Made::Value,
                made => made,
            };
            self.value(part.as_name().unwrap_or_default(), &Origin { made, ..origin }, spot);
        }
    }

    fn value(&mut self, written: &str, origin: &Origin, spot: Spot) {
        let value = |danger| Shown {
            template: self.within.last().cloned().unwrap_or_default(),
            spot,
            written: written.to_owned(),
            names: origin.names.clone(),
            danger,
        };
        let number = self.late.len();
        let may_be_empty = matches!(origin.made, Made::Value | Made::Raw);
        let empty: Vec<_> = self.html.iter().filter(|_| may_be_empty).filter_map(Html::without_value).collect();
        let places: Vec<_> = self.html.iter_mut().map(|html| html.put(number, origin.made)).collect();
        let dangers: Vec<Shown> = places.iter().filter_map(|place| danger(origin.made, place)).map(value).collect();
        let content = || "content".to_owned();
        let late = match origin.made {
            Made::Path | Made::FixedPath => None,
            Made::WebUrl => Some(value(Danger::Host(content(), For::Target))),
            _ => Some(value(Danger::Scheme(content(), For::Target))),
        };
        self.late.push(late);
        self.html.extend(empty);
        dedup(&mut self.html);
        dangers.into_iter().for_each(|value| self.show(value));
    }

    fn block(&mut self, block: &'t HelperTemplate) {
        let over = block.params.first().map(|over| self.scopes.of(over)).unwrap_or_default();
        let before = self.html.clone();
        let name = block.name.as_name().unwrap_or_default();
        let opens_scope = matches!(name, "each" | "with");
        if let Some(body) = &block.template {
            let depth = self.scopes.depth();
            if opens_scope {
                self.scopes.enter(&over, block.block_param.as_ref());
                self.frames.push(Frame::default());
            } else {
                self.condition(1);
            }
            if name == "each" {
                self.again_and_again(body)
            } else {
                self.template(body)
            }
            if opens_scope {
                self.frames.pop();
                self.scopes.leave(depth);
            } else {
                self.condition(-1);
            }
        }
        let after = std::mem::replace(&mut self.html, before);
        if let Some(inverse) = &block.inverse {
            self.condition(1);
            self.template(inverse);
            self.condition(-1);
        }
        self.html.extend(after);
        dedup(&mut self.html);
    }

    fn condition(&mut self, change: isize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.conditions = frame.conditions.saturating_add_signed(change);
        }
    }

    /// The body of a loop, until it leads to nothing new.
    fn again_and_again(&mut self, body: &'t Template) {
        let mut all = Vec::new();
        loop {
            let known = all.len();
            all.append(&mut self.html);
            dedup(&mut all);
            if all.len() == known {
                self.html = all;
                return;
            }
            self.html.clone_from(&all);
            self.template(body);
            // Once around, whatever it is that is open.
            if self.html.is_empty() {
                return;
            }
        }
    }

    fn partial(&mut self, tag: &'t DecoratorTemplate, spot: Spot) {
        let Some(name) = tag.name.as_name() else { return };
        if name == "@partial-block" {
            return self.body(tag.template.as_ref(), spot);
        }
        let context = tag.params.first().map(|context| self.scopes.of(context));
        let given = tag.hash.iter().map(|(name, value)| (name.clone(), self.scopes.of(value))).collect();
        let depth = self.scopes.depth();
        let (candidates, certain) = self.candidates(name);
        let frames = self.frames.len();
        let body = tag.template.as_ref();
        self.scopes.include(context.as_ref(), given);
        self.frames.push(Frame::default());
        let before = std::mem::take(&mut self.html);
        if let Some(body) = body {
            // Without a page, for the inline partials in it.
            self.template(body);
        }
        let (here, bodies) = (self.home(), self.bodies.len());
        let within = self.scopes.depth();
        let mut after = Vec::new();
        for (template, home) in &candidates {
            self.html.clone_from(&before);
            let body =
                body.map(|template| Body { template, home: here.clone(), depth: within, frames: frames + 1, bodies });
            self.bodies.push(body);
            self.within.push(home.clone());
            self.template(template);
            self.within.pop();
            self.bodies.pop();
            after.append(&mut self.html);
        }
        if !certain {
            self.html = before;
            self.bodies.push(None);
            if let Some(fallback) = body {
                self.template(fallback);
            }
            self.bodies.pop();
            after.append(&mut self.html);
        }
        self.frames.truncate(frames);
        self.scopes.leave(depth);
        dedup(&mut after);
        self.html = after;
    }

    /// The templates that a name may mean here, with the named templates that they stand in; and whether
    /// it certainly means one of them.
    fn candidates(&self, name: &str) -> (Vec<(&'t Template, String)>, bool) {
        let mut found = Vec::new();
        for frame in self.frames.iter().rev() {
            for inline in frame.inlines.iter().rev().filter(|inline| inline.name == name) {
                found.push((inline.template, inline.home.clone()));
                if inline.certain {
                    return (found, true);
                }
            }
        }
        let named = (self.find)(name);
        found.extend(named.map(|template| (template, name.to_owned())));
        (found, named.is_some())
    }

    /// `{{> @partial-block}}`.
    fn body(&mut self, fallback: Option<&'t Template>, spot: Spot) {
        let Some(Some(body)) = self.bodies.last().cloned() else {
            match fallback {
                Some(fallback) => self.template(fallback),
                None => {
                    let (template, written, names) = (self.home(), "@partial-block".to_owned(), BTreeSet::new());
                    self.show(Shown { template, spot, written, names, danger: Danger::NoBody });
                }
            }
            return;
        };
        let (scopes, frames, bodies) = (self.scopes.clone(), self.frames.clone(), self.bodies.clone());
        self.scopes.leave(body.depth);
        self.frames.truncate(body.frames);
        self.bodies.truncate(body.bodies);
        self.within.push(body.home);
        self.template(body.template);
        self.within.pop();
        (self.scopes, self.frames, self.bodies) = (scopes, frames, bodies);
    }

    /// `{{#*inline "name"}}`.
    fn inline(&mut self, tag: &'t DecoratorTemplate) {
        let home = self.home();
        let (Some(Parameter::Literal(Value::String(name))), Some(template), Some(frame)) =
            (tag.params.first(), &tag.template, self.frames.last_mut())
        else {
            return;
        };
        let certain = frame.conditions == 0;
        frame.inlines.push(Inline { name, template, home, certain });
    }
}
