//! `[users]`: the people who may sign in, and what a page may know of them.

pub mod attempts;
mod compile;
pub mod hash;
pub mod verify;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::config::users::Limits;
pub(super) use compile::{check_secrecy, compile, named, passwords};
use hash::Hash;

/// One of `[users]`.
#[derive(Debug, PartialEq)]
pub struct Users {
    /// Its full name.
    pub name: String,
    /// How many wrong passwords there may be.
    pub limits: Limits,
    users: BTreeMap<String, User>,
}

/// Somebody who may sign in.
#[derive(Debug, PartialEq)]
struct User {
    hash: Hash,
    /// What pages may know.
    shown: Value,
}

impl Users {
    /// What pages may know of the user of a name, given in the form that names are compared in.
    fn user(&self, name: &str) -> Option<&Value> {
        self.users.get(name).map(|user| &user.shown)
    }

    /// The hash of a user's password. There is one for every name: where there is no user, that of some
    /// other, each time the same, so that it costs as much.
    fn hash(&self, name: &str) -> Hash {
        let some_other = || {
            let mut hasher = DefaultHasher::new();
            name.hash(&mut hasher);
            let nth = (hasher.finish() as usize).checked_rem(self.users.len())?;
            self.users.values().nth(nth)
        };
        self.users.get(name).or_else(some_other).map(|user| user.hash.clone()).unwrap_or_default()
    }
}

/// The form in which names are compared: compatibility characters and letters of both cases are the
/// same, and blanks around a name are none of it (after RFC 8265, section 3.3).
pub fn normalised(name: &str) -> String {
    name.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// The most bytes of a name: those of a mail address.
const LONGEST_NAME: usize = 254;

/// Why nobody can sign in with a name, if nobody can.
pub fn unfit_name(name: &str) -> Option<String> {
    if name.contains('$') {
        return Some("it has a `$` in it, as hashes of passwords do".to_owned());
    }
    let compared = normalised(name);
    let fits = (1..=LONGEST_NAME).contains(&compared.len()) && !compared.chars().any(char::is_control);
    (!fits).then(|| format!("a name has 1 to {LONGEST_NAME} bytes and no control characters"))
}

#[cfg(test)]
mod tests;
