//! The tutorial as it is shipped, over real sockets.

use std::os::unix::fs::PermissionsExt;

use crate::driver::{Answer, Site};

/// The page of real Pyramid, but for the name and the count.
fn page(name: &str, count: u64) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n    <title>Quick Tutorial: {name}</title>\n</head>\n\
         <body>\n<h1>Hi {name}</h1>\n<p>Count: {count}</p>\n</body>\n</html>\n"
    )
}

#[test]
fn one_count_goes_across_both_pages() {
    let server = Site::copy_of(".").serve();
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/").text(), page("Home View", 1));
    assert_eq!(visitor.get("/howdy").text(), page("Hello View", 2));
    assert_eq!(visitor.get("/?x=1").text(), page("Home View", 3));
    assert_eq!(visitor.get("/%68owdy").count(), 4);
    assert_eq!(visitor.session(), serde_json::json!({ "counter": 4 }));
    assert_eq!(server.visitor().get("/howdy").count(), 1, "another visitor has a count of its own");
}

#[test]
fn the_count_survives_a_restart_because_the_secret_is_made_only_once() {
    let site = Site::copy_of(".");
    let server = site.serve();
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/").count(), 1);
    let secret = site.read("session.secret");
    assert_eq!(secret.trim().len(), 86, "64 bytes in base64");
    let mode = std::fs::metadata(site.path("session.secret")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    server.signal("TERM");
    assert_eq!(server.wait().0, 0);

    let server = site.serve();
    visitor.moves_to(&server);
    assert_eq!(visitor.get("/howdy").count(), 2);
    assert_eq!(site.read("session.secret"), secret);
}

#[test]
fn a_count_is_lost_with_the_secret_and_nothing_worse_happens() {
    let site = Site::copy_of(".");
    let server = site.serve();
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/").count(), 1);
    drop(server);
    std::fs::remove_file(site.path("session.secret")).unwrap();
    let server = site.serve();
    visitor.moves_to(&server);
    assert_eq!(visitor.get("/").count(), 1);
    assert_eq!(visitor.get("/").count(), 2);
}

#[test]
fn head_and_prefetches_see_the_next_page_and_do_not_count() {
    let server = Site::copy_of(".").serve();
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/").count(), 1);

    let head = visitor.request("HEAD", "/").send();
    assert_eq!((head.status, head.header("content-length")), (200, "154"));
    assert!(head.set_cookies().is_empty() && head.body.is_empty());
    for (name, value) in [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
        ("X-Moz", "prefetch"),
        ("X-Purpose", "preview"),
    ] {
        let ahead = visitor.request("GET", "/howdy").header(name, value).send();
        assert_eq!(ahead.count(), 2, "{name}: {value}");
        assert!(ahead.set_cookies().is_empty(), "{name}: {value}");
        assert_eq!(ahead.header("cache-control"), "no-store");
    }
    assert_eq!(visitor.get("/").count(), 2);
}

#[test]
fn a_method_that_is_not_declared_is_405_and_options_come_from_the_table() {
    let server = Site::copy_of(".").serve();
    let mut visitor = server.visitor();
    for method in ["POST", "PUT", "DELETE", "PATCH", "FOO"] {
        let refused = visitor.request(method, "/howdy").send();
        assert_eq!((refused.status, refused.header("allow")), (405, "GET, HEAD, OPTIONS"), "{method}");
        assert!(refused.set_cookies().is_empty());
    }
    let options = visitor.request("OPTIONS", "/howdy").send();
    assert_eq!((options.status, options.header("allow")), (204, "GET, HEAD, OPTIONS"));
    let options = visitor.request("OPTIONS", "/login/add").send();
    assert!(options.header("allow").split(", ").any(|method| method == "POST"), "{options:?}");
    assert_eq!(visitor.request("OPTIONS", "/nope").send().status, 404);
    let all = visitor.request("OPTIONS", "*").send();
    let methods = "DELETE, GET, HEAD, OPTIONS, POST, PUT";
    assert_eq!((all.status, all.header("allow")), (204, methods), "what any route takes, mounted ones included");
}

#[test]
fn a_favicon_that_is_not_declared_is_204_and_touches_no_session() {
    let server = Site::copy_of(".").serve();
    let favicon = server.visitor().get("/favicon.ico");
    assert_eq!(favicon.status, 204);
    assert!(favicon.set_cookies().is_empty());
    assert_eq!(favicon.header("vary"), "");
}

#[test]
fn an_unknown_path_is_a_404_as_the_client_likes_it() {
    let server = Site::copy_of(".").serve();
    let mut visitor = server.visitor();
    for (accept, kind) in [
        ("*/*", "text/html; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
        ("image/png", "text/plain; charset=utf-8"),
    ] {
        let missing = visitor.request("GET", "/nope").header("Accept", accept).send();
        assert_eq!((missing.status, missing.header("content-type")), (404, kind), "{accept}");
        assert!(missing.text().contains("Not Found"), "{}", missing.text());
        assert!(missing.set_cookies().is_empty());
    }
    for path in ["/howdy/", "/Howdy", "//howdy", "/./howdy", "/howdy%2F", "/%3Cb%3E"] {
        let missing = visitor.get(path);
        assert_eq!(missing.status, 404, "{path}");
        assert!(!missing.text().contains("<b>"));
    }
    let head = visitor.request("HEAD", "/nope").send();
    assert_eq!(head.status, 404);
}

#[test]
fn an_address_that_cannot_be_read_is_400() {
    let server = Site::copy_of(".").serve();
    let mut visitor = server.visitor();
    for path in ["/%ff", "/%zz", "/howdy%00", "/howdy%0a", "/%"] {
        assert_eq!(visitor.get(path).status, 400, "{path}");
    }
    assert_eq!(visitor.get("/").count(), 1);
}

fn assert_personal(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("vary"), "Cookie");
}

#[test]
fn a_page_that_counts_sets_one_cookie_and_no_cache_keeps_it() {
    let server = Site::copy_of(".").serve();
    let mut visitor = server.visitor();
    let first = visitor.get("/");
    assert_personal(&first);
    assert_eq!(first.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(first.header("x-content-type-options"), "nosniff");
    let cookie = first.header("set-cookie");
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("session="), "{cookie}");
    let mut attributes: Vec<_> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax"]);
}

#[test]
fn a_page_that_only_reads_sets_no_cookie_and_one_without_session_is_for_everybody() {
    let site = Site::new().with_session(
        r#"
        [routes.count]
        path = "/"
        actions = [{ increment-counter = "counter" }]
        text = "Count: {{counter}}"
        [routes.look]
        path = "/look"
        actions = [{ read = "counter", default = 0 }]
        text = "Count: {{counter}}"
        [routes.about]
        path = "/about"
        text = "about"
        "#,
    );
    let server = site.serve();
    let mut visitor = server.visitor();
    let look = visitor.get("/look");
    assert_eq!(look.count(), 0);
    assert!(look.set_cookies().is_empty());
    assert_personal(&look);
    visitor.get("/");
    let look = visitor.get("/look");
    assert_eq!(look.count(), 1);
    assert!(look.set_cookies().is_empty());

    let about = visitor.get("/about");
    assert_eq!((about.text(), about.header("vary"), about.header("cache-control")), ("about", "", ""));
    assert!(about.set_cookies().is_empty());
}

#[test]
fn a_session_that_is_only_read_is_issued_again_before_it_times_out() {
    let site = Site::new().with_session(
        r#"
        timeout = 3600
        reissue_time = 0
        [routes.count]
        path = "/"
        actions = [{ increment-counter = "counter" }]
        text = "Count: {{counter}}"
        [routes.look]
        path = "/look"
        actions = [{ read = "counter", default = 0 }]
        text = "Count: {{counter}}"
        [routes.poll]
        path = "/poll"
        keepalive = false
        actions = [{ read = "counter", default = 0 }]
        text = "Count: {{counter}}"
        "#,
    );
    let server = site.serve();
    let mut visitor = server.visitor();
    visitor.get("/");
    // Due from the next full second on: it comes by asking again.
    let deadline = std::time::Instant::now() + crate::driver::PATIENCE;
    loop {
        assert!(visitor.get("/poll").set_cookies().is_empty(), "a poll keeps nothing alive");
        let look = visitor.get("/look");
        assert_eq!(look.count(), 1);
        if !look.set_cookies().is_empty() {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it is never issued again");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(visitor.get("/").count(), 2);
}

#[test]
fn an_error_page_says_nothing_of_the_inside_and_the_log_does() {
    let site = Site::new().env("SITEWRIGHT_LOG", "debug").with_session(
        r#"
        [routes.count]
        path = "/count"
        actions = [{ increment-counter = "inner_name" }]
        text = "ok"
        [routes.name]
        path = "/name"
        actions = [{ store-param = "name", key = "inner_name" }]
        text = "ok"
        "#,
    );
    let server = site.serve();
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/name?name=x").status, 200);
    let too_long = format!("/name?name={}", "x".repeat(5000));
    for (path, status) in [("/count", 409), (&too_long, 413)] {
        for accept in ["text/html", "application/json", "image/png"] {
            let failed = visitor.request("GET", path).header("Accept", accept).send();
            assert_eq!((failed.status, failed.header("cache-control")), (status, "no-store"), "{accept}");
            assert!(failed.set_cookies().is_empty());
            let body = failed.text();
            for inside in ["inner_name", "number", "increment", "cookie", "5000", "config.toml", ".rs"] {
                assert!(!body.contains(inside), "{inside} in {body}");
            }
            let logged = server.wait_for_log(&format!("status={status}"));
            assert!(logged.contains("inner_name"), "{logged}");
        }
    }
    assert_eq!(visitor.session(), serde_json::json!({ "inner_name": "x" }));
}
