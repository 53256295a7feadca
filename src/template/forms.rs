//! Forms in the text of templates: where they go, with which method, and whether they bring the CSRF
//! token. What only the request decides is left open.

use std::collections::BTreeSet;
use std::ops::Range;

use http::Method;

use super::controls::controls;
use super::urls::is_own_path;
use crate::diagnostic::Place;

/// A form, or a button of one that goes elsewhere than the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Where its tag begins in the text.
    pub span: Range<usize>,
    /// Where the tag of the form begins: elsewhere if this is a button.
    pub form: usize,
    /// GET or POST.
    pub method: Method,
    /// Where it goes.
    pub action: FormAction,
    /// How it may bring the token.
    pub token: Token,
    /// The names of what it sends; `None` if that cannot be told.
    pub controls: Option<BTreeSet<String>>,
}

/// A form and the template it is in.
#[derive(Clone, Debug)]
pub struct PlacedForm {
    /// The form.
    pub form: Form,
    /// The full name of the template.
    pub template: String,
    /// The name of the site whose template it is.
    pub site: String,
    /// Where it begins.
    pub place: Place,
    /// The key path of the template; empty for a file.
    pub key: String,
}

/// Where a form goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormAction {
    /// To the address of the page that it is on.
    Page,
    /// `{{url "route" …}}`: the route's name, as it is written.
    Route(String),
    /// A path that is written out.
    Path(String),
}

/// How a form may bring the CSRF token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// It does, or nobody knows.
    There,
    /// Only if one of these partials has it.
    In(Vec<String>),
}

/// The forms of a template whose method and action can be told.
pub fn forms(text: &str) -> Vec<Form> {
    let mut found = Vec::new();
    // What the form says that the tags stand in.
    let mut around: Option<Around> = None;
    for tag in Tags::of(text) {
        let (own_action, own_method) = match tag.name.as_str() {
            "form" => ("action", "method"),
            "button" | "input" if tag.value("formaction").is_some() => ("formaction", "formmethod"),
            "/form" => {
                around = None;
                continue;
            }
            _ => continue,
        };
        let method = match tag.value(own_method) {
            None if tag.name == "form" => Some(Method::GET),
            None => around.as_ref().and_then(|around| around.method.clone()),
            Some(method) if method.eq_ignore_ascii_case("post") => Some(Method::POST),
            Some(method) if method.eq_ignore_ascii_case("get") => Some(Method::GET),
            Some(_) => None,
        };
        if tag.name == "form" {
            let inside = inside(text.get(tag.span.end..).unwrap_or_default());
            around = Some(Around {
                form: tag.span.start,
                method: method.clone(),
                token: inside.map_or(Token::There, token),
                controls: inside.and_then(|inside| controls(&tag, inside, text)),
            });
        }
        let (form, token, controls) = match &around {
            Some(around) => (around.form, around.token.clone(), around.controls.clone()),
            None => (tag.span.start, Token::There, None),
        };
        let (Some(method), Some(action)) = (method, action(tag.value(own_action).unwrap_or_default())) else {
            continue;
        };
        let span = tag.span.start..tag.span.start + 1 + tag.name.len();
        found.push(Form { span, form, method, action, token, controls });
    }
    found
}

/// What the tag of a form says that other tags stand in.
struct Around {
    form: usize,
    method: Option<Method>,
    token: Token,
    controls: Option<BTreeSet<String>>,
}

/// What follows the tag of a form, up to its end, if that is in the same template.
fn inside(rest: &str) -> Option<&str> {
    rest.get(..rest.to_ascii_lowercase().find("</form")?)
}

fn token(inside: &str) -> Token {
    let partials: Vec<&str> = partials(inside).collect();
    let is_open = partials.iter().any(|name| name.starts_with(['@', '(']));
    if is_open || inside.contains("csrf_field") || inside.contains("csrf_token") {
        return Token::There;
    }
    Token::In(partials.into_iter().map(str::to_owned).collect())
}

/// The names of the partials in a text.
pub(super) fn partials(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").filter_map(partial)
}

/// The name in `> name …` or `#> name …`.
fn partial(tag: &str) -> Option<&str> {
    let tag = tag.trim_start_matches('~');
    let name = tag.strip_prefix('#').unwrap_or(tag).strip_prefix('>')?.trim_start();
    name.split(|c: char| c.is_whitespace() || matches!(c, '}' | '~')).next()
}

