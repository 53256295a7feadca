//! One connection to memcached: as much of its meta protocol as a store needs.
//!
//! ```text
//! mg KEY v c             VA size c<cas> and the data, or EN: there is none
//! ms KEY size T<time> ME          HD: stored, or NS: there is one
//! ms KEY size T<time> C<cas>      HD: stored, or EX: it has changed, or NF: it is gone
//! md KEY C<cas>                   HD: removed, or EX, or NF
//! ```
//!
//! These few lines stand here because no client has them all: one knows only
//! IPv4 and cannot tell that the server has hung up, another has no removal
//! that compares. See `protocol.txt` of memcached, "Meta Commands".

use std::fmt;
use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

/// The most bytes of a line; the server's own limit is 2048.
const MAX_LINE: u64 = 4096;
/// What an item may have unless the server says otherwise: its own default.
const ITEM_BYTES: usize = 1 << 20;
/// What an item has besides key and value, amply.
const ITEM_HEAD_BYTES: usize = 128;

/// A connection, which carries one question at a time.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: BufReader<S>,
    /// Whether every question has been answered. If not, the answer may come
    /// yet, and the connection must not be asked again.
    answered: bool,
    /// The most bytes of an item.
    item_bytes: usize,
}

/// What the server answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is done, or there is one (`HD`).
    Done,
    /// There is this one (`VA`).
    Value { cas: u64, bytes: Box<[u8]> },
    /// It is not as the question supposed: there is none, or there is one, or
    /// it has changed (`EN`, `NF`, `NS`, `EX`).
    Otherwise,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The value is larger than the server takes. It was not asked.
    TooLarge { bytes: usize, most: usize },
    /// The server answers that it cannot do it, and has not.
    Refused(String),
    /// The connection is lost, and whether it was done is not known.
    Lost(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, most } => {
                write!(f, "a value of {bytes} bytes, and {most} are the most (its option -I)")
            }
            Self::Refused(answer) => write!(f, "it answered `{}`", answer.escape_debug()),
            Self::Lost(error) => error.fmt(f),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Makes sure that memcached is at the other end, and that it can compare.
    pub async fn open(stream: S) -> io::Result<Self> {
        let mut connection = Self { stream: BufReader::new(stream), answered: false, item_bytes: ITEM_BYTES };
        connection.send(b"stats settings\r\n").await?;
        loop {
            let line = connection.line().await?;
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("STAT"), Some("cas_enabled"), Some("no")) => {
                    return Err(io::Error::other("it was started with -C, so it cannot compare"));
                }
                (Some("STAT"), Some("item_size_max"), Some(bytes)) => {
                    connection.item_bytes = bytes.parse().unwrap_or(ITEM_BYTES);
                }
                (Some("STAT"), ..) => {}
                // Proxies do not know this command. They take what memcached takes.
                (Some("END" | "ERROR"), ..) => break,
                _ => return Err(strange(&line)),
            }
        }
        connection.answered = true;
        Ok(connection)
    }

    /// Whether every question has been answered.
    pub fn is_answered(&self) -> bool {
        self.answered && self.stream.buffer().is_empty()
    }

    /// The stream below.
    pub fn stream(&self) -> &S {
        self.stream.get_ref()
    }

    /// The value under `key` with its cas, or [`Otherwise`](Answer::Otherwise).
    pub async fn get(&mut self, key: &str) -> Result<Answer, Trouble> {
        self.ask(format!("mg {key} v c\r\n").as_bytes()).await
    }

    /// Whether there is anything under `key`.
    pub async fn look(&mut self, key: &str) -> Result<Answer, Trouble> {
        self.ask(format!("mg {key}\r\n").as_bytes()).await
    }

    /// Stores `value` under `key`: if what is there has the cas `seen`, or if
    /// nothing is there. `time` is a number in memcached's way.
    pub async fn set(&mut self, key: &str, seen: Option<u64>, time: i64, value: &[u8]) -> Result<Answer, Trouble> {
        let (bytes, most) = (value.len(), self.item_bytes.saturating_sub(key.len() + ITEM_HEAD_BYTES));
        if bytes > most {
            // Told to store what is too large, memcached refuses and drops what it had.
            return Err(Trouble::TooLarge { bytes, most });
        }
        let condition = seen.map_or_else(|| "ME".to_owned(), |cas| format!("C{cas}"));
        let head = format!("ms {key} {} T{time} {condition}\r\n", value.len());
        self.ask(&[head.as_bytes(), value, b"\r\n"].concat()).await
    }

    /// Removes what is under `key`, if it has the cas `seen`.
    pub async fn remove(&mut self, key: &str, seen: u64) -> Result<Answer, Trouble> {
        self.ask(format!("md {key} C{seen}\r\n").as_bytes()).await
    }

    async fn ask(&mut self, question: &[u8]) -> Result<Answer, Trouble> {
        self.answered = false;
        self.send(question).await?;
        let line = self.line().await?;
        let mut words = line.split(' ');
        let answer = match words.next() {
            Some("HD") => Answer::Done,
            Some("EN" | "NF" | "NS" | "EX") => Answer::Otherwise,
            Some("VA") => {
                let size = words.next().and_then(|size| size.parse().ok());
                let cas = words.find_map(|flag| flag.strip_prefix('c')?.parse().ok());
                let (Some(size), Some(cas)) = (size, cas) else { return Err(strange(&line).into()) };
                Answer::Value { cas, bytes: self.data(size).await? }
            }
            // Data may be left on the way, so the connection stays unanswered.
            Some("ERROR") => return Err(Trouble::Refused("ERROR: memcached 1.6 or later is needed".into())),
            Some("CLIENT_ERROR" | "SERVER_ERROR") => return Err(Trouble::Refused(line)),
            _ => return Err(strange(&line).into()),
        };
        self.answered = true;
        Ok(answer)
    }

    async fn send(&mut self, question: &[u8]) -> io::Result<()> {
        self.stream.write_all(question).await?;
        self.stream.flush().await
    }

    /// The next line, without its end.
    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        (&mut self.stream).take(MAX_LINE).read_until(b'\n', &mut line).await?;
        match line.strip_suffix(b"\r\n") {
            Some(line) => Ok(String::from_utf8_lossy(line).into_owned()),
            None if line.len() as u64 == MAX_LINE => Err(strange(&String::from_utf8_lossy(&line))),
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection")),
        }
    }

    /// The next `size` bytes, and the end of line after them.
    async fn data(&mut self, size: u64) -> io::Result<Box<[u8]>> {
        let mut data = Vec::new();
        (&mut self.stream).take(size.saturating_add(2)).read_to_end(&mut data).await?;
        if data.len() as u64 != size.saturating_add(2) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection"));
        }
        match data.strip_suffix(b"\r\n") {
            Some(data) => Ok(data.into()),
            None => Err(io::Error::new(io::ErrorKind::InvalidData, "its answer does not end where it should")),
        }
    }
}

