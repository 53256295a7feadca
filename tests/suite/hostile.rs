//! What visitors send who mean no good, or mean well and are called so: it is shown escaped, stored as it
//! is, or refused with a clear 4xx. Never a 5xx, and nothing is lost of the session that was there.

use serde_json::{Value, json};

use crate::driver::{Answer, Server, Site, Visitor};

/// Names that mean something somewhere: in HTML, templates, keys, JSON, paths, cookies, terminals.
const NAMES: [&str; 22] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'; DROP TABLE users; --",
    "{{secret}}",
    "{{{session}}}",
    "{{#each session}}",
    "{{> layout}}",
    "a.b",
    "cart.x",
    "..",
    "../../etc/passwd",
    "/",
    "C:\\windows",
    "__proto__",
    "\u{0}",
    "a\u{0}b\r\nSet-Cookie: session=x",
    "\u{1b}[31mred",
    "😀 Zoë \u{202e}drow",
    "%41%2f&amp;=;+",
    "[]",
    " ",
    "",
];

fn server() -> Server {
    let site = Site::new().without_csrf().with_session(
        r#"
        [routes.keep]
        path = "/keep"
        actions = [{ set = "before", value = "kept" }]
        text = "kept"
        [routes.store]
        path = "/store"
        methods = ["GET", "POST"]
        actions = [{ store-param = "user" }]
        html = "<p title=\"{{user}}\">{{user}}</p>"
        [routes.show]
        path = "/show"
        actions = [{ read = "user" }]
        html = "<p>{{user}}</p><script>let user = {{json user}};</script>"
        [routes.item]
        path = "/item/{sku}"
        actions = [{ increment-counter = "cart.{{path.sku}}" }]
        html = "<p>{{path.sku}}</p>"
        [routes.param]
        path = "/param"
        actions = [{ set = "cart.{{params.sku}}", value = "{{params.sku}}" }]
        html = "<p>{{params.sku}}</p>"
        [routes.rest]
        path = "/rest/*parts"
        html = "{{#each path.parts as |part|}}<i>{{part}}</i>{{/each}}"
        [routes.headers]
        path = "/headers"
        html = "<p>{{request.headers.x-name}}</p>"
        headers = { X-Said = "{{params.user}}" }
        [routes.link]
        path = "/link"
        html = "<a href=\"{{url \"item\" sku=params.sku}}\">{{params.sku}}</a>"
        [routes.go]
        path = "/go"
        redirect = { route = "item", params = { sku = "{{params.sku}}" }, query = { back = "{{params.sku}}" } }
        [routes.next]
        path = "/next"
        redirect = "{{params.next}}"
        [routes.json]
        path = "/json"
        methods = ["GET", "POST"]
        json = { all = "params", user = "params.user" }
        "#,
    );
    site.serve()
}

/// A visitor who has something in the session already.
fn visitor(server: &Server) -> Visitor {
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/keep").text(), "kept");
    visitor
}

