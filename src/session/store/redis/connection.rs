//! One connection, which many operations share.
//!
//! The crate sends commands in the order they come and hands out the replies
//! in that order; a reply that nobody waits for any more is read and thrown
//! away. It never sends a command twice.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::socket2::{SockRef, TcpKeepalive};
use redis::{AsyncConnectionConfig, Cmd, RedisConnectionInfo, RedisError, Value, cmd, pipe};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::super::patience::Patience;
use super::refusal::Refusal;
use super::tls::encrypt;
use super::url::{Address, Login, TlsFiles};

/// The least that a reply is waited for. Mostly the factory stops waiting
/// before; this is for operators' commands.
const ANSWERING_TAKES_AT_MOST: Duration = Duration::from_secs(10);
/// Whoever has waited for so long in vain leaves a connection that may be dead.
pub(super) const SILENCE: Duration = Duration::from_millis(250);
/// Commands that wait to be written, before their operations have to.
const QUEUED: usize = 512;
/// An idle connection is tried out so often, so that firewalls do not forget
/// it, and if they have, we hear of it.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What all connections to the servers of one store have in common.
pub(super) struct Connector {
    login: RedisConnectionInfo,
    tls: Option<TlsFiles>,
    /// How long operations may take.
    pub patience: Patience,
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is one, and it is an error.
    Refused(Refusal),
    /// The connection broke.
    Lost(String),
    /// Nothing came for a long time.
    Silent(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Lost(why) | Self::Silent(why) => f.write_str(why),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Connector {
    pub fn new(login: &Login, database: i64, tls: Option<TlsFiles>, patience: Patience) -> Self {
        let mut info = RedisConnectionInfo::default().set_db(database).set_skip_set_lib_name();
        if let Some(user) = &login.user {
            info = info.set_username(user);
        }
        if let Some(password) = &login.password {
            info = info.set_password(password.as_str());
        }
        Self { login: info, tls, patience }
    }

    /// A connection on which the server has answered.
    pub async fn connect(&self, address: &Address) -> Result<Connection, String> {
        Ok(self.greet(address, &cmd("PING")).await?.0)
    }

    /// A connection, and the reply to its first command, if the server lets
    /// us send that one.
    pub async fn greet(&self, address: &Address, first: &Cmd) -> Result<(Connection, Option<Value>), String> {
        let connecting = async {
            let connection = self.open(address).await?;
            match connection.ask(first, false).await {
                Ok(reply) => Ok((connection, Some(reply))),
                Err(Failure::Refused(refusal)) if refusal.is_of_permission() => Ok((connection, None)),
                Err(failure) => Err(failure.to_string()),
            }
        };
        // From reaching out for a server to its first reply.
        let at_most = self.patience.to_connect();
        let late = |_| Err(format!("Redis at {address} does not answer within {at_most:?}"));
        timeout(at_most, connecting).await.unwrap_or_else(late)
    }

    async fn open(&self, address: &Address) -> Result<Connection, String> {
        let stream = self.stream(address).await;
        let stream = stream.map_err(|error| format!("cannot connect to Redis at {address}: {error}"))?;
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_pipeline_buffer_size(QUEUED);
        let opened = MultiplexedConnection::new_with_config(&self.login, stream, config).await;
        let (pipe, driver) = opened.map_err(|error| format!("cannot log in to Redis at {address}: {error}"))?;
        let driver = tokio::spawn(driver);
        let answers_within = ANSWERING_TAKES_AT_MOST.max(self.patience.whole());
        Ok(Connection { address: address.clone(), pipe, driver, answers_within, retired: AtomicBool::new(false) })
    }

    async fn stream(&self, address: &Address) -> io::Result<Box<dyn Stream>> {
        match address {
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3);
                SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
                match &self.tls {
                    Some(files) => Ok(Box::new(encrypt(stream, host, files).await?)),
                    None => Ok(Box::new(stream)),
                }
            }
            Address::Unix(path) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
        }
    }
}

/// A connection that is logged in. Whoever holds it may still wait for its
/// replies when others have long gone over to the next one.
pub(super) struct Connection {
    address: Address,
    pipe: MultiplexedConnection,
    /// Writes and reads; ends with the connection.
    driver: JoinHandle<()>,
    answers_within: Duration,
    retired: AtomicBool,
}

impl Connection {
    /// Whether it is worth sending anything more.
    pub fn is_usable(&self) -> bool {
        !self.retired.load(Ordering::Relaxed) && !self.driver.is_finished()
    }

    /// Nothing more shall be sent on it.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Sends `command` and waits for the reply; if `asking`, to a node of a
    /// Cluster that does not have the slot yet.
    pub async fn ask(&self, command: &Cmd, asking: bool) -> Result<Value, Failure> {
        let mut waiting = Waiting { connection: self, since: Instant::now(), answered: false };
        let reply = timeout(self.answers_within, self.send(command, asking)).await;
        waiting.answered = reply.is_ok();
        match reply {
            Ok(Ok(Value::ServerError(error))) => Err(Failure::Refused(Refusal::new(&error, &self.address))),
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                self.retire();
                Err(Failure::Lost(format!("the connection to Redis at {} broke: {error}", self.address)))
            }
            Err(_) => Err(Failure::Silent(format!("Redis at {} does not answer", self.address))),
        }
    }

    async fn send(&self, command: &Cmd, asking: bool) -> Result<Value, RedisError> {
        let mut connection = self.pipe.clone();
        if !asking {
            return connection.send_packed_command(command).await;
        }
        let mut both = pipe();
        both.cmd("ASKING").add_command(command.clone());
        let replies = connection.send_packed_commands(&both, 0, 2).await?;
        Ok(replies.into_iter().next_back().unwrap_or(Value::Nil))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort(); // or it would wait for replies that may never come
    }
}

/// Someone who waits for a reply, or gives up.
struct Waiting<'c> {
    connection: &'c Connection,
    since: Instant,
    answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.answered && self.since.elapsed() >= SILENCE {
            self.connection.retire();
        }
    }
}
