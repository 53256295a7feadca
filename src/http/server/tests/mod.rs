//! The whole edge over real sockets: a raw client against a handler that does as the path
//! says.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::super::ResponseBody;
use super::*;
use crate::http::filter::plain;
use crate::http::{Address, Incoming, Trouble};

mod deadlines;
mod lifecycle;
mod protocol;
mod sizes;

/// Far beyond every limit the tests set: reaching it is a failure, not a wait.
const GENEROUS: Duration = Duration::from_secs(30);

/// Limits that no honest test client comes near.
fn relaxed() -> Limits {
    let long = GENEROUS * 4;
    Limits {
        first_byte: long,
        header: long,
        body: long,
        keep_alive: long,
        write_stall: long,
        handler: long,
        shutdown: long,
        ..Limits::default()
    }
}

const SHORT: Duration = Duration::from_millis(300);

/// Does as the path says.
struct Puppet(Limits);

impl Handler for Puppet {
    type Call = ();

    fn limits(&self) -> Limits {
        self.0
    }

    fn begin(&self, _: &Incoming) {}

    fn stand_in(&self, _: &Incoming, (): &mut (), trouble: Trouble) -> Response<ResponseBody> {
        plain(trouble.status())
    }

    fn end(&self, _: &Incoming, (): (), _: &Response<ResponseBody>) {}

    async fn answer(&self, incoming: &mut Incoming, (): &mut ()) -> Response<ResponseBody> {
        match incoming.path.as_str() {
            "/body" => match std::mem::take(&mut incoming.body).read(self.0.max_body, self.0.body).await {
                Ok(body) => Response::new(body.into()),
                Err(error) => {
                    let mut response = Response::new(Bytes::from(error.to_string()).into());
                    *response.status_mut() = error.status();
                    response
                }
            },
            "/never" => std::future::pending().await,
            "/panic" => panic!("as the path says"),
            "/empty" => {
                let mut response = Response::new(Bytes::from_static(b"not to be sent").into());
                *response.status_mut() = StatusCode::NO_CONTENT;
                response
            }
            "/large" => Response::new(Bytes::from(vec![b'x'; 16 << 20]).into()),
            _ => Response::new(Bytes::from(describe(incoming)).into()),
        }
    }
}

fn describe(incoming: &Incoming) -> String {
    let hosts: Vec<_> = incoming.headers.get_all("host").iter().collect();
    format!(
        "{} {} {:?} {:?} hosts={hosts:?} authority={:?} peer={}",
        incoming.method,
        incoming.path,
        incoming.query,
        incoming.version,
        incoming.connection.authority,
        incoming.connection.peer.is_some(),
    )
}

/// A running server, stopped on request or when dropped.
struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ending: JoinHandle<Ending>,
}

impl Server {
    fn start(limits: Limits) -> Server {
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        let address = match listener.local_addresses().as_slice() {
            [Address::Tcp(address)] => *address,
            other => panic!("{other:?}"),
        };
        let (stop, stopped) = oneshot::channel();
        let ending = tokio::spawn(serve(listener, Arc::new(Puppet(limits)), async {
            let _ = stopped.await;
        }));
        Server { address, stop: Some(stop), ending }
    }

    async fn client(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// Everything the server says to `bytes`, until it closes.
    async fn converse(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.client().await;
        client.send(bytes).await;
        client.rest().await
    }

    fn begin_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    async fn ending(self) -> Ending {
        timeout(GENEROUS, self.ending).await.unwrap().unwrap()
    }
}

/// A client that says what it likes.
struct Client(TcpStream);

impl Client {
    /// Sends, or is stopped from sending by a server that has heard enough.
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Everything the server still says, until it closes.
    async fn rest(&mut self) -> String {
        let mut said = Vec::new();
        timeout(GENEROUS, self.0.read_to_end(&mut said)).await.expect("the server closes").expect("without a reset");
        String::from_utf8(said).unwrap()
    }

    /// One response, whose length its `content-length` tells.
    async fn response(&mut self) -> String {
        let mut said = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&said);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.split("content-length: ").nth(1).unwrap_or("0");
                let length: usize = length.lines().next().unwrap().parse().unwrap();
                if body.len() >= length {
                    return text.into_owned();
                }
            }
            let byte = timeout(GENEROUS, self.0.read_u8()).await;
            said.push(byte.expect("the server answers").unwrap());
        }
    }

    async fn is_served(&mut self) -> bool {
        self.send(GET).await;
        self.response().await.starts_with("HTTP/1.1 200 OK\r\n")
    }
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const GET_AND_CLOSE: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[track_caller]
fn assert_status(said: &str, status: u16) {
    assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said:?}");
}
