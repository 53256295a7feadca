//! Requests that another site had the visitor's browser send (OWASP, Cross-Site Request Forgery), and
//! how they are told from the site's own: by where they come from, and by a token in the session.

use http::header::{HeaderName, ORIGIN, REFERER};
use http::{HeaderMap, Method, Uri};
use subtle::ConstantTimeEq;

use super::failure::Failure;
use super::request::Request;
use crate::config::declaration::CsrfCheck;
use crate::config::settings::Settings;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::session::Session;
use crate::template::urls::is_own_path;

/// The field of a form that holds the token, as in Pyramid.
pub const FIELD: &str = "csrf_token";
const HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Which origins a site takes for its own, or as good as its own.
#[derive(Clone, Debug, Default)]
pub struct Csrf {
    /// `server.public_origin`; without it, the origin is the host of each request.
    public: Option<Origin>,
    trusted: Vec<String>,
}

/// Scheme and host of a URL, in lower case; the host with its port unless that is the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
}

impl Origin {
    fn parse(url: &str) -> Option<Self> {
        let url: Uri = url.parse().ok()?;
        let scheme = url.scheme_str()?.to_ascii_lowercase();
        let host = without_default_port(&url.authority()?.as_str().to_ascii_lowercase(), scheme == "https");
        (!host.contains('@')).then_some(Self { scheme, host })
    }
}

/// An origin as browsers write it; `None` if it is none.
pub(super) fn origin(text: &str) -> Option<String> {
    let Origin { scheme, host } = Origin::parse(text)?;
    let is_whole = text.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?', '#']));
    (is_whole && matches!(scheme.as_str(), "http" | "https")).then(|| format!("{scheme}://{host}"))
}

fn without_default_port(host: &str, https: bool) -> String {
    host.strip_suffix(if https { ":443" } else { ":80" }).unwrap_or(host).to_owned()
}

/// Whether a request with this method is one to be checked (RFC 9110 section 9.2.1).
pub fn is_unsafe(method: &Method) -> bool {
    !method.is_safe()
}

