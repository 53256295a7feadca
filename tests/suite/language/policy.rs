//! `csp_nonce`, and the Content Security Policy it stands in.

use super::Site;

const SITE: &str = r#"
    [routes.plain]
    path = "/plain"
    html = "<script>1</script>"
    [routes.page]
    path = "/"
    html = "{{> head}}<p>{{#each query}}<style nonce=\"{{@root.csp_nonce}}\"></style>{{/each}}</p>"
    [routes.own]
    path = "/own"
    html = "{{> head}}"
    headers = { Content-Security-Policy = "script-src 'nonce-{{csp_nonce}}'" }
    [routes.text]
    path = "/text"
    text = "{{csp_nonce}}"
    [routes.form]
    path = "/form"
    params = { n = { type = "integer", required = true } }
    invalid = { template = "head" }
    redirect = "page"
    [templates]
    head = "<script nonce=\"{{csp_nonce}}\">1</script>"
    [errors]
    404 = { template = "head" }
"#;

const REST: &str = "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// The nonce that a page shows.
fn nonce(body: &str) -> &str {
    body.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[test]
fn a_page_that_shows_its_nonce_takes_no_script_without_it() {
    let mut site = Site::new(SITE);
    let mut seen = Vec::new();
    for path in ["/", "/?a=1", "/missing", "/form?n=x"] {
        let page = site.get(path);
        let nonce = nonce(page.body()).to_owned();
        assert!(nonce.len() == 22 && nonce.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{nonce}");
        let policy = format!("script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; {REST}");
        assert_eq!(page.header("content-security-policy"), Some(policy.as_str()), "{path}");
        assert!(page.body().matches("nonce=").count() == page.body().matches(&nonce).count(), "{path}");
        assert!(!seen.contains(&nonce), "it is another for each request");
        seen.push(nonce);
    }
}

#[test]
fn other_pages_keep_the_policy_that_leaves_their_scripts_alone() {
    let mut site = Site::new(SITE);
    assert_eq!(site.get("/plain").header("content-security-policy"), Some(REST));
    assert_eq!(site.get("/text").header("content-security-policy"), Some(REST), "text has no scripts");
}

#[test]
fn a_policy_of_the_routes_own_counts_alone() {
    let page = Site::new(SITE).get("/own");
    let policy = format!("script-src 'nonce-{}'", nonce(page.body()));
    assert_eq!(page.header("content-security-policy"), Some(policy.as_str()));
}
