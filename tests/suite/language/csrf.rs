//! Requests of other sites: which are refused, and how forms bring the token.

use serde_json::json;

use super::{SESSION, Site};

const SITE: &str = r#"
[server]
trusted_proxies = ["127.0.0.1"]

[csrf]
trusted_origins = ["friend.example", ".family.example:8443"] # TRUSTED

[routes.form]
path = "/"
html = "<form>{{csrf_field}}</form>"

[routes.count]
path    = "/count"
methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "PURGE"]
actions = [{ increment-counter = "n" }]
text    = "{{n}}"

[routes.note]
path    = "/note"
methods = ["POST"]
csrf    = "origin"
actions = [{ increment-counter = "n" }]
text    = "{{n}}"

[routes.open]
path    = "/open"
methods = ["POST"]
csrf    = false
actions = [{ increment-counter = "n" }]
text    = "{{n}}"

[routes.echo]
path    = "/echo"
methods = ["POST"]
text    = "{{params.word}}"

[routes.login]
path    = "/login"
methods = ["POST"]
actions = [{ set = "user", value = "Ada" }, { renew = true }]
html    = "{{csrf_token}}"

[routes.fresh]
path    = "/fresh"
actions = [{ new-csrf-token = true }]
html    = "{{csrf_token}}"

[routes.end]
path    = "/end"
actions = [{ invalidate = true }]
html    = "gone"
"#;

/// A visitor who was shown the form, and the token in it.
fn visitor() -> (Site, String) {
    let mut site = Site::with_files(SITE, &[]);
    let page = site.get("/");
    let token = page.session()["_csrft_"].as_str().unwrap().to_owned();
    assert_eq!(page.body(), format!("<form><input type=\"hidden\" name=\"csrf_token\" value=\"{token}\"></form>"));
    assert!(token.len() == 40 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    (site, token)
}

/// What one request brings; empty for what it does not.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub route: &'static str,
    pub method: &'static str,
    pub https: bool,
    /// Whether the token in the header is `right` or `wrong`.
    pub header: &'static str,
    /// Whether that in the form is, or where else there is one: in the `query`, in `json`.
    pub field: &'static str,
    pub origin: &'static str,
    pub referer: &'static str,
    pub fetch_site: &'static str,
}

/// The host that all of them are for.
pub const HOST: &str = "localhost";
/// Whose requests are as good as those of the site itself.
pub const TRUSTED: [&str; 2] = ["friend.example", ".family.example:8443"];

const ORIGINS: [&str; 13] = [
    "",
    "http://localhost",
    "https://localhost",
    "https://LOCALHOST",
    "https://localhost:443",
    "https://localhost.evil.example",
    "https://evil.example https://localhost",
    "http://friend.example",
    "https://friend.example",
    "https://a.family.example:8443",
    "https://a.family.example",
    "null",
    "nonsense",
];
const REFERERS: [&str; 4] =
    ["", "http://localhost:80/page", "https://evil.example/page", "https://friend.example:443/page"];

/// Every method, token, origin, referer and scheme, one with another.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for https in [false, true] {
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "PURGE"] {
            for (header, origin) in [("", ""), ("right", ""), ("wrong", ""), ("right", "https://evil.example")] {
                let route = "/count";
                cases.push(Case { route, method, https, header, field: "", origin, referer: "", fetch_site: "" });
            }
        }
        let tokens = ["", "right", "wrong"].map(|header| ["", "right", "wrong", "query"].map(|field| (header, field)));
        let tokens =
            tokens.into_iter().flatten().chain([("", "json")]).map(|(header, field)| ("/count", header, field));
        for (route, header, field) in tokens.chain([("/note", "", ""), ("/note", "wrong", "wrong")]) {
            for (origin, referer) in ORIGINS.iter().flat_map(|origin| REFERERS.map(|referer| (*origin, referer))) {
                for fetch_site in ["", "same-origin", "same-site", "cross-site", "none"] {
                    let method = "POST";
                    cases.push(Case { route, method, https, header, field, origin, referer, fetch_site });
                }
            }
        }
    }
    cases
}

