//! Who talks to a server: visitors with cookie jars, and bare connections.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::str;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use sitewright::snapshot::{Jar, Place};

use super::PATIENCE;

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// A visitor with a cookie jar and one connection that is kept open.
pub struct Visitor {
    address: SocketAddr,
    jar: Jar,
    connection: Option<BufReader<TcpStream>>,
    connections: usize,
    /// The CSRF token that a page showed last.
    token: Option<String>,
}

impl Visitor {
    pub fn new(address: SocketAddr) -> Visitor {
        Visitor { address, jar: Jar::default(), connection: None, connections: 0, token: None }
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.request("GET", path).send()
    }

    /// Sends an urlencoded form.
    pub fn post(&mut self, path: &str, form: &str) -> Answer {
        self.request("POST", path).form(form).send()
    }

    pub fn request(&mut self, method: &str, path: &str) -> Ask<'_> {
        let host = self.address.to_string();
        let headers = vec![("Host".to_owned(), host.into_bytes())];
        Ask { visitor: self, method: method.to_owned(), path: path.to_owned(), headers, body: Vec::new() }
    }

    /// Goes on at another server, with the same cookies.
    pub fn moves_to(&mut self, server: impl Into<SocketAddr>) {
        self.address = server.into();
        self.connection = None;
    }

    /// How many connections it took so far.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// The value of the session cookie.
    pub fn cookie(&self) -> Option<String> {
        let cookies = self.jar.matching(&self.place("/"), now());
        cookies.iter().find(|(name, _)| *name == "session").map(|(_, value)| (*value).to_owned())
    }

    /// What the session cookie holds: `[renewed, created, state]`. The signature (SHA-512) is left to the
    /// server.
    pub fn payload(&self) -> Option<String> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(self.cookie()?).unwrap();
        Some(String::from_utf8(bytes[64..].to_vec()).unwrap())
    }

    /// The state in the session cookie; `{}` without one.
    pub fn session(&self) -> Value {
        let Some(payload) = self.payload() else { return Value::Object(Default::default()) };
        let payload: Value = serde_json::from_str(&payload).unwrap();
        payload[2].clone()
    }

    fn place(&self, path: &str) -> Place {
        Place::new(&self.address.to_string(), path, false)
    }

    fn exchange(&mut self, method: &str, head: &[u8], body: &[u8]) -> io::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                self.connections += 1;
                BufReader::new(connect(self.address)?)
            }
        };
        connection.get_mut().write_all(&[head, body].concat())?;
        let answer = Answer::read(&mut connection, method)?;
        if answer.header("connection") != "close" {
            self.connection = Some(connection);
        }
        Ok(answer)
    }
}

/// A request in the making.
pub struct Ask<'v> {
    visitor: &'v mut Visitor,
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Ask<'_> {
    /// Adds a header. A `Cookie` is sent in place of the jar's.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Says that it is for another host.
    pub fn host(mut self, host: &str) -> Self {
        self.headers.retain(|(name, _)| name != "Host");
        self.header("Host", host)
    }

    pub fn form(self, form: &str) -> Self {
        self.body("application/x-www-form-urlencoded", form)
    }

    pub fn body(mut self, kind: &str, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self.header("Content-Type", kind)
    }

    pub fn send(self) -> Answer {
        let what = format!("{} {:.200}", self.method, self.path);
        self.try_send().unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    pub fn try_send(mut self) -> io::Result<Answer> {
        let place = self.visitor.place(&self.path);
        let own_cookie = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        let cookies = self.visitor.jar.matching(&place, now());
        if !own_cookie && !cookies.is_empty() {
            let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            self.headers.push(("Cookie".to_owned(), pairs.join("; ").into_bytes()));
        }
        let own_token = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-csrf-token"));
        if let Some(token) = self.visitor.token.as_ref().filter(|_| self.method != "GET" && !own_token) {
            self.headers.push(("X-CSRF-Token".to_owned(), token.clone().into_bytes()));
        }
        if !self.body.is_empty() {
            self.headers.push(("Content-Length".to_owned(), self.body.len().to_string().into_bytes()));
        }
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        head.extend(b"\r\n");
        let answer = self.visitor.exchange(&self.method, &head, &self.body)?;
        for cookie in answer.set_cookies() {
            self.visitor.jar.store(cookie, &place, now()).unwrap_or_else(|dropped| panic!("{cookie}: {dropped}"));
        }
        if let Some(token) = answer.csrf_token() {
            self.visitor.token = Some(token);
        }
        Ok(answer)
    }
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads one answer. The server always says how long it is.
    fn read(connection: &mut impl BufRead, method: &str) -> io::Result<Answer> {
        let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if connection.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines.first().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let status = status.ok_or_else(|| broken("no status"))?;
        let mut headers = HeaderMap::new();
        for line in &lines[1..] {
            let (name, value) = line.split_once(':').ok_or_else(|| broken(line))?;
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value.trim_start()).unwrap());
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if method != "HEAD" && !matches!(status, 204 | 304) {
            let length = answer.header("content-length").parse().map_err(|_| broken("no length"))?;
            answer.body = vec![0; length];
            connection.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    /// The token in the first form of the page, if there is one.
    pub fn csrf_token(&self) -> Option<String> {
        let page = String::from_utf8_lossy(&self.body);
        let (_, rest) = page.split_once("name=\"csrf_token\" value=\"")?;
        Some(rest.split('"').next()?.to_owned())
    }

    /// A header that stands there at most once; empty if it does not.
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map_or("", |value| value.to_str().unwrap());
        assert!(values.next().is_none(), "two {name}: {:?}", self.headers);
        value
    }

    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
    }

    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    /// The number behind `Count: ` on a page that was answered well.
    pub fn count(&self) -> u64 {
        assert_eq!(self.status, 200, "{}", self.text());
        let (_, rest) = self.text().split_once("Count: ").unwrap_or_else(|| panic!("no count: {}", self.text()));
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    }
}

/// A visitor who keeps asking.
pub struct Asking {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Asking {
    /// Has a visitor do something again and again. What panics there, fails the test at the end.
    pub fn start(mut visitor: Visitor, mut ask: impl FnMut(&mut Visitor) + Send + 'static) -> Asking {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut rounds = 0;
            while rounds == 0 || !stopping.load(Ordering::Acquire) {
                ask(&mut visitor);
                rounds += 1;
                // Whatever else is tested needs the machine, too.
                thread::sleep(Duration::from_millis(1));
            }
            rounds
        });
        Asking { stop, thread }
    }

    /// Stops, and says how many rounds went well.
    pub fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Release);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// A bare connection, for what no client would send.
pub struct Raw(TcpStream);

impl Raw {
    pub fn new(address: SocketAddr) -> Raw {
        Raw(connect(address).unwrap())
    }

    /// Sends bytes; a server that has closed the connection is no surprise.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).is_ok()
    }

    /// One answer to a request with this method.
    pub fn answer(&mut self, method: &str) -> Answer {
        Answer::read(&mut BufReader::with_capacity(1, &self.0), method).unwrap()
    }

    /// Waits for `100 Continue`: the request is in progress, and its body is wanted.
    pub fn expect_continue(&mut self) {
        let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut interim = vec![0; expected.len()];
        self.0.read_exact(&mut interim).unwrap();
        assert_eq!(interim, expected);
    }

    /// Everything until the server closes the connection.
    pub fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        match self.0.read_to_end(&mut bytes) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                panic!("the connection stays open after {:?}", String::from_utf8_lossy(&bytes))
            }
            // A reset is an end too: bytes that the server left unread cause it.
            _ => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
