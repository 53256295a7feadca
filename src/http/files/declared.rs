//! The `file` of a route: one that its author named.

use std::io;
use std::path::{Path, PathBuf};

use http::header::{ACCEPT_ENCODING, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::open::{Found, open_named};
use super::{Opened, content_type, encoding, unreadable};
use crate::http::page;
use crate::http::response_body::ResponseBody;
use crate::site::failure::Failure;
use crate::site::request::Request;
use crate::site::response::{Body, Reply};

/// What a route has answered, with its file opened if it is one. The headers it declares replace those
/// of the file.
///
/// Conditions and ranges count for what only reads and succeeds: what a form does is done by now.
///
/// # Errors
/// 412 as RFC 9110 has it; 500 if the file is not there any more, or the disk fails.
pub(in crate::http) async fn sent(
    reply: Reply,
    request: &Request<'_>,
    session: page::Session,
) -> Result<Response<ResponseBody>, Failure> {
    let path = match &reply.body {
        Body::Text(_) => return Ok(page::text(reply)),
        Body::File(path) => path.clone(),
    };
    let reads = matches!(*request.method, Method::GET | Method::HEAD) && reply.status == StatusCode::OK;
    let no_conditions = HeaderMap::new();
    let conditions = if reads { request.headers } else { &no_conditions };
    let accepted = encoding::accepted(request.headers.get_all(ACCEPT_ENCODING).iter());
    let kind = content_type(&path.file_name().unwrap_or_default().to_string_lossy());
    let opened = tokio::task::spawn_blocking(move || find(&path, &accepted)).await;
    let opened = opened.map_err(|error| Failure::internal(error.to_string()))?.map_err(unreadable)?;
    let mut response = opened.respond(request.method, conditions, kind)?;
    if response.status() == StatusCode::OK {
        *response.status_mut() = reply.status;
    }
    let headers = response.headers_mut();
    if session == page::Session::Unused {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    for (name, value) in reply.headers {
        headers.insert(name, value);
    }
    Ok(response)
}

fn find(path: &Path, accepted: &encoding::Accepted) -> io::Result<Opened> {
    let Some(Found::File { file, length, modified }) = open_named(path)? else {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("`{}` is not a file", path.display())));
    };
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        open_named(&PathBuf::from(name))
    };
    Ok(Opened::best((file, length, modified), accepted, beside))
}
