//! The log: lines on standard error, written by a thread of its own.
//!
//! Whatever a server prints after its start goes this way, so that lines keep their order and a reader
//! of standard error that stalls, or is gone, stops nothing.

mod queue;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::thread;
use std::time::Duration;

use tracing::Metadata;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::http::ACCESS_LOG;
use queue::Queue;

static QUEUE: Queue = Queue::new();

/// How long the end of the program waits for a log that stalls.
const PARTING: Duration = Duration::from_secs(1);

/// Starts the log. `SITEWRIGHT_LOG` says what it is to tell; default: `info`.
///
/// # Errors
///
/// If the system has no thread for it.
pub fn start() -> io::Result<()> {
    let filter = EnvFilter::try_from_env("SITEWRIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Destination)
        .with_ansi(is_colored())
        // Those would go to standard error past the queue, with a panic if it is gone.
        .log_internal_errors(false)
        .init();
    std::panic::set_hook(Box::new(log_panic));
    thread::Builder::new().name("log".to_owned()).spawn(|| QUEUE.write_to(io::stderr(), tell_of_lost))?;
    Ok(())
}

/// Whether the log is for a terminal.
pub fn is_colored() -> bool {
    io::stderr().is_terminal()
}

/// Waits until everything is written, but not for ever.
pub fn finish() {
    QUEUE.wait_until_written(PARTING);
}

/// Text for standard error, as it is.
pub struct Plain;

impl Write for Plain {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        QUEUE.add(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn tell_of_lost(lines: usize) {
    tracing::warn!(lines, "the log has a gap: standard error did not take all of it");
}

/// In place of the standard hook, which writes to standard error itself and waits for it.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let trace = Backtrace::capture();
    match trace.status() {
        BacktraceStatus::Captured => tracing::error!("{panic}\n{trace}"),
        _ => tracing::error!("{panic}"),
    }
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
            Self::Access => QUEUE.add_access(line),
            Self::Other => QUEUE.add(line),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
