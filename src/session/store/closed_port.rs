//! For tests: an address where no server is.
#![allow(clippy::expect_used, reason = "a test may fail loudly")]

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A port that is taken and refuses connections. It stays so while the socket is held; the socket may
/// listen later.
pub fn closed_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}
