//! `[cors]`: whose scripts may read answers, beside the site's own.

use super::{Page, Site};

const ROUTES: &str = r#"
    [defaults]
    csrf = "origin"
    [routes.list]
    path = "/items"
    actions = [{ read = "items", default = [] }]
    json = "items"
    [routes.add]
    path = "/items"
    methods = ["POST"]
    params = { item = { required = true, max_length = 5 } }
    actions = [
        { require = "(lt (len session.items) 2)", or = { text = "full", status = 409 } },
        { append = "items", from = "params.item" },
    ]
    json = "session.items"
    [routes.html]
    path = "/both"
    match = { accept = "text/html" }
    html = "both"
    [routes.json]
    path = "/both"
    methods = ["PUT"]
    match = { header = "x-key" }
    json = "'both'"
    [static]
    "/static" = "static"
    [errors]
    404 = { html = "{{error.title}}" }
"#;

const LISTED: &str = r#"
    [cors]
    origins = ["http://localhost:5173", "https://App.example:443"]
    credentials = true
    expose = ["Location", "X-Count"]
    [csrf]
    trusted_origins = ["localhost:5173", "app.example"]
"#;

const FRIEND: &str = "http://localhost:5173";
const STRANGER: &str = "http://localhost:5174";

fn site(cors: &str) -> Site {
    Site::with_files(&format!("{ROUTES}{cors}"), &[("static/a.css", "a {}")])
}

impl Page {
    fn allows(&self) -> Option<&str> {
        self.header("access-control-allow-origin")
    }

    fn varies_by_origin(&self) -> bool {
        let fields = self.0.response.headers().get_all("vary").iter();
        fields
            .flat_map(|field| field.to_str().unwrap().split(','))
            .any(|name| name.trim().eq_ignore_ascii_case("origin"))
    }
}

#[test]
fn every_answer_says_whether_the_asking_origin_may_read_it() {
    let mut site = site(LISTED);
    let form = ("content-type", "application/x-www-form-urlencoded");
    for (method, path, body, status) in [
        ("GET", "/items", "", 200),
        ("POST", "/items", "item=tea", 200),
        ("POST", "/items", "item=chocolate", 400),
        ("POST", "/items", "item=milk", 200),
        ("POST", "/items", "item=rice", 409),
        ("PUT", "/items", "", 405),
        ("GET", "/nothing", "", 404),
        ("GET", "/%ff", "", 400),
        ("GET", "/static/a.css", "", 200),
        ("GET", "/static/b.css", "", 404),
        ("GET", "/favicon.ico", "", 204),
        ("OPTIONS", "/items", "", 204),
    ] {
        for (origin, allowed) in [
            (Some(FRIEND), Some(FRIEND)),
            (Some(STRANGER), None),
            (Some("null"), None),
            (Some("*"), None),
            (None, None),
        ] {
            if origin != Some(FRIEND) && method == "POST" {
                continue;
            }
            let origin = origin.map(|origin| ("origin", origin));
            let headers: Vec<_> = [form].into_iter().chain(origin).collect();
            let page = site.send(method, path, &headers, body);
            assert_eq!((page.status().as_u16(), page.allows()), (status, allowed), "{method} {path} {body} {origin:?}");
            assert_eq!(page.header("access-control-allow-credentials"), allowed.map(|_| "true"), "{method} {path}");
            assert_eq!(page.header("access-control-expose-headers"), allowed.map(|_| "Location, X-Count"));
            assert!(page.varies_by_origin(), "{method} {path} {origin:?}");
        }
    }
    let page = site.send("GET", "/items", &[("origin", "https://app.example")], "");
    assert_eq!(page.allows(), Some("https://app.example"), "as browsers write it");
}

#[test]
fn a_browser_that_asks_first_is_told_what_may_be_sent() {
    let mut site = site(LISTED);
    let mut ask = |path: &str, origin: &str, method: &str| {
        site.send("OPTIONS", path, &[("origin", origin), ("access-control-request-method", method)], "")
    };
    let told = ask("/items", FRIEND, "POST");
    assert_eq!((told.status().as_u16(), told.allows()), (204, Some(FRIEND)));
    assert_eq!(told.header("access-control-allow-methods"), Some("GET, HEAD, OPTIONS, POST"));
    assert_eq!(told.header("access-control-allow-headers"), Some("content-type, x-csrf-token"));
    assert_eq!(told.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(told.header("access-control-max-age"), Some("600"));

    let refused = ask("/items", STRANGER, "POST");
    assert_eq!((refused.status().as_u16(), refused.allows()), (204, None));
    assert_eq!(refused.header("access-control-allow-methods"), None);
    assert_eq!(ask("/nothing", FRIEND, "GET").status(), 404);
    let with_predicates = ask("/both", FRIEND, "PUT");
    assert_eq!(with_predicates.header("access-control-allow-methods"), Some("GET, HEAD, OPTIONS, PUT"));
    let files = ask("/static/a.css", FRIEND, "GET");
    assert_eq!(files.header("access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn any_origin_may_read_what_is_for_everybody() {
    let mut site = site("[cors]\norigins = [\"*\"]\nmax_age = 0\nheaders = [\"authorization\"]\n");
    for origin in [STRANGER, "null"] {
        let page = site.send("GET", "/items", &[("origin", origin)], "");
        assert_eq!((page.allows(), page.header("access-control-allow-credentials")), (Some("*"), None));
        assert!(!page.varies_by_origin(), "the answer is the same for all");
    }
    let asked = [("origin", STRANGER), ("access-control-request-method", "GET")];
    let told = site.send("OPTIONS", "/items", &asked, "");
    assert_eq!(told.header("access-control-allow-headers"), Some("authorization"));
    assert_eq!(told.header("access-control-max-age"), Some("0"));
    assert_eq!(site.get("/items").allows(), None);
}

#[test]
fn without_a_word_of_it_no_other_origin_may_read_anything() {
    let mut site = site("");
    let asked = [("origin", FRIEND), ("access-control-request-method", "POST")];
    let told = site.send("OPTIONS", "/items", &asked, "");
    assert_eq!(
        (told.status().as_u16(), told.allows(), told.header("allow")),
        (204, None, Some("GET, HEAD, OPTIONS, POST"))
    );
    let page = site.send("GET", "/items", &asked, "");
    assert!(page.allows().is_none() && !page.varies_by_origin());
}
