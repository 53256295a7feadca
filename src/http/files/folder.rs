//! `[static]`: what a path below a folder leads to.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::open::{Found, open};
use super::{Opened, content_type, encoding, header, unreadable};
use crate::http::response_body::ResponseBody;
use crate::site::failure::Failure;
use crate::site::statics::{StaticFiles, VERSION};

/// What of a path segment stays as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is asked for.
pub(in crate::http) struct Asked<'a> {
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
    /// The raw query.
    pub query: Option<&'a str>,
    /// The decoded segments below the folder.
    pub segments: &'a [String],
    /// Whether the path ends with a slash.
    pub folder: bool,
}

/// Answers with a file, a part of it, or why not.
///
/// # Errors
/// 404 for whatever is no readable file below the folder, 412 and 416 as RFC 9110 has them.
pub(in crate::http) async fn answer(files: &StaticFiles, asked: &Asked<'_>) -> Result<Response<ResponseBody>, Failure> {
    let accepted = encoding::accepted(asked.headers.get_all(ACCEPT_ENCODING).iter());
    let place = Place { root: files.directory.clone(), private: Arc::clone(&files.private), accepted };
    let (segments, folder) = (asked.segments.to_vec(), asked.folder);
    let (method, headers) = (asked.method.clone(), asked.headers.clone());
    let name = if folder { "index.html" } else { asked.segments.last().map_or("", String::as_str) };
    let kind = content_type(name);
    let found = tokio::task::spawn_blocking(move || {
        let found = place.find(&segments, folder)?;
        Ok(found.map(|target| match target {
            Target::File(opened) => Some((opened.original, opened.respond(&method, &headers, kind))),
            Target::Folder => None,
        }))
    });
    let (original, response) = match found.await {
        Ok(Ok(Some(Some(file)))) => file,
        Ok(Ok(Some(None))) => return Ok(to_folder(asked)),
        Ok(Ok(None)) => return Err(Failure::not_found()),
        Ok(Err(error)) => return Err(unreadable(error)),
        Err(error) => return Err(Failure::internal(error.to_string())),
    };
    let mut response = response?;
    if response.status() != StatusCode::RANGE_NOT_SATISFIABLE {
        response.headers_mut().insert(CACHE_CONTROL, cache_control(files, asked, original));
    }
    Ok(response)
}

/// Where a file is looked for.
struct Place {
    root: PathBuf,
    private: Arc<[PathBuf]>,
    accepted: encoding::Accepted,
}

/// What a path below the folder leads to.
enum Target {
    File(Opened),
    /// A folder, asked for without the slash at the end.
    Folder,
}

impl Place {
    fn find(&self, segments: &[String], folder: bool) -> io::Result<Option<Target>> {
        let open = |path: &[String]| open(&self.root, &self.private, path);
        let mut path = segments.to_vec();
        if folder {
            path.push("index.html".to_owned());
        }
        let Some(found) = open(&path)? else { return Ok(None) };
        let Found::File { file, length, modified } = found else {
            // Only one that has a page of its own is worth a redirect.
            path.push("index.html".to_owned());
            let index = open(&path)?;
            return Ok(matches!(index, Some(Found::File { .. })).then_some(Target::Folder));
        };
        let Some(name) = path.pop() else { return Ok(None) };
        let beside = |suffix: &str| open(&[path.as_slice(), &[format!("{name}{suffix}")]].concat());
        Ok(Some(Target::File(Opened::best((file, length, modified), &self.accepted, beside))))
    }
}

/// For a year what is asked for by the version it has (see `static_url`); otherwise as declared.
fn cache_control(files: &StaticFiles, asked: &Asked<'_>, original: (u64, SystemTime)) -> HeaderValue {
    let version = asked.query.and_then(|query| query.strip_prefix(VERSION)?.strip_prefix('='));
    let is_version = |version: &str| {
        let known = files.versions.get(&asked.segments.join("/"));
        // What has changed since must not be kept under the version it had.
        known.is_some_and(|known| known.text == version && (known.length, known.modified) == original)
    };
    match files.cache_max_age {
        _ if version.is_some_and(is_version) => HeaderValue::from_static("public, max-age=31536000, immutable"),
        None | Some(0) => HeaderValue::from_static("no-cache"),
        Some(seconds) => header(format!("public, max-age={seconds}")),
    }
}

/// A folder has a slash at the end, or the links in its page would lead elsewhere.
fn to_folder(asked: &Asked<'_>) -> Response<ResponseBody> {
    let name = asked.segments.last().map_or("", String::as_str);
    let query = asked.query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut response = Response::new(ResponseBody::default());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    // Relative, so it is right under every prefix.
    let location = format!("./{}/{query}", utf8_percent_encode(name, SEGMENT));
    response.headers_mut().insert(LOCATION, header(location));
    response
}
