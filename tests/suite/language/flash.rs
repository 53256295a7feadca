//! Flash messages: who makes them, who sees them, and when they are gone.

use serde_json::json;

use super::Site;

const PAGES: &str = r#"
[templates]
layout  = "{{> messages}}{{title}}"
messages = """{{#each flash}}<p class="flash {{queue}}">{{message}}</p>{{/each}}"""

[defaults]
data = { title = "Tea" }

[routes.make]
path     = "/make"
actions  = [{ flash = "Saved {{params.what}}.", queue = "success", if = "params.what" }]
redirect = "shown"

[routes.warn]
path    = "/warn"
actions = [{ flash = "Careful.", allow_duplicate = false }]
text    = "warned"

[routes.shown]
path     = "/shown"
template = "layout"

[routes.at-once]
path     = "/at-once"
actions  = [{ flash = "Now." }]
template = "messages"

[routes.look]
path    = "/look"
actions = []
json    = "session"

[routes.broken]
path    = "/broken"
actions = [{ flash = "Never." }, { require = "params.never" }]
html    = "{{#each flash}}{{message}}{{/each}}"

[routes.checked]
path    = "/checked"
params  = { n = { type = "integer", required = true } }
invalid = { html = "Again: {{> messages}}" }
text    = "{{n}}{{params.n}}"
data    = { n = "" }

[errors]
404 = { template = "layout" }

[data]
title = "Error"
"#;

fn waiting(site: &mut Site) -> serde_json::Value {
    site.get("/look").json()
}

#[test]
fn a_message_waits_for_the_next_page_that_shows_it_and_is_gone_then() {
    let mut site = Site::new(PAGES);
    let page = site.get("/make?what=%3Cb%3E");
    assert_eq!((page.status().as_u16(), page.session()), (303, json!({"_f_success": ["Saved <b>."]})));
    assert_eq!(site.get("/shown").body(), "<p class=\"flash success\">Saved &lt;b&gt;.</p>Tea");
    assert_eq!(waiting(&mut site), json!({}));
    assert_eq!(site.get("/shown").body(), "Tea");
}

#[test]
fn a_message_shows_in_the_answer_that_made_it() {
    let mut site = Site::new(PAGES);
    site.get("/warn");
    let page = site.get("/at-once");
    assert_eq!(page.body(), "<p class=\"flash \">Careful.</p><p class=\"flash \">Now.</p>");
    assert_eq!(page.session(), json!({}));
}

#[test]
fn queues_show_in_the_order_they_were_begun_each_oldest_first() {
    let mut site = Site::new(PAGES);
    for path in ["/make?what=1", "/warn", "/warn", "/make?what=2"] {
        site.get(path);
    }
    let shown = "<p class=\"flash success\">Saved 1.</p><p class=\"flash success\">Saved 2.</p><p class=\"flash \">Careful.</p>Tea";
    assert_eq!(site.get("/shown").body(), shown);
}

#[test]
fn who_has_no_messages_gets_no_session_and_nothing_is_stored_again() {
    let mut site = Site::new(PAGES);
    let page = site.get("/shown");
    assert_eq!((page.body(), page.header("set-cookie")), ("Tea", None));
    site.get("/warn");
    site.get("/shown");
    let page = site.get("/shown");
    assert!(page.header("set-cookie").is_none() && !page.0.account.session.unwrap().committed);
}

#[test]
fn what_is_not_shown_to_the_visitor_leaves_the_messages() {
    let mut site = Site::new(PAGES);
    site.get("/warn");
    let before = waiting(&mut site);
    site.ask("HEAD", "/shown", None);
    let prefetch = [("sec-purpose", "prefetch"), ("sec-fetch-dest", "document")];
    assert_eq!(site.send("GET", "/shown", &prefetch, "").status(), 503);
    site.send("GET", "/shown", &prefetch[..1], "");
    assert_eq!(site.get("/make").status(), 303);
    assert_eq!(site.get("/broken").status(), 403);
    let page = site.get("/no-such-page");
    assert_eq!((page.status().as_u16(), page.body()), (404, "Error"));
    assert_eq!(waiting(&mut site), before);
    assert_eq!(site.get("/shown").body(), "<p class=\"flash \">Careful.</p>Tea");
}

