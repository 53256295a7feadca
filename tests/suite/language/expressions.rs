//! Expressions: what they give, and that templates agree.

use serde_json::{Value, json};

use super::Site;

/// Each expression with its value, on `/?q=tea&n=3` with the data and the session below.
const EXPRESSIONS: &[(&str, &str)] = &[
    ("session.count", "3"),
    ("(eq session.count 3)", "true"),
    ("(eq session.count 3.0)", "true"),
    ("(eq session.count '3')", "false"),
    ("(ne session.count '3')", "true"),
    ("(gt session.count 2)", "true"),
    ("(gt session.count session.nothing)", "false"),
    ("(lt session.nothing session.count)", "false"),
    ("(gt query.n 2)", "false"),
    ("(gte big.0 9007199254740993)", "true"),
    ("(lt 9007199254740992 big.0)", "true"),
    ("(lt 'apple' query.q)", "true"),
    ("(and session.count query.q (not session.empty))", "true"),
    ("(or session.nothing session.empty)", "false"),
    ("(in 'b' session.list)", "true"),
    ("(in query.q teas)", "true"),
    ("(in query.q [\"tea\", \"milk\"])", "true"),
    ("(in 'ea' query.q)", "true"),
    ("(in 3 session.list)", "false"),
    ("(len session.list)", "2"),
    ("(len session.nothing)", "0"),
    ("(len '\u{e9}t\u{e9}')", "3"),
    ("(default session.nothing 'stranger')", "\"stranger\""),
    ("(default session.nothing (default session.nothing teas))", "{\"tea\":1}"),
    ("(default session.empty 1)", "\"\""),
    ("(lookup teas query.q)", "1"),
    ("(lookup session.list (default session.nothing 1))", "\"b\""),
    ("(url 'item' id=query.q)", "\"/item/tea\""),
    ("(json session.list)", "\"[\\\"a\\\",\\\"b\\\"]\""),
    ("(eq (len session.list) (lookup teas 'tea'))", "false"),
];

fn site() -> Site {
    let quoted = |text: &str| Value::from(text).to_string();
    let list: Vec<String> = EXPRESSIONS.iter().map(|(expression, _)| quoted(expression)).collect();
    let tags = |wrap: fn(&str) -> String| EXPRESSIONS.iter().map(|(text, _)| wrap(text)).collect::<Vec<_>>().join("\n");
    let values = tags(|text| format!("{{{{json {text}}}}}"));
    let holds = tags(|text| format!("{{{{#if {text}}}}}yes{{{{else}}}}no{{{{/if}}}}"));
    Site::new(&format!(
        r#"
        [data]
        big = [9007199254740993]
        teas = {{ tea = 1 }}
        [routes.fill]
        path = "/fill"
        actions = [
          {{ set = "count", value = 3 }},
          {{ set = "list", value = ["a", "b"] }},
          {{ set = "empty", value = "" }},
        ]
        text = "ok"
        [routes.item]
        path = "/item/{{id}}"
        text = "ok"
        [routes.json]
        path = "/json"
        json = [{list}]
        [routes.template]
        path = "/template"
        text = {values}
        [routes.if]
        path = "/if"
        text = {holds}
        "#,
        list = list.join(", "),
        values = quoted(&values),
        holds = quoted(&holds),
    ))
}

#[test]
fn an_expression_has_a_value_of_its_own_kind() {
    let mut site = site();
    site.get("/fill");
    let page = site.get("/json?q=tea&n=3").json();
    for ((expression, expected), value) in EXPRESSIONS.iter().zip(page.as_array().unwrap()) {
        assert_eq!(value.to_string(), *expected, "{expression}");
    }
}

