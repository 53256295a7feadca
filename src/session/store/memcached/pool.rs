//! The connections to one server.

use std::io;
use std::time::{Duration, Instant};

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::either::Either;

use super::super::patience::Patience;
use super::address::Address;
use super::connection::{Connection, Trouble};

/// What a connection runs over.
pub(super) type Socket = Either<TcpStream, UnixStream>;

/// A pool that hands out a connection for one question at a time.
#[derive(Debug)]
pub(super) struct Connections {
    pool: Pool<Connector>,
    /// How long operations may take.
    pub patience: Patience,
}

/// Makes connections.
#[derive(Debug)]
struct Connector {
    address: Address,
}

/// A connection lent for one question.
pub(super) struct Lent {
    connection: Object<Connector>,
    since: Instant,
    /// An operation that is given up after this long was met with silence.
    silence: Duration,
}

impl Connections {
    /// At most `most` to `address`. Makes none yet.
    pub fn new(address: Address, most: usize) -> Result<Self, String> {
        let pool = Pool::builder(Connector { address }).max_size(most).build();
        Ok(Self { pool: pool.map_err(|error| error.to_string())?, patience: Patience::default() })
    }

    /// Where they lead.
    pub fn address(&self) -> &Address {
        &self.pool.manager().address
    }

    /// A connection that works as far as is known, or why there is none.
    pub async fn lend(&self) -> Result<Lent, String> {
        let at_most = self.patience.to_begin();
        match tokio::time::timeout(at_most, self.pool.get()).await {
            Ok(Ok(connection)) => Ok(Lent { connection, since: Instant::now(), silence: self.patience.to_ask() }),
            Ok(Err(PoolError::Backend(error))) => Err(error.to_string()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) if self.pool.status().size == 0 => Err(format!("no connection within {at_most:?}")),
            Err(_) => Err(format!("all connections were busy for {at_most:?}")),
        }
    }

    /// How many connections wait.
    #[cfg(test)]
    pub fn idle(&self) -> usize {
        self.pool.status().available
    }
}

impl Lent {
    /// The connection.
    pub fn connection(&mut self) -> &mut Connection<Socket> {
        &mut self.connection
    }

    /// Takes note of trouble. Where one connection is lost, those that wait in
    /// the pool are likely to be, and are not tried one by one.
    pub fn gives(&self, trouble: Trouble) -> Trouble {
        if matches!(trouble, Trouble::Lost(_)) {
            self.forget_the_idle();
        }
        trouble
    }

    fn forget_the_idle(&self) {
        if let Some(pool) = Object::pool(&self.connection) {
            drop(pool.retain(|_, _| false));
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.connection.is_answered() && self.since.elapsed() >= self.silence {
            self.forget_the_idle();
        }
    }
}

impl Manager for Connector {
    type Type = Connection<Socket>;
    type Error = io::Error;

    async fn create(&self) -> io::Result<Connection<Socket>> {
        let socket = match &self.address {
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Either::Left(stream)
            }
            Address::Unix(path) => Either::Right(UnixStream::connect(path).await?),
        };
        Connection::open(socket).await
    }

    /// Discards a connection that is owed an answer, since that would be taken
    /// for the answer to the next question, and one that the server has closed.
    async fn recycle(&self, connection: &mut Connection<Socket>, _: &Metrics) -> RecycleResult<io::Error> {
        let quiet = connection.is_answered() && is_quiet(connection.stream());
        if quiet { Ok(()) } else { Err(RecycleError::message("it is not fit for another question")) }
    }
}

/// Whether the other end neither has closed the stream nor says anything.
fn is_quiet(socket: &Socket) -> bool {
    let mut byte = [0];
    let read = match socket {
        Either::Left(stream) => stream.try_read(&mut byte),
        Either::Right(stream) => stream.try_read(&mut byte),
    };
    read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
    use tokio::net::TcpListener;

    use super::*;

    /// A connection, and its other end, which has greeted.
    async fn connected() -> (Connector, Connection<Socket>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let connector = Connector { address: Address::Tcp { host: "127.0.0.1".into(), port } };
        let greeted = async {
            let (mut far, _) = listener.accept().await.expect("a connection");
            far.read_exact(&mut [0; 16]).await.expect("a question");
            far.write_all(b"END\r\n").await.expect("an answer");
            far
        };
        let (connection, far) = tokio::join!(connector.create(), greeted);
        (connector, connection.expect("a greeting"), far)
    }

    async fn is_kept(connector: &Connector, connection: &mut Connection<Socket>) -> bool {
        connector.recycle(connection, &Metrics::default()).await.is_ok()
    }

    async fn readable(connection: &Connection<Socket>) {
        let Either::Left(stream) = connection.stream() else { panic!("a TCP connection") };
        stream.ready(Interest::READABLE).await.expect("an event");
    }

    #[tokio::test]
    async fn a_quiet_connection_is_kept() {
        let (connector, mut connection, _far) = connected().await;
        assert!(is_kept(&connector, &mut connection).await);
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closed_is_not_kept() {
        let (connector, mut connection, far) = connected().await;
        drop(far);
        readable(&connection).await;
        assert!(!is_kept(&connector, &mut connection).await);
    }

    #[tokio::test]
    async fn a_connection_with_an_answer_to_nothing_is_not_kept() {
        let (connector, mut connection, mut far) = connected().await;
        far.write_all(b"EN\r\n").await.expect("an answer");
        readable(&connection).await;
        assert!(!is_kept(&connector, &mut connection).await);
    }
}
