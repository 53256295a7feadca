//! `[static]`: folders whose files are served as they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::pattern::Pattern;
use crate::config::declaration::{Declarations, StaticDeclaration};
use crate::config::read::{Inputs, reason};
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::template::links::FileLink;

/// The query parameter that `static_url` puts the version of a file into.
pub const VERSION: &str = "v";

/// One entry of `[static]`, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticFiles {
    /// The path its files are below, the prefix of a mount included; it does not end with a slash.
    pub at: String,
    /// The folder.
    pub directory: PathBuf,
    /// How many seconds a browser may keep a file without asking; `None`: it asks every time.
    pub cache_max_age: Option<u64>,
    /// Files of the site that nobody gets, whatever path leads to them.
    pub private: Arc<[PathBuf]>,
    /// The files that templates link to with `static_url`, by their path below the folder.
    pub versions: BTreeMap<String, Version>,
}

/// A state of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Differs with the contents.
    pub text: String,
    /// How long the file was.
    pub length: u64,
    /// When it was last changed.
    pub modified: SystemTime,
}

/// How many bytes of a file's hash tell its versions apart.
const VERSION_BYTES: usize = 5;
/// The most names that a misspelt one is compared with.
const MOST_NAMES: usize = 1000;

impl StaticFiles {
    /// The pattern of the paths below it.
    pub(super) fn pattern(&self) -> Option<Pattern> {
        Pattern::parse(&format!("{}/*segments", self.at)).ok()
    }

    /// Whether this is what an entry of `[static]` declares.
    pub(super) fn is(&self, part: &Declarations, entry: &StaticDeclaration) -> bool {
        self.at.strip_prefix(&part.prefix) == Some(entry.at.as_str()) && self.directory == entry.directory
    }
}

/// `[static]` of all parts.
pub(super) fn compile(parts: &[&Declarations]) -> Vec<StaticFiles> {
    let declared = parts.iter().flat_map(|part| part.statics.iter().map(move |entry| (part, entry)));
    let compiled = declared.map(|(part, entry)| StaticFiles {
        at: format!("{}{}", part.prefix, entry.at.value),
        directory: entry.directory.clone(),
        cache_max_age: entry.cache_max_age,
        private: Arc::default(),
        versions: BTreeMap::new(),
    });
    compiled.collect()
}

/// Reads the files that templates link to, takes note of their versions and gives these by path. A
/// link to what is not there is reported.
pub(super) fn link(
    statics: &mut [StaticFiles],
    links: &[FileLink],
    inputs: &mut Inputs,
    problems: &mut Diagnostics,
) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    for link in links {
        let below =
            |files: &&mut StaticFiles| link.path.strip_prefix(&files.at).is_some_and(|rest| rest.starts_with('/'));
        let Some(files) = statics.iter_mut().filter(below).max_by_key(|files| files.at.len()) else {
            problems.push(
                Diagnostic::error(&link.place, format!("no folder of `[static]` is behind `{}`", link.written))
                    .key(&link.key)
                    .help("begin with a path that `[static]` declares, such as `/static/`"),
            );
            continue;
        };
        if link.open || versions.contains_key(&link.path) {
            continue;
        }
        let name = link.path[files.at.len()..].trim_start_matches('/').to_owned();
        match version(&files.directory.join(&name), inputs) {
            Ok(version) => {
                versions.insert(link.path.clone(), version.text.clone());
                files.versions.insert(name, version);
            }
            Err(error) => {
                let names = names(&files.directory);
                problems.push(
                    Diagnostic::error(&link.place, format!("cannot read `{}`: {}", link.written, reason(&error)))
                        .key(&link.key)
                        .maybe_help(did_you_mean(&name, names.iter().map(String::as_str))),
                );
            }
        }
    }
    versions
}

fn version(path: &Path, inputs: &mut Inputs) -> std::io::Result<Version> {
    let bytes = inputs.read_bytes(path)?;
    let hash = Sha256::digest(&bytes);
    let text = hash.iter().take(VERSION_BYTES).map(|byte| format!("{byte:02x}")).collect();
    let modified = std::fs::metadata(path)?.modified()?;
    Ok(Version { text, length: bytes.len() as u64, modified })
}

/// What there is in a folder and the folders in it, by path.
fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || names.len() >= MOST_NAMES {
                continue;
            }
            let path = format!("{prefix}{name}");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push((entry.path(), format!("{path}/"))),
                _ => names.push(path),
            }
        }
    }
    names
}