#[test]
fn no_asset_takes_a_message_and_no_file() {
    let files = "[routes.leaflet]\npath = \"/leaflet\"\nfile = \"leaflet.txt\"\n\n[static]\n\"/static\" = \"static\"\n";
    let config = format!("{PAGES}\n{files}\n[csrf]\nenabled = false\n");
    let mut site = Site::with_files(&config, &[("leaflet.txt", "Teas"), ("static/site.css", "p {}")]);
    site.get("/warn");
    let before = waiting(&mut site);
    for (path, body) in [("/leaflet", "Teas"), ("/static/site.css", "p {}"), ("/favicon.ico", "")] {
        let page = site.get(path);
        assert_eq!((page.body(), page.header("set-cookie")), (body, None), "{path}");
    }
    assert_eq!(waiting(&mut site), before);
    assert_eq!(site.get("/shown").body(), "<p class=\"flash \">Careful.</p>Tea");
}

#[test]
fn an_invalid_answer_that_shows_a_message_takes_it_and_one_that_is_not_given_does_not() {
    let mut site = Site::new(PAGES);
    site.get("/warn");
    assert_eq!(site.get("/checked?n=1").body(), "1");
    let page = site.get("/checked?n=x");
    assert_eq!((page.status().as_u16(), page.body()), (400, "Again: <p class=\"flash \">Careful.</p>"));
    assert_eq!(waiting(&mut site), json!({}));
}

#[test]
fn the_answer_of_an_or_decides_for_itself() {
    let mut site = Site::new(
        r#"
        [routes.make]
        path = "/make"
        actions = [{ flash = ["a", 1] }]
        text = "ok"
        [routes.either]
        path = "/either"
        actions = [{ require = "params.good", or = { json = "flash" } }]
        text = "good"
        [routes.look]
        path = "/look"
        json = "session"
        "#,
    );
    site.get("/make");
    assert_eq!(site.get("/either?good=1").body(), "good");
    assert_eq!(site.get("/look").json(), json!({"_f_": [["a", 1]]}));
    assert_eq!(site.get("/either").json(), json!([{"queue": "", "message": ["a", 1]}]));
    assert_eq!(site.get("/look").json(), json!({}));
}

#[test]
fn actions_peek_into_a_queue_and_pop_it() {
    let mut site = Site::new(
        r#"
        [routes.make]
        path = "/make"
        actions = [{ flash = "a", queue = "q" }, { flash = "b", queue = "q" }, { flash = "other" }]
        text = "ok"
        [routes.peek]
        path = "/peek"
        actions = [{ peek-flash = true, queue = "q", as = "list" }]
        json = "list"
        [routes.pop]
        path = "/pop"
        actions = [{ pop-flash = true, queue = "q", as = "list" }]
        json = { list = "list", session = "session" }
        "#,
    );
    assert_eq!(site.get("/pop").json(), json!({"list": [], "session": {}}));
    assert_eq!(site.cookie, None, "popping nothing starts no session");
    site.get("/make");
    assert_eq!(site.get("/peek").json(), json!(["a", "b"]));
    assert_eq!(site.get("/pop").json(), json!({"list": ["a", "b"], "session": {"_f_": ["other"]}}));
    assert_eq!(site.get("/peek").json(), json!([]));
}

#[test]
fn a_request_may_choose_the_queue_of_its_message() {
    let mut site = Site::new(
        r#"
        [routes.make]
        path = "/make/{queue}"
        actions = [{ flash = "a", queue = "{{path.queue}}", allow_duplicate = false }]
        text = "ok"
        [routes.look]
        path = "/look"
        text = "{{#each flash}}{{queue}}: {{message}}. {{/each}}"
        "#,
    );
    for path in ["/make/warning", "/make/warning", "/make/info", "/make/csrft_"] {
        site.get(path);
    }
    assert_eq!(site.get("/look").body(), "warning: a. info: a. csrft_: a. ");
}

#[test]
fn no_visitor_reaches_a_queue_or_the_token_by_a_key() {
    let mut site = Site::new(
        r#"
        [routes.set]
        path = "/set/{key}"
        actions = [{ set = "{{path.key}}", value = 1 }]
        text = "ok"
        [routes.append]
        path = "/append/{key}"
        actions = [{ append = "{{path.key}}", value = "forged" }]
        text = "ok"
        "#,
    );
    for path in ["/set/_f_", "/set/_f_success", "/set/_csrft_", "/append/_f_", "/append/_csrft_"] {
        let page = site.get(path);
        assert_eq!((page.status().as_u16(), page.session()), (400, json!({})), "{path}");
    }
}
