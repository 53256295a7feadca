//! Which site's names a template means.

use serde_json::{Map, Value};

/// What a template is written in: the site whose names it means.
#[derive(Clone, Copy)]
pub struct Home<'h> {
    /// The site's name, empty for the one that is served.
    pub site: &'h str,
    /// The prefix of its paths, empty for the one that is served.
    pub prefix: &'h str,
    /// The values of its `[data]` that mean the same on every page.
    pub data: &'h Map<String, Value>,
}

impl Home<'_> {
    /// The full name of one of the site's own names.
    pub fn qualify(&self, name: &str) -> String {
        qualify(self.site, name)
    }
}

/// `login` + `form` = `login/form`.
pub fn qualify(site: &str, name: &str) -> String {
    if site.is_empty() { name.to_owned() } else { format!("{site}/{name}") }
}

/// The names of one site among the full names of all: those without a further slash of a mount.
pub fn own_names<'n>(all: impl Iterator<Item = &'n str>, site: &str) -> Vec<&'n str> {
    all.filter_map(|name| if site.is_empty() { Some(name) } else { name.strip_prefix(site)?.strip_prefix('/') })
        .collect()
}