/// Whatever was answered, it was no fault of the server, and nothing was lost.
fn harmless(visitor: &Visitor, answer: &Answer, what: &str) {
    assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.text());
    assert_eq!(visitor.session()["before"], "kept", "{what}");
    assert!(answer.set_cookies().len() <= 1, "{what}: {answer:?}");
    let body = String::from_utf8_lossy(&answer.body);
    if answer.header("content-type").starts_with("text/html") {
        assert!(!body.contains("<script>alert") && !body.contains("<img"), "{what}: {body}");
    }
    if answer.status >= 400 {
        assert!(!body.is_empty(), "{what}: a refusal says why");
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn escaped(text: &str) -> String {
    handlebars::html_escape(text)
}

#[test]
fn any_name_is_stored_as_it_is_and_shown_escaped() {
    let server = server();
    let mut visitor = visitor(&server);
    for name in NAMES {
        let form = format!("user={}", encoded(name));
        let part = format!("--b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\n{name}\r\n--b--\r\n");
        for way in ["query", "form", "json", "multipart"] {
            let request = match way {
                "query" => visitor.request("GET", &format!("/store?{form}")),
                "form" => visitor.request("POST", "/store").form(&form),
                "json" => {
                    visitor.request("POST", "/store").body("application/json", json!({ "user": name }).to_string())
                }
                _ => visitor.request("POST", "/store").body("multipart/form-data; boundary=b", &part),
            };
            let stored = request.send();
            let what = format!("{name:?} by {way}");
            assert_eq!(stored.status, 200, "{what}: {}", stored.text());
            harmless(&visitor, &stored, &what);
            assert_eq!(visitor.session()["user"], name, "{what}");
            let shown = escaped(name);
            assert_eq!(stored.text(), format!("<p title=\"{shown}\">{shown}</p>"), "{what}");
        }
        let shown = visitor.get("/show");
        let (paragraph, script) = shown.text().split_once("<script>").unwrap();
        assert_eq!(paragraph, format!("<p>{}</p>", escaped(name)));
        let literal = script.strip_prefix("let user = ").and_then(|rest| rest.strip_suffix(";</script>")).unwrap();
        assert!(!literal.contains('<'), "{literal}");
        assert_eq!(serde_json::from_str::<Value>(literal).unwrap(), name);
    }
}

#[test]
fn a_name_of_ten_kilobytes_is_413_and_the_old_one_stays() {
    let server = server();
    let mut visitor = visitor(&server);
    visitor.get("/store?user=Zo%C3%AB");
    let before = visitor.cookie();
    for name in ["x".repeat(10_000), "😀".repeat(2_500), "<".repeat(10_000), "\"".repeat(10_000)] {
        let query = format!("/store?user={name}");
        let json = json!({ "user": name }).to_string();
        let mut answers = vec![
            visitor.post("/store", &format!("user={name}")),
            visitor.request("POST", "/store").body("application/json", json).send(),
        ];
        if name.is_ascii() && !name.contains(['<', '"']) {
            answers.push(visitor.get(&query));
        }
        for answer in answers {
            assert_eq!(answer.status, 413, "{}", answer.text());
            assert!(answer.text().contains("session can hold"), "{}", answer.text());
            harmless(&visitor, &answer, "10 KB");
        }
        assert_eq!(visitor.cookie(), before);
    }
    let log = server.wait_for_log("largest: `user`");
    assert!(log.contains("WARN") && !log.contains("xxx"), "the log names the key, not the value: {log}");
    assert!(visitor.get("/show").text().contains("Zoë"));
}

#[test]
fn what_is_not_utf_8_is_a_400_that_says_so() {
    let server = server();
    let mut visitor = visitor(&server);
    for (kind, body) in [
        ("application/x-www-form-urlencoded", &b"user=%ff"[..]),
        ("application/x-www-form-urlencoded", b"user=\xff\xfe"),
        ("application/x-www-form-urlencoded", b"%c3=x&user=x"),
        ("application/json", b"{\"user\":\"\xff\"}"),
        ("application/json", b"{\"user\":\"\\ud800\"}"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=user\r\n\r\n\xff\r\n--b--"),
    ] {
        let refused = visitor.request("POST", "/store").body(kind, body).send();
        assert_eq!(refused.status, 400, "{kind} {body:?}: {}", refused.text());
        harmless(&visitor, &refused, kind);
    }
    for path in
        ["/store?user=%ff", "/store?user=%c3%28", "/store?%ff=1&user=x", "/item/%ff", "/item/%c0%af", "/rest/a/%ff"]
    {
        let refused = visitor.get(path);
        assert_eq!(refused.status, 400, "{path}: {}", refused.text());
        harmless(&visitor, &refused, path);
    }
}

#[test]
fn whatever_stands_in_braces_stays_one_part_of_a_key() {
    let server = server();
    let mut visitor = visitor(&server);
    let mut expected = serde_json::Map::new();
    for name in NAMES {
        let answer = visitor.get(&format!("/param?sku={}", encoded(name)));
        harmless(&visitor, &answer, name);
        if answer.status == 200 {
            expected.insert(name.to_owned(), name.into());
        } else {
            assert_eq!(answer.status, 400, "{name:?}: {}", answer.text());
        }
        assert_eq!(visitor.session()["cart"], Value::Object(expected.clone()), "{name:?}");
    }
    assert!(expected.contains_key("a.b") && expected.contains_key("{{secret}}") && expected.contains_key("cart.x"));
    assert_eq!(visitor.session().as_object().unwrap().len(), 2);
    let missing = visitor.get("/param");
    harmless(&visitor, &missing, "no parameter at all");
}

#[test]
fn any_name_can_stand_in_a_path() {
    let server = server();
    let mut visitor = visitor(&server);
    for name in NAMES {
        for path in
            [format!("/item/{}", encoded(name)), format!("/rest/{}/x", encoded(name)), format!("/{}", encoded(name))]
        {
            let answer = visitor.get(&path);
            harmless(&visitor, &answer, &path);
            match answer.status {
                200 if path.starts_with("/item") => assert_eq!(answer.text(), format!("<p>{}</p>", escaped(name))),
                200 => assert!(answer.text().starts_with(&format!("<i>{}</i>", escaped(name))), "{path}"),
                // A `..` is no name of a thing; control characters are no part of an address.
                status => assert!(matches!(status, 400 | 404), "{path}: {status}"),
            }
        }
    }
    assert_eq!(visitor.session()["cart"]["a.b"], 1);
}

#[test]
fn any_name_can_stand_in_headers_links_and_redirects() {
    let server = server();
    let mut visitor = visitor(&server);
    for name in NAMES {
        let code = encoded(name);
        for path in [format!("/headers?user={code}"), format!("/link?sku={code}"), format!("/go?sku={code}")] {
            let answer = visitor.get(&path);
            harmless(&visitor, &answer, &path);
            assert!(matches!(answer.status, 200 | 303 | 400), "{path}: {}", answer.status);
            if answer.status == 303 {
                assert!(answer.header("location").starts_with("/item/"), "{answer:?}");
            }
        }
        if !name.contains(['\0', '\r', '\u{1b}']) {
            let answer = visitor.request("GET", "/headers").header("X-Name", name).send();
            assert_eq!(answer.text(), format!("<p>{}</p>", escaped(name.trim())), "{name:?}");
        }
    }
    let answer = visitor.request("GET", "/headers").header("X-Name", b"caf\xe9").send();
    assert_eq!(answer.text(), "<p>caf\u{fffd}</p>");
}

#[test]
fn a_redirect_never_leaves_the_site() {
    let server = server();
    let mut visitor = visitor(&server);
    assert_eq!(visitor.get("/next?next=/show").header("location"), "/show");
    for next in
        ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/%09/evil.example", ""]
    {
        let answer = visitor.get(&format!("/next?next={next}"));
        assert_eq!((answer.status, answer.header("location")), (400, ""), "{next}");
        harmless(&visitor, &answer, next);
    }
}

#[test]
fn many_parameters_cost_little_and_the_last_one_counts() {
    let server = server();
    let mut visitor = visitor(&server);
    let many: String = (0..2_000).map(|n| format!("user={n}&")).collect();
    for answer in [visitor.get(&format!("/store?{}", &many[..15_000])), visitor.post("/store", &many)] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        harmless(&visitor, &answer, "many parameters");
    }
    assert_eq!(visitor.session()["user"], "1999");
    let distinct: String = (0..2_000).map(|n| format!("p{n}={n}&")).collect();
    let answer = visitor.post("/json", &distinct);
    assert_eq!(serde_json::from_str::<Value>(answer.text()).unwrap()["all"].as_object().unwrap().len(), 2_000);
}

#[test]
fn deep_json_is_refused_before_it_can_hurt() {
    let server = server();
    let mut visitor = visitor(&server);
    for (levels, status) in [(20, 200), (100, 413), (1_000, 400), (20_000, 400), (100_000, 413)] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let body = format!("{{\"user\":{}1{}}}", open.repeat(levels), close.repeat(levels));
            let answer = visitor.request("POST", "/store").body("application/json", &body).send();
            let status = if body.len() > 65_536 { 413 } else { status };
            assert_eq!(answer.status, status, "{levels} levels of {open}: {}", answer.text());
            harmless(&visitor, &answer, "deep JSON");
        }
    }
    let unended = format!("{{\"user\":{}", "[".repeat(60_000));
    let answer = visitor.request("POST", "/store").body("application/json", unended).send();
    assert_eq!(answer.status, 400);
}