fn action(value: &str) -> Option<FormAction> {
    if value.is_empty() {
        return Some(FormAction::Page);
    }
    if let Some(call) = value.strip_prefix("{{") {
        let (call, behind) = call.split_once("}}")?;
        let name = call.trim_matches(['~', ' ']).strip_prefix("url")?.trim_start();
        let quote = name.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let name = name.get(1..)?.split(quote).next()?;
        let is_all = behind.is_empty() || behind.starts_with(['?', '#']);
        return is_all.then(|| FormAction::Route(name.to_owned()));
    }
    let path = value.split(['?', '#']).next()?;
    let is_fixed = is_own_path(path) && !path.contains("{{");
    is_fixed.then(|| FormAction::Path(path.to_owned()))
}

/// A tag of HTML in a template.
pub(super) struct Tag<'t> {
    /// Its name in lower case, `/form` for the end of one.
    pub name: String,
    /// The names of its attributes in lower case, and their values as they are written.
    attributes: Vec<(String, &'t str)>,
    /// Where it stands.
    pub span: Range<usize>,
}

impl Tag<'_> {
    /// The value of an attribute, if it has it.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }
}

/// The tags of a text, from left to right. Comments and what is between `{{` and `}}` hold none.
pub(super) struct Tags<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Iterator for Tags<'t> {
    type Item = Tag<'t>;

    fn next(&mut self) -> Option<Tag<'t>> {
        loop {
            let rest = self.rest();
            let start = self.at + rest.find(['<', '{'])?;
            self.at = start;
            if self.skips("<!--", "-->") || self.skips_expression() {
                continue;
            }
            self.at += 1;
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '/';
            if !self.text.get(start..).is_some_and(|text| text.starts_with('<')) || !self.rest().starts_with(is_name) {
                continue;
            }
            let name = self.take(is_name).to_ascii_lowercase();
            let attributes = self.attributes();
            return Some(Tag { name, attributes, span: start..self.at });
        }
    }
}

