//! How many files, sockets among them, the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of this process as far as it may: the usual one is from a time when no server had
/// thousands of connections.
pub fn raise_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // macOS says there is no limit and takes no such value: then it stays as it is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// The most connections there may be, so that files, session stores and the log find a descriptor too;
/// `None`: as many as memory lets there be.
pub(super) fn most_connections() -> Option<usize> {
    let limit = usize::try_from(getrlimit(Resource::Nofile).current?).ok()?;
    Some(limit.saturating_sub(reserve(limit)).max(1))
}

/// A quarter, for files that are being sent, and more of few.
fn reserve(limit: usize) -> usize {
    (limit / 4).max(32)
}
