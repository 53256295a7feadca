//! Files and folders for their owner alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file only its owner may read, made if it is not there.
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

/// A file that is written, but has not got its name yet. It is removed if it
/// never does.
#[derive(Debug)]
pub struct Draft<'p> {
    path: PathBuf,
    place: &'p Path,
}

impl<'p> Draft<'p> {
    /// Makes one for `place`, beside it, and has it filled. It is on the disk
    /// and closed then.
    pub fn new(place: &'p Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<Self> {
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:016x}.new", getrandom::u64().map_err(io::Error::other)?));
        let path = place.with_file_name(name);
        let mut file = private_file().create_new(true).open(&path)?;
        let draft = Self { path, place };
        fill(&mut file)?;
        file.sync_all()?;
        Ok(draft)
    }

    /// Gives it its name if nothing else has that.
    pub fn appear(self) -> io::Result<()> {
        fs::hard_link(&self.path, self.place)
    }

    /// Gives it its name, in the place of whatever has that.
    pub fn replace(self) -> io::Result<()> {
        fs::rename(&self.path, self.place)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes a folder that only its owner may enter, and those above it that are
/// not there. `sync` waits until a folder that something was made in is on the
/// disk.
pub fn make_private_folder(path: &Path, sync: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path)?;
    missing.into_iter().filter_map(Path::parent).try_for_each(sync)
}

/// Does for the folders above `path` what whoever made them may not have come
/// to. Not all of them need be ours to ask for.
pub fn settle_above(path: &Path) {
    for above in path.ancestors().skip(1) {
        let _ = sync_folder(above);
    }
}

/// Waits until what was made, renamed or removed in a folder is on the disk.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    // Elsewhere folders cannot be opened, and need no syncing.
    if !cfg!(unix) {
        return Ok(());
    }
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().expect("text")).collect();
        names.sort();
        names
    }

    #[test]
    fn a_draft_becomes_the_file_whole_or_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("file.toml");
        let draft = |text: &'static str| Draft::new(&place, |file| file.write_all(text.as_bytes()));
        draft("first").expect("a draft").appear().expect("a name");
        let taken = draft("second").expect("a draft").appear().expect_err("it has a name");
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&place).expect("a file"), "first");
        draft("third").expect("a draft").replace().expect("a name");
        assert_eq!(fs::read_to_string(&place).expect("a file"), "third");
        drop(draft("given up").expect("a draft"));
        assert!(Draft::new(&place, |_| Err(io::ErrorKind::StorageFull.into())).is_err());
        assert_eq!(names(folder.path()), ["file.toml"]);
    }

    #[test]
    fn a_draft_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("file");
        Draft::new(&place, |_| Ok(())).and_then(Draft::appear).expect("a file");
        assert_eq!(fs::metadata(&place).expect("a file").permissions().mode() & 0o777, 0o600);
    }
}
