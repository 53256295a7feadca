//! Responses, compiled; and what becomes of them: replies.

use std::path::Path;
use std::sync::Arc;

use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::failure::Failure;
use super::policy;
use crate::template::expression::{Term, Text};
use crate::template::links::Links;
use crate::template::render::{Escaping, Scope, Templates};
pub use crate::template::urls::is_own_path;

/// What goes out: status, headers, body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// Headers in order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Body,
}

/// The body of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Text, rendered.
    Text(String),
    /// A file of the site, by its path: read when it is sent, as much of it as the request asks for.
    File(Arc<Path>),
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Body {
    /// How many bytes it takes in memory.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::File(path) => path.as_os_str().len(),
        }
    }

    /// The text that was expected.
    #[cfg(test)]
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::File(path) => format!("the file {}", path.display()),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A declared response.
#[derive(Debug)]
pub struct Response {
    /// What the body is made from.
    pub content: Content,
    /// The status; `None` for the default of the kind.
    pub status: Option<StatusCode>,
    /// Further headers.
    pub headers: Vec<(HeaderName, Text)>,
    /// Whether its body shows `flash`, which takes the messages out of the session.
    pub shows_flash: bool,
    /// Whether its body shows `csp_nonce`, which is then in its `Content-Security-Policy`.
    pub shows_nonce: bool,
    /// Whether its body shows the CSRF token, which is made if there is none.
    pub shows_token: bool,
}

/// The six kinds of response.
#[derive(Debug)]
pub enum Content {
    /// `template`: the full name of a template.
    Template(String),
    /// `html`.
    Html(Text),
    /// `text`.
    Text(Text),
    /// `json`.
    Json(Term),
    /// `redirect`.
    Redirect(Redirect),
    /// `file`: a path.
    File(Arc<Path>),
}

/// Where a redirect leads.
#[derive(Debug)]
pub struct Redirect {
    /// Its target.
    pub target: Target,
    /// Query parameters.
    pub query: Vec<(String, Text)>,
    /// 301, 302, 303, 307 or 308.
    pub status: StatusCode,
}

/// The target of a redirect.
#[derive(Debug)]
pub enum Target {
    /// A route, with values for the markers of its path.
    Route {
        /// Its full name.
        name: String,
        /// Values for its markers.
        params: Vec<(String, Text)>,
    },
    /// A path of this site, under the prefix it is mounted at.
    Path {
        /// The prefix.
        prefix: String,
        /// The path.
        path: Text,
    },
    /// A URL anywhere.
    External(Text),
}

/// What rendering a response needs.
pub struct Rendering<'a> {
    /// The site's templates.
    pub templates: &'a Templates,
    /// The paths of its routes.
    pub links: &'a Arc<dyn Links>,
    /// What names mean.
    pub scope: &'a dyn Scope,
}

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Response {
    /// Whether it is a page of HTML.
    pub fn is_html(&self) -> bool {
        matches!(self.content, Content::Template(_) | Content::Html(_))
    }

    /// Renders it.
    pub fn render(&self, with: &Rendering<'_>) -> Result<Reply, Failure> {
        let (kind, body) = match &self.content {
            Content::Template(name) => (HTML, with.templates.render(name, Escaping::Html, with.scope)),
            Content::Html(text) => (HTML, text.render(with.templates, with.scope)),
            Content::Text(text) => (TEXT, text.render(with.templates, with.scope)),
            Content::Json(term) => (JSON, term.value(with.templates, with.scope).map(|value| value.to_string())),
            Content::Redirect(redirect) => return self.redirect(redirect, with),
            Content::File(path) => return self.file(path, with),
        };
        let mut reply = Reply {
            status: self.status.unwrap_or(StatusCode::OK),
            headers: vec![(CONTENT_TYPE, kind)],
            body: body?.into(),
        };
        if self.shows_nonce && self.is_html() {
            let nonce = with.scope.get("csp_nonce", None).unwrap_or_default();
            let policy = HeaderValue::try_from(policy::with_nonce(nonce.as_str().unwrap_or_default()));
            let policy = policy.map_err(|_| Failure::internal("the nonce cannot be in a header"))?;
            reply.headers.push((CONTENT_SECURITY_POLICY, policy));
        }
        self.add_headers(&mut reply, with)?;
        Ok(reply)
    }

    fn redirect(&self, redirect: &Redirect, with: &Rendering<'_>) -> Result<Reply, Failure> {
        let location = redirect.location(with)?;
        let value = HeaderValue::from_str(&location)
            .map_err(|_| Failure::unfit(format!("the redirect to {location:?} cannot be a header")))?;
        let mut reply = Reply {
            status: self.status.unwrap_or(redirect.status),
            headers: vec![(LOCATION, value)],
            body: String::new().into(),
        };
        self.add_headers(&mut reply, with)?;
        Ok(reply)
    }

    fn file(&self, path: &Arc<Path>, with: &Rendering<'_>) -> Result<Reply, Failure> {
        let status = self.status.unwrap_or(StatusCode::OK);
        let mut reply = Reply { status, headers: Vec::new(), body: Body::File(path.clone()) };
        self.add_headers(&mut reply, with)?;
        Ok(reply)
    }

    fn add_headers(&self, reply: &mut Reply, with: &Rendering<'_>) -> Result<(), Failure> {
        for (name, template) in &self.headers {
            let text = template.render(with.templates, with.scope)?;
            let value = HeaderValue::from_str(&text)
                .map_err(|_| Failure::unfit(format!("the header {name} cannot hold {text:?}")))?;
            // What a visitor sends leads to nobody else's site.
            if *name == LOCATION && !matches!(template, Text::Fixed(_)) && !is_own_path(&text) {
                return Err(Failure::unfit(format!("the header {name} would lead to {text:?}")));
            }
            reply.headers.retain(|(other, _)| other != name);
            reply.headers.push((name.clone(), value));
        }
        Ok(())
    }
}

/// What may stand in a query value without being encoded (RFC 3986, unreserved).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What has to be encoded in a path that is otherwise written as it is.
const PATH: &AsciiSet = &percent_encoding::CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'\\');

impl Redirect {
    /// The value of `Location`: a path of this site, unless the target is external.
    fn location(&self, with: &Rendering<'_>) -> Result<String, Failure> {
        let render = |text: &Text| text.render(with.templates, with.scope);
        let mut location = match &self.target {
            Target::Route { name, params } => {
                let mut values = Vec::with_capacity(params.len());
                for (name, text) in params {
                    values.push((name.as_str(), render(text)?));
                }
                let mut value =
                    |wanted: &str| values.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
                with.links.path(name, &mut value).map_err(Failure::unfit)?
            }
            Target::Path { prefix, path } => {
                let path = render(path)?;
                if !is_own_path(&path) {
                    return Err(Failure::unfit(format!("the redirect to {path:?} would leave the site")));
                }
                format!("{prefix}{}", utf8_percent_encode(&path, PATH))
            }
            Target::External(url) => utf8_percent_encode(&render(url)?, PATH).to_string(),
        };
        let mut separator = if location.contains('?') { '&' } else { '?' };
        for (name, text) in &self.query {
            let value = render(text)?;
            location.push(separator);
            location.extend(utf8_percent_encode(name, QUERY));
            location.push('=');
            location.extend(utf8_percent_encode(&value, QUERY));
            separator = '&';
        }
        Ok(location)
    }
}
