//! What visitors never get as a file: the configuration, secrets, users, templates and sessions.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::statics::StaticFiles;
use crate::config::declaration::Declarations;
use crate::config::read::Inputs;
use crate::config::settings::{SecretSource, Settings};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// How many names a message shows; the rest is counted.
const SHOWN: usize = 5;

/// The files and folders of a site that are not for visitors, there or not.
#[derive(Debug)]
pub struct Private {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Private {
    /// Those of a site of these parts, which was read from `inputs`. Data files are not among them: a
    /// page may well want one for its scripts.
    pub fn of(settings: &Settings, parts: &[&Declarations], inputs: &Inputs) -> Self {
        let data: Vec<_> = parts.iter().flat_map(|part| &part.data_files).map(|file| &file.value).collect();
        let mut files: Vec<_> = inputs.files.iter().filter(|file| !data.contains(file)).cloned().collect();
        // A folder comes before those in it.
        let mut folders: Vec<PathBuf> = Vec::new();
        for folder in &inputs.folders {
            if !folders.iter().any(|above| folder.starts_with(above)) {
                folders.push(folder.clone());
            }
        }
        if let Some(served) = parts.first() {
            let session = &settings.session;
            let sources = session.secret.iter().chain(session.secrets.iter().flatten()).chain(&session.url);
            let secrets = sources.filter_map(|source| match source {
                SecretSource::File { file, .. } => Some(served.folder.join(file)),
                SecretSource::Inline(_) | SecretSource::Variable { .. } => None,
            });
            files.extend(secrets);
            match session.factory.as_deref() {
                Some("sqlite") => files.push(served.folder.join(&session.database)),
                Some("file") => folders.push(served.folder.join(&session.directory)),
                _ => {}
            }
        }
        Self { files, folders }
    }

    /// Reports folders of `[static]` with any of it, and has all of them refuse its files wherever they
    /// turn up later.
    pub fn keep(self, parts: &[&Declarations], statics: &mut [StaticFiles], problems: &mut Diagnostics) {
        let declared = parts.iter().flat_map(|part| &part.statics);
        for (files, declared) in statics.iter().zip(declared) {
            let inside = self.inside(&files.directory);
            if !inside.is_empty() {
                let message = format!("`{}` would show visitors {}", files.at, named(&inside));
                problems.push(
                    Diagnostic::error(&declared.at.place, message)
                        .key(&declared.key)
                        .help("put what is for visitors into a folder of its own, such as `static`, and name that"),
                );
            }
        }
        let private: Arc<[PathBuf]> = self.files.into();
        statics.iter_mut().for_each(|files| files.private = Arc::clone(&private));
    }

    /// What would be served with a folder, by its path below it.
    fn inside(&self, served: &Path) -> Vec<String> {
        let root = whole(served);
        let below = |path: &PathBuf| {
            let below = whole(path).strip_prefix(&root).ok()?.to_owned();
            (!below.components().any(is_hidden)).then_some(below)
        };
        let folders: Vec<PathBuf> = self.folders.iter().filter_map(below).collect();
        // A file is there or will be made; only a `config.local.toml` need not ever be.
        let is_to_be = |path: &&PathBuf| path.exists() || path.extension().is_none_or(|kind| kind != "toml");
        let files = self.files.iter().filter(is_to_be).filter_map(below);
        let files = files.filter(|file| !folders.iter().any(|folder| file.starts_with(folder)));
        let shown = |path: PathBuf| match path.as_os_str().is_empty() {
            true => served.display().to_string(),
            false => path.display().to_string(),
        };
        files.collect::<Vec<_>>().into_iter().chain(folders.clone()).map(shown).collect()
    }
}

/// Whether nothing below is served.
fn is_hidden(part: Component<'_>) -> bool {
    part.as_os_str().to_string_lossy().starts_with('.')
}

/// The real path, also of what is not there yet.
fn whole(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        folder.zip(path.file_name()).map(|(folder, name)| folder.join(name)).unwrap_or(path)
    })
}

fn named(paths: &[String]) -> String {
    let shown: Vec<_> = paths.iter().take(SHOWN).map(|path| format!("`{path}`")).collect();
    match (shown.split_last(), paths.len().saturating_sub(SHOWN)) {
        (Some((last, [])), 0) => last.clone(),
        (Some((last, others)), 0) => format!("{} and {last}", others.join(", ")),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
