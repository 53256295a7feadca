//! A visitor goes through the shipped sites from the first page to the last: with the back button, in two
//! tabs, and impatiently.

use std::thread;
use std::time::{Duration, Instant};

use super::open;
use super::webdriver::Browser;
use crate::driver::{PATIENCE, Site};

/// Where the visitor is: the path and the heading.
fn page(browser: &Browser) -> (String, String) {
    (browser.path(), browser.text_of("h1"))
}

fn is_at(browser: &Browser, path: &str, heading: &str) {
    assert_eq!(page(browser), (path.to_owned(), heading.to_owned()));
    assert_eq!(browser.evaluate("document.scripts.length"), 0, "{path} needs a script");
}

/// Nothing went wrong in the browser, and nothing was kept out by the policy of the site. Pages that say
/// what is wrong have a status that the console repeats.
fn nothing_went_wrong(browser: &Browser) {
    let mut said = browser.console();
    said.retain(|line| !line.contains("the server responded with a status of 4"));
    assert_eq!(said, [""; 0]);
}

/// Waits until an expression holds on the page.
fn wait_until(browser: &Browser, expression: &str) {
    let deadline = Instant::now() + PATIENCE;
    while browser.evaluate(expression) != true {
        assert!(Instant::now() < deadline, "never: {expression}");
        thread::sleep(Duration::from_millis(20));
    }
}

