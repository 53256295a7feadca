//! Every size and deadline of the edge.

use std::time::Duration;

use crate::site::ServerSettings;

/// What one client may take of the server's time and memory.
///
/// Read once for every accepted connection, so a reload changes the limits of new
/// connections and leaves open ones alone.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From accepting a connection to the first byte of its first request. A browser may
    /// connect ahead of need; it is closed without words. Default 10 s.
    pub first_byte: Duration,
    /// From the first byte of a request to the end of its header section, however steadily
    /// it drips. Missed: 408. Default 10 s.
    pub header: Duration,
    /// For reading a whole request body; what [`Handler`](super::Handler)s give to
    /// [`RequestBody::read`](super::RequestBody::read). Default 30 s.
    pub body: Duration,
    /// How long a connection may idle between requests. On HTTP/2, idle means without an
    /// open stream. Default 75 s.
    pub keep_alive: Duration,
    /// How long a client may take nothing of what is being sent to it. Default 30 s.
    pub write_stall: Duration,
    /// For answering a request, not counting the time its body may take. Missed: 503.
    /// Default 15 s.
    pub handler: Duration,
    /// Longest request line in bytes (on HTTP/2, request target). Beyond: 414.
    /// Default 16 KiB.
    pub max_request_line: usize,
    /// Largest request head in bytes, request line included. Beyond: 431. Default 32 KiB;
    /// less than 8 KiB counts as 8 KiB.
    pub max_header_bytes: usize,
    /// Most header lines in a request. Beyond: 431. Default 100.
    pub max_headers: usize,
    /// Largest request body in bytes; what [`Handler`](super::Handler)s give to
    /// [`RequestBody::read`](super::RequestBody::read). Default 64 KiB.
    pub max_body: usize,
    /// Most connections at a time. One more closes the one that has been idle the longest, or
    /// waits. Default 4096; 0 counts as 1.
    pub max_connections: usize,
    /// Most connections at a time from one address, or one network of IPv6. One more closes the
    /// one of them that has been idle the longest, or is closed itself. Default 64; 0 counts as 1.
    pub max_connections_per_address: usize,
    /// How long a graceful stop waits for requests in progress. Default 10 s.
    pub shutdown: Duration,
}

impl Limits {
    /// The limits that `[server]` sets.
    pub fn of(server: &ServerSettings) -> Self {
        Self {
            first_byte: Duration::from_secs(server.first_byte_timeout),
            header: Duration::from_secs(server.header_timeout),
            body: Duration::from_secs(server.body_timeout),
            keep_alive: Duration::from_secs(server.keep_alive_timeout),
            write_stall: Duration::from_secs(server.write_timeout),
            handler: Duration::from_secs(server.handler_timeout),
            max_request_line: server.max_request_line,
            max_header_bytes: server.max_header_bytes,
            max_headers: server.max_headers,
            max_body: server.max_body,
            max_connections: server.max_connections,
            max_connections_per_address: server.max_connections_per_address,
            shutdown: Duration::from_secs(server.shutdown_timeout),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(&ServerSettings::default())
    }
}
