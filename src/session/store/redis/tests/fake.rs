//! A server that does what a test tells it to, over a real socket.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does about a command.
pub(super) enum Answer {
    /// Sends this, as it goes over the wire.
    Say(&'static str),
    /// Sends nothing, for ever.
    Nothing,
    /// Closes the connection.
    Close,
}

type Behaviour = dyn Fn(usize, &str) -> Answer + Send + Sync;

/// Listens on a port of its own until the test's runtime ends.
pub(super) struct FakeServer {
    pub url: String,
    /// The commands received, each with the number of its connection.
    pub received: Arc<Mutex<Vec<(usize, String)>>>,
}

impl FakeServer {
    /// Answers each command by its name and the number of its connection.
    pub async fn start(behaviour: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.expect("a port"), behaviour)
    }

    /// The same where `listener` listens.
    pub fn on(listener: TcpListener, behaviour: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        let url = format!("redis://{}", listener.local_addr().expect("an address"));
        let received = Arc::new(Mutex::new(Vec::new()));
        let server = Self { url, received: Arc::clone(&received) };
        let behaviour: Arc<Behaviour> = Arc::new(behaviour);
        tokio::spawn(async move {
            for number in 1.. {
                let (stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(serve(stream, number, Arc::clone(&behaviour), Arc::clone(&received)));
            }
        });
        server
    }

    /// Waits until a command was received so often.
    pub async fn received_times(&self, name: &str, times: usize) {
        while self.count(name) < times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// How often a command was received.
    pub fn count(&self, name: &str) -> usize {
        self.received.lock().expect("no panic").iter().filter(|(_, received)| received == name).count()
    }
}

async fn serve(
    mut stream: TcpStream,
    number: usize,
    behaviour: Arc<Behaviour>,
    received: Arc<Mutex<Vec<(usize, String)>>>,
) {
    let mut buffer = Vec::new();
    loop {
        while let Some((name, size)) = command(&buffer) {
            buffer.drain(..size);
            received.lock().expect("no panic").push((number, name.clone()));
            match behaviour(number, &name) {
                Answer::Say(reply) => stream.write_all(reply.as_bytes()).await.expect("a reader"),
                Answer::Nothing => {}
                Answer::Close => return,
            }
        }
        match stream.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// The name of the first command in `buffer` and its size, if it is whole.
fn command(buffer: &[u8]) -> Option<(String, usize)> {
    let (parts, mut at) = number(buffer, 0)?;
    let mut name = None;
    for _ in 0..parts {
        let (size, start) = number(buffer, at)?;
        at = start + size + 2;
        let part = buffer.get(start..at)?.get(..size)?;
        name.get_or_insert_with(|| String::from_utf8_lossy(part).into_owned());
    }
    Some((name?, at))
}

/// The number in the line at `at`, after its first byte, and where the next line is.
fn number(buffer: &[u8], at: usize) -> Option<(usize, usize)> {
    let line = buffer.get(at..)?;
    let end = line.windows(2).position(|two| two == b"\r\n")?;
    let digits = std::str::from_utf8(line.get(1..end)?).expect("digits");
    Some((digits.parse().expect("a number"), at + end + 2))
}
