//! The log: lines on standard error.
//!
//! A server under load writes a line for every request, and a system call for each would cost more
//! than making the page. So access lines gather while the workers are busy and go out together when
//! one of them has nothing left to do, before it sleeps. On a server that is not under load, that is
//! at once. Every other line is written immediately, behind the access lines before it.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::Metadata;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::http::ACCESS_LOG;

/// Access lines that are not written yet.
static GATHERED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// So many bytes of them are written without waiting for a worker to run out of work.
const ENOUGH: usize = 32 * 1024;

/// What is being written. Lines can gather meanwhile: nobody waits for the system call but those
/// who write themselves.
static WRITING: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Starts the log. `SITEWRIGHT_LOG` says what it is to tell; default: `info`.
pub fn start() {
    let filter = EnvFilter::try_from_env("SITEWRIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let color = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(Destination).with_ansi(color).init();
}

/// Writes what has gathered; for a worker that is about to sleep.
pub fn write_gathered() {
    if !lock(&GATHERED).is_empty() {
        let _ = write(&[]);
    }
}

/// Writes what has gathered, then `line`.
fn write(line: &[u8]) -> io::Result<()> {
    let mut writing = lock(&WRITING);
    writing.clear();
    std::mem::swap(&mut *writing, &mut *lock(&GATHERED));
    writing.extend_from_slice(line);
    io::stderr().write_all(&writing)
}

fn lock(lines: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Destination;

/// Takes one line.
enum Entry {
    Access,
    Other,
}

impl MakeWriter<'_> for Destination {
    type Writer = Entry;

    fn make_writer(&self) -> Entry {
        Entry::Other
    }

    fn make_writer_for(&self, event: &Metadata<'_>) -> Entry {
        if event.target() == ACCESS_LOG { Entry::Access } else { Entry::Other }
    }
}

impl Write for Entry {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self {
            Self::Access => {
                let mut gathered = lock(&GATHERED);
                gathered.extend_from_slice(line);
                let enough = gathered.len() > ENOUGH;
                drop(gathered);
                if enough {
                    write(&[])?;
                }
            }
            Self::Other => write(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
