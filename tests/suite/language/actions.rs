//! Verbs and their options, and what a failed request leaves.

use serde_json::json;

use super::Site;

#[test]
fn a_counter_counts_by_steps_within_bounds() {
    let mut site = Site::new(
        r#"
        [routes.up]
        path = "/"
        actions = [{ increment-counter = "n", by = 4, max = 10, as = "now" }]
        text = "{{now}}"
        [routes.down]
        path = "/down"
        actions = [{ increment-counter = "n", by = -7, min = 0 }]
        text = "{{n}}"
        "#,
    );
    let seen: Vec<_> = ["/", "/", "/", "/down", "/down"].map(|path| site.get(path).body().to_owned()).into();
    assert_eq!(seen, ["4", "8", "10", "3", "0"]);
}

#[test]
fn counting_what_is_no_number_is_a_conflict_unless_or_answers() {
    let mut site = Site::new(
        r#"
        [routes.set]
        path = "/set"
        actions = [{ set = "n", value = "three" }]
        text = "ok"
        [routes.count]
        path = "/count"
        actions = [{ increment-counter = "n" }]
        text = "{{n}}"
        [routes.or]
        path = "/or"
        actions = [{ increment-counter = "n", or = { text = "no number", status = 422 } }]
        text = "{{n}}"
        "#,
    );
    site.get("/set");
    assert_eq!(site.get("/count").status(), 409);
    let page = site.get("/or");
    assert_eq!((page.status().as_u16(), page.body()), (422, "no number"));
    assert_eq!(site.get("/set").session(), json!({"n": "three"}));
}

#[test]
fn a_parameter_is_stored_from_where_it_is_looked_for() {
    let mut site = Site::new(
        r#"
        [routes.any]
        path = "/any"
        methods = ["GET", "POST"]
        actions = [{ store-param = "user" }]
        text = "{{user}}"
        [routes.form]
        path = "/form"
        methods = ["POST"]
        actions = [{ store-param = "user", from = "form", key = "who.name" }]
        text = "ok"
        [routes.path]
        path = "/path/{user}"
        actions = [{ store-param = "user", from = "path" }]
        text = "ok"
        "#,
    );
    assert_eq!(site.get("/any?user=A&user=B").body(), "B");
    assert_eq!(site.ask("POST", "/any?user=query", Some("user=body")).body(), "query");
    assert_eq!(site.ask("POST", "/any", Some("user=")).session(), json!({"user": ""}));
    assert_eq!(site.ask("POST", "/form?user=query", Some("user=body")).session()["who"], json!({"name": "body"}));
    assert_eq!(site.get("/path/a%20b").session()["user"], "a b");
    let missing = site.get("/any");
    assert_eq!(missing.status(), 400);
    assert!(missing.body().contains("user"), "{}", missing.body());
}

#[test]
fn a_missing_key_reads_as_its_default_or_as_nothing_or_answers() {
    let mut site = Site::new(
        r#"
        [routes.plain]
        path = "/plain"
        actions = [{ read = "user" }]
        text = "[{{user}}]"
        [routes.default]
        path = "/default"
        actions = [{ read = "user", default = "nobody at {{request.host}}" }]
        text = "[{{user}}]"
        [routes.or]
        path = "/or"
        actions = [{ read = "user", or = { redirect = "plain" } }]
        text = "[{{user}}]"
        [routes.pop]
        path = "/pop"
        actions = [{ pop = "user", default = { name = "x" }, as = "gone" }]
        json = "gone"
        "#,
    );
    assert_eq!(site.get("/plain").body(), "[]");
    assert_eq!(site.get("/default").body(), "[nobody at localhost]");
    let page = site.get("/or");
    assert_eq!((page.status().as_u16(), page.header("location")), (303, Some("/plain")));
    assert_eq!(site.get("/pop").json(), json!({"name": "x"}));
    assert_eq!(site.cookie, None, "reading and popping nothing starts no session");
}

#[test]
fn set_takes_values_templates_and_expressions() {
    let mut site = Site::new(
        r#"
        [routes.set]
        path = "/{id}"
        actions = [
          { set = "fixed", value = { a = [1, 2.5, true], b = "x" } },
          { set = "text", value = "id {{path.id}}" },
          { set = "copy", from = "session.fixed.a" },
          { set = "more", from = "(gt (len session.fixed.a) 2)" },
          { set-default = "text", value = "not this" },
          { set = "list.{{path.id}}", value = 1 },
        ]
        json = "session"
        "#,
    );
    let expected = json!({
        "fixed": {"a": [1, 2.5, true], "b": "x"}, "text": "id a.b", "copy": [1, 2.5, true], "more": true, "list": {"a.b": 1},
    });
    assert_eq!(site.get("/a.b").json(), expected);
}