#[test]
fn a_template_takes_an_expression_for_the_same_value() {
    let mut site = site();
    site.get("/fill");
    let (values, holds) = (site.get("/template?q=tea&n=3"), site.get("/if?q=tea&n=3"));
    let lines = values.body().lines().zip(holds.body().lines());
    for ((expression, expected), (value, holds)) in EXPRESSIONS.iter().zip(lines) {
        // In a page, no slash of JSON ends anything.
        assert_eq!(value.replace("\\/", "/"), *expected, "{expression}");
        let falsy = ["false", "null", "0", "\"\""].contains(expected);
        assert_eq!(holds, if falsy { "no" } else { "yes" }, "{expression}");
    }
}

#[test]
fn a_default_is_shown_escaped_like_any_value() {
    let mut site = Site::new(
        r#"
        [routes.hello]
        path = "/"
        html = "<p title='{{default query.name \"nobody & none\"}}'>{{url 'hello'}}?{{len query.name}}"
        "#,
    );
    assert_eq!(site.get("/").body(), "<p title='nobody &amp; none'>/?0");
    assert_eq!(site.get("/?name=%3C'b%3E").body(), "<p title='&lt;&#x27;b&gt;'>/?4");
}

#[test]
fn an_expression_of_a_mounted_site_links_within_it() {
    let child = r#"
        [routes.home]
        path = "/"
        json = { home = "(url 'home')" }
        "#;
    let mut site = Site::with_files("[[mount]]\nsite = \"shop\"\nat = \"/shop\"\n", &[("shop/config.toml", child)]);
    assert_eq!(site.get("/shop").json(), json!({"home": "/shop"}));
}

#[test]
fn a_cart_has_line_totals_and_a_total_without_a_cent_of_noise() {
    let config = r#"
        [data.teas]
        assam = { name = "Assam", price = "4.50" }
        mate = { name = "Mate", price = 3.1 }
        [routes.add]
        path = "/add/{sku}"
        actions = [{ increment-counter = "cart.{{path.sku}}" }]
        redirect = "cart"
        [routes.cart]
        path = "/"
        text = """
{{#each session.cart as |cups sku|}}{{#with (lookup @root.teas sku) as |tea|}}{{cups}} {{tea.name}} {{number (mul cups tea.price) decimals=2}}
{{/with}}{{/each}}{{number (sum session.cart teas "price") decimals=2}}"""
        [routes.api]
        path = "/api"
        json = { total = "(sum session.cart teas 'price')", shown = "(concat '€ ' (number 1234.5 decimals=2 group='.' point=','))" }
    "#;
    let mut site = Site::new(config);
    assert_eq!(site.get("/").body(), "0.00");
    for _ in 0..3 {
        site.get("/add/mate");
    }
    site.get("/add/assam");
    site.get("/add/gone");
    assert_eq!(site.get("/").body(), "3 Mate 9.30\n1 Assam 4.50\n13.80");
    assert_eq!(site.get("/api").body(), r#"{"total":13.80,"shown":"€ 1.234,50"}"#);
}

#[test]
fn a_link_has_a_query_of_what_is_no_marker() {
    let config = r#"
        [routes.list]
        path = "/list/{kind}"
        html = """{{url "list" kind=path.kind page=(add query.page 1) sort=query.sort}} {{url "list" kind="a b" _query=query tag="x&y"}}"""
        [routes.api]
        path = "/api"
        json = { next = "(url 'list' kind='tea' page=2 tags=query)", all = "(url 'list' kind='tea' _query=query.none)" }
    "#;
    let mut site = Site::new(config);
    let page = site.get("/list/tea?page=2");
    assert_eq!(page.body(), "/list/tea?page&#x3D;3 /list/a%20b?page&#x3D;2&amp;tag&#x3D;x%26y");
    assert_eq!(site.get("/api").body(), r#"{"next":"/list/tea?page=2&tags=%5Bobject%5D","all":"/list/tea"}"#);
}

#[test]
fn a_page_shows_when_it_was_asked_for() {
    let config = r#"
        [routes.home]
        path = "/"
        text = "{{date request.time '%Y'}} {{date query.day '%-d %B %Y'}}"
    "#;
    assert_eq!(Site::new(config).get("/?day=2026-11-21").body(), "2030 21 November 2026");
}
