//! What is different between two sites, for the log.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::site::live::Serving;
use crate::site::route::Route;
use crate::site::{Part, Site};

/// How many names of each sort are shown; the rest is counted.
const SHOWN: usize = 8;

/// What a reload changed. Shown as one line: ``added `x`; changed `home`, `hello`, [data]``.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The full names of routes that are new.
    pub added: Vec<String>,
    /// The full names of routes whose declaration or templates changed.
    pub changed: Vec<String>,
    /// The full names of routes that are gone.
    pub removed: Vec<String>,
    /// Tables that changed and belong to no single route. `[session]` stands for its secrets too.
    pub tables: Vec<&'static str>,
    /// Settings whose new value the running process cannot take up.
    pub needs_restart: Vec<&'static str>,
    /// Whether visitors lose the sessions they have.
    pub loses_sessions: bool,
}

impl Changes {
    /// Compares what was served (`None`: nothing yet) with what will be. `listening` is where the
    /// process listens.
    pub(super) fn between(before: Option<&Serving>, after: &Serving, listening: &str) -> Self {
        let mut changes = Self::default();
        let old = before.map_or_else(BTreeMap::new, |before| by_name(&before.site));
        let new = by_name(&after.site);
        for route in &after.site.routes {
            match old.get(route.name.as_str()) {
                None => changes.added.push(route.name.clone()),
                Some(old) if old.fingerprint != route.fingerprint => changes.changed.push(route.name.clone()),
                Some(_) => {}
            }
        }
        let gone = old.keys().filter(|name| !new.contains_key(*name));
        changes.removed = gone.map(|name| (*name).to_owned()).collect();
        if let Some(before) = before {
            changes.tables = tables(before, after);
            changes.loses_sessions = !after.keeps_sessions_of(before);
        }
        if listening != after.site.settings.server.listen {
            changes.needs_restart.push("server.listen");
        }
        changes
    }
}

fn by_name(site: &Site) -> BTreeMap<&str, &Route> {
    site.routes.iter().map(|route| (route.name.as_str(), route)).collect()
}

fn tables(before: &Serving, after: &Serving) -> Vec<&'static str> {
    let same_factory = match (&before.sessions, &after.sessions) {
        (Some(before), Some(after)) => Arc::ptr_eq(before, after),
        (before, after) => before.is_none() && after.is_none(),
    };
    let any_part = |differs: fn(&Part, &Part) -> bool| {
        let old = &before.site.parts;
        after.site.parts.iter().any(|part| old.iter().any(|old| old.name == part.name && differs(old, part)))
    };
    let differences = [
        ("[server]", before.site.settings.server != after.site.settings.server),
        ("[session]", !same_factory),
        ("[csrf]", before.site.settings.csrf != after.site.settings.csrf),
        ("[cors]", before.site.settings.cors != after.site.settings.cors),
        ("[data]", any_part(|old, new| old.data != new.data)),
        ("[users]", before.site.users != after.site.users),
        ("[errors]", any_part(|old, new| !old.error_fingerprints().eq(new.error_fingerprints()))),
    ];
    differences.into_iter().filter(|(_, differs)| *differs).map(|(table, _)| table).collect()
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let mut changed = quoted(&self.changed);
        changed.extend(self.tables.iter().map(|table| (*table).to_owned()));
        let sorts = [("added", quoted(&self.added)), ("changed", changed), ("removed", quoted(&self.removed))];
        let mut separator = "";
        for (verb, names) in sorts.iter().filter(|(_, names)| !names.is_empty()) {
            let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
            write!(f, "{separator}{verb} {shown}")?;
            if names.len() > SHOWN {
                write!(f, " and {} more", names.len() - SHOWN)?;
            }
            separator = "; ";
        }
        if separator.is_empty() { f.write_str("every route is as it was") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn changes_read_as_one_line() {
        let changes = Changes {
            added: names(&["x"]),
            changed: names(&["home", "hello"]),
            removed: names(&["y"]),
            tables: vec!["[data]"],
            ..Changes::default()
        };
        assert_eq!(changes.to_string(), "added `x`; changed `home`, `hello`, [data]; removed `y`");
        assert_eq!(Changes::default().to_string(), "every route is as it was");
    }

    #[test]
    fn many_names_are_counted() {
        let all: Vec<String> = (1..=10).map(|n| n.to_string()).collect();
        let changes = Changes { added: all, ..Changes::default() };
        assert_eq!(changes.to_string(), "added `1`, `2`, `3`, `4`, `5`, `6`, `7`, `8` and 2 more");
    }
}
