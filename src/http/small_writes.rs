//! Small writes in one piece.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

/// Up to so many bytes in pieces are written as one: to the kernel, `write` is less work than
/// `writev`, by more than the copy costs.
const SMALL: usize = 4096;

/// Where small writes are put together.
#[derive(Debug, Default)]
pub(super) struct SmallWrites(Vec<u8>);

impl SmallWrites {
    /// As `poll_write_vectored` of the socket.
    pub fn poll_write_vectored(
        &mut self,
        socket: Pin<&mut impl AsyncWrite>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if slices.iter().map(|slice| slice.len()).sum::<usize>() > SMALL {
            return socket.poll_write_vectored(cx, slices);
        }
        self.0.clear();
        slices.iter().for_each(|slice| self.0.extend_from_slice(slice));
        socket.poll_write(cx, &self.0)
    }
}
