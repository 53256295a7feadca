//! Links in templates: whether one to a route gives the values that its path needs, no more and no
//! fewer; and those to static files.

use std::collections::BTreeMap;

use super::home::{Home, own_names};
use crate::diagnostic::{Diagnostic, Place, did_you_mean, nearest};

/// Paths of routes, by name.
pub trait Links: Send + Sync {
    /// The path of `route`, its markers filled in by `value`; or why there is none.
    fn path(&self, route: &str, value: &mut dyn FnMut(&str) -> Option<String>) -> Result<String, String>;
    /// The names of all routes.
    fn names(&self) -> Vec<&str>;
    /// The markers of a route's path; `None` if there is no such route or its path is broken.
    fn markers(&self, route: &str) -> Option<Vec<&str>>;
    /// Whether there are mounts whose names are not known.
    fn has_unread_mounts(&self) -> bool {
        false
    }
    /// Whether there is certainly no route of this name, be it a broken one.
    fn is_missing(&self, route: &str) -> bool {
        !(self.names().contains(&route) || (self.has_unread_mounts() && route.contains('/')))
    }
}

/// The versions of static files, by path.
pub type Versions = BTreeMap<String, String>;

/// A link to a static file.
#[derive(Clone, Debug)]
pub struct FileLink {
    /// The path as it is written.
    pub written: String,
    /// The whole path.
    pub path: String,
    /// Whether more of the path is known only with the request.
    pub open: bool,
    /// Where it is written.
    pub place: Place,
    /// The key path of the template; empty for a file.
    pub key: String,
}

/// Something wrong with the values of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit<'n> {
    /// These markers of the path have no value.
    Missing(Vec<&'n str>),
    /// The path has no such marker.
    Unknown(&'n str),
}

/// Compares the markers of a path with the names that values are given for. A misspelt name is not
/// missing as well.
pub fn misfits<'n>(markers: &[&'n str], given: &[&'n str]) -> Vec<Misfit<'n>> {
    let unknown: Vec<&str> = given.iter().copied().filter(|name| !markers.contains(name)).collect();
    let meant: Vec<&str> = unknown.iter().filter_map(|name| nearest(name, markers.iter().copied())).collect();
    let is_missing = |marker: &&str| !given.contains(marker) && !meant.contains(marker);
    let missing: Vec<&str> = markers.iter().copied().filter(is_missing).collect();
    let missing = Some(Misfit::Missing(missing)).filter(|misfit| *misfit != Misfit::Missing(Vec::new()));
    missing.into_iter().chain(unknown.into_iter().map(Misfit::Unknown)).collect()
}

/// The same for a link in a template, where what is no marker goes to the query: a name is wrong if a
/// marker without a value was probably meant.
pub fn misfits_beside_query<'n>(markers: &[&'n str], given: &[&'n str]) -> Vec<Misfit<'n>> {
    let free: Vec<&str> = markers.iter().copied().filter(|marker| !given.contains(marker)).collect();
    let mut misfits = misfits(markers, given);
    misfits.retain(|misfit| match misfit {
        Misfit::Missing(_) => true,
        Misfit::Unknown(name) => nearest(name, free.iter().copied()).is_some(),
    });
    misfits
}

/// What is wrong with `{{url "route" …}}` in a template of `home`, given these values.
pub fn check_link(
    links: &dyn Links,
    home: Home<'_>,
    route: &str,
    given: &[&str],
    place: &dyn Fn(&str) -> Place,
) -> Vec<Diagnostic> {
    let full = home.qualify(route);
    let Some(markers) = links.markers(&full) else {
        let own = own_names(links.names().into_iter(), home.site);
        let missing = || Diagnostic::error(&place(route), format!("there is no route `{route}`"));
        return links.is_missing(&full).then(|| missing().maybe_help(did_you_mean(route, own))).into_iter().collect();
    };
    let values: String = markers.iter().map(|marker| format!(" {marker}=…")).collect();
    let example = format!("{{{{url \"{route}\"{values}}}}}");
    let error = |misfit: Misfit<'_>| {
        let word = match misfit {
            Misfit::Missing(_) => route,
            Misfit::Unknown(name) => name,
        };
        misfit.error(&place(word), route, &markers, &example)
    };
    misfits_beside_query(&markers, given).into_iter().map(error).collect()
}

impl Misfit<'_> {
    /// The error for a link to `route`, whose right form is `example`.
    pub fn error(&self, place: &Place, route: &str, markers: &[&str], example: &str) -> Diagnostic {
        match self {
            Self::Missing(missing) => {
                let missing = missing.join("` and `");
                Diagnostic::error(place, format!("the path of `{route}` needs `{missing}`"))
                    .help(format!("write `{example}`"))
            }
            Self::Unknown(name) => {
                let help = did_you_mean(name, markers.iter().copied()).unwrap_or_else(|| "leave it out".to_owned());
                Diagnostic::error(place, format!("the path of `{route}` has no marker `{name}`")).help(help)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_needs_a_value_and_every_value_a_marker() {
        assert_eq!(misfits(&["id", "name"], &["name", "id"]), []);
        assert_eq!(misfits(&["id", "name"], &["id"]), [Misfit::Missing(vec!["name"])]);
        assert_eq!(misfits(&["id"], &["id", "colour"]), [Misfit::Unknown("colour")]);
    }

    #[test]
    fn beside_a_query_a_name_is_wrong_where_a_marker_was_meant() {
        assert_eq!(misfits_beside_query(&["id"], &["id", "page"]), []);
        assert_eq!(misfits_beside_query(&["name"], &["name", "nmae"]), []);
        assert_eq!(misfits_beside_query(&["name"], &["nmae", "page"]), [Misfit::Unknown("nmae")]);
        assert_eq!(misfits_beside_query(&["id"], &["page"]), [Misfit::Missing(vec!["id"])]);
    }

    #[test]
    fn a_misspelt_name_is_one_problem() {
        assert_eq!(misfits(&["name"], &["nmae"]), [Misfit::Unknown("nmae")]);
    }
}
