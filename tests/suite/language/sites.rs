//! Defaults, mounts and templates.

use std::collections::BTreeMap;

use sitewright::diagnostic::{Diagnostics, print};
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;

use super::{SESSION, Site};

#[test]
fn defaults_fill_in_what_a_route_does_not_say() {
    let mut site = Site::new(
        r#"
        [defaults]
        actions = [{ increment-counter = "n" }]
        text = "{{name}} {{n}}"
        data = { name = "default", other = 1 }
        headers = { "X-A" = "a", "X-B" = "b" }
        [routes.home]
        path = "/"
        [routes.own]
        path = "/own"
        text = "own {{name}} {{other}}"
        actions = []
        data = { name = "own" }
        headers = { "X-B" = "own" }
        "#,
    );
    assert_eq!(site.get("/").body(), "default 1");
    let page = site.get("/own");
    assert_eq!((page.body(), page.header("x-a"), page.header("x-b")), ("own own 1", Some("a"), Some("own")));
    assert_eq!(site.get("/").body(), "default 2");
}

#[test]
fn a_mounted_site_means_what_it_means_alone() {
    let child = format!(
        "{SESSION}{}",
        r#"
        [data]
        title = "Child"
        [templates]
        layout = "<title>{{title}}</title>{{> @partial-block}}"
        page = "{{#> layout}}<a href=\"{{url \"item\" id=3}}\">{{> part}}</a>{{/layout}}"
        part = "item"
        [routes.home]
        path = "/"
        template = "page"
        [routes.item]
        path = "/item/{id}"
        redirect = "home"
        [routes.path]
        path = "/path"
        redirect = "/item/1"
        [errors]
        404 = { text = "child has no such page" }
        "#
    );
    let parent = r#"
        [data]
        title = "Parent"
        [templates]
        page = "{{title}} {{url \"kid/item\" id=1}} {{> kid/part}}"
        [routes.home]
        path = "/"
        template = "page"
        [[mount]]
        site = "kid"
        at = "/under/here"
    "#;
    let mut site = Site::with_files(parent, &[("kid/config.toml", &child)]);
    assert_eq!(site.get("/").body(), "Parent /under/here/item/1 item");
    assert_eq!(site.get("/under/here").body(), "<title>Child</title><a href=\"/under/here/item/3\">item</a>");
    assert_eq!(site.get("/under/here/item/9").header("location"), Some("/under/here"));
    assert_eq!(site.get("/under/here/path").header("location"), Some("/under/here/item/1"));
    assert_eq!(site.get("/under/here/nope").body(), "child has no such page");
    assert!(site.get("/under/heretic").body().contains("There is no page"), "a prefix ends at a slash");
}

#[test]
fn template_files_join_under_their_relative_path() {
    let config = r#"
        [routes.home]
        path = "/"
        template = "pages/home"
    "#;
    let files = [
        ("templates/pages/home.hbs", "{{> parts/head title=\"x\"}} body"),
        ("templates/parts/head.hbs", "<{{title}}>"),
        ("templates/.#home.hbs", "{{"),
    ];
    assert_eq!(Site::with_files(config, &files).get("/").body(), "<x> body");
}

#[test]
fn a_layout_has_blocks_that_a_page_fills() {
    let config = r#"
        [templates]
        layout = "<nav>{{#> nav}}no links{{/nav}}</nav>{{> @partial-block}}"
        plain = "{{#> layout}}plain{{/layout}}"
        filled = "{{#> layout}}{{#*inline \"nav\"}}<a>{{request.path}}</a>{{/inline}}filled{{/layout}}"
        [routes.plain]
        path = "/plain"
        template = "plain"
        [routes.filled]
        path = "/filled"
        template = "filled"
    "#;
    let mut site = Site::new(config);
    assert_eq!(site.get("/plain").body(), "<nav>no links</nav>plain");
    assert_eq!(site.get("/filled").body(), "<nav><a>/filled</a></nav>filled");
    // Mounted beside a template of the same name, it still means its own.
    let parent = "[templates]\nnav = \"wrong\"\n[routes.home]\npath = \"/\"\ntemplate = \"nav\"\n[[mount]]\nsite = \"kid\"\nat = \"/kid\"\n";
    let mut site = Site::with_files(parent, &[("kid/config.toml", &format!("{SESSION}{config}"))]);
    assert_eq!(site.get("/kid/plain").body(), "<nav>no links</nav>plain");
    assert_eq!(site.get("/kid/filled").body(), "<nav><a>/kid/filled</a></nav>filled");
}

#[test]
fn no_way_of_including_oneself_is_served() {
    for templates in [
        "a = \"{{> a}}\"",
        "a = \"{{> b}}\"\nb = \"{{#if session.x}}{{> c}}{{/if}}\"\nc = \"{{#> a}}{{/a}}\"",
        "a = \"{{#*inline \\\"x\\\"}}{{> x}}{{/inline}}{{> x}}\"",
        "a = \"{{#*inline \\\"x\\\"}}{{> y}}{{/inline}}{{#*inline \\\"y\\\"}}{{> x}}{{/inline}}{{> x}}\"",
        "a = \"{{#> b}}{{#*inline \\\"x\\\"}}{{> b}}{{/inline}}{{/b}}\"\nb = \"{{#> x}}{{/x}}\"",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let config = format!("{SESSION}[templates]\n{templates}\n[routes.home]\npath = \"/\"\ntemplate = \"a\"\n");
        std::fs::write(&path, config).unwrap();
        let mut problems = Diagnostics::default();
        let loaded = Serving::load(&path, &BTreeMap::new(), &Vocabulary::standard(), Secrets::LookOnly, &mut problems);
        assert!(loaded.is_err(), "{templates}");
        assert!(print::to_text(&problems, false).contains("includes itself"), "{templates}");
    }
}
