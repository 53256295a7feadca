//! Files, with the conditions, ranges and encodings of RFC 9110: those of `[static]`, and the `file`
//! of a route.
//!
//! | File            | Its one job                                              |
//! |-----------------|----------------------------------------------------------|
//! | `folder.rs`     | `[static]`: what a path below a folder leads to          |
//! | `declared.rs`   | the `file` of a route                                    |
//! | `open.rs`       | a file below a folder, and nothing else, opened          |
//! | `encoding.rs`   | whether a `.br` or `.gz` beside it may stand in          |
//! | `conditions.rs` | `If-None-Match` and its kin                              |

mod conditions;
mod declared;
mod encoding;
mod folder;
mod open;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED, RANGE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_range_header::{EndPosition, StartPosition, SyntacticallyCorrectRange};
use rustix::io::Errno;

use super::response_body::{FilePart, ResponseBody};
use crate::site::failure::Failure;
use conditions::Verdict;
pub(super) use declared::sent;
pub(super) use folder::{Asked, answer};
use open::Found;

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

impl Opened {
    /// The file, or a precompressed copy of it that the client takes. `beside` opens the file whose name
    /// has a suffix more.
    fn best(
        (file, length, modified): (File, u64, SystemTime),
        accepted: &encoding::Accepted,
        beside: impl Fn(&str) -> io::Result<Option<Found>>,
    ) -> Self {
        let original = (length, modified);
        let mut opened = Self { file, length, modified, original, encoding: None, varies: false };
        for (encoding, suffix) in encoding::ENCODINGS {
            // One that is older than the file was made from what the file was before.
            if let Ok(Some(Found::File { file, length, modified })) = beside(suffix)
                && modified >= original.1
            {
                opened.varies = true;
                if opened.encoding.is_none() && accepted.takes(encoding) {
                    opened = Self { file, length, modified, original, encoding: Some(encoding), varies: true };
                }
            }
        }
        opened
    }

    /// A response with the file, the part of it that is asked for, or none of it. May block.
    ///
    /// # Errors
    /// 412 as RFC 9110 has it, 500 or 503 if the file cannot be read.
    fn respond(
        self,
        method: &Method,
        asked: &HeaderMap,
        content_type: HeaderValue,
    ) -> Result<Response<ResponseBody>, Failure> {
        let described = Described::of(&self);
        let mut response = Response::new(ResponseBody::default());
        let headers = response.headers_mut();
        headers.insert(ETAG, described.etag.clone());
        headers.insert(LAST_MODIFIED, described.last_modified.clone());
        if self.varies {
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        match conditions::judge(method, asked, &described.etag, self.modified) {
            Verdict::Send => {}
            Verdict::NotModified => {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                return Ok(response);
            }
            Verdict::Failed => {
                return Err(Failure::new(StatusCode::PRECONDITION_FAILED, "This file has changed meanwhile."));
            }
        }
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(encoding) = self.encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        let (start, length) = match self.wanted_part(method, asked, &described) {
            Part::All => (0, self.length),
            Part::Of(start, end) => {
                let range = format!("bytes {start}-{end}/{}", self.length);
                headers.insert(CONTENT_RANGE, header(range));
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                (start, end - start + 1)
            }
            Part::Unsatisfiable => {
                let mut response = Response::new(ResponseBody::default());
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                response.headers_mut().insert(CONTENT_RANGE, header(format!("bytes */{}", self.length)));
                return Ok(response);
            }
        };
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        *response.body_mut() = match *method {
            // Nobody reads it.
            Method::HEAD => ResponseBody::File(FilePart::new(self.file, length)),
            _ => body(self.file, start, length).map_err(unreadable)?,
        };
        Ok(response)
    }

    /// One range is served; of several, and of what is no range, all of the file (RFC 9110 section
    /// 14.2 leaves that to the server).
    fn wanted_part(&self, method: &Method, asked: &HeaderMap, described: &Described) -> Part {
        let wanted = asked.get(RANGE).and_then(|value| value.to_str().ok());
        let Some(wanted) = wanted.filter(|_| *method == Method::GET) else { return Part::All };
        if !conditions::range_holds(asked, &described.etag, self.modified) {
            return Part::All;
        }
        let Ok(ranges) = http_range_header::parse_range_header(wanted) else { return Part::All };
        match ranges.ranges.as_slice() {
            [range] => Part::of(range, self.length),
            _ => Part::All,
        }
    }
}

/// What a visitor is told of a file that cannot be read: to come back, if the process is short of
/// something at the moment.
fn unreadable(error: io::Error) -> Failure {
    let shortages = [Errno::MFILE, Errno::NFILE, Errno::NOMEM];
    let cause = format!("a file cannot be read: {error}");
    if shortages.iter().any(|shortage| error.raw_os_error() == Some(shortage.raw_os_error())) {
        let busy = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "The server is busy. Please try again.");
        Failure { retry_after: Some(1), ..busy }.because(cause)
    } else {
        Failure::internal(cause)
    }
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
        // A time to come would be no time of change (RFC 9110 section 8.8.2.1), and a file system may have
        // times of which HTTP has none.
        let last_modified = httpdate::fmt_http_date(opened.modified.min(now).max(SystemTime::UNIX_EPOCH));
        Self { etag: header(etag), last_modified: header(last_modified) }
    }
}

/// Text that is a header by construction.
fn header(text: String) -> HeaderValue {
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The type that a name's suffix stands for.
fn content_type(name: &str) -> HeaderValue {
    let guess = mime_guess::from_path(name).first_or_octet_stream();
    let is_text = guess.type_() == mime_guess::mime::TEXT
        || matches!(guess.essence_str(), "application/javascript" | "application/json" | "image/svg+xml");
    header(if is_text { format!("{guess}; charset=utf-8") } else { guess.to_string() })
}

/// What part of the file is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    All,
    /// First and last byte.
    Of(u64, u64),
    Unsatisfiable,
}

impl Part {
    /// The part of a file of this length (RFC 9110 section 14.1.2).
    fn of(range: &SyntacticallyCorrectRange, length: u64) -> Self {
        let last = length.saturating_sub(1);
        match (range.start, range.end) {
            // What is empty has no first byte that could be told.
            (StartPosition::FromLast(count), _) if count == 0 || length == 0 => Self::All,
            (StartPosition::FromLast(count), _) => Self::Of(length.saturating_sub(count), last),
            (StartPosition::Index(start), _) if start >= length => Self::Unsatisfiable,
            (StartPosition::Index(start), EndPosition::Index(end)) if end < start => Self::Unsatisfiable,
            (StartPosition::Index(start), EndPosition::Index(end)) => Self::Of(start, end.min(last)),
            (StartPosition::Index(start), EndPosition::LastByte) => Self::Of(start, last),
        }
    }
}

/// Up to so many bytes are read at once, so that no client keeps the file open by taking its time.
const SMALL: u64 = 64 << 10;

fn body(mut file: File, start: u64, length: u64) -> io::Result<ResponseBody> {
    if start > 0 {
        file.seek(SeekFrom::Start(start))?;
    }
    if length > SMALL {
        return Ok(ResponseBody::File(FilePart::new(file, length)));
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    // If it has become shorter since it was looked at, what its headers say cannot be kept.
    file.read_exact(&mut bytes)?;
    Ok(Bytes::from(bytes).into())
}