#[test]
fn what_a_visitor_puts_into_a_key_stays_one_part() {
    let mut site = Site::new(
        r#"
        [routes.add]
        path = "/add"
        actions = [{ increment-counter = "cart.{{params.sku}}" }]
        text = "ok"
        [routes.top]
        path = "/top"
        actions = [{ set = "{{params.name}}", value = 1 }]
        text = "ok"
        "#,
    );
    let page = site.get("/add?sku=a.b%7B%7Bsecret%7D%7D");
    assert_eq!(page.session(), json!({"cart": {"a.b{{secret}}": 1}}));
    assert_eq!(site.get("/add?sku=").status(), 400);
    assert_eq!(site.get("/top?name=_csrft_").status(), 400);
    assert_eq!(site.get("/top?name=ok").status(), 200);
}

#[test]
fn delete_clear_and_invalidate_remove_one_key_all_keys_and_the_session() {
    let mut site = Site::new(
        r#"
        [routes.fill]
        path = "/fill"
        actions = [{ set = "a", value = 1 }, { set = "b", value = 2 }]
        text = "ok"
        [routes.delete]
        path = "/delete"
        actions = [{ delete = "a" }, { delete = "never.there" }]
        text = "ok"
        [routes.clear]
        path = "/clear"
        actions = [{ clear = true }]
        text = "ok"
        [routes.end]
        path = "/end"
        actions = [{ invalidate = true }]
        text = "ok"
        "#,
    );
    site.get("/fill");
    assert_eq!(site.get("/delete").session(), json!({"b": 2}));
    assert_eq!(site.get("/clear").session(), json!({}));
    assert!(site.cookie.is_some(), "a cleared session goes on");
    let page = site.get("/end");
    let set_cookie = page.header("set-cookie").unwrap();
    assert!(set_cookie.starts_with("session=;") && set_cookie.contains("Max-Age=0"), "{set_cookie}");
}

#[test]
fn an_if_skips_its_action() {
    let mut site = Site::new(
        r#"
        [routes.home]
        path = "/"
        actions = [
          { increment-counter = "all" },
          { increment-counter = "odd", if = "params.odd" },
          { increment-counter = "late", if = "(gt session.all 1)" },
        ]
        json = "session"
        "#,
    );
    assert_eq!(site.get("/?odd=1").json(), json!({"all": 1, "odd": 1}));
    assert_eq!(site.get("/?odd=").json(), json!({"all": 2, "odd": 1, "late": 1}));
}

#[test]
fn a_failed_request_changes_nothing() {
    let mut site = Site::new(
        r#"
        [routes.home]
        path = "/"
        actions = [{ increment-counter = "n" }, { store-param = "user" }]
        text = "{{n}}"
        "#,
    );
    assert_eq!(site.get("/?user=x").body(), "1");
    let failed = site.get("/");
    assert_eq!((failed.status().as_u16(), failed.header("set-cookie")), (400, None));
    assert_eq!(site.get("/?user=x").body(), "2");
}

#[test]
fn with_set_on_exception_a_failed_request_keeps_what_it_did_before() {
    let config = format!(
        "set_on_exception = true\n{}",
        r#"
        [routes.home]
        path = "/"
        actions = [{ increment-counter = "n" }, { store-param = "user" }]
        text = "{{n}}"
        "#
    );
    let mut site = Site::new(&config);
    assert_eq!(site.get("/").status(), 400);
    assert_eq!(site.get("/?user=x").body(), "2");
}

#[test]
fn a_route_without_session_asks_for_none() {
    let mut site = Site::new(
        r#"
        [routes.plain]
        path = "/plain"
        html = "{{request.method}}"
        [routes.shows]
        path = "/shows"
        html = "{{session.n}}"
        "#,
    );
    let page = site.get("/plain");
    assert!(page.0.account.session.is_none());
    assert_eq!((page.header("vary"), page.header("cache-control"), page.header("set-cookie")), (None, None, None));
    let page = site.get("/shows");
    assert!(page.0.account.session.is_some());
    assert_eq!((page.header("vary"), page.header("set-cookie")), (Some("Cookie"), None));
}

#[test]
fn a_reading_visitor_is_kept_alive_at_most_every_reissue_time_and_not_by_a_poller() {
    let mut site = Site::new(
        r#"
        [routes.set]
        path = "/set"
        actions = [{ set = "n", value = 1 }]
        text = "ok"
        [routes.read]
        path = "/read"
        text = "{{session.n}}"
        [routes.poll]
        path = "/poll"
        text = "{{session.n}}"
        keepalive = false
        "#,
    );
    site.get("/set");
    site.now += 119.0;
    assert_eq!(site.get("/read").header("set-cookie"), None);
    site.now += 10.0;
    assert_eq!(site.get("/poll").header("set-cookie"), None);
    assert!(site.get("/read").header("set-cookie").is_some());
    site.now += 1300.0;
    assert_eq!(site.get("/poll").body(), "", "away for longer than the timeout");
}
