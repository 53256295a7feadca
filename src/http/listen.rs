//! An address as written becomes listening sockets.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};
use tokio_util::either::Either;

use crate::site::server::host_and_port;

/// Connections the system keeps waiting while none can be accepted.
const BACKLOG: u32 = 1024;

/// How long to leave a listener alone after the process ran out of something.
const PAUSE: Duration = Duration::from_millis(250);

/// After so long without such trouble, the next is worth telling again.
const CALM: Duration = Duration::from_secs(1);

/// An accepted connection.
pub(super) type Stream = Either<TcpStream, UnixStream>;

/// The sockets on which a server listens.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<Socket>,
    /// When a connection could last not be accepted.
    failed: Option<Instant>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// A Unix socket's file, removed when the server is done with it.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: Option<(u64, u64)>,
}

/// Where a [`Listener`] really listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A TCP address, with the port the system chose if 0 was asked for.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Listener {
    /// Listens on `address`: `127.0.0.1:6543`, `[::1]:6543`, `localhost:6543` (every address
    /// of the name) or `unix:PATH`. Port 0 lets the system choose.
    ///
    /// A socket file that nothing answers on is a leftover and is replaced; a new one has
    /// mode 0660. Must be called within a Tokio runtime; resolving a name blocks.
    ///
    /// # Errors
    ///
    /// A [`ListenError`], whose text says what to do about it.
    pub fn bind(address: &str) -> Result<Listener, ListenError> {
        let fail = |kind| ListenError { address: address.to_owned(), kind };
        let sockets = match address.strip_prefix("unix:") {
            Some(path) => vec![bind_unix(Path::new(path)).map_err(fail)?],
            None => bind_tcp(address).map_err(fail)?,
        };
        Ok(Listener { sockets, failed: None })
    }

    /// The addresses listened on.
    pub fn local_addresses(&self) -> Vec<Address> {
        let address = |socket: &Socket| match socket {
            Socket::Tcp(tcp) => tcp.local_addr().ok().map(Address::Tcp),
            Socket::Unix(_, file) => Some(Address::Unix(file.path.clone())),
        };
        self.sockets.iter().filter_map(address).collect()
    }

    /// Accepts the next connection; the peer of a Unix socket has no address.
    ///
    /// Waits out a lack of file descriptors or memory, and complains about it once until there was
    /// none for a while. Dropping the future loses no connection.
    pub(super) async fn accept(&mut self) -> (Stream, Option<SocketAddr>) {
        loop {
            match std::future::poll_fn(|cx| self.poll_accept(cx)).await {
                Ok(accepted) => return accepted,
                // The client gave up while it waited in the queue: accept(2).
                Err(error) if is_clients_fault(&error) => {}
                Err(error) => {
                    if self.failed.replace(Instant::now()).is_none_or(|last| last.elapsed() > CALM) {
                        tracing::error!(%error, "cannot accept connections, trying on");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Stream, Option<SocketAddr>)>> {
        for socket in &self.sockets {
            let accepted = match socket {
                Socket::Tcp(tcp) => tcp.poll_accept(cx).map_ok(|(stream, peer)| (Either::Left(stream), Some(peer))),
                Socket::Unix(unix, _) => unix.poll_accept(cx).map_ok(|(stream, _)| (Either::Right(stream), None)),
            };
            if accepted.is_ready() {
                return accepted;
            }
        }
        Poll::Pending
    }
}

fn is_clients_fault(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused)
}

fn bind_tcp(address: &str) -> Result<Vec<Socket>, Problem> {
    let (host, port) = host_and_port(address).map_err(Problem::Syntax)?;
    let mut resolved: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(ip) => vec![(ip, port).into()],
        Err(_) => (host, port).to_socket_addrs().map_err(Problem::UnknownHost)?.collect(),
    };
    resolved.sort();
    resolved.dedup();
    let mut sockets = Vec::new();
    let mut chosen = port;
    let mut absent = None;
    for mut address in resolved {
        // A name with several addresses has one port on all of them.
        address.set_port(chosen);
        match listen_on(address) {
            Ok(socket) => {
                chosen = socket.local_addr().map_or(chosen, |bound| bound.port());
                sockets.push(Socket::Tcp(socket));
            }
            // `localhost` names ::1 also where IPv6 is switched off.
            Err(error) if is_absent(&error) => absent = Some(error),
            Err(error) => return Err(Problem::tcp(error, chosen)),
        }
    }
    match absent {
        Some(error) if sockets.is_empty() => Err(Problem::tcp(error, port)),
        None if sockets.is_empty() => Err(Problem::UnknownHost(ErrorKind::NotFound.into())),
        _ => Ok(sockets),
    }
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Or a restart would have to wait for the old connections' TIME-WAIT to pass.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn is_absent(error: &io::Error) -> bool {
    // A kernel without IPv6 says that it knows no such family of addresses.
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error())
}

