//! Files and folders for their owner alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// A file only its owner may read, made if it is not there.
pub(super) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a folder that only its owner may enter, and those above it that are
/// not there. `sync` waits until a folder that something was made in is on the
/// disk.
pub(super) fn make_private_folder(path: &Path, sync: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    missing.into_iter().filter_map(Path::parent).try_for_each(|above| sync(above))
}

/// Does for the folders above `path` what whoever made them may not have come
/// to. Not all of them need be ours to ask for.
pub(super) fn settle_above(path: &Path) {
    for above in path.ancestors().skip(1) {
        let _ = sync_folder(above);
    }
}

/// Waits until what was made, renamed or removed in a folder is on the disk.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    // Elsewhere folders cannot be opened, and need no syncing.
    if !cfg!(unix) {
        return Ok(());
    }
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}
