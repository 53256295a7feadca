//! A request body, read under a size and a time limit.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use http::StatusCode;

use super::activity::Activity;

/// The body of a request that has not been read yet.
///
/// A body that is dropped unread, or given up half-way, ends its HTTP/1 connection after the
/// response: the rest of it must never be taken for the next request (RFC 9112 section 9.6).
#[derive(Debug, Default)]
pub struct RequestBody(Source);

#[derive(Debug)]
enum Source {
    Whole(Bytes),
    Wire(Wire),
}

impl Default for Source {
    fn default() -> Source {
        Source::Whole(Bytes::new())
    }
}

impl From<Bytes> for RequestBody {
    fn from(whole: Bytes) -> RequestBody {
        RequestBody(Source::Whole(whole))
    }
}

impl RequestBody {
    /// A body still on its way, if there is any, of `length` bytes if that was declared.
    pub(super) fn from_wire<S, B, E>(frames: Option<S>, length: Option<u64>, activity: Arc<Activity>) -> RequestBody
    where
        S: Stream<Item = Result<B, E>> + Send + Sync + 'static,
        B: Buf,
        E: fmt::Display,
    {
        let Some(frames) = frames.filter(|_| length != Some(0)) else {
            return RequestBody::default();
        };
        let coming = Arc::clone(&activity);
        let frames = frames.map(move |frame| match frame {
            Ok(mut data) => {
                coming.step();
                Ok(data.copy_to_bytes(data.remaining()))
            }
            Err(error) => Err(BodyError::Broken(error.to_string())),
        });
        RequestBody(Source::Wire(Wire { frames: Box::pin(frames), length, ended: false, activity }))
    }

    /// Reads the whole body.
    ///
    /// # Errors
    ///
    /// [`BodyError::TooLarge`] beyond `max` bytes: by the declared length before a byte is
    /// read (so a client that waits for `100 Continue` is spared sending it), by counting
    /// otherwise. [`BodyError::TimedOut`] when the end has not come within `deadline`.
    /// [`BodyError::Broken`] when the client breaks off or breaks the framing.
    pub async fn read(self, max: usize, deadline: Duration) -> Result<Bytes, BodyError> {
        match self.0 {
            Source::Whole(whole) if whole.len() > max => Err(BodyError::TooLarge),
            Source::Whole(whole) => Ok(whole),
            Source::Wire(wire) => {
                tokio::time::timeout(deadline, wire.read(max)).await.unwrap_or(Err(BodyError::TimedOut))
            }
        }
    }
}

/// A body still on its way.
struct Wire {
    frames: Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send + Sync>>,
    length: Option<u64>,
    ended: bool,
    activity: Arc<Activity>,
}

