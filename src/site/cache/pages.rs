//! The replies that are kept: in this process, within bounds, each made by one request at a time.
//!
//! As with Beaker, all who ask for a page that is not there wait for one of them to make it; once it
//! is too old, one makes it anew while the others get the old one at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hashlink::LruCache;
use http::header::SET_COOKIE;
use tokio::sync::Mutex as Turn;

use super::PageKey;
use crate::site::failure::Failure;
use crate::site::response::Reply;

/// What a page costs beside its headers and its body, in bytes.
const OVERHEAD: usize = 256;

/// The kept replies of a site. When there is no more room, the one that was not asked for the longest
/// goes.
#[derive(Debug)]
pub struct Pages {
    kept: Mutex<Kept>,
    max_entries: usize,
    max_bytes: usize,
}

#[derive(Debug)]
struct Kept {
    slots: LruCache<PageKey, Arc<Slot>>,
    bytes: usize,
}

/// The place of one page.
#[derive(Debug, Default)]
struct Slot {
    making: Turn<()>,
    page: Mutex<Option<Arc<Page>>>,
    /// How often it was made, and could not be kept.
    unkept: AtomicU64,
}

#[derive(Debug)]
struct Page {
    reply: Reply,
    made: f64,
    until: f64,
    bytes: usize,
}

/// Where a reply comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Origin {
    /// It was made for this request.
    Made,
    /// It was made this many seconds ago.
    Kept(f64),
    /// It is too old, and somebody else is making it anew.
    Old,
}

impl Pages {
    /// Room for so many replies, and so many bytes of them.
    pub fn new(max_entries: usize, max_bytes: usize) -> Self {
        let kept = Kept { slots: LruCache::new_unbounded(), bytes: 0 };
        Self { kept: Mutex::new(kept), max_entries, max_bytes }
    }

    /// The page of this key, kept or made by `make` and then kept for `lifetime` seconds.
    ///
    /// # Errors
    /// What `make` fails with. That is kept for nobody: whoever waited makes the page too.
    pub async fn get(
        &self,
        key: PageKey,
        now: f64,
        lifetime: f64,
        make: impl FnOnce() -> Result<Reply, Failure>,
    ) -> (Result<Reply, Failure>, Origin) {
        let slot = self.slot(key);
        let unkept = slot.unkept.load(Ordering::Acquire);
        let old = slot.page();
        if let Some(page) = old.as_ref().filter(|page| now < page.until) {
            return page.answer(now);
        }
        let turn = match &old {
            None => slot.making.lock().await,
            Some(old) => match slot.making.try_lock() {
                Ok(turn) => turn,
                Err(_) => return (Ok(old.reply.clone()), Origin::Old),
            },
        };
        if let Some(page) = slot.page().filter(|page| now < page.until) {
            return page.answer(now);
        }
        if old.is_none() && slot.unkept.load(Ordering::Acquire) != unkept {
            // Waiting for each other in turn would bring nobody anything.
            drop(turn);
            return (make(), Origin::Made);
        }
        let outcome = make();
        match outcome.as_ref().ok().filter(|reply| may_be_kept(reply)) {
            Some(reply) => self.keep(key, &slot, reply, now, lifetime),
            None => {
                slot.unkept.fetch_add(1, Ordering::Release);
                self.forget_empty(&key);
            }
        }
        (outcome, Origin::Made)
    }

    fn slot(&self, key: PageKey) -> Arc<Slot> {
        let mut kept = self.lock();
        if let Some(slot) = kept.slots.get(&key) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot::default());
        kept.slots.insert(key, Arc::clone(&slot));
        self.make_room(&mut kept);
        slot
    }

    fn keep(&self, key: PageKey, slot: &Arc<Slot>, reply: &Reply, now: f64, lifetime: f64) {
        let headers: usize = reply.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        let bytes = OVERHEAD + headers + reply.body.len();
        let page = Arc::new(Page { reply: reply.clone(), made: now, until: now + lifetime, bytes });
        let mut kept = self.lock();
        if let Some(before) = kept.slots.remove(&key) {
            kept.bytes -= before.bytes();
        }
        if bytes > self.max_bytes {
            return;
        }
        *slot.page.lock().unwrap_or_else(PoisonError::into_inner) = Some(page);
        kept.bytes += bytes;
        kept.slots.insert(key, Arc::clone(slot));
        self.make_room(&mut kept);
    }

    fn make_room(&self, kept: &mut Kept) {
        while kept.slots.len() > self.max_entries || kept.bytes > self.max_bytes {
            let Some((_, slot)) = kept.slots.remove_lru() else { return };
            kept.bytes -= slot.bytes();
        }
    }

    fn forget_empty(&self, key: &PageKey) {
        let mut kept = self.lock();
        if kept.slots.peek(key).is_some_and(|slot| slot.page().is_none()) {
            kept.slots.remove(key);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn page(&self) -> Option<Arc<Page>> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn bytes(&self) -> usize {
        self.page().map_or(0, |page| page.bytes)
    }
}

impl Page {
    fn answer(&self, now: f64) -> (Result<Reply, Failure>, Origin) {
        (Ok(self.reply.clone()), Origin::Kept((now - self.made).max(0.0)))
    }
}

/// No failure, and nothing that belongs to one visitor.
fn may_be_kept(reply: &Reply) -> bool {
    let good = reply.status.is_success() || reply.status.is_redirection();
    good && reply.headers.iter().all(|(name, _)| *name != SET_COOKIE)
}
