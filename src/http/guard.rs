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
//! | a request gets no further            | all deadlines above it, in sum | closes               |
//! | no byte of a first request came      | [`Limits::first_byte`]         | closes               |
//! | a request head has begun             | [`Limits::header`]             | says 408, closes     |
//! | between requests                     | [`Limits::keep_alive`]         | closes               |
//!
//! On HTTP/2, other requests than the one that gets no further have as much time again to finish. A
//! client that sends much and asks for nothing is cut off.
//!
//! The start of a request that arrives together with the end of the one before is inside
//! hyper's buffer when the guard could count it; it is held to `keep_alive` until its next
//! byte comes.

mod seen;

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
use seen::{Head, Protocol, Quiet};

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
    quiet: Quiet,
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
            quiet: Quiet::default(),
        }
    }

    /// Takes note of bytes that came in; an error is a reason to refuse them.
    fn observe(&mut self, bytes: &[u8]) -> Result<(), Lapse> {
        if bytes.is_empty() {
            self.at_eof = true;
            return Ok(());
        }
        self.protocol = self.protocol.after(bytes);
        if self.protocol == Protocol::Http2 {
            let much = Lapse::Abort("the client sends much and asks for nothing");
            return if self.quiet.observe(bytes.len(), self.activity.steps()) { Ok(()) } else { Err(much) };
        }
        if self.activity.is_busy() {
            return Ok(());
        }
        let begun = self.activity.begun();
        let head = match &mut self.head {
            Some(head) if head.after == begun => head,
            stale => stale.insert(Head::begin(begun)),
        };
        head.observe(bytes, self.limits.max_request_line).map_err(Lapse::Refuse)
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
        if let Some((longest, shortest)) = self.activity.waiting_since() {
            return self.stuck(longest, shortest);
        }
        let progress = self.activity.last_progress();
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

    /// The deadline of the requests in progress, of which one has got no further since `longest`, another
    /// only since `shortest`. Each part keeps its own deadline; this one is for what escapes them, such
    /// as HTTP/2 streams whose client never opens their windows.
    fn stuck(&self, longest: Instant, shortest: Instant) -> (Instant, Lapse) {
        let limits = &self.limits;
        let all = limits.handler.saturating_add(limits.body).saturating_add(limits.write_stall);
        let stuck = Lapse::Abort("a request is stuck");
        if self.protocol != Protocol::Http2 {
            (after(longest, all), stuck)
        } else if self.asked_to_close.is_none() {
            (after(longest, all), Lapse::AskToClose)
        } else {
            (after(shortest, all).min(after(longest, all.saturating_mul(2))), stuck)
        }
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
                        Err(Lapse::Refuse(status)) => guard.refuse(status),
                        Err(lapse) => return Poll::Ready(Err(lapse.into())),
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
