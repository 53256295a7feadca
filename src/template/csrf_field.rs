//! `{{csrf_field}}`: what a form sends back to show that it is the site's own.

use handlebars::{
    Context, Handlebars, Helper as Call, HelperDef, HelperResult, JsonRender, Output, RenderContext, RenderError,
    ScopedJson, html_escape,
};
use serde_json::Value;

/// The helper that stands for the hidden field of a form.
pub const CSRF_FIELD: &str = "csrf_field";

/// `{{csrf_field}}`: the hidden field with the token, whatever block or partial it stands in.
pub(super) struct CsrfField;

impl HelperDef for CsrfField {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        _: &Call<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let token = context.data().get("csrf_token").unwrap_or(&Value::Null);
        Ok(ScopedJson::Derived(Value::String(csrf_field(token))))
    }

    /// As it is: it is HTML.
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Call<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let field = self.call_inner(helper, registry, context, render)?;
        out.write(&field.render())?;
        Ok(())
    }
}

/// The hidden field. The token is escaped: another program may have put anything there.
pub(super) fn csrf_field(token: &Value) -> String {
    format!("<input type=\"hidden\" name=\"csrf_token\" value=\"{}\">", html_escape(&token.render()))
}
