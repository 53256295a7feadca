//! Lines on their way to the log: a bounded queue, and the loop that empties it.
//!
//! Nobody who has something to say waits for the system call, so a log that stalls, or whose disk is
//! full, costs lines and nothing else.

use std::io::{ErrorKind, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// So many bytes of access lines may wait. Other lines have twice the room, so they are lost last.
const ROOM: usize = 1 << 20;

/// So many bytes are written without waiting for more.
const ENOUGH: usize = 32 * 1024;

/// How long access lines wait for more: a system call for each would cost more than making the page.
const GATHER: Duration = Duration::from_millis(5);

/// How long to leave a terminal or pipe alone that takes nothing at the moment.
const PAUSE: Duration = Duration::from_millis(10);

/// The lines that are not written yet.
#[derive(Debug)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    emptied: Condvar,
}

#[derive(Debug)]
struct Waiting {
    lines: Vec<u8>,
    /// Whether one of them should not wait for more.
    urgent: bool,
    /// Whether others are being written.
    writing: bool,
    /// How many lines were left out since the log last told of it.
    lost: usize,
}

impl Queue {
    /// An empty one.
    pub const fn new() -> Self {
        let waiting = Waiting { lines: Vec::new(), urgent: false, writing: false, lost: 0 };
        Self { waiting: Mutex::new(waiting), filled: Condvar::new(), emptied: Condvar::new() }
    }

    /// Adds a line that may wait for others, if there is room.
    pub fn add_access(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.lines.len() + line.len() > ROOM {
            waiting.lost += 1;
            return;
        }
        let before = waiting.lines.len();
        waiting.lines.extend_from_slice(line);
        if before == 0 || (before < ENOUGH && waiting.lines.len() >= ENOUGH) {
            self.filled.notify_one();
        }
    }

    /// Adds text that is written at once, behind what waits, if there is room.
    pub fn add(&self, text: &[u8]) {
        let mut waiting = self.lock();
        if waiting.lines.len() + text.len() > 2 * ROOM {
            waiting.lost += count(text);
            return;
        }
        waiting.lines.extend_from_slice(text);
        waiting.urgent = true;
        self.filled.notify_one();
    }

    /// Writes what is added to `out`, for ever. When lines are missing and others can be written,
    /// `tell` hears how many.
    pub fn write_to(&self, mut out: impl Write, tell: impl Fn(usize)) {
        let mut lines = Vec::new();
        loop {
            self.take(&mut lines);
            let unwritten = write(&mut out, &lines);
            let mut waiting = self.lock();
            waiting.writing = false;
            waiting.lost += count(unwritten);
            let lost = if unwritten.is_empty() { std::mem::take(&mut waiting.lost) } else { 0 };
            self.emptied.notify_all();
            drop(waiting);
            if lost > 0 {
                tell(lost);
            }
        }
    }

    /// Waits until everything that was added is written, `patience` at most.
    pub fn wait_until_written(&self, patience: Duration) {
        let unwritten = |waiting: &mut Waiting| waiting.writing || !waiting.lines.is_empty();
        let mut waiting = self.lock();
        waiting.urgent = true;
        self.filled.notify_one();
        let _ = self.emptied.wait_timeout_while(waiting, patience, unwritten);
    }

    /// Waits for lines and takes them all.
    fn take(&self, lines: &mut Vec<u8>) {
        let waiting = self.lock();
        let waiting = self.filled.wait_while(waiting, |waiting| waiting.lines.is_empty());
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let few = |waiting: &mut Waiting| !waiting.urgent && waiting.lines.len() < ENOUGH;
        let gathered = self.filled.wait_timeout_while(waiting, GATHER, few);
        let (mut waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        lines.clear();
        std::mem::swap(lines, &mut waiting.lines);
        waiting.urgent = false;
        waiting.writing = true;
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes as much as can be written; returns the rest.
fn write<'l>(out: &mut impl Write, lines: &'l [u8]) -> &'l [u8] {
    let mut rest = lines;
    while !rest.is_empty() {
        match out.write(rest) {
            Ok(0) => break,
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Another process has set the terminal or pipe that it shares to not wait.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(_) => break,
        }
    }
    rest
}

fn count(lines: &[u8]) -> usize {
    lines.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, mpsc};