impl Wire {
    async fn read(mut self, max: usize) -> Result<Bytes, BodyError> {
        let declared = usize::try_from(self.length.unwrap_or(0)).unwrap_or(usize::MAX);
        if declared > max {
            return Err(BodyError::TooLarge);
        }
        let mut whole = Vec::with_capacity(declared);
        while let Some(data) = self.frames.next().await {
            let data = data?;
            if data.len() > max - whole.len() {
                return Err(BodyError::TooLarge);
            }
            whole.extend_from_slice(&data);
        }
        self.ended = true;
        Ok(whole.into())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if !self.ended {
            self.activity.leave_body_unread();
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("length", &self.length).field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than allowed.
    TooLarge,
    /// Its end did not come in time.
    TimedOut,
    /// It broke off or was framed wrongly; the text is for the log.
    Broken(String),
}

impl BodyError {
    /// The status that tells the client: 413, 408 or 400 (RFC 9110 section 15.5).
    pub fn status(&self) -> StatusCode {
        match self {
            BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::TimedOut => StatusCode::REQUEST_TIMEOUT,
            BodyError::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::TooLarge => f.write_str("the request body is too large"),
            BodyError::TimedOut => f.write_str("the request body did not arrive in time"),
            BodyError::Broken(why) => write!(f, "the request body is broken: {why}"),
        }
    }
}

impl std::error::Error for BodyError {}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    const SOON: Duration = Duration::from_secs(1);

    fn wire(frames: Vec<Result<&'static str, &'static str>>, length: Option<u64>) -> (RequestBody, Arc<Activity>) {
        let activity = Arc::new(Activity::default());
        let frames = stream::iter(frames).map(|frame| frame.map(str::as_bytes));
        let body = RequestBody::from_wire(Some(frames), length, Arc::clone(&activity));
        (body, activity)
    }

    #[tokio::test]
    async fn frames_become_one_body() {
        let (body, activity) = wire(vec![Ok("a=1"), Ok("&b=2")], Some(7));
        assert_eq!(body.read(7, SOON).await.unwrap(), "a=1&b=2");
        assert!(!activity.left_body_unread());
    }

    #[tokio::test]
    async fn a_declared_length_over_the_limit_is_refused_before_reading() {
        let activity = Arc::new(Activity::default());
        let untouchable =
            stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, String>>> { panic!("the body was read") });
        let body = RequestBody::from_wire(Some(untouchable), Some(8), Arc::clone(&activity));
        assert_eq!(body.read(7, SOON).await, Err(BodyError::TooLarge));
        assert!(activity.left_body_unread());
    }

    #[tokio::test]
    async fn an_undeclared_length_is_counted() {
        let (body, activity) = wire(vec![Ok("1234"), Ok("5678"), Ok("9")], None);
        assert_eq!(body.read(8, SOON).await, Err(BodyError::TooLarge));
        assert!(activity.left_body_unread());

        let (body, _) = wire(vec![Ok("1234"), Ok("5678")], None);
        assert_eq!(body.read(8, SOON).await.unwrap(), "12345678");
    }

    #[tokio::test]
    async fn a_whole_body_is_held_to_the_limit_too() {
        let body = || RequestBody::from(Bytes::from_static(b"12345"));
        assert_eq!(body().read(5, SOON).await.unwrap(), "12345");
        assert_eq!(body().read(4, SOON).await, Err(BodyError::TooLarge));
        assert_eq!(RequestBody::default().read(0, SOON).await.unwrap(), "");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_times_out() {
        let activity = Arc::new(Activity::default());
        let silent = stream::pending::<Result<Bytes, String>>();
        let body = RequestBody::from_wire(Some(silent), None, Arc::clone(&activity));
        assert_eq!(body.read(8, SOON).await, Err(BodyError::TimedOut));
        assert!(activity.left_body_unread());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_times_out_however_steadily() {
        let dripping = stream::repeat(()).then(|()| async {
            tokio::time::sleep(SOON * 9 / 10).await;
            Ok::<_, String>(&b"x"[..])
        });
        let (began, activity) = (tokio::time::Instant::now(), Arc::new(Activity::default()));
        let body = RequestBody::from_wire(Some(dripping), None, Arc::clone(&activity));
        assert_eq!(body.read(1000, SOON).await, Err(BodyError::TimedOut));
        assert!(began.elapsed() < SOON * 9 / 5, "it ends before the second byte: {:?}", began.elapsed());
        assert!(activity.left_body_unread());
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_broken() {
        let (body, activity) = wire(vec![Ok("1234"), Err("gone")], None);
        let error = body.read(8, SOON).await.unwrap_err();
        assert_eq!(error, BodyError::Broken("gone".into()));
        assert_eq!(error.status(), StatusCode::BAD_REQUEST);
        assert!(activity.left_body_unread());
    }

    #[test]
    fn dropping_an_unread_body_is_noticed_unless_it_is_empty() {
        let (body, activity) = wire(vec![Ok("1234")], Some(4));
        drop(body);
        assert!(activity.left_body_unread());

        let (body, activity) = wire(vec![], Some(0));
        drop(body);
        assert!(!activity.left_body_unread());
    }
}