fn bind_unix(path: &Path) -> Result<Socket, Problem> {
    if path.as_os_str().is_empty() {
        return Err(Problem::Syntax("unix: needs the path of a socket"));
    }
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => return Err(Problem::NotASocket),
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => return Err(Problem::SocketInUse),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path).map_err(Problem::Other)?;
            }
            Err(error) => return Err(Problem::Other(error)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(Problem::Other(error)),
    }
    let socket = UnixListener::bind(path).map_err(Problem::Other)?;
    let file = SocketFile { path: path.to_owned(), inode: inode(path) };
    let mode = std::fs::Permissions::from_mode(0o660);
    std::fs::set_permissions(path, mode).map_err(Problem::Other)?;
    Ok(Socket::Unix(socket, file))
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    let found = std::fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another server may have put its own socket there meanwhile.
        if self.inode.is_some() && inode(&self.path) == self.inode {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Why a server cannot listen, and what to do about it.
#[derive(Debug)]
pub struct ListenError {
    address: String,
    kind: Problem,
}

#[derive(Debug)]
enum Problem {
    Syntax(&'static str),
    UnknownHost(io::Error),
    PortInUse(u16),
    PortDenied(u16),
    NotHere,
    NotASocket,
    SocketInUse,
    Other(io::Error),
}

impl Problem {
    fn tcp(error: io::Error, port: u16) -> Problem {
        match error.kind() {
            ErrorKind::AddrInUse => Problem::PortInUse(port),
            ErrorKind::PermissionDenied => Problem::PortDenied(port),
            ErrorKind::AddrNotAvailable => Problem::NotHere,
            _ => Problem::Other(error),
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = &self.address;
        match &self.kind {
            Problem::Syntax(advice) => write!(f, "cannot listen on {address:?}: {advice}"),
            Problem::UnknownHost(_) => {
                write!(f, "cannot listen on {address}: no such host is known here")
            }
            Problem::PortInUse(port) => {
                let host = address.rsplit_once(':').map_or("127.0.0.1", |(host, _)| host);
                let next = port.checked_add(1).unwrap_or(6543);
                write!(
                    f,
                    "port {port} is already in use: another sitewright? \
                     stop it or use --listen {host}:{next}"
                )
            }
            Problem::PortDenied(port) => write!(
                f,
                "port {port} is reserved for privileged programs: use a port from 1024 up, \
                 or put a proxy in front"
            ),
            Problem::NotHere => write!(
                f,
                "cannot listen on {address}: this machine has no such address; \
                 127.0.0.1 is this machine only, 0.0.0.0 is every address it has"
            ),
            Problem::NotASocket => write!(f, "cannot listen on {address}: a file that is not a socket is in the way"),
            Problem::SocketInUse => {
                write!(f, "{address} is already in use: another sitewright? stop it or use another path")
            }
            Problem::Other(error) => write!(f, "cannot listen on {address}: {error}"),
        }
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Problem::UnknownHost(error) | Problem::Other(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(address: &str) -> String {
        Listener::bind(address).unwrap_err().to_string()
    }

    fn port(listener: &Listener) -> u16 {
        match listener.local_addresses().as_slice() {
            [Address::Tcp(address), ..] => address.port(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn port_zero_becomes_a_real_port() {
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        assert_ne!(port(&listener), 0);
    }

    #[tokio::test]
    async fn a_name_is_listened_on_at_every_address_under_one_port() {
        let listener = Listener::bind("localhost:0").unwrap();
        let port = port(&listener);
        for address in listener.local_addresses() {
            assert!(matches!(address, Address::Tcp(a) if a.port() == port && a.ip().is_loopback()));
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_told_with_the_next_one() {
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        let port = port(&listener);
        let message = message(&format!("127.0.0.1:{port}"));
        assert!(message.contains(&format!("port {port} is already in use")), "{message}");
        assert!(message.contains("--listen 127.0.0.1:"), "{message}");
    }

    #[tokio::test]
    async fn what_is_no_address_is_told_with_what_would_be() {
        for (address, advice) in [
            (":6543", "127.0.0.1 for this machine only"),
            ("6543", "HOST:PORT"),
            ("localhost", "HOST:PORT"),
            ("http://localhost:6543", "without http://"),
            ("::1:6543", "[::1]:PORT"),
            ("[localhost]:6543", "IPv6"),
            ("localhost:http", "0 to 65535"),
            ("localhost:65536", "0 to 65535"),
            ("unix:", "path"),
        ] {
            let message = message(address);
            assert!(message.contains(advice), "{address}: {message}");
        }
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_refused_with_advice() {
        // 192.0.2.0/24 is nobody's: RFC 5737.
        let message = message("192.0.2.1:0");
        assert!(message.contains("no such address"), "{message}");
    }

    #[test]
    fn a_reserved_port_is_told_as_such() {
        let error =
            ListenError { address: "127.0.0.1:80".into(), kind: Problem::tcp(ErrorKind::PermissionDenied.into(), 80) };
        assert!(error.to_string().contains("1024"));
    }

    #[tokio::test]
    async fn a_socket_file_comes_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.sock");
        let address = format!("unix:{}", path.display());
        let listener = Listener::bind(&address).unwrap();
        assert_eq!(listener.local_addresses(), [Address::Unix(path.clone())]);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        assert!(message(&address).contains("already in use"));
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_another_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let stale = folder.path().join("stale.sock");
        drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
        assert!(stale.exists());
        Listener::bind(&format!("unix:{}", stale.display())).unwrap();

        let file = folder.path().join("notes.txt");
        std::fs::write(&file, "precious").unwrap();
        let message = message(&format!("unix:{}", file.display()));
        assert!(message.contains("not a socket"), "{message}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    }
}
