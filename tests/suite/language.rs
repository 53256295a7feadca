//! What declarations mean: every verb, option and response, asked in process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use sitewright::cli::in_process::InProcess;
use sitewright::diagnostic::{Diagnostics, print};
use sitewright::http::answer::Answer;
use sitewright::site::Vocabulary;
use sitewright::site::live::Serving;
use sitewright::site::sessions::Secrets;

const SESSION: &str = "[session]\nfactory = \"signed-cookie\"\nsecret = \"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\"\n";

/// A declared site and one visitor of it.
struct Site {
    site: InProcess,
    cookie: Option<String>,
    now: f64,
    _folder: tempfile::TempDir,
}

impl Site {
    fn new(routes: &str) -> Self {
        Self::with_files(routes, &[])
    }

    fn with_files(config: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("config.toml", &format!("{SESSION}{config}"));
        files.iter().for_each(|(name, text)| write(name, text));
        let site = load(&folder.path().join("config.toml"));
        Self { site: InProcess::new(Arc::new(site)), cookie: None, now: 1.9e9, _folder: folder }
    }

    fn ask(&mut self, method: &str, path: &str, form: Option<&str>) -> Page {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if form.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Bytes::from(form.unwrap_or_default().to_owned())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(self.site.ask(request, self.now, 7));
        if let Some(set) = answer.response.headers().get(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.cookie = (!pair.ends_with('=')).then_some(pair);
        }
        Page(answer)
    }

    fn get(&mut self, path: &str) -> Page {
        self.ask("GET", path, None)
    }
}

fn load(path: &Path) -> Serving {
    let mut problems = Diagnostics::default();
    let loaded = Serving::load(path, &BTreeMap::new(), &Vocabulary::standard(), Secrets::LookOnly, &mut problems);
    loaded.unwrap_or_else(|_| panic!("{}", print::to_text(&problems, false)))
}

struct Page(Answer);

impl Page {
    fn body(&self) -> &str {
        std::str::from_utf8(self.0.response.body()).unwrap()
    }

