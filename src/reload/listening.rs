//! Hearing of saves, through the system's notifications or, without them, by asking.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::{ErrorKind, RecursiveMode};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::wanted::{Meaning, Wanted};
use crate::config::read::Inputs;

/// How long files must be quiet before they are read: one save is many events.
const QUIET: Duration = Duration::from_millis(100);
/// How long saves without a pause can put that off.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often files are read when nothing can be heard of them.
const POLL: Duration = Duration::from_secs(2);

/// Hears when the files of a site are saved.
///
/// On file systems without notifications (network and some container mounts) nothing is ever
/// heard; there SIGHUP reloads.
#[derive(Debug)]
pub struct Listening<W> {
    heard: Arc<Notify>,
    ear: Option<Ear<W>>,
    degraded: bool,
}

/// One watcher of the system's, for one set of folders. It is replaced, never changed: what it
/// knows of folders that are deleted and made again is not to be relied on.
#[derive(Debug)]
struct Ear<W> {
    wanted: Arc<Wanted>,
    deaf: Arc<AtomicBool>,
    _watcher: W,
}

impl<W: notify::Watcher> Listening<W> {
    /// Hears nothing until it is told [where](Self::listen_to).
    pub fn new() -> Self {
        Self { heard: Arc::new(Notify::new()), ear: None, degraded: false }
    }

    /// Listens from now on to the files that were read last, by paths that are found from `home`.
    pub fn listen_to(&mut self, inputs: &Inputs, home: &Path) {
        let wanted = Wanted::of(inputs, home);
        if self.ear.as_ref().is_some_and(|ear| !ear.deaf.load(Ordering::SeqCst) && *ear.wanted == wanted) {
            return;
        }
        self.ear = match Ear::new(wanted, &self.heard) {
            Ok(ear) => {
                if self.degraded {
                    tracing::info!("watching again");
                }
                self.degraded = false;
                // What was saved between reading and listening was not heard.
                self.heard.notify_one();
                Some(ear)
            }
            Err(error) => {
                if !self.degraded {
                    tracing::warn!(%error, "watching degraded, polling every {} s", POLL.as_secs());
                }
                self.degraded = true;
                None
            }
        };
    }

    /// Waits until something was perhaps saved and everything has been quiet for a moment.
    ///
    /// Dropping the future loses nothing that the next reading does not see.
    pub async fn heard(&self) {
        if self.degraded {
            return sleep(POLL).await;
        }
        self.heard.notified().await;
        let settled = async { while tokio::time::timeout(QUIET, self.heard.notified()).await.is_ok() {} };
        let _ = tokio::time::timeout(PATIENCE, settled).await;
    }
}

impl<W: notify::Watcher> Ear<W> {
    fn new(wanted: Wanted, heard: &Arc<Notify>) -> notify::Result<Self> {
        let wanted = Arc::new(wanted);
        let deaf = Arc::new(AtomicBool::new(false));
        let on_event = {
            let (wanted, deaf, heard) = (Arc::clone(&wanted), Arc::clone(&deaf), Arc::clone(heard));
            move |event: notify::Result<notify::Event>| {
                let meaning = event.map_or(Meaning::Folder, |event| wanted.meaning(&event));
                if meaning == Meaning::Folder {
                    deaf.store(true, Ordering::SeqCst);
                }
                if meaning != Meaning::Nothing {
                    heard.notify_one();
                }
            }
        };
        let mut watcher = W::new(on_event, notify::Config::default())?;
        for folder in wanted.folders() {
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                // Gone since it was looked up: the next time it is looked up again.
                Err(error) if matches!(error.kind, ErrorKind::PathNotFound) => deaf.store(true, Ordering::SeqCst),
                result => result?,
            }
        }
        Ok(Self { wanted, deaf, _watcher: watcher })
    }
}