impl<'t> Tags<'t> {
    /// Those of a text.
    pub fn of(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = rest.get(..rest.find(|c| !belongs(c)).unwrap_or(rest.len())).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    /// Goes behind what begins and ends so, if it stands here.
    fn skips(&mut self, begin: &str, end: &str) -> bool {
        let Some(inside) = self.rest().strip_prefix(begin) else { return false };
        self.at += begin.len() + inside.find(end).map_or(inside.len(), |at| at + end.len());
        true
    }

    fn skips_expression(&mut self) -> bool {
        self.skips("{{!--", "--}}") || self.skips("{{{", "}}}") || self.skips("{{", "}}")
    }

    /// The attributes of a tag, up to behind its end.
    fn attributes(&mut self) -> Vec<(String, &'t str)> {
        let mut attributes = Vec::new();
        loop {
            self.take(|c| c.is_ascii_whitespace() || c == '/');
            if self.skips_expression() {
                continue;
            }
            match self.rest().chars().next() {
                None => return attributes,
                Some('>') => {
                    self.at += 1;
                    return attributes;
                }
                Some(_) => {}
            }
            let name = self.take(|c| !c.is_ascii_whitespace() && !matches!(c, '=' | '>' | '/' | '{'));
            self.take(|c| c.is_ascii_whitespace());
            if self.rest().starts_with('=') {
                self.at += 1;
                self.take(|c| c.is_ascii_whitespace());
                attributes.push((name.to_ascii_lowercase(), self.attribute_value()));
            } else if name.is_empty() {
                // Something that no attribute begins with.
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            } else {
                attributes.push((name.to_ascii_lowercase(), ""));
            }
        }
    }

    /// Quotes within `{{…}}` do not end it.
    fn attribute_value(&mut self) -> &'t str {
        let quote = self.rest().chars().next().filter(|c| matches!(c, '"' | '\''));
        self.at += quote.map_or(0, char::len_utf8);
        let start = self.at;
        loop {
            let is_end = |c: char| quote.map_or(c.is_ascii_whitespace() || c == '>', |quote| c == quote);
            self.take(|c| c != '{' && !is_end(c));
            if self.skips_expression() {
                continue;
            }
            if self.rest().starts_with('{') {
                self.at += 1;
                continue;
            }
            let value = self.text.get(start..self.at).unwrap_or_default();
            self.at += quote.filter(|_| !self.rest().is_empty()).map_or(0, char::len_utf8);
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Method, FormAction, Token)> {
        forms(text).into_iter().map(|form| (form.method, form.action, form.token)).collect()
    }

    fn bare() -> Token {
        Token::In(Vec::new())
    }

    #[test]
    fn a_form_goes_where_its_tag_says_however_that_is_written() {
        let route = |name: &str| FormAction::Route(name.to_owned());
        let path = |path: &str| FormAction::Path(path.to_owned());
        for (tag, method, action) in [
            ("<FORM method = \"POST\" action=\"{{url \"Add\" n=x}}\">", Method::POST, route("Add")),
            ("<form\n  action='{{url 'Add'}}#end'\n  method=post>", Method::POST, route("Add")),
            ("<form class=\"{{#if x}}a>b{{/if}}\" action={{~url \"Add\"~}} {{extra}}>", Method::GET, route("Add")),
            ("<form action='/Add?x={{y}}#z' method='post' novalidate>", Method::POST, path("/Add")),
            ("<form data-action=\"/x\" action=/add method=get>", Method::GET, path("/add")),
            ("<form method=\"post\">", Method::POST, FormAction::Page),
            ("<form {{#if x}}hidden{{/if}} action=\"\">", Method::GET, FormAction::Page),
        ] {
            assert_eq!(found(&format!("<p>{tag}</form>")), [(method, action, bare())], "{tag}");
        }
    }

    #[test]
    fn what_only_the_request_decides_is_left_open() {
        for open in [
            "<form action=\"{{path.x}}\"></form>",
            "<form action=\"/{{path.x}}\"></form>",
            "<form action=\"{{url name}}\"></form>",
            "<form action=\"{{url \"a\"}}/b\"></form>",
            "<form action=\"add\"></form>",
            "<form action=\"//elsewhere.example/\"></form>",
            "<form action=\"https://elsewhere.example/\" method=\"post\"></form>",
            "<form action=\"/a\" method=\"{{method}}\"></form>",
            "<form action=\"/a\" method=\"dialog\"></form>",
            "<!-- <form action=\"/a\"></form> -->{{!-- <form action=\"/a\"></form> --}}{{! <form> }}",
            "<formula action=\"/a\"></formula>",
            "< form action=\"/a\">",
        ] {
            assert_eq!(found(open), [], "{open}");
        }
    }

    #[test]
    fn a_token_may_be_in_the_form_or_in_what_it_includes() {
        let token = |inside: &str| {
            let text = format!("<form method=\"post\">{inside}</form>{{{{csrf_field}}}}{{{{> after}}}}");
            forms(&text).pop().unwrap().token
        };
        assert_eq!(token("<input name=\"a\">"), bare());
        assert_eq!(token("{{csrf_field}}"), Token::There);
        assert_eq!(token("<input name=\"csrf_token\" value=\"{{csrf_token}}\">"), Token::There);
        let partials = |names: &[&str]| Token::In(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(token("{{> one}}{{#> two x=1}}{{/two}}"), partials(&["one", "two"]));
        assert_eq!(token("{{~> one ~}}{{~#> two}}{{/two}}"), partials(&["one", "two"]));
        assert_eq!(token("{{> @partial-block}}"), Token::There);
        assert_eq!(found("<form method=\"post\">"), [(Method::POST, FormAction::Page, Token::There)], "no end");
    }

    #[test]
    fn a_button_may_send_its_form_elsewhere() {
        let text = "<form method=\"post\" action=\"/save\"><button formaction=\"{{url \"drop\"}}\">\
                    <input type=submit formaction=/find formmethod=get><button></form>";
        let goes = found(text).into_iter().map(|(method, action, _)| (method, action)).collect::<Vec<_>>();
        assert_eq!(
            goes,
            [
                (Method::POST, FormAction::Path("/save".to_owned())),
                (Method::POST, FormAction::Route("drop".to_owned())),
                (Method::GET, FormAction::Path("/find".to_owned())),
            ]
        );
    }

    #[test]
    fn no_text_is_too_odd() {
        let odd = "<form action=\"{{url \"é\"}}<!--{{{x}}}<input formaction='ä\" =/>{ {{!-- <form></form>";
        for start in (0..=odd.len()).filter(|at| odd.is_char_boundary(*at)) {
            for end in (start..=odd.len()).filter(|at| odd.is_char_boundary(*at)) {
                forms(&odd[start..end]);
            }
        }
    }
}
