//! Static files: `[static]`, with the conditions, ranges and encodings of RFC 9110.
//!
//! | File            | Its one job                                              |
//! |-----------------|----------------------------------------------------------|
//! | `open.rs`       | a file below a folder, and nothing else, opened          |
//! | `encoding.rs`   | whether a `.br` or `.gz` beside it may stand in          |
//! | `conditions.rs` | `If-None-Match` and its kin                              |

mod conditions;
mod encoding;
mod open;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, LOCATION, RANGE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::response_body::{FilePart, ResponseBody};
use crate::site::failure::Failure;
use crate::site::statics::{StaticFiles, VERSION};
use conditions::Verdict;
use open::{Found, open};

/// What of a path segment stays as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is asked for.
pub(super) struct Asked<'a> {
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
    /// The raw query.
    pub query: Option<&'a str>,
    /// The decoded segments below the folder.
    pub segments: &'a [String],
    /// Whether the path ends with a slash.
    pub folder: bool,
}

/// A file that was opened, and what is said about it.
struct Opened {
    file: File,
    length: u64,
    modified: SystemTime,
    /// Length and time of the file itself, be it a copy that is sent.
    original: (u64, SystemTime),
    encoding: Option<&'static str>,
    /// Whether there are other encodings of it.
    varies: bool,
}

