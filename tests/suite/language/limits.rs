//! What a session has room for, and the answers a site declares for when it is full.

use serde_json::json;

use super::Site;

#[test]
fn a_session_that_grows_too_large_is_answered_by_a_page_of_its_own_and_kept_as_it_was() {
    let mut site = Site::new(
        r#"
        [routes.add]
        path = "/add"
        methods = ["POST"]
        actions = [{ append = "notes", value = "{{form.note}}" }]
        json = "(len notes)"
        [errors]
        413 = { html = "<p>{{error.message}} Remove a note first.</p>" }
        "#,
    );
    assert_eq!(site.ask("POST", "/add", Some("note=short")).body(), "1");
    let full = site.ask("POST", "/add", Some(&format!("note={}", "x".repeat(5000))));
    assert_eq!((full.status().as_u16(), full.header("set-cookie")), (413, None));
    assert!(full.body().contains("Remove a note first."), "{}", full.body());
    let failure = full.0.account.failure.as_ref().unwrap();
    assert!(failure.is_notable && failure.private.contains("largest: `notes` ("), "{failure:?}");
    assert_eq!(site.ask("POST", "/add", Some("note=short")).session(), json!({"notes": ["short", "short"]}));
}

#[test]
fn the_number_of_entries_is_limited_by_what_is_required() {
    let mut site = Site::new(
        r#"
        [routes.add]
        path = "/add/{sku}"
        actions = [
          { require = "(or (in path.sku session.cart) (lt (len session.cart) 2))", or = { text = "full", status = 409 } },
          { increment-counter = "cart.{{path.sku}}" },
        ]
        json = "session.cart"
        "#,
    );
    site.get("/add/a");
    assert_eq!(site.get("/add/b").json(), json!({"a": 1, "b": 1}));
    assert_eq!(site.get("/add/c").body(), "full");
    assert_eq!(site.get("/add/a").json(), json!({"a": 2, "b": 1}));
}
