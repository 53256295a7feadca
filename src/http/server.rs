//! The accept loop, one task per connection, and the graceful stop.
//!
//! `warp::serve` is not used: it keeps no deadline, limits nothing and waits for ever when
//! it stops. Its filters are, through `warp::service`, under hyper's own connection types.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::TryFutureExt;
use http::{Request, Uri};
use http_body::Body;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::watch;
use tokio_util::either::Either;
use tower_service::Service;

use super::activity::{Activity, Tracked};
use super::connections::{Connections, Network, Verdict};
use super::filter::{Wire, filter};
use super::guard::Guard;
use super::listen::{Listener, Stream};
use super::{Connection, Handler, Limits, descriptors};

/// How often a full house looks whether a connection has become idle.
const RECOUNT: Duration = Duration::from_millis(50);

/// How many requests an HTTP/2 client may have in progress on one connection: less than RFC 9113 advises
/// (section 6.5.2), as each may keep a file open.
const STREAMS: u32 = 32;

/// How a server came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every request in progress was answered.
    Drained,
    /// [`Limits::shutdown`] passed first.
    Aborted {
        /// How many connections were cut off.
        connections: usize,
    },
}

/// Serves `listener` with `handler` until `shutdown` completes, then stops gracefully: no
/// more connections, no more requests, but those in progress have [`Limits::shutdown`] to
/// finish. Never fails: trouble with one connection is that connection's.
///
/// Speaks HTTP/1.1 and, with prior knowledge, HTTP/2 (RFC 9113 section 3.3). Must run within
/// a Tokio runtime with time and I/O enabled. Dropping the future cuts everything off.
pub async fn serve<H: Handler>(
    mut listener: Listener,
    handler: Arc<H>,
    shutdown: impl Future<Output = ()> + Send,
) -> Ending {
    let mut shutdown = pin!(shutdown);
    let (stop, stopping) = watch::channel(false);
    let mut connections = Connections::default();
    let mut waiting = None;
    let ceiling = most_connections(&handler.limits());
    loop {
        if let Some((stream, peer)) = waiting.take() {
            let mut limits = handler.limits();
            limits.max_connections = limits.max_connections.min(ceiling);
            let network = network(peer, &*handler);
            match connections.make_room(network, &limits) {
                Verdict::Admit => {
                    let activity = Arc::new(Activity::default());
                    let talk = converse(stream, peer, Arc::clone(&activity), Arc::clone(&handler), stopping.clone());
                    connections.open(network, activity, talk);
                }
                Verdict::Wait => waiting = Some((stream, peer)),
                Verdict::Refuse => {}
            }
        }
        tokio::select! {
            () = &mut shutdown => break,
            Some(()) = connections.ended() => {}
            accepted = listener.accept(), if waiting.is_none() => waiting = Some(accepted),
            () = tokio::time::sleep(RECOUNT), if waiting.is_some() => {}
        }
    }
    drop((listener, waiting));
    stop.send_replace(true);
    let drain = async { while connections.ended().await.is_some() {} };
    match tokio::time::timeout(handler.limits().shutdown, drain).await {
        Ok(()) => Ending::Drained,
        Err(_) => {
            let left = connections.len();
            connections.shutdown().await;
            Ending::Aborted { connections: left }
        }
    }
}

/// The most connections that the system lets there be.
fn most_connections(limits: &Limits) -> usize {
    let Some(most) = descriptors::most_connections() else { return usize::MAX };
    if most < limits.max_connections {
        let asked = limits.max_connections;
        tracing::warn!("there can be {most} connections at a time, not {asked}: raise the limit of open files");
    }
    most
}

/// What a connection counts for; nothing if it comes from this machine or from a proxy.
fn network<H: Handler>(peer: Option<SocketAddr>, handler: &H) -> Option<Network> {
    let peer = peer?.ip();
    Network::of(peer).filter(|_| !handler.is_proxy(peer))
}

/// Serves one connection to its end.
async fn converse<H: Handler>(
    stream: Stream,
    peer: Option<SocketAddr>,
    activity: Arc<Activity>,
    handler: Arc<H>,
    mut stopping: watch::Receiver<bool>,
) {
    if let Either::Left(tcp) = &stream {
        // Responses are written whole: waiting for more only delays them.
        let _ = tcp.set_nodelay(true);
    }
    let limits = handler.limits();
    let socket = TokioIo::new(Guard::new(stream, limits, Arc::clone(&activity)));
    let warp = warp::service(filter(handler, limits));
    let service = service_fn(|mut request: Request<hyper::body::Incoming>| {
        let in_progress = activity.begin();
        let wire = Wire {
            connection: Connection { peer, authority: request.uri().authority().map(ToString::to_string) },
            version: request.version(),
            body_length: request.body().size_hint().exact(),
            activity: Arc::clone(&activity),
        };
        request.extensions_mut().insert(wire);
        if request.uri().path_and_query().is_none() {
            // An authority-form target, at which `warp::path::full` panics.
            *request.uri_mut() = Uri::from_static("*");
        }
        let response = warp.clone().call(request);
        response.map_ok(|response| response.map(|body| Tracked::new(body, in_progress)))
    });
    let protocols = protocols(&limits);
    let mut connection = pin!(protocols.serve_connection(socket, service));
    let mut stop = pin!(stopping.wait_for(|stop| *stop));
    let mut closing = false;
    let ended = poll_fn(|cx| {
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            if closing || !(activity.is_asked_to_close() || stop.as_mut().poll(cx).is_ready()) {
                return Poll::Pending;
            }
            closing = true;
            connection.as_mut().graceful_shutdown();
        }
    });
    // Clients that vanish or break the protocol are the Internet's daily life.
    if let Err(error) = ended.await {
        tracing::debug!(?peer, error, "connection ended early");
    }
}

/// Both protocols, with every limit that hyper can keep said out loud.
fn protocols(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let head = limits.max_header_bytes.max(8192);
    let mut protocols = auto::Builder::new(TokioExecutor::new());
    protocols
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None) // the guard's
        .max_headers(limits.max_headers)
        .max_buf_size(head); // so an unfinished head cannot grow beyond it
    protocols
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(1024)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
        .max_frame_size(16 * 1024)
        .max_send_buf_size(64 * 1024)
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(256 * 1024);
    protocols
}

#[cfg(test)]
mod tests;
