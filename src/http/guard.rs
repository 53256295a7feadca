//! The deadlines of a connection that hyper does not keep.
//!
//! hyper's own header timeout starts only after the protocol version is known (a client that
//! sends `PRI * HTT` and stops is never timed out, hyper issue 3756), closes silent
//! keep-alive connections by the same clock, and says nothing to the client. So the guard
//! sits around the socket, below hyper, and watches the bytes. What it cannot see in the
//! bytes, where a request ends, the service tells it through [`Activity`].
//!
//! | While                                | the guard allows               | then                 |
//! |--------------------------------------|--------------------------------|----------------------|
//! | the client takes nothing             | [`Limits::write_stall`]        | closes               |
//! | a request is in progress             | all deadlines above it, in sum | closes               |
//! | no byte of a first request came      | [`Limits::first_byte`]         | closes               |
//! | a request head has begun             | [`Limits::header`]             | says 408, closes     |
//! | between requests                     | [`Limits::keep_alive`]         | closes               |
//!
//! The start of a request that arrives together with the end of the one before is inside
//! hyper's buffer when the guard could count it; it is held to `keep_alive` until its next
//! byte comes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::{Buf, Bytes};
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Duration, Instant, Sleep};

use super::Limits;
use super::activity::Activity;
use super::small_writes::SmallWrites;

/// The HTTP/2 connection preface (RFC 9113 section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a closed connection goes on discarding what the client still sends, so that the
/// reset which unread bytes provoke does not destroy the last response on its way
/// (RFC 9112 section 9.6).
const LINGER: Duration = Duration::from_secs(2);

/// A socket that keeps the deadlines of [`Limits`].
///
/// hyper drives it from one task, so one timer is enough. It is left running when a deadline
/// moves further away, and looks again when it goes off: a request costs no timer operation.
/// It is never set further than `keep_alive` ahead, because the end of a request, from which
/// that time counts, may come without another call to the guard.
pub(super) struct Guard<S> {
    socket: S,
    limits: Limits,
    activity: Arc<Activity>,
    alarm: Pin<Box<Sleep>>,
    protocol: Protocol,
    head: Option<Head>,
    /// Since when the client has taken nothing of what is being written.
    blocked: Option<Instant>,
    /// When the guard asked for the connection to be closed.
    asked_to_close: Option<Instant>,
    at_eof: bool,
    parting: Option<Parting>,
    small_writes: SmallWrites,
}

/// The protocol as far as the bytes have shown it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// So many bytes of the HTTP/2 preface have come, and nothing else.
    Undecided(usize),
    Http1,
    Http2,
}

/// A request head on its way in.
struct Head {
    since: Instant,
    /// How many requests had begun before this one: it is complete once there are more.
    after: usize,
    line: usize,
    line_ended: bool,
}

/// The steps of closing a connection on which the client may still be sending.
enum Parting {
    Saying(Bytes),
    Closing,
    Discarding,
    Done,
}

/// What happens when a deadline is missed.
enum Lapse {
    /// Tell the client, then close.
    Refuse(StatusCode),
    /// Let hyper close, which says goodbye on HTTP/2.
    AskToClose,
    /// Break off.
    Abort(&'static str),
}

impl<S> Guard<S> {
    /// Guards a connection that has just been accepted.
    pub fn new(socket: S, limits: Limits, activity: Arc<Activity>) -> Guard<S> {
        let accepted = activity.last_progress();
        let first = after(accepted, limits.first_byte.min(horizon(&limits)));
        Guard {
            socket,
            limits,
            activity,
            alarm: Box::pin(tokio::time::sleep_until(first)),
            protocol: Protocol::Undecided(0),
            head: None,
            blocked: None,
            asked_to_close: None,
            at_eof: false,
            parting: None,
            small_writes: SmallWrites::default(),
        }
    }

    /// Takes note of bytes that came in; an error is a reason to refuse them.
    fn observe(&mut self, bytes: &[u8]) -> Result<(), StatusCode> {
        if bytes.is_empty() {
            self.at_eof = true;
            return Ok(());
        }
        self.protocol = self.protocol.after(bytes);
        if self.protocol == Protocol::Http2 || self.activity.is_busy() {
            return Ok(());
        }
        let begun = self.activity.begun();
        let head = match &mut self.head {
            Some(head) if head.after == begun => head,
            stale => stale.insert(Head::begin(begun)),
        };
        head.observe(bytes, self.limits.max_request_line)
    }

