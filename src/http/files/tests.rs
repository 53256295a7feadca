#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;

use http::HeaderName;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LOCATION};
use proptest::prelude::*;
use tempfile::TempDir;

use super::open::open;
use super::*;
use crate::site::statics::StaticFiles;

/// A folder with files, and a secret beside it.
fn folder() -> (TempDir, StaticFiles) {
    let outside = tempfile::tempdir().unwrap();
    let root = outside.path().join("static");
    fs::create_dir_all(root.join("docs")).unwrap();
    fs::create_dir_all(root.join(".git")).unwrap();
    for (name, text) in [
        ("../secret.txt", "SECRET"),
        (".env", "SECRET"),
        (".git/config", "SECRET"),
        ("style.css", "body { color: red }"),
        ("docs/index.html", "<p>docs</p>"),
        ("empty.txt", ""),
    ] {
        fs::write(root.join(name), text).unwrap();
    }
    let files = StaticFiles {
        at: "/static".to_owned(),
        directory: root,
        cache_max_age: Some(60),
        private: [outside.path().join("secret.txt")].into(),
        versions: Default::default(),
    };
    (outside, files)
}

async fn ask(files: &StaticFiles, path: &str, headers: &[(HeaderName, &str)]) -> Response<ResponseBody> {
    let segments: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
    let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect();
    let asked = Asked {
        method: &Method::GET,
        headers: &headers,
        query: None,
        segments: &segments,
        folder: path.ends_with('/'),
    };
    match answer(files, &asked).await {
        Ok(response) => response,
        Err(failure) => Response::builder().status(failure.status).body(ResponseBody::default()).unwrap(),
    }
}

fn text(response: Response<ResponseBody>) -> String {
    String::from_utf8(response.into_body().into_bytes().unwrap().to_vec()).unwrap()
}

