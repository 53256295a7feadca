//! Where no route is: nothing there, another method, or a slash that was left out.

use http::header::LOCATION;
use http::{HeaderValue, Method, Response, StatusCode};

use super::failed::Failed;
use super::{ResponseBody, page};
use crate::site::failure::Failure;
use crate::site::predicates::Head;
use crate::site::response::{Reply, is_own_path};
use crate::site::router::Miss;
use crate::site::{Found, Site};

/// What the path, the method and the table say.
pub(super) fn answer(miss: Miss, site: &Site, head: &Head<'_>) -> Result<Response<ResponseBody>, Box<Failed>> {
    match miss {
        Miss::NotFound if head.path == "/favicon.ico" => {
            // Every browser asks; a site without one has nothing to be told.
            let reply = Reply { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: String::new().into() };
            Ok(page::response(reply, page::Session::Unused, None))
        }
        Miss::NotFound => with_slash(site, head).ok_or_else(|| Failure::not_found().into()),
        Miss::MethodNotAllowed(allowed) if head.method == Method::OPTIONS => Ok(page::options(&allowed)),
        Miss::MethodNotAllowed(allowed) => {
            let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, "This page does not answer this method.");
            Err(Box::new(Failed { failure, allowed, stored: false, set_cookie: None }))
        }
        Miss::Malformed(what) => {
            Err(Failure::bad_request("This address cannot be read.").because(what.to_string()).into())
        }
    }
}

/// With `append_slash`, a redirect to the route that has the path with a slash at the end. 307 keeps
/// the method and the form.
fn with_slash(site: &Site, head: &Head<'_>) -> Option<Response<ResponseBody>> {
    if !site.settings.server.append_slash {
        return None;
    }
    let path = format!("{}/", head.path);
    if !is_own_path(&path) {
        return None;
    }
    let found = site.find(&Head { path: &path, ..*head }).ok()?.found;
    if !matches!(found, Found::Route(..)) {
        return None;
    }
    let query = head.query.map(|query| format!("?{query}")).unwrap_or_default();
    let location = HeaderValue::from_str(&format!("{path}{query}")).ok()?;
    let headers = vec![(LOCATION, location)];
    let reply = Reply { status: StatusCode::TEMPORARY_REDIRECT, headers, body: String::new().into() };
    Some(page::response(reply, page::Session::Unused, None))
}
