//! What the bytes of a client show: the protocol, how far a request head has come, and noise.

use http::StatusCode;
use tokio::time::Instant;

/// The HTTP/2 connection preface (RFC 9113 section 3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// So many bytes may come on HTTP/2 while no request gets further: settings, pings, windows, priorities.
/// Each costs the server work, and none is what a connection is for.
pub(super) const QUIET: usize = 1 << 20;

/// The protocol as far as the bytes have shown it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// So many bytes of the HTTP/2 preface have come, and nothing else.
    Undecided(usize),
    Http1,
    Http2,
}

impl Protocol {
    pub fn after(self, bytes: &[u8]) -> Protocol {
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

/// A request head on its way in.
pub(super) struct Head {
    pub since: Instant,
    /// How many requests had begun before this one: it is complete once there are more.
    pub after: usize,
    line: usize,
    line_ended: bool,
}

impl Head {
    pub fn begin(after: usize) -> Head {
        Head { since: Instant::now(), after, line: 0, line_ended: false }
    }

    /// Measures the request line. Empty lines before it do not count (RFC 9112 section 2.2).
    pub fn observe(&mut self, bytes: &[u8], max: usize) -> Result<(), StatusCode> {
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

/// What came on HTTP/2 since a request last got further.
#[derive(Default)]
pub(super) struct Quiet {
    /// As [`Activity::steps`] had it.
    since: usize,
    bytes: usize,
}

impl Quiet {
    /// Counts bytes that came when the steps of the connection's requests were so many. Whether that can
    /// be borne.
    pub fn observe(&mut self, bytes: usize, steps: usize) -> bool {
        if self.since != steps {
            *self = Self { since: steps, bytes: 0 };
        }
        self.bytes += bytes;
        self.bytes <= QUIET
    }
}
