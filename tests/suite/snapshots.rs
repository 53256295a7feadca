//! `sitewright test`: what a run of snapshot tests says beside passed and failed.

use std::fs;

use crate::driver::{SESSION, Site};

const FORM: &str = r#"
[routes.form]
path = "/"
html = '<form method="post" action="/keep">{{csrf_field}}<input name="ok"></form>'

[routes.keep]
path     = "/keep"
methods  = ["POST"]
actions  = [{ renew = true }, { require = "params.ok" }, { set = "kept", value = true }]
redirect = "form"
"#;

fn site(requests: &str) -> Site {
    Site::new().config(&format!("{SESSION}{FORM}")).file("tests/form.http", requests)
}

fn posted(body: &str) -> String {
    format!("### Send\nPOST /keep\nContent-Type: application/x-www-form-urlencoded\n\n{body}\n")
}

#[test]
fn a_refused_request_says_why_beside_its_new_or_changed_section_and_never_in_the_snapshot() {
    let site = site(&posted("ok=1"));
    let because = "    because there is neither a header X-CSRF-Token nor a field csrf_token\n";
    let told = site.run(&["test"]).out;
    assert!(told.contains(&format!("\n  tests/form.http:2: Send\n{because}")), "no snapshot yet: {told}");

    let told = site.run(&["test", "--update"]).out;
    assert!(told.contains("wrote  tests/form.http (1 request)") && told.contains(because), "accepted unread: {told}");
    let snapshot = fs::read_to_string(site.path("tests/form.snap")).unwrap();
    assert!(snapshot.contains("400 Bad Request") && !snapshot.contains("X-CSRF-Token"), "{snapshot}");
    let told = site.run(&["test"]).out;
    assert!(!told.contains("because"), "it is as accepted: {told}");

    let site = site.file("tests/form.snap", &snapshot.replace("400 Bad Request", "303 See Other"));
    let told = site.run(&["test"]).out;
    assert!(told.contains("differs from the snapshot") && told.contains(because), "{told}");
    let xml = site.run(&["test", "--format", "junit"]).out;
    assert!(xml.contains("\">because there is neither a header X-CSRF-Token"), "{xml}");
}

#[test]
fn the_token_of_a_session_that_was_not_stored_is_worth_nothing() {
    let token = "csrf_token={{$csrf-token}}";
    let refused_first = ["### Look\nGET /\n\n", &posted(token), "\n", &posted(&format!("{token}&ok=1"))].concat();
    let site = site(&refused_first);
    site.run(&["test", "--update"]);
    let snapshot = fs::read_to_string(site.path("tests/form.snap")).unwrap();
    let statuses: Vec<&str> =
        snapshot.lines().filter(|line| line.len() > 3 && line.starts_with(['2', '3', '4'])).collect();
    assert_eq!(statuses, ["200 OK", "403 Forbidden", "303 See Other"], "{snapshot}");
}

#[test]
fn what_is_probably_not_meant_in_a_file_of_requests_is_told_though_it_passes() {
    let site = site("GET /\n\nGET /other\n\n###\nPOST /keep\n\nok=1\n");
    site.run(&["test", "--update"]);
    let told = site.run(&["test"]);
    assert_eq!(told.code, 0, "{}", told.out);
    for part in [
        "warning: this stands in the body of the request above\n --> tests/form.http:3:1",
        "warning: this has a body and no Content-Type, so no form is read from it\n --> tests/form.http:6:1",
    ] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
}
