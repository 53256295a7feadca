//! What names mean while a route runs, beside the session and what actions bind.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::request::Request;
use crate::template::render::Scope;

/// The request, over the route's `data`, over the site's `[data]`.
pub struct Input<'a> {
    /// The request.
    pub request: &'a Request<'a>,
    /// `data` of the route.
    pub route: &'a Map<String, Value>,
    /// `[data]` of the site.
    pub site: &'a Map<String, Value>,
}

impl Scope for Input<'_> {
    fn get(&self, name: &str, entries: Option<&BTreeSet<String>>) -> Option<Cow<'_, Value>> {
        let data = || self.route.get(name).or_else(|| self.site.get(name)).map(Cow::Borrowed);
        self.request.get(name, entries).map(Cow::Owned).or_else(data)
    }
}
