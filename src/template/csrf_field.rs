//! `{{csrf_field}}`: what a form sends back to show that it is the site's own.

use handlebars::{JsonRender, html_escape};
use serde_json::Value;

/// The helper that stands for the hidden field of a form.
pub const CSRF_FIELD: &str = "csrf_field";

/// The hidden field. The token is escaped: another program may have put anything there.
pub(super) fn csrf_field(token: &Value) -> String {
    format!("<input type=\"hidden\" name=\"csrf_token\" value=\"{}\">", html_escape(&token.render()))
}
