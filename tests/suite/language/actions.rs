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

#[test]
fn a_list_grows_by_items_that_may_be_unique_and_shrinks_by_value() {
    let mut site = Site::new(
        r#"
        [data]
        pair = { a = 1, b = [2] }
        [routes.add]
        path = "/add/{tea}"
        actions = [{ append = "shop.teas", value = "{{path.tea}}", unique = true, as = "now" }]
        json = "now"
        [routes.again]
        path = "/again"
        actions = [{ append = "all", from = "pair" }, { append = "all", value = [1, "{{query.x}}"] }]
        json = "all"
        [routes.drop]
        path = "/drop/{tea}"
        actions = [{ remove = "shop.teas", value = "{{path.tea}}", as = "now" }, { remove = "all", from = "pair" }]
        json = { teas = "now", all = "all" }
        "#,
    );
    assert_eq!(site.get("/drop/assam").json(), json!({"teas": null, "all": null}));
    assert_eq!(site.cookie, None, "what is not there is not removed");
    assert_eq!(site.get("/add/assam").json(), json!(["assam"]));
    assert_eq!(site.get("/add/sencha").json(), json!(["assam", "sencha"]));
    assert_eq!(site.get("/add/assam").json(), json!(["assam", "sencha"]));
    site.get("/again?x=y");
    assert_eq!(site.get("/again").json(), json!([{"a": 1, "b": [2]}, [1, "y"], {"a": 1, "b": [2]}, [1, ""]]));
    assert_eq!(site.get("/drop/assam").json(), json!({"teas": ["sencha"], "all": [[1, "y"], [1, ""]]}));
    assert_eq!(site.get("/drop/sencha").session(), json!({"shop": {"teas": []}, "all": [[1, "y"], [1, ""]]}));
}

#[test]
fn a_full_list_refuses_answers_or_drops_its_oldest() {
    let mut site = Site::new(
        r#"
        [data]
        most = 2
        [routes.plain]
        path = "/plain/{x}"
        actions = [{ append = "l", value = "{{path.x}}", limit = 2, unique = true }]
        json = "l"
        [routes.or]
        path = "/or/{x}"
        actions = [{ append = "l", value = "{{path.x}}", limit = 2, or = { text = "full", status = 422 } }]
        json = "l"
        [routes.last]
        path = "/last/{x}"
        actions = [{ append = "l", value = "{{path.x}}", limit = "most", overflow = "drop-oldest" }]
        json = "l"
        [routes.none]
        path = "/none/{x}"
        actions = [{ append = "l", value = 1, limit = "(len query.most)", overflow = "drop-oldest" }]
        json = "l"
        [routes.bad]
        path = "/bad"
        actions = [{ append = "l", value = 1, limit = "query.most" }]
        json = "l"
        "#,
    );
    site.get("/plain/a");
    assert_eq!(site.get("/plain/b").json(), json!(["a", "b"]));
    assert_eq!(site.get("/plain/c").status(), 409);
    assert_eq!(site.get("/plain/a").json(), json!(["a", "b"]), "what is in it needs no room");
    assert_eq!(site.get("/or/c").body(), "full");
    assert_eq!(site.get("/last/c").json(), json!(["b", "c"]));
    assert_eq!(site.get("/none/d").status(), 409, "no room at all");
    assert_eq!(site.get("/bad?most=5").status(), 400, "what a query brings is text");
    assert_eq!(site.get("/last/d").session(), json!({"l": ["c", "d"]}));
}

#[test]
fn what_is_no_list_is_not_appended_to() {
    let mut site = Site::new(
        r#"
        [routes.fill]
        path = "/fill"
        actions = [{ set = "n", value = 1 }, { set = "m", value = { a = 1 } }]
        text = "ok"
        [routes.append]
        path = "/append"
        actions = [{ append = "n", value = 1 }]
        text = "ok"
        [routes.remove]
        path = "/remove"
        actions = [{ remove = "m", value = 1, or = { text = "no list" } }]
        text = "ok"
        [routes.below]
        path = "/below"
        actions = [{ append = "n.x", value = 1 }]
        text = "ok"
        "#,
    );
    site.get("/fill");
    assert_eq!(site.get("/append").status(), 409);
    assert_eq!(site.get("/below").status(), 409);
    assert_eq!(site.get("/remove").body(), "no list");
    assert_eq!(site.get("/fill").session(), json!({"n": 1, "m": {"a": 1}}));
}

#[test]
fn what_is_required_holds_or_the_visitor_is_refused_or_answered() {
    let mut site = Site::new(
        r#"
        [routes.login]
        path = "/login"
        actions = [{ set = "role", value = "admin" }]
        text = "ok"
        [routes.admin]
        path = "/admin"
        actions = [{ require = "(eq session.role 'admin')" }, { increment-counter = "visits" }]
        text = "{{visits}}"
        [routes.or]
        path = "/or"
        actions = [{ increment-counter = "tries" }, { require = "session.role", or = { redirect = "login" } }]
        text = "in"
        "#,
    );
    let refused = site.get("/admin");
    assert_eq!((refused.status().as_u16(), refused.header("set-cookie")), (403, None));
    let sent = site.get("/or");
    assert_eq!((sent.status().as_u16(), sent.header("location")), (303, Some("/login")));
    assert_eq!(sent.session(), json!({"tries": 1}), "what came before it is kept");
    site.get("/login");
    assert_eq!((site.get("/admin").body(), site.get("/or").body()), ("1", "in"));
}

#[test]
fn a_response_among_the_actions_answers_at_once() {
    let mut site = Site::new(
        r#"
        [routes.home]
        path = "/"
        actions = [
          { increment-counter = "visits" },
          { respond = { json = { visits = "visits" }, status = 203, headers = { X-Early = "yes" } }, if = "(gt visits 1)" },
          { set = "reached", value = true },
        ]
        text = "first"
        "#,
    );
    assert_eq!(site.get("/").body(), "first");
    let page = site.get("/");
    assert_eq!((page.status().as_u16(), page.header("x-early"), page.body()), (203, Some("yes"), "{\"visits\":2}"));
    assert_eq!(page.session(), json!({"visits": 2, "reached": true}));
}

#[test]
fn a_renewed_session_keeps_its_data() {
    let mut site = Site::new(
        r#"
        [routes.fill]
        path = "/fill"
        actions = [{ set = "a", value = 1 }]
        text = "ok"
        [routes.renew]
        path = "/renew"
        actions = [{ renew = true }]
        text = "ok"
        "#,
    );
    assert_eq!(site.get("/renew").header("set-cookie"), None, "nothing to renew");
    site.get("/fill");
    let page = site.get("/renew");
    assert!(page.header("set-cookie").is_some() && page.0.account.session.as_ref().unwrap().after.is_renewed());
    assert_eq!(page.session(), json!({"a": 1}));
}

#[test]
fn counters_take_their_steps_and_bounds_from_expressions() {
    let mut site = Site::new(
        r#"
        [data]
        step = { small = 0.5, large = 90071992547409930 }
        [routes.count]
        path = "/{size}"
        actions = [{ increment-counter = "n", by = "(lookup step path.size)", max = "step.large" }]
        json = "n"
        "#,
    );
    assert_eq!(site.get("/small").body(), "0.5");
    assert_eq!(site.get("/large").body(), "90071992547409930", "at most");
    assert_eq!(site.get("/medium").status(), 400);
}
