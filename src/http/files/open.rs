//! Opening files: the only place that turns a path from outside into a file below a folder.
//!
//! SECURITY: what comes in is what a stranger wrote. `cap_std` resolves it within the folder, so
//! neither `..` nor a symbolic link leads out of it, whatever changes meanwhile. Names that start
//! with a dot are an owner's, not a visitor's. Pipes and devices are opened without waiting and
//! then refused, and so is a private file of the site that has got into the folder.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};
use rustix::io::Errno;

/// The longest name a file system takes; more is surely not there.
const LONGEST_NAME: usize = 255;
/// The most folders in one another.
const DEEPEST: usize = 64;

/// What is at a path.
pub(super) enum Found {
    File {
        file: File,
        length: u64,
        modified: SystemTime,
    },
    /// A folder.
    Folder,
}

/// What `segments` below `root` lead to; `None` if that is nothing for visitors, as are the `private`
/// files.
///
/// # Errors
/// If the disk fails.
pub(super) fn open(root: &Path, private: &[PathBuf], segments: &[String]) -> io::Result<Option<Found>> {
    let is_name = |name: &String| {
        !name.is_empty()
            && !name.starts_with('.')
            && name.len() <= LONGEST_NAME
            && !name.contains(['/', '\\', '\0', ':'])
    };
    if segments.len() > DEEPEST || !segments.iter().all(is_name) {
        return Ok(None);
    }
    match open_below(root, private, &segments.join("/")) {
        Ok(found) => Ok(found),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn open_below(root: &Path, private: &[PathBuf], path: &str) -> io::Result<Option<Found>> {
    let root = Dir::open_ambient_dir(root, ambient_authority())?;
    if path.is_empty() {
        return Ok(Some(Found::Folder));
    }
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(NONBLOCK);
    found(root.open_with(path, &options)?.into_std(), private)
}

/// What a path of the site's author leads to, wherever that is.
///
/// # Errors
/// If there is nothing, or it cannot be read.
pub(super) fn open_named(path: &Path) -> io::Result<Option<Found>> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).custom_flags(NONBLOCK);
    found(options.open(path)?, &[])
}

fn found(file: File, private: &[PathBuf]) -> io::Result<Option<Found>> {
    let metadata = file.metadata()?;
    Ok(if metadata.is_file() {
        let file = Found::File { file, length: metadata.len(), modified: metadata.modified()? };
        (!is_among(&metadata, private)).then_some(file)
    } else {
        metadata.is_dir().then_some(Found::Folder)
    })
}

/// Whether a file is one of those at these paths, under whatever name.
fn is_among(file: &Metadata, paths: &[PathBuf]) -> bool {
    let same = |other: Metadata| (other.dev(), other.ino()) == (file.dev(), file.ino());
    paths.iter().any(|path| std::fs::metadata(path).is_ok_and(same))
}

/// `O_NONBLOCK`: opening a pipe that nobody writes to would wait for ever.
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

/// Whether an error says that there is nothing there, or nothing that may be read.
fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    let kinds = [
        Kind::NotFound,
        Kind::PermissionDenied,
        Kind::NotADirectory,
        Kind::IsADirectory,
        Kind::InvalidInput,
        Kind::InvalidFilename,
        // A link that leads out of the folder.
        Kind::CrossesDevices,
    ];
    kinds.contains(&error.kind()) || is_odd_file(error)
}

/// A socket, a device without a driver, a link that leads to itself.
fn is_odd_file(error: &io::Error) -> bool {
    [Errno::NXIO, Errno::LOOP, Errno::NODEV].iter().any(|odd| error.raw_os_error() == Some(odd.raw_os_error()))
}