/// Twenty random bytes in hexadecimal, as Pyramid draws them.
///
/// # Errors
///
/// 500 if the system has no random numbers.
pub fn new_token() -> Result<String, Failure> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).map_err(|error| Failure::internal(format!("no random numbers: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Csrf {
    /// As `[csrf]` and `[server]` say.
    pub fn new(settings: &Settings) -> Self {
        let public = settings.server.public_origin.as_deref().and_then(Origin::parse);
        let trusted = settings.csrf.trusted_origins.iter().map(|origin| origin.to_ascii_lowercase());
        Self { public, trusted: trusted.collect() }
    }

    /// Whether the site's own page sent this request, as far as `check` looks.
    ///
    /// # Errors
    ///
    /// 400, with what is missing or wrong for the log.
    pub fn check(&self, check: CsrfCheck, request: &Request<'_>, session: &Session) -> Result<(), Failure> {
        let outcome = match check {
            CsrfCheck::Nothing => return Ok(()),
            CsrfCheck::Origin => self.check_source(request),
            CsrfCheck::Token => self.check_source(request).and_then(|()| check_token(request, session)),
        };
        outcome.map_err(|why| {
            let failure = Failure::bad_request(
                "This form has expired, or it did not come from this site. Nothing was changed. \
                 Please go back, load the page again and send the form once more.",
            );
            Failure { is_notable: true, is_forged: true, back: self.back(request), ..failure }.because(why)
        })
    }

    /// The page of the site that the form was on.
    fn back(&self, request: &Request<'_>) -> Option<String> {
        let referer = one(request.headers, &REFERER).ok()??;
        let path = referer.parse::<Uri>().ok()?.path_and_query()?.as_str().to_owned();
        let is_own = Origin::parse(referer).is_some_and(|origin| self.is_own(&origin, request));
        (is_own && is_own_path(&path)).then_some(path)
    }

    /// What the browser itself says (Fetch Metadata, section 2.3), which no page can have it say; else
    /// `Origin` or `Referer`.
    fn check_source(&self, request: &Request<'_>) -> Result<(), String> {
        let headers = request.headers;
        let fetch_site = one(headers, &FETCH_SITE)?;
        // So it is where a proxy has changed the host, or the page has it send `Origin: null`.
        if fetch_site.is_some_and(|site| site.eq_ignore_ascii_case("same-origin")) {
            return Ok(());
        }
        let (name, source) = match (one(headers, &ORIGIN)?, one(headers, &REFERER)?) {
            (Some(origin), _) => ("Origin", Some(origin)),
            (None, referer) => ("Referer", referer),
        };
        let refused = |source: &str| {
            let own = self.own(request);
            format!("the {name} {source:?} is neither the site's own, {own}, nor in `csrf.trusted_origins`")
        };
        if source == Some("null") {
            let listed = self.trusted.iter().any(|trusted| trusted == "null");
            return if listed { Ok(()) } else { Err(refused("null")) };
        }
        let origin = source.map(|source| Origin::parse(source).ok_or_else(|| refused(source))).transpose()?;
        let trusted = origin.as_ref().is_some_and(|origin| self.trusts(origin, request));
        // Otherwise it is another site's, or the visitor's own doing.
        if let Some(site) = fetch_site.filter(|site| !trusted && !site.eq_ignore_ascii_case("none")) {
            return Err(format!(
                "the browser says that another origin sent this: `Sec-Fetch-Site: {}`",
                site.escape_debug()
            ));
        }
        match (origin, source) {
            (Some(origin), Some(source)) if !trusted && !self.is_own(&origin, request) => Err(refused(source)),
            _ => Ok(()),
        }
    }

    /// An HTTPS site believes HTTPS alone. One that seems to use HTTP may be behind a proxy that does not
    /// say otherwise, so there the host counts.
    fn is_own(&self, origin: &Origin, request: &Request<'_>) -> bool {
        match &self.public {
            Some(public) => public == origin,
            None => {
                (!request.https || origin.scheme == "https")
                    && !origin.host.is_empty()
                    && origin.host == without_default_port(&request.host, request.https)
            }
        }
    }

    /// What the site takes for its own origin, for the log.
    fn own(&self, request: &Request<'_>) -> String {
        match &self.public {
            Some(public) => format!("{}://{}", public.scheme, public.host),
            None if request.https => format!("https://{}", request.host),
            None => format!("http://{} (another one behind a proxy? declare `server.public_origin`)", request.host),
        }
    }

    fn trusts(&self, origin: &Origin, request: &Request<'_>) -> bool {
        (!request.https || origin.scheme == "https") && self.lists(origin)
    }

    /// Whether it takes an origin for its own or trusts it, whatever the request.
    pub(super) fn takes(&self, origin: &str) -> bool {
        Origin::parse(origin).is_some_and(|origin| self.public.as_ref() == Some(&origin) || self.lists(&origin))
    }

    fn lists(&self, origin: &Origin) -> bool {
        let fits = |trusted: &String| match trusted.strip_prefix('.') {
            Some(domain) => origin.host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            None => origin.host == without_default_port(trusted, origin.scheme == "https"),
        };
        self.trusted.iter().any(fits)
    }
}

/// A header that says one thing; an empty one says nothing.
fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, String> {
    let mut values = headers.get_all(name).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| format!("the header {name} is not text"))?,
        (None, _) => return Ok(None),
        (Some(_), Some(_)) => return Err(format!("there are two {name} headers")),
    };
    Ok(Some(value.trim()).filter(|value| !value.is_empty()))
}

/// The header, or where there is none the field of the form; never the query, which is in logs and
/// `Referer`.
fn check_token(request: &Request<'_>, session: &Session) -> Result<(), String> {
    let given = match one(request.headers, &HEADER)? {
        Some(token) => Some((token, "header")),
        None => {
            let fields = request.form.iter().rev();
            let field = fields.filter(|(name, _)| name == FIELD).find_map(|(_, value)| value.as_str());
            field.filter(|token| !token.is_empty()).map(|token| (token, "field"))
        }
    };
    let Some((given, place)) = given else {
        return Err("there is neither a header X-CSRF-Token nor a field csrf_token".to_owned());
    };
    let Some(known) = session.csrf_token() else {
        return Err("the session has no token: it has ended, or no page has shown one".to_owned());
    };
    if bool::from(given.as_bytes().ct_eq(known.as_bytes())) {
        Ok(())
    } else {
        Err(format!("the token in the {place} is not the session's"))
    }
}

/// Reports what cannot be a trusted origin.
pub(super) fn check(settings: &Settings, problems: &mut Diagnostics) {
    for (at, origin) in settings.csrf.trusted_origins.iter().enumerate() {
        let host = origin.strip_prefix('.').unwrap_or(origin);
        let is_host = host.parse::<http::uri::Authority>().is_ok_and(|host| !host.as_str().contains('@'));
        if is_host {
            continue;
        }
        let key = format!("csrf.trusted_origins[{at}]");
        let place = settings.place(&key).or_else(|| settings.place("csrf.trusted_origins"));
        let Some(place) = place else { continue };
        problems.push(
            Diagnostic::error(place, format!("`{origin}` is not a host"))
                .key(key)
                .help("write a host, with its port if it has one: `example.org:8443`")
                .help("`.example.org` is that host and all below it, `null` a page without an origin"),
        );
    }
}
