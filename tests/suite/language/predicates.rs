//! `match`: which of several routes for one path answers.

use super::Site;

const TEA: &str = r#"
[routes.page]
path  = "/tea"
match = { accept = "text/html" }
html  = "page"

[routes.data]
path  = "/tea"
match = { accept = "application/json" }
json  = "page"
data  = { page = "data" }

[routes.old]
path  = "/tea"
match = { accept = "application/json", header = "X-Api:1" }
text  = "old"

[routes.order]
path    = "/tea"
methods = ["POST"]
match   = { xhr = true }
text    = "ordered"

[routes.any]
path = "/{any}"
match = { param = "any" }
text = "any {{path.any}}"

[routes.rest]
path    = "/{any}"
methods = ["DELETE"]
text    = "deleted"
"#;

#[test]
fn the_client_chooses_among_types_and_more_predicates_come_first() {
    let mut site = Site::new(TEA);
    let mut ask = |headers: &[(&str, &str)]| site.send("GET", "/tea", headers, "").body().to_owned();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    assert_eq!(ask(&[("accept", browser)]), "page");
    assert_eq!(ask(&[]), "page");
    assert_eq!(ask(&[("accept", "application/json, text/html;q=0.5")]), "\"data\"");
    assert_eq!(ask(&[("accept", "*/*"), ("x-api", "1.2")]), "old");
    assert_eq!(ask(&[("accept", "*/*"), ("x-api", "2")]), "page");
}

#[test]
fn caches_are_told_which_headers_decided() {
    let mut site = Site::new(TEA);
    let page = site.send("GET", "/tea", &[], "");
    let vary: Vec<_> = page.0.response.headers().get_all("vary").iter().collect();
    assert_eq!(vary, ["accept", "x-api"]);
    assert_eq!(site.get("/x?any").header("vary"), None);
}

#[test]
fn the_next_best_path_is_asked_and_else_there_is_no_such_page() {
    let mut site = Site::new(TEA);
    let mut ask = |method: &str, path: &str, headers: &[(&str, &str)]| {
        let page = site.send(method, path, headers, "");
        (page.status().as_u16(), page.header("allow").unwrap_or_default().to_owned(), page.body().to_owned())
    };
    let png = [("accept", "image/png")];
    assert_eq!(ask("GET", "/tea?any", &png), (200, String::new(), "any tea".to_owned()));
    assert_eq!(ask("GET", "/tea", &png).0, 404);
    assert_eq!(ask("POST", "/tea", &[]).0, 404);
    assert_eq!(ask("POST", "/tea", &[("x-requested-with", "XMLHttpRequest")]).2, "ordered");
    assert_eq!(ask("GET", "/cake", &[]).0, 404, "the method is not to blame");
    assert_eq!(ask("PUT", "/cake", &[]).1, "DELETE, OPTIONS");
    assert_eq!(ask("PUT", "/cake?any", &[]).1, "DELETE, GET, HEAD, OPTIONS");
    assert_eq!(ask("OPTIONS", "/tea", &[]).1, "DELETE, GET, HEAD, OPTIONS");
    assert_eq!(ask("HEAD", "/tea", &png).0, 404);
    assert_eq!(ask("HEAD", "/tea", &[]).0, 200);
}

#[test]
fn a_route_without_predicates_is_the_last_and_defaults_can_give_some() {
    let mut site = Site::new(
        r#"
        [defaults]
        match = { host = ".example.org" }
        [routes.plain]
        path = "/"
        match = {}
        text = "plain"
        [routes.sub]
        path = "/"
        text = "sub"
        [routes.api]
        path = "/"
        match = { host = "api.example.org" }
        text = "api"
        "#,
    );
    let mut site_of = |host: &str| site.send("GET", "/", &[("host", host)], "").body().to_owned();
    assert_eq!(site_of("api.example.org:8080"), "api");
    assert_eq!(site_of("www.example.org"), "sub");
    assert_eq!(site_of("example.com"), "plain");
}

#[test]
fn files_give_way_to_routes_whose_predicates_hold() {
    let mut site = Site::with_files(
        "[static]\n\"/files\" = \"files\"\n[routes.one]\npath = \"/files/{name}\"\nmatch = { header = \"X-Api\" }\ntext = \"route\"\n",
        &[("files/a.txt", "file")],
    );
    assert_eq!(site.get("/files/a.txt").body(), "file");
    assert_eq!(site.get("/files/a.txt").header("vary"), Some("x-api"));
    assert_eq!(site.send("GET", "/files/a.txt", &[("x-api", "")], "").body(), "route");
}
