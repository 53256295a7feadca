//! What a response brings after its headers: bytes, or a part of a file that is sent as it is read.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

/// The body of a response.
pub enum ResponseBody {
    /// All of it.
    Whole(Bytes),
    /// The next so many bytes of a file.
    File(FilePart),
}

/// A file, read up to where the part begins, and the length of the part.
#[derive(Debug)]
pub struct FilePart {
    file: File,
    length: u64,
}

impl FilePart {
    /// The next `length` bytes of `file`.
    pub fn new(file: File, length: u64) -> Self {
        Self { file, length }
    }

    /// The part as a stream of chunks, of so many bytes at most.
    pub fn into_stream(
        self,
        chunk: usize,
    ) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
        ReaderStream::with_capacity(tokio::fs::File::from_std(self.file).take(self.length), chunk)
    }
}

impl ResponseBody {
    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::File(part) => part.length,
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of its bytes, for who has no socket. Reads a file where it stands, so a small one at best.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn into_bytes(self) -> io::Result<Bytes> {
        match self {
            Self::Whole(bytes) => Ok(bytes),
            Self::File(part) => {
                let mut bytes = Vec::new();
                part.file.take(part.length).read_to_end(&mut bytes)?;
                Ok(bytes.into())
            }
        }
    }
}

impl Default for ResponseBody {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }
}

/// Leaves the bytes out: they may be a visitor's.
impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}
