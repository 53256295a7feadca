//! What the parts of one connection tell each other.
//!
//! The [guard](super::guard) sees bytes and no requests; the service and the bodies see
//! requests and no bytes. This is the little they share.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use tokio::time::{Duration, Instant};

/// The shared state of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    accepted: Instant,
    /// Requests ever begun.
    begun: AtomicUsize,
    /// Requests begun whose response is not yet handed over.
    in_progress: AtomicUsize,
    /// Nanoseconds from `accepted` to the last sign of progress on any request.
    progress: AtomicU64,
    body_unread: AtomicBool,
    closing: AtomicBool,
}

impl Default for Activity {
    fn default() -> Activity {
        Activity {
            accepted: Instant::now(),
            begun: AtomicUsize::new(0),
            in_progress: AtomicUsize::new(0),
            progress: AtomicU64::new(0),
            body_unread: AtomicBool::new(false),
            closing: AtomicBool::new(false),
        }
    }
}

impl Activity {
    /// Marks the begin of a request; dropping what is returned marks its end.
    pub fn begin(self: &Arc<Activity>) -> InProgress {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.in_progress.fetch_add(1, Ordering::AcqRel);
        self.touch();
        InProgress(Arc::clone(self))
    }

    /// How many requests have begun so far.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether a request is in progress.
    pub fn is_busy(&self) -> bool {
        self.in_progress.load(Ordering::Acquire) > 0
    }

    /// When a request last began, ended or had a part of its response sent; the time of
    /// accepting before that.
    pub fn last_progress(&self) -> Instant {
        self.accepted + Duration::from_nanos(self.progress.load(Ordering::Acquire))
    }

    /// Notes that a request body was given up before its end: what follows on the wire is
    /// not a request.
    pub fn leave_body_unread(&self) {
        self.body_unread.store(true, Ordering::Release);
    }

    /// Whether a request body was given up before its end.
    pub fn left_body_unread(&self) -> bool {
        self.body_unread.load(Ordering::Acquire)
    }

    /// Asks for the connection to be closed in its protocol's own way.
    pub fn ask_to_close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Whether somebody asked for the connection to be closed.
    pub fn is_asked_to_close(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn touch(&self) {
        let since = self.accepted.elapsed().as_nanos();
        let since = u64::try_from(since).unwrap_or(u64::MAX);
        self.progress.store(since, Ordering::Release);
    }
}

/// One request in progress, until it is dropped.
#[derive(Debug)]
pub(super) struct InProgress(Arc<Activity>);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.touch();
        self.0.in_progress.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A response body that keeps its request in progress until it is handed over or dropped.
#[derive(Debug)]
pub(super) struct Tracked<B> {
    body: B,
    request: InProgress,
}

impl<B> Tracked<B> {
    /// Ties `request` to `body`.
    pub fn new(body: B, request: InProgress) -> Tracked<B> {
        Tracked { body, request }
    }
}

impl<B: Body + Unpin> Body for Tracked<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.request.0.touch();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_is_in_progress_until_its_response_body_is_dropped() {
        let activity = Arc::new(Activity::default());
        let accepted = activity.last_progress();
        assert!(!activity.is_busy());

        tokio::time::advance(Duration::from_secs(3)).await;
        let body = Tracked::new(String::from("hello"), activity.begin());
        assert!(activity.is_busy());
        assert_eq!(activity.begun(), 1);
        assert_eq!(activity.last_progress() - accepted, Duration::from_secs(3));

        tokio::time::advance(Duration::from_secs(2)).await;
        drop(body);
        assert!(!activity.is_busy());
        assert_eq!(activity.begun(), 1);
        assert_eq!(activity.last_progress() - accepted, Duration::from_secs(5));
    }
}