    use super::*;

    /// Writes the queue in a thread of its own, which lives as long as the tests.
    fn written_to(queue: &Arc<Queue>, out: impl Write + Send + 'static) -> mpsc::Receiver<usize> {
        let (queue, (told, tales)) = (Arc::clone(queue), mpsc::channel());
        thread::spawn(move || queue.write_to(out, |lost| told.send(lost).unwrap()));
        tales
    }

    /// Where writing goes as the next message says.
    struct Scripted {
        script: mpsc::Receiver<io::Result<()>>,
        text: mpsc::Sender<String>,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.script.recv().unwrap()?;
            self.text.send(String::from_utf8(bytes.to_vec()).unwrap()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Rig {
        queue: Arc<Queue>,
        script: mpsc::Sender<io::Result<()>>,
        text: mpsc::Receiver<String>,
        lost: mpsc::Receiver<usize>,
    }

    fn rig() -> Rig {
        let queue = Arc::new(Queue::new());
        let ((script, played), (said, text)) = (mpsc::channel(), mpsc::channel());
        let lost = written_to(&queue, Scripted { script: played, text: said });
        Rig { queue, script, text, lost }
    }

    impl Rig {
        /// Adds a line and waits until the writer has taken it.
        fn stall(&self) {
            self.queue.add(b"first\n");
            while !self.queue.lock().writing {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn lines_are_written_in_their_order() {
        let rig = rig();
        rig.stall();
        rig.queue.add_access(b"a\n");
        rig.queue.add(b"b\n");
        rig.queue.add_access(b"c\n");
        (0..2).for_each(|_| rig.script.send(Ok(())).unwrap());
        assert_eq!((rig.text.recv().unwrap(), rig.text.recv().unwrap()), ("first\n".into(), "a\nb\nc\n".into()));
        rig.queue.wait_until_written(Duration::from_secs(60));
    }

    #[test]
    fn access_lines_alone_are_written_too() {
        let rig = rig();
        rig.queue.add_access(b"a\n");
        rig.script.send(Ok(())).unwrap();
        assert_eq!(rig.text.recv().unwrap(), "a\n");
    }

    #[test]
    fn a_log_that_stalls_costs_access_lines_and_tells_how_many() {
        let rig = rig();
        rig.stall();
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        (0..ROOM / 1024 + 7).for_each(|_| rig.queue.add_access(&line));
        rig.queue.add(b"error\n");
        (0..2).for_each(|_| rig.script.send(Ok(())).unwrap());
        assert_eq!(rig.lost.recv().unwrap(), 7);
        assert_eq!(rig.text.recv().unwrap(), "first\n");
        assert!(rig.text.recv().unwrap().ends_with("x\nerror\n"), "errors have room of their own");
    }

    #[test]
    fn nothing_waits_beyond_twice_the_room() {
        let rig = rig();
        rig.stall();
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        (0..3 * ROOM / 1024).for_each(|_| rig.queue.add(&line));
        assert_eq!(rig.queue.lock().lines.len(), 2 * ROOM);
        assert_eq!(rig.queue.lock().lost, ROOM / 1024);
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_until_others_can() {
        let rig = rig();
        for error in [ErrorKind::StorageFull, ErrorKind::BrokenPipe] {
            rig.queue.add(b"lost\n");
            rig.script.send(Err(error.into())).unwrap();
            rig.queue.wait_until_written(Duration::from_secs(60));
        }
        for error in [ErrorKind::Interrupted, ErrorKind::WouldBlock] {
            rig.script.send(Err(error.into())).unwrap();
        }
        rig.queue.add(b"there\n");
        rig.script.send(Ok(())).unwrap();
        assert_eq!((rig.text.recv().unwrap(), rig.lost.recv().unwrap()), ("there\n".into(), 2));
    }

    #[test]
    fn nobody_waits_longer_for_a_stalled_log_than_they_like() {
        let rig = rig();
        rig.stall();
        rig.queue.wait_until_written(Duration::from_millis(1));
        assert!(rig.text.try_recv().is_err());
    }
}