/// Answers with a file, a part of it, or why not.
///
/// # Errors
/// 404 for whatever is no readable file below the folder, 412 and 416 as RFC 9110 has them.
pub(super) async fn answer(files: &StaticFiles, asked: &Asked<'_>) -> Result<Response<ResponseBody>, Failure> {
    let (root, segments, folder) = (files.directory.clone(), asked.segments.to_vec(), asked.folder);
    let accepted = encoding::accepted(asked.headers.get_all(ACCEPT_ENCODING).iter());
    let found = tokio::task::spawn_blocking(move || find(&root, &segments, folder, &accepted)).await;
    let opened = match found {
        Ok(Ok(Some(Target::File(opened)))) => opened,
        Ok(Ok(Some(Target::Folder))) => return Ok(to_folder(asked)),
        Ok(Ok(None)) => return Err(Failure::not_found()),
        Ok(Err(error)) => return Err(Failure::internal(format!("a static file cannot be read: {error}"))),
        Err(error) => return Err(Failure::internal(error.to_string())),
    };
    let described = Described::of(&opened);
    let mut response = Response::new(ResponseBody::default());
    let headers = response.headers_mut();
    headers.insert(ETAG, described.etag.clone());
    headers.insert(LAST_MODIFIED, described.last_modified.clone());
    headers.insert(CACHE_CONTROL, cache_control(files, asked, &opened));
    if opened.varies {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    match conditions::judge(asked.method, asked.headers, &described.etag, opened.modified) {
        Verdict::Send => {}
        Verdict::NotModified => {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        Verdict::Failed => {
            return Err(Failure::new(StatusCode::PRECONDITION_FAILED, "This file has changed meanwhile."));
        }
    }
    headers.insert(CONTENT_TYPE, content_type(asked.segments, folder));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(encoding) = opened.encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    let (start, length) = match wanted_part(asked, &described, &opened) {
        Part::All => (0, opened.length),
        Part::Of(start, end) => {
            let range = format!("bytes {start}-{end}/{}", opened.length);
            headers.insert(CONTENT_RANGE, header(range));
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            (start, end - start + 1)
        }
        Part::Unsatisfiable => {
            let mut response = Response::new(ResponseBody::default());
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            response.headers_mut().insert(CONTENT_RANGE, header(format!("bytes */{}", opened.length)));
            return Ok(response);
        }
    };
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    *response.body_mut() = body(opened.file, start, length)
        .map_err(|error| Failure::internal(format!("a static file cannot be read: {error}")))?;
    Ok(response)
}

/// What a path below the folder leads to.
enum Target {
    File(Opened),
    /// A folder, asked for without the slash at the end.
    Folder,
}

fn find(
    root: &std::path::Path,
    segments: &[String],
    folder: bool,
    accepted: &encoding::Accepted,
) -> io::Result<Option<Target>> {
    let mut path = segments.to_vec();
    if folder {
        path.push("index.html".to_owned());
    }
    let Some(found) = open(root, &path)? else { return Ok(None) };
    let Found::File { file, length, modified } = found else {
        // Only one that has a page of its own is worth a redirect.
        path.push("index.html".to_owned());
        let index = open(root, &path)?;
        return Ok(matches!(index, Some(Found::File { .. })).then_some(Target::Folder));
    };
    let original = (length, modified);
    let mut opened = Opened { file, length, modified, original, encoding: None, varies: false };
    let Some(name) = path.pop() else { return Ok(None) };
    for (encoding, suffix) in encoding::ENCODINGS {
        let beside = [path.as_slice(), &[format!("{name}{suffix}")]].concat();
        // One that is older than the file was made from what the file was before.
        if let Ok(Some(Found::File { file, length, modified })) = open(root, &beside)
            && modified >= original.1
        {
            opened.varies = true;
            if opened.encoding.is_none() && accepted.takes(encoding) {
                opened = Opened { file, length, modified, original, encoding: Some(encoding), varies: true };
            }
        }
    }
    Ok(Some(Target::File(opened)))
}

/// What tells two states of a file apart.
struct Described {
    etag: HeaderValue,
    last_modified: HeaderValue,
}

impl Described {
    fn of(opened: &Opened) -> Self {
        let since = opened.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let encoding = opened.encoding.map(|encoding| format!("-{encoding}")).unwrap_or_default();
        let etag = format!("\"{:x}-{:x}{encoding}\"", since.as_nanos(), opened.length);
        let now = SystemTime::now();
        // A time to come would be no time of change (RFC 9110 section 8.8.2.1).
        let last_modified = httpdate::fmt_http_date(opened.modified.min(now));
        Self { etag: header(etag), last_modified: header(last_modified) }
    }
}

/// Text that is a header by construction.
fn header(text: String) -> HeaderValue {
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// For a year what is asked for by the version it has (see `static_url`); otherwise as declared.
fn cache_control(files: &StaticFiles, asked: &Asked<'_>, opened: &Opened) -> HeaderValue {
    let version = asked.query.and_then(|query| query.strip_prefix(VERSION)?.strip_prefix('='));
    let is_version = |version: &str| {
        let known = files.versions.get(&asked.segments.join("/"));
        // What has changed since must not be kept under the version it had.
        known.is_some_and(|known| known.text == version && (known.length, known.modified) == opened.original)
    };
    match files.cache_max_age {
        _ if version.is_some_and(is_version) => HeaderValue::from_static("public, max-age=31536000, immutable"),
        None | Some(0) => HeaderValue::from_static("no-cache"),
        Some(seconds) => header(format!("public, max-age={seconds}")),
    }
}

fn content_type(segments: &[String], folder: bool) -> HeaderValue {
    let name = if folder { "index.html" } else { segments.last().map_or("", String::as_str) };
    let guess = mime_guess::from_path(name).first_or_octet_stream();
    let is_text = guess.type_() == mime_guess::mime::TEXT
        || matches!(guess.essence_str(), "application/javascript" | "application/json" | "image/svg+xml");
    header(if is_text { format!("{guess}; charset=utf-8") } else { guess.to_string() })
}

/// What part of the file is wanted.
enum Part {
    All,
    /// First and last byte.
    Of(u64, u64),
    Unsatisfiable,
}

/// One range is served; of several, and of what is no range, all of the file (RFC 9110 section
/// 14.2 leaves that to the server).
fn wanted_part(asked: &Asked<'_>, described: &Described, opened: &Opened) -> Part {
    let wanted = asked.headers.get(RANGE).and_then(|value| value.to_str().ok());
    let Some(wanted) = wanted.filter(|_| asked.method == Method::GET) else { return Part::All };
    if !conditions::range_holds(asked.headers, &described.etag, opened.modified) {
        return Part::All;
    }
    let Ok(ranges) = http_range_header::parse_range_header(wanted) else { return Part::All };
    if ranges.ranges.len() > 1 {
        return Part::All;
    }
    match ranges.validate(opened.length).ok().and_then(|valid| valid.into_iter().next()) {
        Some(range) => Part::Of(*range.start(), *range.end()),
        None => Part::Unsatisfiable,
    }
}

fn body(mut file: File, start: u64, length: u64) -> io::Result<ResponseBody> {
    if length == 0 {
        return Ok(Bytes::new().into());
    }
    if start > 0 {
        file.seek(SeekFrom::Start(start))?;
    }
    Ok(ResponseBody::File(FilePart::new(file, length)))
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
