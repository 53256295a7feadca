//! Reading the files of a site, and remembering what was read.

use std::collections::BTreeSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Which files and folders a site was read from, and a fingerprint of every byte.
///
/// The same fingerprint means the same site: a save that changes nothing reloads nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Files that were read, or would have been if they were there.
    pub files: BTreeSet<PathBuf>,
    /// Folders whose files count.
    pub folders: BTreeSet<PathBuf>,
    /// Changes with every byte of every file, and with every file that comes or goes.
    pub fingerprint: u64,
}

impl Inputs {
    /// Reads a text file and takes note of it.
    pub fn read(&mut self, path: &Path) -> io::Result<String> {
        text(self.read_bytes(path)?)
    }

    /// The same, for a file of at most so many MiB.
    ///
    /// # Errors
    /// If it cannot be read, is larger, or is not UTF-8.
    pub fn read_at_most(&mut self, mebibytes: u64, path: &Path) -> io::Result<String> {
        let most = mebibytes << 20;
        let bytes = File::open(path).and_then(|file| {
            let mut bytes = Vec::new();
            file.take(most + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        self.files.insert(path.to_owned());
        self.note(&(path, bytes.as_ref().ok()));
        let bytes = bytes?;
        if bytes.len() as u64 > most {
            let message = format!("it has more than {mebibytes} MiB");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        text(bytes)
    }

    /// Reads a file of any kind and takes note of it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_bytes(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = std::fs::read(path);
        self.files.insert(path.to_owned());
        self.note(&(path, bytes.as_ref().ok()));
        bytes
    }

    /// All files with this suffix in a folder and the folders in it, sorted by path.
    ///
    /// Names that start with a dot or end with `~` are left out: they are an editor's.
    pub fn list(&mut self, folder: &Path, suffix: &str) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        self.folders.insert(folder.to_owned());
        let mut names: Vec<_> = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        names.sort_by_key(std::fs::DirEntry::file_name);
        for entry in names {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            // A link to a folder is not followed: it could lead back up.
            if entry.file_type()?.is_dir() {
                found.extend(self.list(&path, suffix)?);
            } else if name.ends_with(suffix) && path.is_file() {
                found.push(path);
            }
        }
        Ok(found)
    }

    fn note(&mut self, what: &impl Hash) {
        let mut hasher = DefaultHasher::new();
        (self.fingerprint, what).hash(&mut hasher);
        self.fingerprint = hasher.finish();
    }
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is not UTF-8"))
    })
}

/// Why a file could not be read, in a person's words.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}