fn field(response: &Response<ResponseBody>, name: HeaderName) -> &str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_file_comes_with_its_type_and_may_be_kept() {
    let (_outside, files) = folder();
    let response = ask(&files, "style.css", &[]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(field(&response, CONTENT_TYPE), "text/css; charset=utf-8");
    assert_eq!(field(&response, CACHE_CONTROL), "public, max-age=60");
    assert_eq!(field(&response, CONTENT_LENGTH), "19");
    let etag = field(&response, ETAG).to_owned();
    assert_eq!(text(response), "body { color: red }");
    let again = ask(&files, "style.css", &[(IF_NONE_MATCH, &etag)]).await;
    assert_eq!((again.status(), again.body().len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(field(&again, ETAG), etag);
    assert_eq!(text(ask(&files, "empty.txt", &[]).await), "");
}

#[tokio::test]
async fn a_part_of_a_file_can_be_asked_for() {
    let (_outside, files) = folder();
    for (range, status, part, content_range) in [
        ("bytes=0-3", 206, "body", "bytes 0-3/19"),
        ("bytes=7-", 206, "color: red }", "bytes 7-18/19"),
        ("bytes=-5", 206, "red }", "bytes 14-18/19"),
        ("bytes=0-999", 206, "body { color: red }", "bytes 0-18/19"),
        ("bytes=19-", 416, "", "bytes */19"),
        ("bytes=0-1,3-4", 200, "body { color: red }", ""),
        ("lines=0-1", 200, "body { color: red }", ""),
        ("bytes=5-1", 416, "", "bytes */19"),
        ("bytes=-999", 206, "body { color: red }", "bytes 0-18/19"),
        ("bytes=-0", 200, "body { color: red }", ""),
    ] {
        let response = ask(&files, "style.css", &[(RANGE, range)]).await;
        assert_eq!(field(&response, CONTENT_RANGE), content_range, "{range}");
        assert_eq!(response.status(), status, "{range}");
        assert_eq!(text(response), part, "{range}");
    }
    for (range, status) in [("bytes=0-", 416), ("bytes=0-0", 416), ("bytes=-1", 200)] {
        let response = ask(&files, "empty.txt", &[(RANGE, range)]).await;
        assert_eq!((response.status().as_u16(), response.body().len()), (status, 0), "{range}");
    }
    let other = ask(&files, "style.css", &[(RANGE, "bytes=0-3"), (IF_RANGE, "\"other\"")]).await;
    assert_eq!(other.status(), 200, "of another state of the file there is no part");
}

#[tokio::test]
async fn a_precompressed_copy_stands_in_unless_it_is_older() {
    let (_outside, files) = folder();
    let copy = files.directory.join("style.css.br");
    fs::write(&copy, "brotli").unwrap();
    let response = ask(&files, "style.css", &[(ACCEPT_ENCODING, "gzip, br")]).await;
    assert_eq!(field(&response, CONTENT_ENCODING), "br");
    assert_eq!(field(&response, CONTENT_TYPE), "text/css; charset=utf-8");
    assert_eq!(field(&response, VARY), "Accept-Encoding");
    let etag = field(&response, ETAG).to_owned();
    assert_eq!(text(response), "brotli");
    let plain = ask(&files, "style.css", &[]).await;
    assert_eq!((field(&plain, CONTENT_ENCODING), field(&plain, VARY)), ("", "Accept-Encoding"));
    assert_ne!(field(&plain, ETAG), etag);
    let before = SystemTime::now() - std::time::Duration::from_secs(3600);
    File::options().write(true).open(&copy).unwrap().set_modified(before).unwrap();
    let response = ask(&files, "style.css", &[(ACCEPT_ENCODING, "br")]).await;
    assert_eq!((field(&response, CONTENT_ENCODING), field(&response, VARY)), ("", ""));
}

#[tokio::test]
async fn a_folder_shows_its_index_under_its_own_path() {
    let (_outside, files) = folder();
    let response = ask(&files, "docs/", &[]).await;
    assert_eq!(field(&response, CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(text(response), "<p>docs</p>");
    let response = ask(&files, "docs", &[]).await;
    assert_eq!((response.status().as_u16(), field(&response, LOCATION)), (301, "./docs/"));
    assert_eq!(ask(&files, "", &[]).await.status(), 404);
    assert_eq!(ask(&files, "/", &[]).await.status(), 404);
    assert_eq!(ask(&files, "style.css/", &[]).await.status(), 404);
}

#[tokio::test]
async fn what_is_hidden_outside_or_no_file_is_not_there() {
    let (_outside, files) = folder();
    std::os::unix::fs::symlink("../secret.txt", files.directory.join("link")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", files.directory.join("absolute")).unwrap();
    std::os::unix::fs::symlink("..", files.directory.join("up")).unwrap();
    std::os::unix::fs::symlink("loop", files.directory.join("loop")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", files.directory.join("zero")).unwrap();
    std::os::unix::net::UnixListener::bind(files.directory.join("socket")).unwrap();
    let pipe = files.directory.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let names = [
        ".env",
        ".git/config",
        "docs/.",
        "docs/..",
        "link",
        "absolute",
        "up/secret.txt",
        "loop",
        "zero",
        "socket",
        "pipe",
        "none",
        "style.css/x",
        "docs/none",
        "C:",
        "a\\b",
        "\u{0}",
        ".",
        "..",
    ];
    for name in names {
        assert_eq!(ask(&files, name, &[]).await.status(), 404, "{name}");
    }
    assert_eq!(ask(&files, &"x".repeat(300), &[]).await.status(), 404);
    assert_eq!(ask(&files, &"x/".repeat(300), &[]).await.status(), 404);
}

#[tokio::test]
async fn a_private_file_is_not_there_under_whatever_name() {
    let (outside, files) = folder();
    fs::hard_link(outside.path().join("secret.txt"), files.directory.join("harmless.txt")).unwrap();
    assert_eq!(ask(&files, "harmless.txt", &[]).await.status(), 404);
    fs::hard_link(outside.path().join("secret.txt"), files.directory.join("style.css.br")).unwrap();
    let response = ask(&files, "style.css", &[(ACCEPT_ENCODING, "br")]).await;
    assert_eq!(text(response), "body { color: red }");
}

#[tokio::test]
async fn a_file_from_before_1970_is_served() {
    let (_outside, files) = folder();
    let before = SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1000);
    File::options().write(true).open(files.directory.join("style.css")).unwrap().set_modified(before).unwrap();
    let response = ask(&files, "style.css", &[]).await;
    assert_eq!(field(&response, LAST_MODIFIED), "Thu, 01 Jan 1970 00:00:00 GMT");
    let again = ask(&files, "style.css", &[(IF_MODIFIED_SINCE, "Thu, 01 Jan 1970 00:00:00 GMT")]).await;
    assert_eq!(again.status(), 304);
}

#[tokio::test]
async fn a_small_file_is_not_kept_open_and_a_large_one_is_sent_as_it_is_read() {
    let (_outside, files) = folder();
    for (length, read) in [(SMALL, true), (SMALL + 1, false)] {
        fs::write(files.directory.join("file"), vec![b'x'; length as usize]).unwrap();
        let response = ask(&files, "file", &[]).await;
        assert_eq!(matches!(response.body(), ResponseBody::Whole(_)), read, "{length}");
        assert_eq!(text(response).len() as u64, length);
    }
}

#[test]
fn who_cannot_be_served_for_lack_of_something_is_asked_to_come_back() {
    let told = |error: io::Error| {
        let failure = unreadable(error);
        (failure.status.as_u16(), failure.retry_after)
    };
    for shortage in [Errno::MFILE, Errno::NFILE, Errno::NOMEM] {
        assert_eq!(told(shortage.into()), (503, Some(1)));
    }
    assert_eq!(told(Errno::IO.into()), (500, None));
}

#[tokio::test]
async fn a_link_within_the_folder_is_followed() {
    let (_outside, files) = folder();
    std::os::unix::fs::symlink("style.css", files.directory.join("alias.css")).unwrap();
    assert_eq!(text(ask(&files, "alias.css", &[]).await), "body { color: red }");
}

proptest! {
    #[test]
    fn no_path_reads_what_is_outside(segments in prop::collection::vec("\\PC{0,12}|\\.{1,3}|static|secret\\.txt", 0..6)) {
        let (_outside, files) = folder();
        if let Ok(Some(Found::File { mut file, .. })) = open(Path::new(&files.directory), &[], &segments) {
            let mut read = String::new();
            std::io::Read::read_to_string(&mut file, &mut read).unwrap();
            prop_assert!(!read.contains("SECRET"), "{segments:?}");
        }
    }
}
