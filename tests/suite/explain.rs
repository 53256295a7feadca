//! `sitewright request --explain`: what a request did, and why.

use crate::driver::{Ran, SESSION, Site};

const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$8mVcfFXtLuuHkUBV+lDSRCWKNFJHxNSTbmbHOCHU2jw";

const SHOP: &str = r#"
[users]
members = { file = "users.toml" }

[routes.cart]
path = "/cart"
html = '<form method="post" action="{{url "order" id=1}}">{{csrf_field}}</form>'

[routes.order]
path     = '/order/{id:\d+}'
methods  = ["POST"]
guards   = [{ read = "seen" }, { require = "session.full", or = { redirect = "cart" } }]
params   = { name = { required = true } }
invalid  = { redirect = "cart" }
actions  = [{ set = "name", from = "params.name" }, { set = "paid", value = true }]
redirect = "cart"

[routes.fill]
path     = "/fill"
methods  = ["POST"]
actions  = [{ set = "full", value = true, if = "params.full" }, { store-param = "name" }, { clear = true }]
redirect = "cart"

[routes.login]
path    = "/login"
methods = ["POST"]
actions = [{ verify-password = "members", or = { html = "no", status = 401 } }, { clear = true }, { renew = true }]
html    = "yes"

[routes.api]
path  = "/api"
match = { header = "X-Api:2" }
text  = "2"

[routes.api_post]
path    = "/api"
methods = ["POST"]
text    = "posted"

[static]
"/static" = "files"
"#;

fn explained(arguments: &[&str]) -> String {
    let site = Site::new()
        .config(&format!("{SESSION}{SHOP}"))
        .file("users.toml", &format!("[ada]\npassword = \"{HASH}\"\n"))
        .file("files/a.css", "");
    let Ran { code, out, err } = site.run(&[&["request", "--explain"], arguments].concat());
    assert_eq!((code, &*err), (0, ""), "{arguments:?}: {out}");
    out
}

fn tells(arguments: &[&str], lines: &[&str]) {
    let told = explained(arguments);
    let all: Vec<&str> = told.lines().collect();
    assert!(all.windows(lines.len()).any(|window| window == lines), "{arguments:?}: {lines:#?} in\n{told}");
}

#[test]
fn what_became_of_each_step_is_told_and_which_one_answered() {
    let refused = ["POST", "/order/1"];
    tells(
        &refused,
        &[
            "route    `order`, path /order/{id:\\d+}",
            "guard 1  read, bound as `seen`: there is no such key",
            "guard 2  require: does not hold",
            "not run  steps 3 to 4",
            "answer   redirect to /cart, by the `or` of guard 2",
        ],
    );
    assert!(!explained(&refused).contains("invalid"), "the parameters were not looked at");
    tells(&["POST", "/order/1", "-H", "Cookie: "], &["not run  guards 1 to 2, steps 3 to 4"]);
    tells(
        &["POST", "/login", "--data", "user=ada&password=wrong"],
        &[
            "step 1   verify-password: sets `errors.password`: The name or the password is wrong.",
            "not run  steps 2 to 3",
            "answer   html, by the `or` of step 1",
        ],
    );
    tells(
        &["POST", "/fill", "--data", "name=Ada"],
        &[
            "step 1   set: skipped, its `if` does not hold",
            "step 2   store-param, bound as `name`",
            "step 3   clear",
            "answer   redirect to /cart",
        ],
    );
}

#[test]
fn a_failed_request_tells_where_it_failed_and_what_would_have_been() {
    let failed = ["POST", "/fill", "--data", "full=1"];
    tells(
        &failed,
        &[
            "step 1   set, bound as `full`",
            "step 2   store-param: fails",
            "not run  step 3",
            "failed   The parameter \u{201c}name\u{201d} is missing.",
        ],
    );
    let told = explained(&failed);
    assert!(told.contains("\nafter    would have been {\"_csrft_\"") && !told.contains("answer"), "{told}");

    let broken = ["POST", "/fill", "-H", "Content-Type: application/json", "--data", "{nope"];
    tells(&broken, &["not run  steps 1 to 3", "failed   The body is not JSON."]);
    assert!(explained(&broken).contains("because  key must be a string at line 1 column 2"));
}

#[test]
fn where_no_route_answers_the_methods_and_the_nearest_path_are_named() {
    tells(&["GET", "/order/1"], &["route    none at this path takes GET", "methods  OPTIONS, POST"]);
    for path in ["/crat", "/Cart", "/cart/"] {
        tells(&["GET", path], &["route    none has this path", "near     `cart`, path /cart"]);
    }
    for path in ["/ordre/1", "/order/one"] {
        tells(&["POST", path], &["near     `order`, path /order/{id:\\d+}"]);
    }
    tells(&["GET", "/far/away"], &["         `sitewright routes` lists all paths"]);
    tells(
        &["GET", "/api"],
        &[
            "route    none at this path answers such a request",
            "but      `api` does with x-api: 2",
            "failed   There is no page at this address.",
        ],
    );
    tells(
        &["OPTIONS", "/cart"],
        &["route    none: the table of routes answers OPTIONS", "methods  GET, HEAD, OPTIONS"],
    );
    tells(&["GET", "/favicon.ico"], &["route    none: browsers ask for /favicon.ico by themselves"]);
    tells(&["GET", "/static/a.css"], &["files    in files, below /static"]);
    tells(&["GET", "/%zz"], &["route    none: the path cannot be read"]);
}

#[test]
fn a_method_in_small_letters_is_a_slip() {
    let site = Site::new().config(&format!("{SESSION}{SHOP}"));
    let Ran { code, err, .. } = site.run(&["request", "get", "/cart"]);
    assert_eq!(code, 2);
    assert!(err.contains("methods are written in capitals: `GET`"), "{err}");
}

#[test]
fn a_session_that_was_made_for_the_request_is_not_called_a_good_cookie() {
    let made = "session  made for this request, as by the page with the form";
    tells(&["POST", "/fill", "--data", "name=Ada"], &[made]);
    for token in [&["--data", "csrf_token=wrong"][..], &["-H", "X-CSRF-Token: wrong"], &["-H", "Cookie: session=x"]] {
        let told = explained(&[&["POST", "/fill"], token].concat());
        assert!(told.starts_with("POST /fill → 400 Bad Request\n") && !told.contains(made), "{token:?}: {told}");
        assert!(told.contains("csrf     refused before anything else\nnot run  steps 1 to 3\n"), "{told}");
    }
}
