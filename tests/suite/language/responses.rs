//! What goes out: JSON, redirects, pages, error pages.

use super::Site;

#[test]
fn json_names_expressions_and_keeps_big_numbers() {
    let mut site = Site::new(
        r#"
        [data]
        big = [9007199254740993]
        [routes.api]
        path = "/api/{id}"
        actions = [{ store-param = "n", or = { json = { error = "(eq 1 1)" }, status = 422 } }]
        json = { id = "path.id", n = "n", fixed = 3, list = ["big.0", true], text = "<{{path.id}}>", none = "session.nothing", said = ["'it is {ready}'", "\"Ada's\"", "''"] }
        headers = { "X-Id" = "{{path.id}}" }
        status = 201
        "#,
    );
    let page = site.get("/api/7?n=5");
    assert_eq!(
        (page.status().as_u16(), page.header("content-type"), page.header("x-id")),
        (201, Some("application/json"), Some("7"))
    );
    assert_eq!(
        page.body(),
        r#"{"id":"7","n":"5","fixed":3,"list":[9007199254740993,true],"text":"<7>","none":null,"said":["it is {ready}","Ada's",""]}"#
    );
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
    assert_eq!(site.get("/script?x=%3C/script%3E").body(), "<script>let x = \"\\u003c\\/script\\u003e\";</script>");
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
fn a_slash_is_appended_where_a_route_has_it() {
    let config = |on: bool| {
        format!(
            "[server]\nappend_slash = {on}\n[routes.a]\npath = \"/a/\"\nmethods = [\"GET\", \"POST\"]\ntext = \"a\"\n\
             [routes.b]\npath = \"/b/{{id}}/\"\ntext = \"b\"\n[routes.c]\npath = \"/c\"\ntext = \"c\"\n"
        )
    };
    let mut site = Site::new(&config(true));
    let page = site.get("/a?x=1&y=//z");
    assert_eq!((page.status().as_u16(), page.header("location")), (307, Some("/a/?x=1&y=//z")));
    assert_eq!(site.ask("POST", "/a", Some("x=1")).header("location"), Some("/a/"));
    assert_eq!(site.get("/b/%2F%5Cevil.example").header("location"), Some("/b/%2F%5Cevil.example/"));
    for nowhere in ["/c/", "/d", "/b", "//a", "/%2Fa", "//evil.example", "/\\evil.example"] {
        let page = site.get(nowhere);
        assert_eq!((page.status().as_u16(), page.header("location")), (404, None), "{nowhere}");
    }
    assert_eq!(site.ask("DELETE", "/a", None).status(), 404);
    assert_eq!(Site::new(&config(false)).get("/a").status(), 404);
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
fn a_location_that_a_visitor_names_stays_on_the_site() {
    let mut site = Site::new(
        r#"
        [routes.made]
        path = "/made"
        text = "Here it is."
        status = 201
        headers = { location = "{{query.to}}" }
        "#,
    );
    let made = site.get("/made?to=/notes/7");
    assert_eq!((made.status().as_u16(), made.header("location")), (201, Some("/notes/7")));
    for away in ["//evil.example", "https://evil.example", "/%5Cevil.example", "evil", ""] {
        let refused = site.get(&format!("/made?to={away}"));
        assert_eq!((refused.status().as_u16(), refused.header("location")), (400, None), "{away}");
    }
}

#[test]
fn a_client_that_asks_for_json_gets_no_page_for_people() {
    let mut site = Site::new(
        r#"
        [errors]
        404 = { html = "<h1>Lost</h1>" }
        4xx = { json = { wrong = "error.message" } }

        [routes.home]
        path = "/"
        text = "Home"
        "#,
    );
    let json = [("Accept", "application/json")];
    assert_eq!(site.send("GET", "/nowhere", &json, "").json()["wrong"], "There is no page at this address.");
    assert_eq!(site.send("GET", "/nowhere", &[("Accept", "text/html")], "").body(), "<h1>Lost</h1>");
    assert_eq!(site.send("GET", "/nowhere", &[], "").body(), "<h1>Lost</h1>");
}

#[test]
fn the_path_of_a_request_begins_with_one_slash_whatever_was_sent() {
    let mut site = Site::new(
        "[routes.name]\npath = \"/{name}\"\ntext = \"{{request.path}}\"\n[errors]\n4xx = { text = \"{{request.path}}\" }\n",
    );
    for (sent, seen) in [
        ("/a", "/a"),
        ("/\\evil.example", "/evil.example"),
        ("//evil.example/", "/evil.example/"),
        ("/\\/evil.example/a//b", "/evil.example/a//b"),
        ("/%2Fevil.example/a", "/%2Fevil.example/a"),
    ] {
        assert_eq!(site.get(sent).body(), seen, "{sent}");
    }
}
