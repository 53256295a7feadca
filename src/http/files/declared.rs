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
/// 412 as RFC 9110 has it; 500 or 503 if the file is not there any more, or cannot be read.
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
    let conditions = if reads { request.headers.clone() } else { HeaderMap::new() };
    let method = request.method.clone();
    let accepted = encoding::accepted(request.headers.get_all(ACCEPT_ENCODING).iter());
    let kind = content_type(&path.file_name().unwrap_or_default().to_string_lossy());
    let found = tokio::task::spawn_blocking(move || {
        let opened = find(&path, &accepted).map_err(unreadable)?;
        opened.respond(&method, &conditions, kind)
    });
    let mut response = found.await.map_err(|error| Failure::internal(error.to_string()))??;
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