    fn status(&self) -> StatusCode {
        self.0.response.status()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.0.response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    fn session(&self) -> Value {
        self.0.account.session.as_ref().unwrap().after.to_value()
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap()
    }
}

#[test]
fn a_counter_counts_by_steps_within_bounds() {
    let mut site = Site::new(
        r#"
        [routes.up]
        path = "/"
        actions = [{ increment-counter = "n", by = 4, max = 10, as = "now" }]
        text = "{{now}}"
        [routes.down]
        path = "/down"
        actions = [{ increment-counter = "n", by = -7, min = 0 }]
        text = "{{n}}"
        "#,
    );
    let seen: Vec<_> = ["/", "/", "/", "/down", "/down"].map(|path| site.get(path).body().to_owned()).into();
    assert_eq!(seen, ["4", "8", "10", "3", "0"]);
}

#[test]
fn counting_what_is_no_number_is_a_conflict_unless_or_answers() {
    let mut site = Site::new(
        r#"
        [routes.set]
        path = "/set"
        actions = [{ set = "n", value = "three" }]
        text = "ok"
        [routes.count]
        path = "/count"
        actions = [{ increment-counter = "n" }]
        text = "{{n}}"
        [routes.or]
        path = "/or"
        actions = [{ increment-counter = "n", or = { text = "no number", status = 422 } }]
        text = "{{n}}"
        "#,
    );
    site.get("/set");
    assert_eq!(site.get("/count").status(), 409);
    let page = site.get("/or");
    assert_eq!((page.status().as_u16(), page.body()), (422, "no number"));
    assert_eq!(site.get("/set").session(), json!({"n": "three"}));
}

#[test]
fn a_parameter_is_stored_from_where_it_is_looked_for() {
    let mut site = Site::new(
        r#"
        [routes.any]
        path = "/any"
        methods = ["GET", "POST"]
        actions = [{ store-param = "user" }]
        text = "{{user}}"
        [routes.form]
        path = "/form"
        methods = ["POST"]
        actions = [{ store-param = "user", from = "form", key = "who.name" }]
        text = "ok"
        [routes.path]
        path = "/path/{user}"
        actions = [{ store-param = "user", from = "path" }]
        text = "ok"
        "#,
    );
    assert_eq!(site.get("/any?user=A&user=B").body(), "B");
    assert_eq!(site.ask("POST", "/any?user=query", Some("user=body")).body(), "query");
    assert_eq!(site.ask("POST", "/any", Some("user=")).session(), json!({"user": ""}));
    assert_eq!(site.ask("POST", "/form?user=query", Some("user=body")).session()["who"], json!({"name": "body"}));
    assert_eq!(site.get("/path/a%20b").session()["user"], "a b");
    let missing = site.get("/any");
    assert_eq!(missing.status(), 400);
    assert!(missing.body().contains("user"), "{}", missing.body());
}

#[test]
fn a_missing_key_reads_as_its_default_or_as_nothing_or_answers() {
    let mut site = Site::new(
        r#"
        [routes.plain]
        path = "/plain"
        actions = [{ read = "user" }]
        text = "[{{user}}]"
        [routes.default]
        path = "/default"
        actions = [{ read = "user", default = "nobody at {{request.host}}" }]
        text = "[{{user}}]"
        [routes.or]
        path = "/or"
        actions = [{ read = "user", or = { redirect = "plain" } }]
        text = "[{{user}}]"
        [routes.pop]
        path = "/pop"
        actions = [{ pop = "user", default = { name = "x" }, as = "gone" }]
        json = "gone"
        "#,
    );
    assert_eq!(site.get("/plain").body(), "[]");
    assert_eq!(site.get("/default").body(), "[nobody at localhost]");
    let page = site.get("/or");
    assert_eq!((page.status().as_u16(), page.header("location")), (303, Some("/plain")));
    assert_eq!(site.get("/pop").json(), json!({"name": "x"}));
    assert_eq!(site.cookie, None, "reading and popping nothing starts no session");
}

#[test]
fn set_takes_values_templates_and_expressions() {
    let mut site = Site::new(
        r#"
        [routes.set]
        path = "/{id}"
        actions = [
          { set = "fixed", value = { a = [1, 2.5, true], b = "x" } },
          { set = "text", value = "id {{path.id}}" },
          { set = "copy", from = "session.fixed.a" },
          { set = "more", from = "(gt (len session.fixed.a) 2)" },
          { set-default = "text", value = "not this" },
          { set = "list.{{path.id}}", value = 1 },
        ]
        json = "session"
        "#,
    );
    let expected = json!({
        "fixed": {"a": [1, 2.5, true], "b": "x"}, "text": "id a.b", "copy": [1, 2.5, true], "more": true, "list": {"a.b": 1},
    });
    assert_eq!(site.get("/a.b").json(), expected);
}

#[test]
fn what_a_visitor_puts_into_a_key_stays_one_part() {
    let mut site = Site::new(
        r#"
        [routes.add]
        path = "/add"
        actions = [{ increment-counter = "cart.{{params.sku}}" }]
        text = "ok"
        [routes.top]
        path = "/top"
        actions = [{ set = "{{params.name}}", value = 1 }]
        text = "ok"
        "#,
    );
    let page = site.get("/add?sku=a.b%7B%7Bsecret%7D%7D");
    assert_eq!(page.session(), json!({"cart": {"a.b{{secret}}": 1}}));
    assert_eq!(site.get("/add?sku=").status(), 400);
    assert_eq!(site.get("/top?name=_csrft_").status(), 400);
    assert_eq!(site.get("/top?name=ok").status(), 200);
}

#[test]
fn delete_clear_and_invalidate_remove_one_key_all_keys_and_the_session() {
    let mut site = Site::new(
        r#"
        [routes.fill]
        path = "/fill"
        actions = [{ set = "a", value = 1 }, { set = "b", value = 2 }]
        text = "ok"
        [routes.delete]
        path = "/delete"
        actions = [{ delete = "a" }, { delete = "never.there" }]
        text = "ok"
        [routes.clear]
        path = "/clear"
        actions = [{ clear = true }]
        text = "ok"
        [routes.end]
        path = "/end"
        actions = [{ invalidate = true }]
        text = "ok"
        "#,
    );
    site.get("/fill");
    assert_eq!(site.get("/delete").session(), json!({"b": 2}));
    assert_eq!(site.get("/clear").session(), json!({}));
    assert!(site.cookie.is_some(), "a cleared session goes on");
    let page = site.get("/end");
    let set_cookie = page.header("set-cookie").unwrap();
    assert!(set_cookie.starts_with("session=;") && set_cookie.contains("Max-Age=0"), "{set_cookie}");
}

#[test]
fn an_if_skips_its_action() {
    let mut site = Site::new(
        r#"
        [routes.home]
        path = "/"
        actions = [
          { increment-counter = "all" },
          { increment-counter = "odd", if = "params.odd" },
          { increment-counter = "late", if = "(gt session.all 1)" },
        ]
        json = "session"
        "#,
    );
    assert_eq!(site.get("/?odd=1").json(), json!({"all": 1, "odd": 1}));
    assert_eq!(site.get("/?odd=").json(), json!({"all": 2, "odd": 1, "late": 1}));
}

#[test]
fn a_failed_request_changes_nothing() {
    let mut site = Site::new(
        r#"
        [routes.home]
        path = "/"
        actions = [{ increment-counter = "n" }, { store-param = "user" }]
        text = "{{n}}"
        "#,
    );
    assert_eq!(site.get("/?user=x").body(), "1");
    let failed = site.get("/");
    assert_eq!((failed.status().as_u16(), failed.header("set-cookie")), (400, None));
    assert_eq!(site.get("/?user=x").body(), "2");
}

#[test]
fn with_set_on_exception_a_failed_request_keeps_what_it_did_before() {
    let config = format!(
        "set_on_exception = true\n{}",
        r#"
        [routes.home]
        path = "/"
        actions = [{ increment-counter = "n" }, { store-param = "user" }]
        text = "{{n}}"
        "#
    );
    let mut site = Site::new(&config);
    assert_eq!(site.get("/").status(), 400);
    assert_eq!(site.get("/?user=x").body(), "2");
}

#[test]
fn json_names_expressions_and_keeps_big_numbers() {
    let mut site = Site::new(
        r#"
        [data]
        big = [9007199254740993]
        [routes.api]
        path = "/api/{id}"
        actions = [{ store-param = "n", or = { json = { error = "(eq 1 1)" }, status = 422 } }]
        json = { id = "path.id", n = "n", fixed = 3, list = ["big.0", true], text = "<{{path.id}}>", none = "session.nothing" }
        headers = { "X-Id" = "{{path.id}}" }
        status = 201
        "#,
    );
    let page = site.get("/api/7?n=5");
    assert_eq!(
        (page.status().as_u16(), page.header("content-type"), page.header("x-id")),
        (201, Some("application/json"), Some("7"))
    );
    assert_eq!(page.body(), r#"{"id":"7","n":"5","fixed":3,"list":[9007199254740993,true],"text":"<7>","none":null}"#);
    let page = site.get("/api/7");
    assert_eq!((page.status().as_u16(), page.body()), (422, r#"{"error":true}"#));
}

#[test]
fn redirects_lead_to_routes_paths_and_declared_other_sites() {
    let mut site = Site::new(
        r#"
        [routes.item]
        path = "/item/{id}"
        text = "ok"
        [routes.a]
        path = "/a"
        redirect = { route = "item", params = { id = "{{params.id}}" }, query = { q = "{{params.q}}" }, status = 307 }
        [routes.b]
        path = "/b"
        redirect = "/item/1?x=y"
        [routes.c]
        path = "/c"
        redirect = { path = "{{params.next}}" }
        [routes.d]
        path = "/d"
        redirect = { path = "https://example.org/{{params.next}}", external = true }
        "#,
    );
    let page = site.get("/a?id=a/b%20c&q=1%262");
    assert_eq!((page.status().as_u16(), page.header("location")), (307, Some("/item/a%2Fb%20c?q=1%262")));
    assert_eq!(site.get("/b").header("location"), Some("/item/1?x=y"));
    assert_eq!(site.get("/c?next=/item/2").header("location"), Some("/item/2"));
    for evil in ["//evil.example", "/%5Cevil.example", "https://evil.example", "/a%0d%0aSet-Cookie:x=y", ""] {
        assert_eq!(site.get(&format!("/c?next={evil}")).status(), 400, "{evil}");
    }
    assert_eq!(site.get("/d?next=x").header("location"), Some("https://example.org/x"));
}

#[test]
fn pages_escape_and_plain_text_does_not() {
    let mut site = Site::new(
        r#"
        [routes.html]
        path = "/html"
        html = "<p title='{{params.x}}'>{{params.x}}</p>"
        [routes.text]
        path = "/text"
        text = "{{params.x}}"
        [routes.script]
        path = "/script"
        html = "<script>let x = {{json params.x}};</script>"
        "#,
    );
    let x = "%3Cb%3E%26%22'%3D";
    assert_eq!(
        site.get(&format!("/html?x={x}")).body(),
        "<p title='&lt;b&gt;&amp;&quot;&#x27;&#x3D;'>&lt;b&gt;&amp;&quot;&#x27;&#x3D;</p>"
    );
    let text = site.get(&format!("/text?x={x}"));
    assert_eq!((text.body(), text.header("content-type")), ("<b>&\"'=", Some("text/plain; charset=utf-8")));
    assert_eq!(site.get("/script?x=%3C/script%3E").body(), "<script>let x = \"\\u003c/script\\u003e\";</script>");
}

#[test]
fn error_pages_are_declared_by_status_and_class() {
    let mut site = Site::new(
        r#"
        [data]
        title = "My site"
        [templates]
        missing = "{{title}}: nothing at {{request.path}} ({{error.status}} {{error.title}})"
        [errors]
        404 = { template = "missing" }
        4xx = { text = "{{error.message}}", headers = { "X-Seen" = "yes" } }
        [routes.home]
        path = "/"
        text = "ok"
        "#,
    );
    let page = site.get("/nope%3Cb%3E");
    assert_eq!((page.status().as_u16(), page.body()), (404, "My site: nothing at /nope%3Cb%3E (404 Not Found)"));
    let page = site.ask("POST", "/", None);
    assert_eq!(
        (page.status().as_u16(), page.header("allow"), page.header("x-seen")),
        (405, Some("GET, HEAD, OPTIONS"), Some("yes"))
    );
}

#[test]
fn defaults_fill_in_what_a_route_does_not_say() {
    let mut site = Site::new(
        r#"
        [defaults]
        actions = [{ increment-counter = "n" }]
        text = "{{name}} {{n}}"
        data = { name = "default", other = 1 }
        headers = { "X-A" = "a", "X-B" = "b" }
        [routes.home]
        path = "/"
        [routes.own]
        path = "/own"
        text = "own {{name}} {{other}}"
        actions = []
        data = { name = "own" }
        headers = { "X-B" = "own" }
        "#,
    );
    assert_eq!(site.get("/").body(), "default 1");
    let page = site.get("/own");
    assert_eq!((page.body(), page.header("x-a"), page.header("x-b")), ("own own 1", Some("a"), Some("own")));
    assert_eq!(site.get("/").body(), "default 2");
}

#[test]
fn a_mounted_site_means_what_it_means_alone() {
    let child = format!(
        "{SESSION}{}",
        r#"
        [data]
        title = "Child"
        [templates]
        layout = "<title>{{title}}</title>{{> @partial-block}}"
        page = "{{#> layout}}<a href=\"{{url \"item\" id=3}}\">{{> part}}</a>{{/layout}}"
        part = "item"
        [routes.home]
        path = "/"
        template = "page"
        [routes.item]
        path = "/item/{id}"
        redirect = "home"
        [routes.path]
        path = "/path"
        redirect = "/item/1"
        [errors]
        404 = { text = "child has no such page" }
        "#
    );
    let parent = r#"
        [data]
        title = "Parent"
        [templates]
        page = "{{title}} {{url \"kid/item\" id=1}} {{> kid/part}}"
        [routes.home]
        path = "/"
        template = "page"
        [[mount]]
        site = "kid"
        at = "/under/here"
    "#;
    let mut site = Site::with_files(parent, &[("kid/config.toml", &child)]);
    assert_eq!(site.get("/").body(), "Parent /under/here/item/1 item");
    assert_eq!(site.get("/under/here").body(), "<title>Child</title><a href=\"/under/here/item/3\">item</a>");
    assert_eq!(site.get("/under/here/item/9").header("location"), Some("/under/here"));
    assert_eq!(site.get("/under/here/path").header("location"), Some("/under/here/item/1"));
    assert_eq!(site.get("/under/here/nope").body(), "child has no such page");
    assert!(site.get("/under/heretic").body().contains("There is no page"), "a prefix ends at a slash");
}

#[test]
fn template_files_join_under_their_relative_path() {
    let config = r#"
        [routes.home]
        path = "/"
        template = "pages/home"
    "#;
    let files = [
        ("templates/pages/home.hbs", "{{> parts/head title=\"x\"}} body"),
        ("templates/parts/head.hbs", "<{{title}}>"),
        ("templates/.#home.hbs", "{{"),
    ];
    assert_eq!(Site::with_files(config, &files).get("/").body(), "<x> body");
}

#[test]
fn a_route_without_session_asks_for_none() {
    let mut site = Site::new(
        r#"
        [routes.plain]
        path = "/plain"
        html = "{{request.method}}"
        [routes.shows]
        path = "/shows"
        html = "{{session.n}}"
        "#,
    );
    let page = site.get("/plain");
    assert!(page.0.account.session.is_none());
    assert_eq!((page.header("vary"), page.header("cache-control"), page.header("set-cookie")), (None, None, None));
    let page = site.get("/shows");
    assert!(page.0.account.session.is_some());
    assert_eq!((page.header("vary"), page.header("set-cookie")), (Some("Cookie"), None));
}

#[test]
fn a_reading_visitor_is_kept_alive_at_most_every_reissue_time_and_not_by_a_poller() {
    let mut site = Site::new(
        r#"
        [routes.set]
        path = "/set"
        actions = [{ set = "n", value = 1 }]
        text = "ok"
        [routes.read]
        path = "/read"
        text = "{{session.n}}"
        [routes.poll]
        path = "/poll"
        text = "{{session.n}}"
        keepalive = false
        "#,
    );
    site.get("/set");
    site.now += 119.0;
    assert_eq!(site.get("/read").header("set-cookie"), None);
    site.now += 10.0;
    assert_eq!(site.get("/poll").header("set-cookie"), None);
    assert!(site.get("/read").header("set-cookie").is_some());
    site.now += 1300.0;
    assert_eq!(site.get("/poll").body(), "", "away for longer than the timeout");
}

#[test]
fn cookies_are_not_shown_to_templates() {
    let mut site = Site::new(
        "[routes.home]\npath = \"/\"\ntext = \"{{json request.headers}}\"\n[routes.set]\npath = \"/set\"\nactions = [{ set = \"a\", value = 1 }]\ntext = \"\"\n",
    );
    site.get("/set");
    assert_eq!(site.get("/").body(), r#"{"host":"localhost"}"#);
}

#[test]
fn a_layout_has_blocks_that_a_page_fills() {
    let config = r#"
        [templates]
        layout = "<nav>{{#> nav}}no links{{/nav}}</nav>{{> @partial-block}}"
        plain = "{{#> layout}}plain{{/layout}}"
        filled = "{{#> layout}}{{#*inline \"nav\"}}<a>{{request.path}}</a>{{/inline}}filled{{/layout}}"
        [routes.plain]
        path = "/plain"
        template = "plain"
        [routes.filled]
        path = "/filled"
        template = "filled"
    "#;
    let mut site = Site::new(config);
    assert_eq!(site.get("/plain").body(), "<nav>no links</nav>plain");
    assert_eq!(site.get("/filled").body(), "<nav><a>/filled</a></nav>filled");
    // Mounted beside a template of the same name, it still means its own.
    let parent = "[templates]\nnav = \"wrong\"\n[routes.home]\npath = \"/\"\ntemplate = \"nav\"\n[[mount]]\nsite = \"kid\"\nat = \"/kid\"\n";
    let mut site = Site::with_files(parent, &[("kid/config.toml", &format!("{SESSION}{config}"))]);
    assert_eq!(site.get("/kid/plain").body(), "<nav>no links</nav>plain");
    assert_eq!(site.get("/kid/filled").body(), "<nav><a>/kid/filled</a></nav>filled");
}

#[test]
fn no_way_of_including_oneself_is_served() {
    for templates in [
        "a = \"{{> a}}\"",
        "a = \"{{> b}}\"\nb = \"{{#if session.x}}{{> c}}{{/if}}\"\nc = \"{{#> a}}{{/a}}\"",
        "a = \"{{#*inline \\\"x\\\"}}{{> x}}{{/inline}}{{> x}}\"",
        "a = \"{{#*inline \\\"x\\\"}}{{> y}}{{/inline}}{{#*inline \\\"y\\\"}}{{> x}}{{/inline}}{{> x}}\"",
        "a = \"{{#> b}}{{#*inline \\\"x\\\"}}{{> b}}{{/inline}}{{/b}}\"\nb = \"{{#> x}}{{/x}}\"",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let config = format!("{SESSION}[templates]\n{templates}\n[routes.home]\npath = \"/\"\ntemplate = \"a\"\n");
        std::fs::write(&path, config).unwrap();
        let mut problems = Diagnostics::default();
        let loaded = Serving::load(&path, &BTreeMap::new(), &Vocabulary::standard(), Secrets::LookOnly, &mut problems);
        assert!(loaded.is_err(), "{templates}");
        assert!(print::to_text(&problems, false).contains("includes itself"), "{templates}");
    }
}