#[test]
fn numbers_of_any_size_are_stored_as_they_are() {
    let server = server();
    let mut visitor = visitor(&server);
    let digits = "9".repeat(400);
    for (number, stored) in [
        ("0", "0"),
        ("-1", "-1"),
        ("18446744073709551616", "18446744073709551616"),
        (&*digits, &*digits),
        ("0.1", "0.1"),
        ("1E+17", "1e+17"),
        ("5e-324", "5e-324"),
        // What Python's `json` makes of it, which shares these sessions.
        ("1e400", "Infinity"),
    ] {
        let body = format!("{{\"user\":{number}}}");
        let answer = visitor.request("POST", "/store").body("application/json", body).send();
        assert_eq!(answer.status, 200, "{number}: {}", answer.text());
        let state = format!("{{\"before\": \"kept\", \"user\": {stored}}}]");
        let payload = visitor.payload().unwrap();
        assert!(payload.ends_with(&state), "{number}: {payload}");
        assert_eq!(visitor.get("/show").status, 200);
    }
}

#[test]
fn odd_bodies_are_refused_or_have_no_parameters() {
    let server = server();
    let mut visitor = visitor(&server);
    visitor.get("/store?user=Admin");
    for (kind, body) in [
        ("application/json", "[1]"),
        ("application/json", "\"user\""),
        ("application/json", "{\"user\":1}garbage"),
        ("application/json", "{\"user\":NaN}"),
        ("application/json", "{'user':1}"),
        ("application/json", r#"{"user":{"$serde_json::private::Number":"x"}}"#),
        ("application/json", r#"{"$serde_json::private::Number":"1"}"#),
        ("application/xml", "<user>x</user>"),
        ("multipart/form-data", "user=x"),
        ("multipart/form-data; boundary=b", "user=x"),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=user; filename=x\r\n\r\n1\r\n--b--",
        ),
        ("", "user=x"),
        ("text/plain", "user=x"),
        ("\u{e9}", "user=x"),
    ] {
        let answer = visitor.request("POST", "/store").body(kind, body).send();
        assert_eq!(answer.status, 400, "{kind} {body}: {}", answer.text());
        harmless(&visitor, &answer, body);
        assert_eq!(visitor.session()["user"], "Admin");
    }
}

#[test]
fn odd_cookies_are_no_session_and_cost_nothing() {
    let server = server();
    let mut visitor = visitor(&server);
    let good = visitor.cookie().unwrap();
    let long = "A".repeat(8_000);
    for odd in [
        "",
        "x",
        "=",
        ";;;",
        "\"",
        "\"\\377\"",
        "%00",
        "{}",
        "a=b=c",
        "café",
        &long,
        &good[1..],
        &good[..good.len() - 1],
    ] {
        let answer = visitor.request("GET", "/show").header("Cookie", format!("session={odd}")).send();
        assert_eq!(answer.status, 200, "{odd}: {}", answer.text());
        assert!(answer.text().starts_with("<p></p>"), "{odd}: {}", answer.text());
        assert!(answer.set_cookies().is_empty());
    }
    let answer = visitor.request("GET", "/show").header("Cookie", b"\xff\xfe=1; session=\xff").send();
    assert_eq!(answer.status, 200);
    // The good one is found among any company.
    visitor.get("/store?user=Zoe");
    let good = visitor.cookie().unwrap();
    let company = format!("{}; session={good}; a=\"b; c=d\"", "x=y; ".repeat(500));
    let answer = visitor.request("GET", "/show").header("Cookie", company).send();
    assert!(answer.text().starts_with("<p>Zoe</p>"), "{}", answer.text());
    let answer = visitor.request("GET", "/show").header("Cookie", format!("session=x; session={good}")).send();
    assert!(answer.text().starts_with("<p>Zoe</p>"), "{}", answer.text());
}
