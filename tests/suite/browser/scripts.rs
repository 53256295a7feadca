//! What visitors send, in the scripts of a page, as a browser runs them.

use serde_json::{Value, json};

use super::open;
use super::webdriver::Browser;
use crate::driver::Site;

const PAGE: &str = r#"
[routes.page]
path = "/"
html = """
<body data-entered='{{json query.entered}}'>
<script>var ran = "without a nonce";</script>
<script nonce="{{csp_nonce}}">
// {{json query.entered}}
const entered = {{json query.entered}}; /* {{json query.entered}} */
const copy = [`${ {{json query.entered}} }`, {{json query.entered}}];
var ran = [copy[0] === entered, copy[1] === entered, JSON.parse(document.body.dataset.entered) === entered];
</script>
<style>body { --unnamed: 1 }</style>
<style nonce="{{csp_nonce}}">body { --named: 1 }</style>
<p>{{markdown query.entered}}</p>
"""
"#;

/// What would do something if it were more than a value.
const HOSTILE: [&str; 6] = [
    "</script><script>ran = 'hostile'</script>",
    "<!-- <script> \u{2028} ran = 'hostile' //",
    "*/ ran = 'hostile' /*",
    "\"; ran = 'hostile'; \"`'${ran = 'hostile'}",
    "' onfocus='ran = 1' x='",
    "<img src=x onerror=\"ran = 'hostile'\"> [x](javascript:ran='hostile')",
];

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn what_visitors_send_stays_a_value_in_scripts() {
    let (site, browser) = (Site::new().config(PAGE), Browser::start());
    let server = site.serve();
    for hostile in HOSTILE {
        let query = url_encoded(hostile);
        open(&browser, &server, &format!("/?entered={query}"));
        assert_eq!(browser.evaluate("entered"), Value::from(hostile));
        assert_eq!(browser.evaluate("ran"), json!([true, true, true]), "{hostile}");
        let style =
            |name: &str| browser.evaluate(&format!("getComputedStyle(document.body).getPropertyValue('{name}')"));
        assert_eq!((style("--named"), style("--unnamed")), (json!("1"), json!("")), "{hostile}");
    }
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
