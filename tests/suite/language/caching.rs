//! `cache`: which replies are kept, for whom and for how long.

use bytes::Bytes;
use http::{Request, header};
use sitewright::site::cache::pages::Origin;

use super::{Page, Site};

const REGIONS: &str = "[cache.regions]\nshort_term = 60\nlong_term = 3600\n";

fn site(routes: &str) -> Site {
    Site::new(&format!("{REGIONS}{routes}"))
}

fn origin(page: &Page) -> Origin {
    page.0.account.kept.expect("a route whose replies are kept")
}

#[test]
fn a_reply_is_kept_for_the_lifetime_of_its_region() {
    let mut site =
        site("[routes.a]\npath = \"/a\"\ncache = \"short_term\"\ntext = \"page\"\nheaders = { \"X-A\" = \"b\" }\n");
    assert_eq!(origin(&site.get("/a")), Origin::Made);
    site.now += 59.0;
    let page = site.get("/a?unused=1");
    assert_eq!((origin(&page), page.body(), page.header("x-a")), (Origin::Kept(59.0), "page", Some("b")));
    assert_eq!(page.header("cache-control"), None);
    assert_eq!(origin(&site.ask("HEAD", "/a", None)), Origin::Kept(59.0));
    site.now += 1.0;
    assert_eq!(origin(&site.get("/a")), Origin::Made);
}

/// Made once, however many ask before it is there: it takes longer than they take to come.
#[test]
fn a_reply_that_many_ask_for_at_once_is_made_once() {
    let rows = "{{#each rows}}{{#each ../rows}}{{this}}{{/each}}{{/each}}";
    let numbers: Vec<String> = (100..300).map(|number| number.to_string()).collect();
    let data = format!("[data]\nrows = [{}]\n", numbers.join(", "));
    let site = site(&format!("{data}[routes.a]\npath = \"/a\"\ncache = \"short_term\"\ntext = \"{rows}\"\n"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let asking: Vec<_> = (0..50)
        .map(|id| {
            let (site, now) = (site.site.clone(), site.now);
            let request = Request::get("/a").header(header::HOST, "localhost").body(Bytes::new()).unwrap();
            runtime.spawn(async move { Page(site.ask(request, now, id).await) })
        })
        .collect();
    let pages: Vec<Page> = asking.into_iter().map(|page| runtime.block_on(page).unwrap()).collect();
    let body = numbers.concat().repeat(numbers.len());
    assert!(pages.iter().all(|page| page.body() == body));
    assert_eq!(pages.iter().filter(|page| origin(page) == Origin::Made).count(), 1);
}

#[test]
fn no_two_pages_share_a_reply() {
    let mut site = site(
        r#"
        [templates]
        search = "{{> part}} {{request.headers.accept-language}}"
        part = "{{params.q}} {{query.page}}"
        [routes.search]
        path = "/search/{in}/*rest"
        cache = "short_term"
        template = "search"
        [routes.other]
        path = "/other/{in}"
        cache = "short_term"
        text = "{{path.in}}{{request.host}}{{bound}}"
        actions = [{ respond = { text = "wide" }, if = "query.wide" }]
        data = { bound = "" }
        "#,
    );
    let paths = [
        "/search/a/b",
        "/search/a/c",
        "/search/a/b/c",
        "/search/b/b",
        "/search/a/b?q=1",
        "/search/a/b?q=2",
        "/search/a/b?page=1",
        "/search/a/b?q=",
        "/search/a/b?q=1&page=2",
        "/search/a/b?q=12&page=",
        "/other/a",
        "/other/b",
        "/other/b?wide=1",
    ];
    let first: Vec<String> = paths.iter().map(|path| site.get(path).body().to_owned()).collect();
    for (path, body) in paths.iter().zip(&first) {
        let page = site.get(path);
        assert_eq!((origin(&page), page.body()), (Origin::Kept(0.0), body.as_str()), "{path}");
    }
    let language = |site: &mut Site, language| site.send("GET", "/search/a/b", &[("accept-language", language)], "");
    assert_eq!(origin(&language(&mut site, "de")), Origin::Made);
    assert_eq!(origin(&language(&mut site, "en")), Origin::Made);
    assert!(language(&mut site, "de").body().ends_with(" de"));
    assert_eq!(origin(&site.send("GET", "/other/a", &[("host", "example.org")], "")), Origin::Made);
}

#[test]
fn every_visitor_has_a_page_of_their_own_where_the_session_counts() {
    let mut site = site(
        r#"
        [routes.login]
        path = "/login"
        actions = [{ store-param = "user" }]
        text = ""
        [routes.hello]
        path = "/"
        cache = { region = "long_term", vary = ["session.user"] }
        text = "Hello {{default session.user 'stranger'}}"
        "#,
    );
    assert_eq!(site.get("/").body(), "Hello stranger");
    site.get("/login?user=ada");
    let ada = site.cookie.clone();
    let page = site.get("/");
    assert_eq!((origin(&page), page.body()), (Origin::Made, "Hello ada"));
    assert_eq!((page.header("cache-control"), page.header("vary")), (Some("no-store"), Some("Cookie")));
    site.cookie = None;
    let page = site.get("/");
    assert_eq!((origin(&page), page.body()), (Origin::Kept(0.0), "Hello stranger"));
    site.cookie = ada;
    assert_eq!(site.get("/").body(), "Hello ada");
    site.now += 600.0;
    let page = site.get("/");
    assert_eq!((origin(&page), page.header("set-cookie").is_some()), (Origin::Kept(600.0), true), "it is kept alive");
}

#[test]
fn what_fails_is_made_each_time() {
    let mut site = site(
        r#"
        [defaults]
        cache = "short_term"
        [routes.refused]
        path = "/refused"
        actions = [{ require = "query.key" }]
        text = "open"
        [routes.checked]
        path = "/checked"
        params = { n = "integer" }
        text = "{{params.n}}"
        [routes.gone]
        path = "/gone"
        status = 410
        text = "gone"
        [routes.never]
        path = "/never"
        cache = false
        text = "never"
        "#,
    );
    for path in ["/refused", "/gone"] {
        site.get(path);
        assert_eq!(origin(&site.get(path)), Origin::Made, "{path}");
    }
    assert_eq!(site.get("/refused?key=1").body(), "open");
    assert_eq!(site.get("/refused").status(), 403);
    assert_eq!(site.get("/checked?n=x").status(), 400);
    assert_eq!(site.get("/checked?n=01").body(), "1");
    assert_eq!(origin(&site.get("/checked?n=1")), Origin::Kept(0.0), "it is the same page");
    assert!(site.get("/never").0.account.kept.is_none());
}