impl Case {
    /// The documented rules, in their order.
    pub fn is_answered(self) -> bool {
        if matches!(self.method, "GET" | "HEAD") {
            return true;
        }
        let source = if self.origin.is_empty() { self.referer } else { self.origin };
        let (trusted, own) = match source {
            "https://friend.example" | "https://a.family.example:8443" | "https://friend.example:443/page" => {
                (true, false)
            }
            "http://friend.example" => (!self.https, false),
            "http://localhost" | "http://localhost:80/page" => (false, !self.https),
            "https://localhost" | "https://LOCALHOST" | "https://localhost:443" => (false, true),
            _ => (false, false),
        };
        if self.fetch_site != "same-origin" {
            if matches!(self.fetch_site, "cross-site" | "same-site") && !trusted {
                return false;
            }
            if !source.is_empty() && !trusted && !own {
                return false;
            }
        }
        if self.route == "/note" {
            return true;
        }
        if self.header.is_empty() { matches!(self.field, "right" | "json") } else { self.header == "right" }
    }

    /// The query, the headers and the body of the request of a visitor who was given `token`.
    pub fn parts(self, token: &str) -> (String, Vec<(&'static str, String)>, String) {
        let given = |which: &str| if which == "wrong" { token.replace(|_| true, "0") } else { token.to_owned() };
        let (query, kind, body) = match self.field {
            "" => (String::new(), "", String::new()),
            "query" => (format!("?csrf_token={token}"), "", String::new()),
            "json" => (String::new(), "application/json", json!({ "csrf_token": token }).to_string()),
            which => (String::new(), "application/x-www-form-urlencoded", format!("csrf_token={}", given(which))),
        };
        let headers = [
            ("content-type", kind.to_owned()),
            ("x-forwarded-proto", if self.https { "https" } else { "http" }.to_owned()),
            ("x-csrf-token", if self.header.is_empty() { String::new() } else { given(self.header) }),
            ("origin", self.origin.to_owned()),
            ("referer", self.referer.to_owned()),
            ("sec-fetch-site", self.fetch_site.to_owned()),
        ];
        (query, headers.into_iter().filter(|(_, value)| !value.is_empty()).collect(), body)
    }
}

#[test]
fn exactly_the_requests_that_the_rules_allow_are_answered() {
    let (mut site, token) = visitor();
    let cookie = site.cookie.clone();
    let cases = cases();
    assert!(cases.len() > 300);
    for case in cases {
        site.cookie.clone_from(&cookie);
        let (query, headers, body) = case.parts(&token);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = site.send(case.method, &format!("{}{query}", case.route), &headers, &body);
        let expected = if case.is_answered() { 200 } else { 400 };
        assert_eq!(page.status(), expected, "{case:?}: {}", page.0.account.failure.unwrap().private);
        if expected == 400 {
            assert_eq!(page.header("set-cookie"), None, "{case:?}");
            assert_eq!(page.session(), json!({ "_csrft_": token }), "{case:?}");
        }
    }
}

#[test]
fn who_is_refused_is_told_what_to_do_and_the_log_why() {
    let (mut site, token) = visitor();
    for (headers, why) in [
        (&[][..], "neither a header X-CSRF-Token nor a field csrf_token"),
        (&[("x-csrf-token", "0")][..], "the token in the header is not the session's"),
        (&[("sec-fetch-site", "cross-site")], "another origin sent this: `Sec-Fetch-Site: cross-site`"),
        (
            &[("origin", "http://evil.example")],
            "the Origin \"http://evil.example\" is neither the site's own, http://localhost (another one behind a proxy?",
        ),
        (
            &[("referer", "http://evil.example/a"), ("x-forwarded-proto", "https")],
            "the Referer \"http://evil.example/a\" is neither the site's own, https://localhost, nor in",
        ),
        (&[("origin", "http://a"), ("origin", "http://localhost")], "two origin headers"),
    ] {
        let page = site.send("POST", "/count", headers, "");
        assert!(page.status() == 400 && page.body().contains("This form has expired"), "{}", page.body());
        let private = page.0.account.failure.unwrap().private;
        assert!(private.contains(why) && !private.contains(&token), "{private}");
    }
    site.cookie = None;
    let page = site.send("POST", "/count", &[("x-csrf-token", &token)], "");
    assert_eq!((page.status().as_u16(), page.header("set-cookie")), (400, None));
    assert!(page.0.account.failure.unwrap().private.contains("the session has no token"));
}

#[test]
fn the_field_counts_in_every_kind_of_form() {
    let (mut site, token) = visitor();
    let part = format!("--b\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n--b--\r\n");
    for (kind, body) in [
        ("application/x-www-form-urlencoded", format!("csrf_token=old&csrf_token={token}")),
        ("multipart/form-data; boundary=b", part),
        ("application/json", json!({ "csrf_token": token }).to_string()),
    ] {
        assert_eq!(site.send("POST", "/count", &[("content-type", kind)], &body).status(), 200, "{kind}");
    }
    let number = site.send("POST", "/count", &[("content-type", "application/json")], r#"{ "csrf_token": 1 }"#);
    assert_eq!(number.status(), 400);
}

#[test]
fn a_route_that_says_so_or_does_not_use_the_session_takes_any_request() {
    let mut site = Site::with_files(SITE, &[]);
    let elsewhere = [("origin", "https://evil.example"), ("content-type", "application/json")];
    assert_eq!(site.send("POST", "/open", &elsewhere, "{}").body(), "1");
    assert_eq!(site.send("POST", "/echo", &elsewhere, r#"{ "word": "hello" }"#).body(), "hello");
}

#[test]
fn one_token_serves_all_pages_until_a_new_one_is_drawn() {
    let (mut site, token) = visitor();
    let page = site.get("/");
    assert!(page.body().contains(&token) && page.header("set-cookie").is_none());
    let fresh = site.get("/fresh").body().to_owned();
    assert_ne!(fresh, token);
    assert_eq!(site.send("POST", "/count", &[("x-csrf-token", &token)], "").status(), 400);
    let renewed = site.send("POST", "/login", &[("x-csrf-token", &fresh)], "").body().to_owned();
    assert!(renewed.len() == 40 && renewed != fresh, "{renewed}");
    assert_eq!(site.send("POST", "/count", &[("x-csrf-token", &fresh)], "").status(), 400);
    assert_eq!(site.send("POST", "/count", &[("x-csrf-token", &renewed)], "").body(), "1");
    site.get("/end");
    assert_eq!(site.send("POST", "/count", &[("x-csrf-token", &renewed)], "").status(), 400);
}

#[test]
fn only_looking_at_a_form_stores_no_token() {
    let mut site = Site::with_files(SITE, &[]);
    assert_eq!(site.ask("HEAD", "/", None).header("set-cookie"), None);
    let ahead = [("sec-purpose", "prefetch"), ("sec-fetch-dest", "document")];
    assert_eq!(site.send("GET", "/", &ahead, "").status(), 503);
    assert_eq!(site.cookie, None);
}

#[test]
fn the_field_is_the_sites_own_wherever_it_stands() {
    let mut site = Site::with_files(
        r#"
        [templates]
        button = "<form>{{csrf_field}}{{name}}</form>"
        [routes.list]
        path = "/"
        html = "{{#each rows}}{{csrf_field}}{{> button}}{{/each}}{{> button name=\"x\"}}"
        data = { rows = [{ name = "a", csrf_token = "<b>", csrf_field = "<script>" }] }
        "#,
        &[],
    );
    let page = site.get("/");
    let token = page.session()["_csrft_"].as_str().unwrap().to_owned();
    let field = format!("<input type=\"hidden\" name=\"csrf_token\" value=\"{token}\">");
    assert_eq!(page.body(), format!("{field}<form>{field}a</form><form>{field}x</form>"));
}

#[test]
fn the_host_of_a_request_is_its_own_origin_however_it_is_written() {
    let (mut site, token) = visitor();
    for (host, origin, status) in [
        ("[::1]:6543", "http://[::1]:6543", 200),
        ("[::1]:6543", "http://[::1]", 400),
        ("LOCALHOST:80", "http://localhost", 200),
        ("localhost:8080", "http://LocalHost:8080", 200),
        ("localhost:8080", "http://localhost:8081", 400),
        ("localhost:8080", "http://localhost", 400),
        ("127.0.0.1", "http://localhost", 400),
        ("localhost", "http://localhost@evil.example", 400),
        ("localhost", "http://evil.example/http://localhost", 400),
        ("localhost", "//localhost", 400),
        ("localhost", "localhost", 400),
        ("localhost", "file://", 400),
        ("localhost", " ", 200),
    ] {
        let headers = [("host", host), ("origin", origin), ("x-csrf-token", &token)];
        assert_eq!(site.send("POST", "/count", &headers, "").status(), status, "{host} {origin}");
    }
}

#[test]
fn a_declared_public_origin_is_the_only_own_one() {
    let config = SITE.replace("[server]", "[server]\npublic_origin = \"https://tea.example\"");
    let mut site = Site::with_files(&config, &[]);
    let token = site.get("/").session()["_csrft_"].as_str().unwrap().to_owned();
    for (origin, status) in [
        ("https://tea.example", 200),
        ("https://TEA.example:443", 200),
        ("http://tea.example", 400),
        ("https://localhost", 400),
        ("https://friend.example", 200),
    ] {
        let page = site.send("POST", "/count", &[("x-csrf-token", &token), ("origin", origin)], "");
        assert_eq!(page.status(), status, "{origin}");
    }
}

#[test]
fn who_is_refused_is_led_back_to_the_form() {
    let (mut site, token) = visitor();
    for (referer, back) in [
        ("http://localhost/a?b=%22&c", Some("/a?b&#x3D;%22&amp;c")),
        ("http://localhost", Some("/")),
        ("http://friend.example/a", None),
        ("http://localhost//evil.example", None),
        ("http://localhost/\\evil.example", None),
        ("http://localhost@evil.example/", None),
        ("", None),
    ] {
        let page = site.send("POST", "/count", &[("referer", referer)], "");
        let link = page.body().split_once("<a href=\"").map(|(_, rest)| rest.split('"').next().unwrap());
        assert_eq!(link, back, "{}", page.body());
    }
    let json = [("referer", "http://localhost/a"), ("accept", "application/json")];
    let page = site.send("POST", "/count", &json, "");
    assert_eq!((page.json()["status"].as_u64(), page.body().contains(&token)), (Some(400), false));
    let errors = format!("{SITE}\n[errors]\n4xx = {{ html = \"{{{{error.back}}}}\" }}\n");
    let mut site = Site::with_files(&errors, &[]);
    assert_eq!(site.send("POST", "/count", &[("referer", "http://localhost/a")], "").body(), "/a");
    assert_eq!(site.get("/nowhere").body(), "");
}

#[test]
fn a_refusal_leaves_every_kind_of_session_as_it_is() {
    for kind in ["signed-cookie", "encrypted-cookie", "memory", "file"] {
        for on_exception in [false, true] {
            let session = SESSION.replace("signed-cookie", kind);
            let session = format!("{session}set_on_exception = {on_exception}\n");
            let session = if kind == "file" { session + "directory = \"sessions\"\n" } else { session };
            let mut site = Site::with_session(&session, SITE, &[]);
            for cookie in [None, Some("session=forged".to_owned())] {
                site.cookie = cookie;
                let page = site.send("POST", "/count", &[], "");
                assert_eq!((page.status().as_u16(), page.header("set-cookie")), (400, None), "{kind}");
                assert!(!page.0.account.session.unwrap().committed, "{kind}");
            }
            site.cookie = None;
            let token = site.get("/").session()["_csrft_"].as_str().unwrap().to_owned();
            let before = site.cookie.clone();
            // Late enough to be stored anew, if this were a visit.
            site.now += 600.0;
            let page = site.send("POST", "/count", &[("x-csrf-token", &token.replace(|_| true, "0"))], "");
            assert_eq!((page.status().as_u16(), page.header("set-cookie")), (400, None), "{kind}");
            assert_eq!((page.session(), &site.cookie), (json!({ "_csrft_": token }), &before), "{kind}");
            assert_eq!(site.send("POST", "/count", &[("x-csrf-token", &token)], "").body(), "1", "{kind}");
        }
    }
}

#[test]
fn an_open_form_outlives_the_secret_it_was_shown_under() {
    let (old, token) = visitor();
    let secret = SESSION.lines().find_map(|line| line.strip_prefix("secret = ")).unwrap();
    let new = "\"ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba9876543210\"";
    let session = SESSION.replace(&format!("secret = {secret}"), &format!("secrets = [{new}, {secret}]"));
    let mut site = Site::with_session(&session, SITE, &[]);
    site.cookie = old.cookie;
    let body = format!("csrf_token={token}");
    assert_eq!(site.ask("POST", "/count", Some(&body)).body(), "1");
    assert_eq!(site.ask("POST", "/count", Some(&body)).body(), "2");
}

#[test]
fn forms_and_messages_of_a_mounted_site_work_as_when_it_is_alone() {
    let child = format!(
        "{SESSION}{}",
        r#"
        [routes.home]
        path = "/"
        html = "<form method=\"post\" action=\"{{url \"save\"}}\">{{csrf_field}}</form>{{#each flash}}{{message}}{{/each}}"
        [routes.save]
        path = "/save"
        methods = ["POST"]
        actions = [{ flash = "Saved." }]
        redirect = "home"
        [routes.open]
        path = "/open"
        methods = ["POST"]
        csrf = "origin"
        actions = [{ increment-counter = "n" }]
        text = "{{n}}"
        "#
    );
    let parent = "[[mount]]\nsite = \"kid\"\nat = \"/kid\"\n[csrf]\ntrusted_origins = [\"friend.example\"]\n";
    let alone = Site::with_session("", &child, &[]);
    let mounted = Site::with_files(parent, &[("kid/config.toml", &child)]);
    for (mut site, at) in [(alone, ""), (mounted, "/kid")] {
        let home = if at.is_empty() { "/" } else { at };
        let page = site.get(home);
        let token = page.session()["_csrft_"].as_str().unwrap().to_owned();
        assert!(page.body().contains(&format!("action=\"{at}/save\"")), "{}", page.body());
        assert_eq!(site.ask("POST", &format!("{at}/save"), Some("")).status(), 400);
        assert!(site.get(home).body().ends_with("</form>"), "a refused form leaves no message");
        let form = format!("csrf_token={token}");
        assert_eq!(site.ask("POST", &format!("{at}/save"), Some(&form)).header("location"), Some(home));
        assert!(site.get(home).body().ends_with("</form>Saved."));
        assert!(site.get(home).body().ends_with("</form>"));
        // Whom it trusts is said by the site that is served.
        let friend = site.send("POST", &format!("{at}/open"), &[("origin", "http://friend.example")], "");
        assert_eq!(friend.status(), if at.is_empty() { 400 } else { 200 });
    }
    let off = "[[mount]]\nsite = \"kid\"\nat = \"/kid\"\n[csrf]\nenabled = false\n";
    let mut site = Site::with_files(off, &[("kid/config.toml", &child)]);
    assert_eq!(site.ask("POST", "/kid/save", Some("")).status(), 303);
    let elsewhere = [("origin", "http://evil.example")];
    assert_eq!(site.send("POST", "/kid/open", &elsewhere, "").status(), 400, "what a route says itself counts");
}

#[test]
fn a_token_survives_the_bounds_of_a_session_only_with_it() {
    let (mut site, token) = visitor();
    site.now += 1300.0;
    let page = site.send("POST", "/count", &[("x-csrf-token", &token)], "");
    assert_eq!(page.status(), 400);
    let fresh = site.get("/").session()["_csrft_"].as_str().unwrap().to_owned();
    assert_ne!(fresh, token);
    assert_eq!(site.send("POST", "/count", &[("x-csrf-token", &fresh)], "").status(), 200);
}
