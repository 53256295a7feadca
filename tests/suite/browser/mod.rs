//! A real browser on the shipped sites: what it asks for by itself must not count.

mod editing;
mod scripts;
mod sites;
mod webdriver;

use std::thread;
use std::time::{Duration, Instant};

use crate::driver::{PATIENCE, Server, Site, project};
use webdriver::Browser;

/// Shows the page at a path of the site.
fn open(browser: &Browser, server: &Server, path: &str) {
    browser.open(&format!("http://{}{path}", server.address));
}

/// What the page counts.
fn count(browser: &Browser) -> u64 {
    let text = browser.text_of("p");
    let count = text.strip_prefix("Count: ").and_then(|count| count.parse().ok());
    count.unwrap_or_else(|| panic!("no count: {text}"))
}

/// Waits until the browser has asked for a path of its own accord.
fn wait_until_asked(server: &Server, path: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !server.access_log().contains(&format!("GET {path} ")) {
        assert!(Instant::now() < deadline, "nobody asks for {path}:\n{}", server.access_log());
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn each_visit_counts_once() {
    let (site, browser) = (Site::copy_of("."), Browser::start());
    let server = site.serve();
    for (path, heading, expected) in [
        ("/", "Hi Home View", 1),
        ("/howdy", "Hi Hello View", 2),
        ("/", "Hi Home View", 3),
        ("/howdy", "Hi Hello View", 4),
    ] {
        open(&browser, &server, path);
        assert_eq!((browser.text_of("h1").as_str(), count(&browser)), (heading, expected));
    }
    browser.refresh();
    assert_eq!(count(&browser), 5);
    assert_eq!(browser.evaluate("document.title"), "Quick Tutorial: Hello View");
    // The browser has asked for an icon by now, and scripts cannot see the cookie.
    wait_until_asked(&server, "/favicon.ico");
    assert_eq!(browser.evaluate("document.cookie"), "");
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn a_page_that_would_be_shown_without_a_visit_is_refused_if_it_counts() {
    let server = Site::copy_of(".").without_csrf().serve();
    let mut visitor = server.visitor();
    let mut ahead = |path: &str, destination: &str| {
        let request = visitor.request("GET", path).header("Sec-Purpose", "prefetch;prerender");
        request.header("Sec-Fetch-Dest", destination).send()
    };
    let refused = ahead("/", "document");
    assert_eq!((refused.status, refused.header("cache-control")), (503, "no-store"));
    assert!(refused.set_cookies().is_empty());
    assert_eq!(ahead("/", "empty").count(), 1);
    assert_eq!(ahead("/login", "document").status, 200);
    assert_eq!(ahead("/login/read", "document").status, 303);
}

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn a_page_that_is_fetched_ahead_counts_when_it_is_visited() {
    let rules = |how: &str| {
        let page = r#"{"source": "list", "urls": ["/howdy"], "eagerness": "immediate"}"#;
        format!(r#"<script type="speculationrules">{{"{how}": [{page}]}}</script>"#)
    };
    let link = r#"<link rel="prefetch" href="/howdy">"#.to_owned();
    for hint in [link, rules("prefetch"), rules("prerender")] {
        let (site, browser) = (Site::copy_of("."), Browser::start());
        site.edit("config.toml", "</title>", &format!("</title>\n{hint}"));
        site.edit("config.toml", "</body>", "<a href=\"/howdy\">Howdy</a>\n</body>");
        let server = site.serve();
        open(&browser, &server, "/");
        assert_eq!(count(&browser), 1);
        wait_until_asked(&server, "/howdy");
        browser.click("a");
        assert_eq!((browser.path().as_str(), count(&browser)), ("/howdy", 2), "{hint}");
        browser.refresh();
        assert_eq!(count(&browser), 3, "{hint}");
    }
}

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn a_visitor_logs_in_reads_and_logs_out() {
    let (site, browser) = (Site::copy_of("."), Browser::start());
    let server = site.serve();
    let name = "<b id=\"b\">Zoë</b> & {{user}}";
    open(&browser, &server, "/login/read");
    assert_eq!(browser.path(), "/login");
    browser.fill("input[name=user]", name);
    browser.click("input[type=submit]");
    assert_eq!(browser.path(), "/login/add");
    browser.click("a");
    assert_eq!((browser.path().as_str(), browser.text_of("h2")), ("/login/read", format!("Welcome {name}")));
    assert_eq!(browser.evaluate("document.querySelectorAll('b').length"), 0);
    browser.click("a");
    assert_eq!(browser.text_of("h2"), "You have been logged out");
    browser.click("a");
    assert_eq!(browser.path(), "/login");
    open(&browser, &server, "/login/read");
    assert_eq!(browser.path(), "/login");
    assert_eq!(browser.console(), [""; 0]);
}

/// Keeps a name, and a list of them without a token.
const GUESTS: &str = r#"
[routes.form]
path = "/"
html = """
<form method="post" action="{{url "sign"}}">{{csrf_field}}<input name="name"> <button>Sign</button></form>
<p>{{session.name}}</p>
<script>
const add = name => fetch("{{url "add"}}", { method: "POST", body: new URLSearchParams({ name }) })
    .then(answer => answer.text()).then(text => document.body.id = text);
</script>
"""
# So the browser says `Origin: null` of the site's own forms.
headers = { Referrer-Policy = "no-referrer" }

[routes.sign]
path     = "/sign"
methods  = ["POST"]
actions  = [{ store-param = "name" }]
redirect = "form"

[routes.add]
path    = "/add"
methods = ["POST"]
csrf    = "origin"
actions = [{ store-param = "name" }]
text    = "added"
"#;

/// A page that has its visitors sign elsewhere.
const TRAP: &str = r#"
[routes.trap]
path = "/"
html = """
<form method="post" action="HOME/sign"><input name="name" value="Mallory"> <button>Win</button></form>
"""
headers = { Content-Security-Policy = "default-src 'none'" }
"#;

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn a_form_of_the_site_is_taken_and_one_of_another_site_is_not() {
    let (site, browser) = (Site::new().with_session(GUESTS), Browser::start());
    let server = site.serve();
    let home = format!("http://localhost:{}", server.address.port());
    let trap = Site::new().config(&TRAP.replace("HOME", &home));
    let trapping = trap.serve();
    let sign = |name: &str| {
        browser.fill("input[name=name]", name);
        browser.click("button");
        assert_eq!((browser.path().as_str(), browser.text_of("p").as_str()), ("/", name));
    };
    browser.open(&home);
    sign("Ada");
    sign("Grace");
    browser.evaluate("add('Zoë')");
    let deadline = Instant::now() + PATIENCE;
    while browser.evaluate("document.body.id") != "added" {
        assert!(Instant::now() < deadline, "the script gets nothing done");
        thread::sleep(Duration::from_millis(10));
    }
    // Another port is another origin, but gets the cookie; another name of the host is another site.
    for (host, said) in [("localhost", "same-site"), ("127.0.0.1", "cross-site")] {
        browser.open(&format!("http://{host}:{}", trapping.address.port()));
        browser.click("button");
        assert_eq!((browser.path().as_str(), browser.text_of("h1").as_str()), ("/sign", "400 Bad Request"));
        server.wait_for_log(&format!("Sec-Fetch-Site: {said}"));
        browser.open(&home);
        assert_eq!(browser.text_of("p"), "Zoë");
    }
    sign("Ada");
}

/// The picture in the README. `UPDATE=1` takes it anew: fonts differ from machine to machine.
#[test]
#[ignore = "needs Chromium: run tests/run"]
fn the_tutorial_page_can_be_photographed() {
    let (site, browser) = (Site::copy_of("."), Browser::start());
    let server = site.serve();
    for _ in 0..3 {
        open(&browser, &server, "/");
    }
    let picture = browser.screenshot();
    assert_eq!(size(&picture), (480, 160));
    let kept = project().join("docs/tutorial.png");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&kept, &picture).unwrap();
    }
    assert_eq!(size(&std::fs::read(&kept).unwrap()), (480, 160));
}

/// Width and height of a PNG (section 11.2.2 of its specification).
fn size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert!(png.starts_with(b"\x89PNG"));
    (number(16), number(20))
}
