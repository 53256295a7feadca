//! What open pages show of edits, under `--reload`.

use super::webdriver::Browser;
use super::{count, open};
use crate::driver::{SESSION, Site};

/// What the script puts over a page.
const SHOWN: &str = "String(document.getElementById('sitewright-problems')?.textContent)";

/// A page with a form that leads to another page. The nonce puts both under a strict policy.
fn config(text: &str) -> String {
    format!(
        r#"
        {SESSION}
        [routes.page]
        path = "/"
        html = """
        <!DOCTYPE html><title>{text}</title><link rel="stylesheet" href="{{{{static_url "/static/site.css"}}}}">
        <h1>{text}</h1>
        <script nonce="{{{{csp_nonce}}}}">1</script>
        <form method="post" action="{{{{url "sent"}}}}">{{{{csrf_field}}}}<button>Send</button></form>
        """

        [routes.sent]
        path = "/sent"
        methods = ["POST"]
        actions = [{{ increment-counter = "sent" }}]
        html = "<!DOCTYPE html><title>{text}</title><p>{{{{sent}}}}</p>"

        [static]
        "/static" = "static"
        "#
    )
}

/// Has the page take itself for one that nobody sees, or that somebody sees again.
fn hide(browser: &Browser, hidden: bool) {
    browser.evaluate(&format!(
        "Object.defineProperty(document, 'hidden', {{ configurable: true, value: {hidden} }}) && \
         document.dispatchEvent(new Event('visibilitychange'))"
    ));
}

fn site() -> Site {
    Site::new().config(&config("one")).file("static/site.css", "")
}

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn an_open_page_shows_what_is_wrong_with_an_edit_and_recovers_with_the_mend() {
    let (site, browser) = (site(), Browser::start());
    let server = site.serve_with(&["--reload"]);
    open(&browser, &server, "/");
    assert_eq!(browser.text_of("h1"), "one");
    site.save("config.toml", &config("two"));
    browser.wait_until("document.title == 'two'");
    site.save("static/site.css", "h1 { position: fixed }");
    browser.wait_until("getComputedStyle(document.querySelector('h1')).position == 'fixed'");
    let broken = config("three").replace("html", "htlm");
    site.save("config.toml", &broken);
    let is_told = format!("{SHOWN}.includes('did you mean `html`?')");
    browser.wait_until(&is_told);
    assert_eq!(browser.evaluate("document.title"), "two", "the last good site serves on");
    browser.refresh();
    browser.wait_until(&is_told);
    browser.evaluate("document.querySelector('#sitewright-problems button').click()");
    assert_eq!(browser.evaluate(SHOWN), "undefined", "it can be put away");
    site.save("config.toml", &broken.replace("path", "paht"));
    browser.wait_until(&format!("{SHOWN}.includes('paht')"));
    browser.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))");
    assert_eq!(browser.evaluate(SHOWN), "undefined");
    browser.evaluate(
        "new MutationObserver(all => all.flatMap(one => [...one.addedNodes]).forEach(node => \
         window.shown = (window.shown ?? '') + node.textContent)).observe(document.body, { childList: true })",
    );
    [true, false].into_iter().for_each(|hidden| hide(&browser, hidden));
    site.save("config.toml", &broken.replace("path", "pth"));
    browser.wait_until(&format!("{SHOWN}.includes('`pth`')"));
    assert_eq!(browser.evaluate("window.shown.includes('`paht`')"), false, "what was put away stays away");
    site.save("config.toml", &config("three"));
    browser.wait_until("document.title == 'three'");
    assert_eq!(browser.evaluate(SHOWN), "undefined");
    assert_eq!(browser.console(), [""; 0], "the policy of the page takes the script");
}

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn an_edit_of_the_tutorial_shows_by_itself_and_the_count_goes_on() {
    let (site, browser) = (Site::copy_of("."), Browser::start());
    let server = site.serve_with(&["--reload"]);
    let shows = |heading: &str| browser.wait_until(&format!("document.querySelector('h1').textContent == '{heading}'"));
    open(&browser, &server, "/");
    shows("Hi Home View");
    assert_eq!(count(&browser), 1);

    site.edit("config.toml", "Home View", "First Edit");
    shows("Hi First Edit");
    assert_eq!(count(&browser), 2);

    // A broken edit changes nothing, and a mended one shows.
    site.edit("config.toml", "increment-counter", "increment-countre");
    browser.wait_until(&format!("{SHOWN}.includes('increment-countre')"));
    assert_eq!((browser.text_of("h1").as_str(), count(&browser)), ("Hi First Edit", 2));
    site.edit("config.toml", "First Edit", "Second Edit");
    site.edit("config.toml", "increment-countre", "increment-counter");
    shows("Hi Second Edit");
    assert_eq!(count(&browser), 3);
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn a_page_that_answers_a_form_does_not_send_it_again_by_itself() {
    let (site, browser) = (site(), Browser::start());
    let server = site.serve_with(&["--reload"]);
    open(&browser, &server, "/");
    browser.click("form button");
    assert_eq!(browser.text_of("p"), "1");
    site.save("config.toml", &config("two"));
    browser.wait_until(&format!("{SHOWN}.includes('The site has changed.')"));
    assert_eq!(browser.evaluate("document.title"), "one");
    open(&browser, &server, "/");
    browser.click("form button");
    assert_eq!(browser.text_of("p"), "2", "and nothing was sent in between");
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn a_tab_in_the_background_takes_no_connection_and_catches_up_when_it_is_seen() {
    let (site, browser) = (site(), Browser::start());
    let server = site.serve_with(&["--reload"]);
    open(&browser, &server, "/");
    hide(&browser, true);
    site.save("config.toml", &config("two"));
    server.wait_for_log(" reloaded in ");
    // Were it listening, it would be told before this page is.
    let first = browser.tab();
    let second = browser.open_tab();
    browser.switch(&second);
    open(&browser, &server, "/");
    browser.wait_until("document.title == 'two'");
    site.save("config.toml", &config("three"));
    browser.wait_until("document.title == 'three'");
    browser.switch(&first);
    assert_eq!(browser.evaluate("document.title"), "one");
    hide(&browser, false);
    browser.wait_until("document.title == 'three'");
}
