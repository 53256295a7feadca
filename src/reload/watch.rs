//! The loop: wait for a save or a signal, reload, tell.

use std::future::pending;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{Stream, poll_fn};
use notify::{RecommendedWatcher, Watcher};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinError, spawn_blocking};

use super::listening::Listening;
use super::{Cause, Outcome, Reloader};

/// A file that was caught half-written is whole a moment later.
const SECOND_LOOK: Duration = Duration::from_millis(50);

/// Reloads at every SIGHUP and, with `watch_files`, at every save, until `shutdown` completes.
///
/// From the call on, SIGHUP no longer ends the process. `tell` hears what came of each. Must be
/// called within a Tokio runtime with time and I/O enabled.
pub fn watch(
    reloader: Reloader,
    watch_files: bool,
    tell: impl FnMut(Cause, Outcome) + Send,
    shutdown: impl Future<Output = ()> + Send,
) -> impl Future<Output = ()> + Send {
    let asked = hangups();
    async move {
        let listening = watch_files.then(Listening::<RecommendedWatcher>::new);
        follow(reloader, listening, asked, shutdown, tell).await;
    }
}

/// An item for every SIGHUP.
fn hangups() -> impl Stream<Item = ()> + Send + Unpin {
    let mut signal = match signal(SignalKind::hangup()) {
        Ok(signal) => Some(signal),
        Err(error) => {
            tracing::warn!(%error, "SIGHUP cannot be heard");
            None
        }
    };
    poll_fn(move |cx| signal.as_mut().map_or(Poll::Pending, |signal| signal.poll_recv(cx)))
}

/// The loop of [`watch`], with every influence from outside as a parameter.
pub(super) async fn follow<W: Watcher + Send + 'static>(
    reloader: Reloader,
    listening: Option<Listening<W>>,
    mut asked: impl Stream<Item = ()> + Unpin,
    shutdown: impl Future<Output = ()>,
    mut tell: impl FnMut(Cause, Outcome),
) {
    let mut shutdown = pin!(shutdown);
    let mut work = Work { reloader, listening };
    work.listen();
    loop {
        let cause = tokio::select! {
            () = &mut shutdown => return,
            Some(()) = asked.next() => Cause::Asked,
            () = work.heard() => Cause::Saved,
        };
        let done = match work.reload().await {
            Ok((again, Outcome::Rejected(_))) if cause == Cause::Saved => {
                tokio::time::sleep(SECOND_LOOK).await;
                again.reload().await
            }
            done => done,
        };
        let Ok((again, outcome)) = done else { return tracing::error!("reloading has ended: please report it") };
        work = again;
        tell(cause, outcome);
    }
}

/// What goes to a thread that may block, and comes back.
struct Work<W> {
    reloader: Reloader,
    listening: Option<Listening<W>>,
}

impl<W: Watcher + Send + 'static> Work<W> {
    async fn reload(mut self) -> Result<(Self, Outcome), JoinError> {
        spawn_blocking(move || {
            let outcome = self.reloader.reload();
            // Also after a rejection, so that the mend is heard, wherever it is made.
            self.listen();
            (self, outcome)
        })
        .await
    }

    fn listen(&mut self) {
        if let Some(listening) = &mut self.listening {
            listening.listen_to(&self.reloader.inputs, &self.reloader.origin.home);
        }
    }

    async fn heard(&self) {
        match &self.listening {
            Some(listening) => listening.heard().await,
            None => pending().await,
        }
    }
}
