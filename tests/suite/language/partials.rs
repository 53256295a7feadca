//! What a partial shows of the site, whatever block it is included in.

use serde_json::json;
use sitewright::site::cache::pages::Origin;

use super::Site;

const TEAS: &str = "[cache.regions]\nshort = 60\n[data]\nteas = [{ name = \"Assam\" }, { name = \"Mate\" }]\n";

fn site(row: &str, route: &str) -> Site {
    let templates = format!(
        "[templates]\nrow = '''{row}'''\nrows = '{{{{#each teas}}}}{{{{> row}}}}{{{{/each}}}}'\n\
         [routes.login]\npath = \"/login\"\nactions = [{{ store-param = \"user\" }}, {{ flash = \"Welcome\" }}]\ntext = \"\"\n"
    );
    Site::new(&format!("{TEAS}{templates}[routes.home]\npath = \"/\"\n{route}"))
}

#[test]
fn a_page_is_kept_for_every_value_that_a_partial_in_a_block_shows() {
    let mut site = site("{{name}} {{@root.query.q}} ", "cache = \"short\"\nhtml = \"{{> rows}}\"");
    assert_eq!(site.get("/?q=1").body(), "Assam 1 Mate 1 ");
    assert_eq!(site.get("/?q=2").body(), "Assam 2 Mate 2 ");
    assert_eq!(site.get("/?q=1").0.account.kept, Some(Origin::Kept(0.0)));
}

#[test]
fn a_partial_in_a_block_shows_what_is_in_the_session() {
    for row in [
        "{{@root.session.user}};",
        "{{this.@root.session.user}};",
        "{{../../session.user}};",
        "{{#with @root.this}}{{session.user}};{{/with}}",
        "{{#with @root.this as |all|}}{{#with 1}}{{all.session.user}};{{/with}}{{/with}}",
    ] {
        let mut site = site(row, "html = \"{{> rows}}\"");
        site.get("/login?user=ada");
        assert_eq!(site.get("/").body(), "ada;ada;", "{row}");
    }
}

#[test]
fn a_partial_that_is_given_a_name_still_sees_that_of_the_site() {
    let mut site = site("{{session}} {{@root.session.user}};", "html = \"{{> row session=teas.0.name}}\"");
    site.get("/login?user=ada");
    assert_eq!(site.get("/").body(), "Assam ada;");
}

#[test]
fn a_message_that_a_partial_in_a_block_shows_is_gone_then() {
    let mut site = site("{{name}}{{#each @root.flash}} {{message}}{{/each}};", "html = \"{{> rows}}\"");
    site.get("/login?user=ada");
    let page = site.get("/");
    assert_eq!(page.body(), "Assam Welcome;Mate Welcome;");
    assert_eq!(page.session(), json!({ "user": "ada" }));
    assert_eq!(site.get("/").body(), "Assam;Mate;");
}

#[test]
fn a_nonce_that_a_partial_in_a_block_shows_is_that_of_the_page() {
    let mut site = site("<script nonce=\"{{@root.csp_nonce}}\"></script>", "html = \"{{> rows}}\"");
    let page = site.get("/");
    let nonce = page.body().split('"').nth(1).unwrap();
    assert!(!nonce.is_empty());
    assert!(page.header("content-security-policy").unwrap().contains(&format!("'nonce-{nonce}'")));
}

#[test]
fn a_block_of_a_layout_is_within_the_layout() {
    let mut site = site(
        "<main>{{> @partial-block}}</main>",
        "html = \"{{#each teas}}{{#> row to=@root.session}}{{../name}} for {{to.user}}{{../../session.user}};{{/row}}{{/each}}\"",
    );
    site.get("/login?user=ada");
    assert_eq!(site.get("/").body(), "<main>Assam for adaada;</main><main>Mate for adaada;</main>");
}