const ORDER: &str = "form[action$='/order'] button";

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn a_cart_is_filled_from_two_tabs_and_ordered_once() {
    let (site, browser) = (Site::copy_of("sites/cart"), Browser::start());
    let server = site.serve();
    open(&browser, &server, "/");
    is_at(&browser, "/", "Tea for those who pour twice");
    browser.click("h2 a[href$=assam]");
    is_at(&browser, "/products/assam", "Assam");
    browser.fill("#quantity", "200");
    browser.click("form button");
    is_at(&browser, "/products/assam", "Assam");
    assert_eq!(browser.text_of("#quantity-error"), "Please enter a whole number from 1 to 99.");
    assert_eq!(browser.evaluate("document.querySelector('#quantity').value"), "200");
    browser.fill("#quantity", "2");
    browser.click("form button");
    is_at(&browser, "/cart", "Your cart");
    assert_eq!(browser.text_of(".flash"), "Your item was added.");
    browser.refresh();
    assert_eq!(browser.evaluate("document.querySelectorAll('.flash').length"), 0, "it is shown once");

    // Two tabs add to one cart, each several times at once.
    let add = "[1, 2, 3, 4, 5].forEach(() => fetch('/products/mint', { method: 'POST', redirect: 'manual' })\
               .then(() => document.body.append('added ')))";
    let first = browser.tab();
    let second = browser.open_tab();
    open(&browser, &server, "/products/mint");
    browser.evaluate(add);
    browser.switch(&first);
    browser.evaluate(add);
    // A page that is left takes with it what it has not sent yet.
    for tab in [&first, &second] {
        browser.switch(tab);
        wait_until(&browser, "document.body.textContent.split('added ').length === 6");
    }
    browser.switch(&first);
    open(&browser, &server, "/");
    assert_eq!(browser.text_of(".count"), "12\nin it");

    // Each tab sees the summary. What one changes, the other does not order unseen.
    open(&browser, &server, "/checkout");
    browser.click("form button");
    is_at(&browser, "/checkout", "Where shall it go?");
    assert_eq!(browser.text_of("#street-error"), "Please fill in this field.");
    for (field, text) in
        [("#name", "Ada"), ("#email", "ada@example.org"), ("#street", "Quay 1"), ("#town", "1010 Vienna")]
    {
        browser.fill(field, text);
    }
    browser.tick("input[value=post]");
    browser.click("form button");
    is_at(&browser, "/summary", "Is this right?");
    assert_eq!(browser.text_of("tfoot td"), "€ 70.50");
    browser.switch(&second);
    open(&browser, &server, "/cart");
    browser.fill("#quantity-mint", "1");
    browser.click("button[aria-label$=mint]");
    is_at(&browser, "/cart", "Your cart");
    browser.switch(&first);
    browser.click(ORDER);
    is_at(&browser, "/order", "Is this right?");
    assert!(browser.text_of(".note").starts_with("Your cart or your address has changed"));
    assert_eq!(browser.text_of("tfoot td"), "€ 23.70");

    // Both tabs order it, and so does the back button: that is one order.
    browser.switch(&second);
    open(&browser, &server, "/summary");
    browser.click(ORDER);
    is_at(&browser, "/thanks", "Thank you, Ada");
    browser.switch(&first);
    browser.click(ORDER);
    is_at(&browser, "/thanks", "Thank you, Ada");
    browser.back();
    browser.back();
    // The browser shows the old summary, or asks for it, and then there is nothing to order.
    if browser.evaluate(&format!("document.querySelector(\"{ORDER}\") !== null")) == true {
        browser.click(ORDER);
    }
    open(&browser, &server, "/thanks");
    assert!(browser.text_of(".lead").starts_with("Your order no. 1 of "), "{}", browser.text_of(".lead"));
    open(&browser, &server, "/cart");
    assert_eq!(browser.text_of("main p"), "There is nothing in it yet.");
    nothing_went_wrong(&browser);
}

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn a_form_over_pages_keeps_what_was_typed_when_one_goes_back() {
    let (site, browser) = (Site::copy_of("sites/wizard"), Browser::start());
    let server = site.serve();
    let value = |selector: &str| browser.evaluate(&format!("document.querySelector('{selector}').value"));
    let heading = "A small conference about software that lasts";
    open(&browser, &server, "/");
    is_at(&browser, "/", heading);
    browser.click(".button");
    is_at(&browser, "/who", "Who are you?");
    browser.fill("#name", "Zoë <b>");
    browser.fill("#email", "zoe");
    browser.click("main form button");
    is_at(&browser, "/who", "Who are you?");
    assert!(browser.text_of("#email-error").starts_with("Please enter an e-mail address"));
    assert_eq!(value("#name"), "Zoë <b>");
    browser.fill("#email", "zoe@example.org");
    browser.click("main form button");
    is_at(&browser, "/what", "What will you attend?");

    browser.back();
    // Behind it is the page with the fault or the empty form, as the browser likes; asked for again, it
    // has what was sent.
    open(&browser, &server, "/who");
    assert_eq!((value("#name"), value("#email")), ("Zoë <b>".into(), "zoe@example.org".into()));
    browser.click("main form button");
    browser.tick("input[value=friday]");
    browser.click("main form button");
    is_at(&browser, "/how", "How shall we welcome you?");
    browser.back();
    is_at(&browser, "/what", "What will you attend?");
    assert_eq!(browser.evaluate("document.querySelector('[value=friday]').checked"), true);

    // Another tab goes on where this one stands, and cannot be overtaken.
    let first = browser.tab();
    browser.open_tab();
    open(&browser, &server, "/summary");
    is_at(&browser, "/how", "How shall we welcome you?");
    browser.evaluate("document.querySelector('#arrival').value = '2030-05-17'");
    browser.tick("input[value=vegan]");
    browser.click("main form button");
    is_at(&browser, "/summary", "Is this right?");
    assert!(browser.text_of("main").contains("Zoë <b>"));
    browser.switch(&first);
    browser.tick("input[value=all]");
    browser.click("main form button");
    open(&browser, &server, "/summary");
    assert!(browser.text_of("main").contains("All three days"));
    browser.click("main form button");
    is_at(&browser, "/", heading);
    assert_eq!(browser.text_of(".flash"), "Thank you, Zoë <b>. See you in May!");
    browser.back();
    open(&browser, &server, "/summary");
    is_at(&browser, "/who", "Who are you?");
    assert_eq!(value("#name"), "", "it has been sent, and is nobody's any more");
    nothing_went_wrong(&browser);
}

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn who_signs_out_in_one_tab_is_asked_to_sign_in_in_the_other() {
    let (site, browser) = (Site::copy_of("sites/members"), Browser::start());
    let server = site.serve();
    open(&browser, &server, "/letters");
    is_at(&browser, "/sign-in?next=letters", "Sign in");
    browser.fill("#user", "ada");
    browser.fill("#password", "notes of the engine");
    browser.click("main form button");
    is_at(&browser, "/sign-in", "Sign in");
    assert!(browser.text_of("#password-error").contains("password"), "{}", browser.text_of("#password-error"));
    assert_eq!(browser.evaluate("document.querySelector('#user').value"), "ada");
    assert_eq!(browser.evaluate("document.querySelector('#password').value"), "");
    browser.fill("#password", "notes on the engine");
    browser.click("main form button");
    is_at(&browser, "/letters", "Letters");
    assert_eq!(browser.text_of(".flash"), "Good evening, Ada Lovelace. You are signed in.");

    open(&browser, &server, "/desk");
    is_at(&browser, "/desk", "Not this door");
    let first = browser.tab();
    browser.open_tab();
    open(&browser, &server, "/account");
    is_at(&browser, "/account", "Account");
    browser.click("nav form button");
    assert_eq!(browser.path(), "/");
    assert_eq!(browser.text_of(".flash"), "You are signed out. Good night.");
    browser.back();
    browser.refresh();
    is_at(&browser, "/sign-in?next=account", "Sign in");
    browser.switch(&first);
    browser.click("nav a[href$='/letters']");
    is_at(&browser, "/sign-in?next=letters", "Sign in");
    assert_eq!(browser.evaluate("document.cookie"), "");
    nothing_went_wrong(&browser);
}