/// The answer is none of memcached's.
fn strange(line: &str) -> io::Error {
    let start: String = line.chars().take(40).collect();
    io::Error::new(io::ErrorKind::InvalidData, format!("it is no memcached: it answered `{}`", start.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "STAT item_size_max 1048576\r\nSTAT cas_enabled yes\r\nEND\r\n";

    /// A connection to a server that says this, a byte at a time, and hangs up.
    async fn connected(greeting: &str, answer: &[u8]) -> io::Result<Connection<tokio::io::DuplexStream>> {
        let (near, mut far) = tokio::io::duplex(1);
        let said = [greeting.as_bytes(), answer].concat();
        tokio::spawn(async move {
            let (mut questions, mut answers) = tokio::io::split(&mut far);
            let mut sink = tokio::io::sink();
            tokio::join!(
                async {
                    let _ = answers.write_all(&said).await;
                    let _ = answers.shutdown().await;
                },
                async { _ = tokio::io::copy(&mut questions, &mut sink).await },
            );
        });
        Connection::open(near).await
    }

    async fn get(answer: &[u8]) -> Result<Answer, Trouble> {
        let mut connection = connected(HELLO, answer).await.expect("a greeting");
        let answer = connection.get("k").await;
        assert_eq!(connection.answered, answer.is_ok());
        answer
    }

    #[tokio::test]
    async fn values_are_read_byte_for_byte() {
        let value = |cas, bytes: &[u8]| Answer::Value { cas, bytes: bytes.into() };
        for (said, expected) in [
            (&b"VA 0 c1\r\n\r\n"[..], value(1, b"")),
            (b"VA 7 c18446744073709551615\r\nEN\r\n\0\xFF\x01\r\n", value(u64::MAX, b"EN\r\n\0\xFF\x01")),
            (b"VA 2 t-1 c9 kx\r\n\r\n\r\n", value(9, b"\r\n")),
            (b"EN\r\n", Answer::Otherwise),
            (b"NF\r\n", Answer::Otherwise),
            (b"NS c0\r\n", Answer::Otherwise),
            (b"EX\r\n", Answer::Otherwise),
            (b"HD c4\r\n", Answer::Done),
        ] {
            assert_eq!(get(said).await.expect("an answer"), expected, "{}", said.escape_ascii());
        }
    }

    #[tokio::test]
    async fn half_an_answer_is_none() {
        let whole = b"VA 5 c1\r\nhello\r\n";
        for length in 0..whole.len() {
            let trouble = get(&whole[..length]).await.expect_err("half an answer");
            assert!(matches!(trouble, Trouble::Lost(_)), "{length}: {trouble}");
        }
    }

    #[tokio::test]
    async fn nonsense_is_no_answer() {
        for said in [
            &b"VA\r\n"[..],
            b"VA 1\r\nx\r\n",
            b"VA x c1\r\n",
            b"VA -1 c1\r\n",
            b"VA 18446744073709551615 c1\r\nx\r\n",
            b"VA 1 c-1\r\nx\r\n",
            b"VA 1 c1\r\nxyz",
            b"HTTP/1.1 400 Bad Request\r\n",
            b"\r\n",
            b"HD\n",
            &[b'H'; 10_000],
        ] {
            let trouble = get(said).await.expect_err("nonsense");
            assert!(matches!(trouble, Trouble::Lost(_)), "{}", said.escape_ascii());
        }
    }

    #[tokio::test]
    async fn a_refusal_says_what_the_server_said() {
        for (said, shown) in [
            ("SERVER_ERROR out of memory storing object", "it answered `SERVER_ERROR out of memory storing object`"),
            ("ERROR", "it answered `ERROR: memcached 1.6 or later is needed`"),
        ] {
            let trouble = get(format!("{said}\r\n").as_bytes()).await.expect_err("refused");
            assert!(matches!(trouble, Trouble::Refused(_)));
            assert_eq!(trouble.to_string(), shown);
        }
    }

    #[tokio::test]
    async fn a_server_that_is_none_or_cannot_compare_is_found_out_on_connecting() {
        for (greeting, why) in [
            ("STAT cas_enabled no\r\nEND\r\n", "-C"),
            ("HTTP/1.1 400 Bad Request\r\n", "it is no memcached: it answered `HTTP/1.1 400 Bad Request`"),
            ("", "closed"),
        ] {
            let error = connected(greeting, b"").await.expect_err("no memcached");
            assert!(error.to_string().contains(why), "{greeting}: {error}");
        }
        assert!(connected("ERROR\r\n", b"").await.is_ok(), "a proxy");
    }

    #[tokio::test]
    async fn what_the_server_would_drop_an_item_for_is_not_sent() {
        let mut connection = connected("STAT item_size_max 1024\r\nEND\r\n", b"HD\r\n").await.expect("a greeting");
        let trouble = connection.set("k", Some(1), 0, &[0; 896]).await.expect_err("too large");
        assert!(matches!(trouble, Trouble::TooLarge { bytes: 896, most: 895 }), "{trouble}");
        assert!(connection.is_answered());
        assert_eq!(connection.set("k", Some(1), 0, &[0; 895]).await.expect("stored"), Answer::Done);
    }
}