    /// The request head that has begun and not ended.
    fn open_head(&self) -> Option<&Head> {
        let begun = self.activity.begun();
        self.head.as_ref().filter(|head| head.after == begun && self.protocol != Protocol::Http2)
    }

    /// The deadline that counts now, and what missing it means.
    fn deadline(&self) -> (Instant, Lapse) {
        let limits = &self.limits;
        if let Some(since) = self.blocked {
            let stalled = Lapse::Abort("the client takes nothing of what is sent to it");
            return (after(since, limits.write_stall), stalled);
        }
        let progress = self.activity.last_progress();
        if self.activity.is_busy() {
            // Each part keeps its own deadline; this one is for what escapes them, such as
            // HTTP/2 streams whose client never opens their windows.
            let all = limits.handler.saturating_add(limits.body);
            let all = all.saturating_add(limits.write_stall);
            return (after(progress, all), Lapse::Abort("a request is stuck"));
        }
        if let Some(asked) = self.asked_to_close {
            let ignored = Lapse::Abort("the client does not let the connection close");
            return (after(asked.max(progress), LINGER), ignored);
        }
        if let Some(head) = self.open_head() {
            let late = Lapse::Refuse(StatusCode::REQUEST_TIMEOUT);
            return (after(head.since, limits.header), late);
        }
        let patience = if self.activity.begun() == 0 && self.protocol != Protocol::Http2 {
            limits.first_byte
        } else {
            limits.keep_alive
        };
        (after(progress, patience), Lapse::AskToClose)
    }

    /// Pending until the connection has to be closed.
    fn poll_lapse(&mut self, cx: &mut Context<'_>) -> Poll<Lapse> {
        loop {
            let (deadline, lapse) = self.deadline();
            if self.alarm.deadline() > deadline {
                self.alarm.as_mut().reset(deadline);
            }
            ready!(self.alarm.as_mut().poll(cx));
            let now = Instant::now();
            if now < deadline {
                let horizon = after(now, horizon(&self.limits));
                self.alarm.as_mut().reset(deadline.min(horizon));
            } else if let Lapse::AskToClose = lapse {
                self.asked_to_close = Some(now);
                self.activity.ask_to_close();
            } else {
                return Poll::Ready(lapse);
            }
        }
    }

    fn part(&mut self, parting: Parting) {
        self.parting = Some(parting);
        self.alarm.as_mut().reset(Instant::now() + LINGER);
    }

    fn refuse(&mut self, status: StatusCode) {
        tracing::debug!(%status, "request refused while its head was read");
        self.part(Parting::Saying(refusal(status)));
    }

