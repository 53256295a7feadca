//! The page of a site that has never been good.

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::{ResponseBody, page};
use crate::diagnostic::{Diagnostics, print};
use crate::site::response::Reply;

/// Shows what is wrong with it, and asks again by itself.
pub(super) fn answer(problems: &Diagnostics) -> Response<ResponseBody> {
    let problems = print::to_text(problems, false);
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"refresh\" content=\"2\">\n\
         <title>This site has problems</title>\n\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;margin:3rem auto;max-width:72rem;padding:0 1rem;color-scheme:light dark}}\
         pre{{overflow-x:auto;padding:1rem;border:1px solid;border-radius:.5rem}}</style>\n</head>\n<body>\n\
         <h1>This site has problems</h1>\n<p>Save a mended file, and the site appears here.</p>\n<pre>{}</pre>\n</body>\n</html>\n",
        handlebars::html_escape(&problems)
    );
    let headers = vec![(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))];
    let reply = Reply { status: StatusCode::SERVICE_UNAVAILABLE, headers, body: body.into() };
    let mut response = page::response(reply, page::Session::Used, None);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
    response
}
