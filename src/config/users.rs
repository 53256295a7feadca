//! `[users]`: who may sign in, in files of their own, of which nobody ever gets to see a password's hash.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::cache::{count, seconds};
use super::keys;
use super::mask::{hash_names, mask_users};
use super::read::{Inputs, reason};
use super::syntax;
use super::tree::{Entry, Node, Tree, read_below};
use crate::diagnostic::{At, Diagnostic, Diagnostics, Source};

/// The largest file of users, in MiB.
const LARGEST: u64 = 16;

/// One of `[users]`.
#[derive(Debug)]
pub struct UsersDeclaration {
    /// Its name, without the site's prefix.
    pub name: At<String>,
    /// Its key path.
    pub key: String,
    /// Where the file is named, and where it is.
    pub file: At<PathBuf>,
    /// The users: what is in the file. Passwords are in it, but in none of its places.
    pub users: Vec<Entry>,
    /// How many wrong passwords there may be.
    pub limits: Limits,
}

/// How many wrong passwords there may be before nobody looks at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For one name from one address.
    pub per_user_and_address: usize,
    /// From one address.
    pub per_address: usize,
    /// For one name, from addresses that it has not signed in from.
    pub per_user: usize,
    /// In so many seconds.
    pub window: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_user_and_address: 5, per_address: 50, per_user: 100, window: 900 }
    }
}

/// Reads `[users]` and the files it names, which are found from `folder`.
pub fn users(top: &Node, folder: &Path, inputs: &mut Inputs, problems: &mut Diagnostics) -> Vec<UsersDeclaration> {
    let Some(entry) = top.get("users") else { return Vec::new() };
    entry.node.table(problems).iter().map(|entry| one(entry, folder, inputs, problems)).collect()
}

/// One of `[users]`. Even a broken one has its name, so that what means it is not wrong as well.
fn one(entry: &Entry, folder: &Path, inputs: &mut Inputs, problems: &mut Diagnostics) -> UsersDeclaration {
    let mut declared = UsersDeclaration {
        name: entry.name.clone(),
        key: entry.node.key.clone(),
        file: At::new(PathBuf::new(), entry.node.place.clone()),
        users: Vec::new(),
        limits: Limits::default(),
    };
    let example = format!("write `{} = {{ file = \"users.toml\" }}`", entry.name.value);
    if !matches!(entry.node.tree, Tree::Table(_)) {
        problems.push(entry.node.unlike("a table").help(example));
        return declared;
    }
    let node = entry.node.only(&keys::names(keys::USERS), problems);
    if node.get("file").is_none() {
        problems.push(entry.node.error("this does not say where the users are").help(example));
    }
    let limits = &mut declared.limits;
    for entry in node.entries() {
        let value = &entry.node;
        let number = match entry.name.as_str() {
            "max_failures" => &mut limits.per_user_and_address,
            "max_failures_per_address" => &mut limits.per_address,
            "max_failures_per_user" => &mut limits.per_user,
            "failure_window" => {
                limits.window = seconds(value, problems).unwrap_or(limits.window);
                continue;
            }
            _ => {
                if let Some(file) = value.text(problems) {
                    let path = folder.join(file.value);
                    declared.users = read(value, &path, &declared.key, inputs, problems).unwrap_or_default();
                    declared.file = At::new(path, file.place);
                }
                continue;
            }
        };
        *number = count(value, problems).unwrap_or(*number);
    }
    declared
}

/// What is in the file at `path`, below the key path `key`.
fn read(named: &Node, path: &Path, key: &str, inputs: &mut Inputs, problems: &mut Diagnostics) -> Option<Vec<Entry>> {
    let shown = path.display().to_string();
    let text = match inputs.read_at_most(LARGEST, path) {
        Ok(text) => text,
        Err(error) => {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            let help =
                missing.then(|| format!("`sitewright password --user NAME {shown}` makes it, with its first user"));
            let message = format!("cannot read `{shown}`: {}", reason(&error));
            problems.push(named.error(message).maybe_help(help));
            return None;
        }
    };
    let (table, errors) = DeTable::parse_recoverable(&text);
    // Read twice: once to learn what must not be shown, then with places that may be.
    let draft = read_below(key, &table, &Source::file(shown.as_str(), ""), &mut Diagnostics::default());
    let source = Source::file(shown, mask_users(&text, &draft, !errors.is_empty()));
    if !errors.is_empty() {
        syntax::report(&errors, &source, problems);
        return None;
    }
    // A key path would show it.
    let names = hash_names(&draft);
    if !names.is_empty() {
        problems.extend(names.into_iter().map(|span| {
            Diagnostic::error(&source.place(span), "this name has a `$` in it, as hashes of passwords do")
                .key(key)
                .help("a user is a table with the name in its header: `[ada]`, then `password = \"$argon2id$…\"`")
        }));
        return None;
    }
    match read_below(key, &table, &source, problems).tree {
        Tree::Table(users) => Some(users),
        _ => None,
    }
}