    /// Whether the client may be sending what nobody will read.
    fn leaves_input_unread(&self) -> bool {
        !self.at_eof
            && self.protocol != Protocol::Http2
            && (self.activity.left_body_unread() || self.open_head().is_some())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    /// Goes through the steps of [`Parting`], for [`LINGER`] at most.
    fn poll_parting(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(parting) = &mut self.parting {
            if self.alarm.as_mut().poll(cx).is_ready() {
                *parting = Parting::Done;
            }
            let socket = Pin::new(&mut self.socket);
            *parting = match parting {
                Parting::Saying(rest) => match ready!(socket.poll_write(cx, rest)) {
                    Ok(0) | Err(_) => Parting::Done,
                    Ok(written) if written < rest.len() => {
                        rest.advance(written);
                        continue;
                    }
                    Ok(_) => Parting::Closing,
                },
                Parting::Closing => match ready!(socket.poll_shutdown(cx)) {
                    Ok(()) => Parting::Discarding,
                    Err(_) => Parting::Done,
                },
                Parting::Discarding => {
                    let mut scrap = [0; 4096];
                    let mut scrap = ReadBuf::new(&mut scrap);
                    match ready!(socket.poll_read(cx, &mut scrap)) {
                        Ok(()) if !scrap.filled().is_empty() => continue,
                        _ => Parting::Done,
                    }
                }
                Parting::Done => return Poll::Ready(()),
            };
        }
        Poll::Ready(())
    }

    /// Watches a write: one that has to wait may not wait for ever.
    fn watch_write(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if outcome.is_ready() {
            self.blocked = None;
            return outcome;
        }
        self.blocked.get_or_insert_with(Instant::now);
        self.poll_lapse(cx).map(|lapse| Err(lapse.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        if guard.parting.is_none() {
            let before = buf.filled().len();
            match Pin::new(&mut guard.socket).poll_read(cx, buf)? {
                Poll::Ready(()) => {
                    let fresh = buf.filled().get(before..).unwrap_or_default();
                    match guard.observe(fresh) {
                        Ok(()) => return Poll::Ready(Ok(())),
                        Err(status) => guard.refuse(status),
                    }
                    buf.set_filled(before);
                }
                Poll::Pending => match ready!(guard.poll_lapse(cx)) {
                    Lapse::Refuse(status) => guard.refuse(status),
                    lapse => return Poll::Ready(Err(lapse.into())),
                },
            }
        }
        ready!(guard.poll_parting(cx));
        Poll::Ready(Err(Lapse::Abort("the request head was refused").into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let guard = self.get_mut();
        let outcome = Pin::new(&mut guard.socket).poll_write(cx, bytes);
        guard.watch_write(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let guard = self.get_mut();
        let outcome = guard.small_writes.poll_write_vectored(Pin::new(&mut guard.socket), cx, slices);
        guard.watch_write(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        if guard.parting.is_none() {
            if !guard.leaves_input_unread() {
                return Pin::new(&mut guard.socket).poll_shutdown(cx);
            }
            guard.part(Parting::Closing);
        }
        guard.poll_parting(cx).map(Ok)
    }
}

impl Protocol {
    fn after(self, bytes: &[u8]) -> Protocol {
        let Protocol::Undecided(seen) = self else {
            return self;
        };
        let expected = PREFACE.get(seen..).unwrap_or_default();
        if !expected.iter().zip(bytes).all(|(a, b)| a == b) {
            Protocol::Http1
        } else if bytes.len() < expected.len() {
            Protocol::Undecided(seen + bytes.len())
        } else {
            Protocol::Http2
        }
    }
}

impl Head {
    fn begin(after: usize) -> Head {
        Head { since: Instant::now(), after, line: 0, line_ended: false }
    }

    /// Measures the request line. Empty lines before it do not count (RFC 9112 section 2.2).
    fn observe(&mut self, bytes: &[u8], max: usize) -> Result<(), StatusCode> {
        if self.line_ended {
            return Ok(());
        }
        let is_line_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let skipped = match self.line {
            0 => bytes.iter().take_while(|byte| is_line_break(byte)).count(),
            _ => 0,
        };
        let bytes = bytes.get(skipped..).unwrap_or_default();
        let end = bytes.iter().position(|byte| *byte == b'\n');
        self.line_ended = end.is_some();
        self.line += end.unwrap_or(bytes.len());
        if self.line > max {
            return Err(StatusCode::URI_TOO_LONG);
        }
        Ok(())
    }
}

impl From<Lapse> for io::Error {
    fn from(lapse: Lapse) -> io::Error {
        let why = match lapse {
            Lapse::Abort(why) => why,
            Lapse::Refuse(_) | Lapse::AskToClose => "a deadline was missed",
        };
        io::Error::new(io::ErrorKind::TimedOut, why)
    }
}

/// A response without words, written below hyper.
fn refusal(status: StatusCode) -> Bytes {
    let date = httpdate::fmt_http_date(SystemTime::now());
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\ndate: {date}\r\n\r\n").into()
}

/// How far ahead the alarm may be set. Not zero, or it would never stop ringing.
fn horizon(limits: &Limits) -> Duration {
    limits.keep_alive.max(Duration::from_secs(1))
}

/// `start + duration`, however far that is.
fn after(start: Instant, duration: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    start + duration.min(NEVER)
}

#[cfg(test)]
mod tests;
