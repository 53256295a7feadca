//! What the parts of one connection tell each other.
//!
//! The [guard](super::guard) sees bytes and no requests; the service and the bodies see
//! requests and no bytes. This is the little they share.

use std::io::IoSlice;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// The shared state of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    requests: Mutex<Requests>,
    body_unread: AtomicBool,
    closing: AtomicBool,
}

/// The requests of one connection.
#[derive(Debug)]
struct Requests {
    /// How many ever began.
    begun: usize,
    /// Those in progress, by their number, and when each of them last got further. They are few: one
    /// on HTTP/1, as many as there may be streams on HTTP/2.
    in_progress: Vec<(usize, Instant)>,
    /// When any of them last began, got further or ended; the time of accepting before that.
    last: Instant,
    /// How often that was.
    steps: usize,
}

impl Default for Activity {
    fn default() -> Activity {
        let requests = Requests { begun: 0, in_progress: Vec::new(), last: Instant::now(), steps: 0 };
        Activity {
            requests: Mutex::new(requests),
            body_unread: AtomicBool::new(false),
            closing: AtomicBool::new(false),
        }
    }
}

impl Activity {
    /// Marks the begin of a request; dropping what is returned marks its end.
    pub fn begin(self: &Arc<Activity>) -> InProgress {
        let mut requests = self.lock();
        requests.begun += 1;
        let number = requests.begun;
        let now = requests.step();
        requests.in_progress.push((number, now));
        drop(requests);
        InProgress { activity: Arc::clone(self), number }
    }

    /// How many requests have begun so far.
    pub fn begun(&self) -> usize {
        self.lock().begun
    }

    /// Whether a request is in progress.
    pub fn is_busy(&self) -> bool {
        !self.lock().in_progress.is_empty()
    }

    /// When a request last began, ended or got further; the time of accepting before that.
    pub fn last_progress(&self) -> Instant {
        self.lock().last
    }

    /// The time since which the request that waits the longest, and the one that waits the shortest,
    /// has got no further; `None` if none is in progress.
    pub fn waiting_since(&self) -> Option<(Instant, Instant)> {
        let requests = self.lock();
        let times = requests.in_progress.iter().map(|(_, time)| *time);
        times.clone().min().zip(times.max())
    }

    /// Notes that a part of some request body has come.
    pub fn step(&self) {
        self.lock().step();
    }

    /// Changes whenever a request begins, gets further or ends.
    pub fn steps(&self) -> usize {
        self.lock().steps
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

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Requests {
    fn step(&mut self) -> Instant {
        self.last = Instant::now();
        self.steps += 1;
        self.last
    }
}

/// One request in progress, until it is dropped.
#[derive(Debug)]
pub(super) struct InProgress {
    activity: Arc<Activity>,
    number: usize,
}

impl InProgress {
    /// Notes that the request got further.
    fn step(&self) {
        let mut requests = self.activity.lock();
        let now = requests.step();
        let own = requests.in_progress.iter_mut().find(|(number, _)| *number == self.number);
        own.into_iter().for_each(|(_, time)| *time = now);
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut requests = self.activity.lock();
        requests.step();
        requests.in_progress.retain(|(number, _)| *number != self.number);
    }
}

/// A response body that keeps its request in progress until the last byte of it is written or dropped.
#[derive(Debug)]
pub(super) struct Tracked<B> {
    body: B,
    request: Arc<InProgress>,
}

impl<B> Tracked<B> {
    /// Ties `request` to `body`.
    pub fn new(body: B, request: InProgress) -> Tracked<B> {
        Tracked { body, request: Arc::new(request) }
    }
}

impl<B: Body + Unpin> Body for Tracked<B> {
    type Data = Piece<B::Data>;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let piece = |data| Piece { data, written: 0, request: Arc::clone(&self.request) };
        frame.map(|frame| frame.map(|frame| frame.map(|frame| frame.map_data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// So many bytes have to be written for a request to have got further: a client that takes its answer
/// byte by byte gets nowhere.
const STEP: usize = 16 << 10;

/// A piece of a response body on its way to the socket. HTTP/2 has it wait for its client's window, long
/// after the body is done with.
#[derive(Debug)]
pub(super) struct Piece<D> {
    data: D,
    written: usize,
    request: Arc<InProgress>,
}

impl<D: Buf> Buf for Piece<D> {
    fn remaining(&self) -> usize {
        self.data.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.data.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.data.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.data.advance(count);
        self.written += count;
        if self.written >= STEP {
            self.written = 0;
            self.request.step();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_request_is_in_progress_until_its_response_body_is_dropped() {
        let activity = Arc::new(Activity::default());
        let accepted = activity.last_progress();
        assert!(!activity.is_busy());

        tokio::time::advance(SECOND * 3).await;
        let body = Tracked::new(String::from("hello"), activity.begin());
        assert!(activity.is_busy());
        assert_eq!(activity.begun(), 1);
        assert_eq!(activity.last_progress() - accepted, SECOND * 3);

        tokio::time::advance(SECOND * 2).await;
        drop(body);
        assert!(!activity.is_busy());
        assert_eq!(activity.begun(), 1);
        assert_eq!(activity.last_progress() - accepted, SECOND * 5);
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_getting_further_is_not_another_one_doing_so() {
        let activity = Arc::new(Activity::default());
        let accepted = activity.last_progress();
        let waiting = activity.begin();
        tokio::time::advance(SECOND).await;
        let mut body = Tracked::new(String::from_utf8(vec![b'x'; STEP]).unwrap(), activity.begin());
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let mut piece = frame.unwrap().unwrap().into_data().unwrap();
        drop(body);
        tokio::time::advance(SECOND).await;
        let before = activity.steps();
        piece.advance(STEP - 1);
        assert_eq!(activity.steps(), before, "little by little is nothing");
        piece.advance(1);
        assert_ne!(activity.steps(), before);
        assert_eq!(activity.waiting_since(), Some((accepted, accepted + SECOND * 2)));
        drop(waiting);
        assert_eq!(activity.waiting_since(), Some((accepted + SECOND * 2, accepted + SECOND * 2)));
        drop(piece);
        assert_eq!(activity.waiting_since(), None);
    }
}
