//! Guards: what has to hold before anything else is looked at.

use serde_json::json;

use super::Site;

const NOTES: &str = r#"
    [defaults]
    guards = [{ read = "user", or = { redirect = "login" } }]

    [routes.login]
    path   = "/login"
    guards = []
    html   = "Who are you?"

    [routes.enter]
    path     = "/enter"
    guards   = []
    actions  = [{ set = "user", value = "Ada" }]
    redirect = "notes"

    [routes.notes]
    path = "/"
    html = "{{user}}: {{session.note}}"

    [routes.write]
    path     = "/write"
    methods  = ["POST"]
    params   = { note = { required = true, max_length = 8 } }
    invalid  = { html = "{{user}}, {{errors.note}}" }
    actions  = [{ store-param = "note" }]
    redirect = "notes"
"#;

#[test]
fn a_guard_of_defaults_keeps_every_route_but_those_that_say_otherwise() {
    let mut site = Site::new(NOTES);
    let away = site.get("/");
    assert_eq!((away.status().as_u16(), away.header("location")), (303, Some("/login")));
    assert_eq!(site.get("/login").body(), "Who are you?");
    site.get("/enter");
    assert_eq!(site.get("/").body(), "Ada: ");
}

#[test]
fn a_guard_answers_before_a_parameter_that_does_not_hold() {
    let mut site = Site::new(NOTES);
    let away = site.ask("POST", "/write", Some("note="));
    assert_eq!((away.status().as_u16(), away.header("location")), (303, Some("/login")));
}

#[test]
fn the_answer_to_invalid_parameters_shows_what_guards_read() {
    let mut site = Site::new(NOTES);
    site.get("/enter");
    let invalid = site.ask("POST", "/write", Some("note="));
    assert_eq!((invalid.status().as_u16(), invalid.body()), (400, "Ada, Please fill in this field."));
    assert_eq!(site.get("/").session(), json!({"user": "Ada"}));
    site.ask("POST", "/write", Some("note=short"));
    assert_eq!(site.get("/").body(), "Ada: short");
}
