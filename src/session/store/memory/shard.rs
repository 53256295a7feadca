//! A part of the memory: a table of keys, and one buffer for all bytes.
//!
//! One buffer instead of an allocation each takes less room, and gives it
//! back: what still lives moves together whenever there is enough to gain.

use std::collections::HashMap;

use super::super::{Entry, Found, Key};

/// What an entry takes besides its bytes: its place in the table, which is
/// between half and seven eighths full.
const ENTRY_BYTES: usize = 100;
/// Of a buffer that is moved, an eighth is left free to grow into.
const SLACK: usize = 8;
/// When there is no room, a sixteenth of the entries go at once, so that not
/// every new one has to look for the next.
const EVICTED: usize = 16;

/// Where an entry is, and what it is compared by.
struct Slot {
    start: u32,
    size: u32,
    version: u64,
    /// `u64::MAX`: never.
    expires: u64,
}

#[derive(Default)]
pub(super) struct Shard {
    slots: HashMap<Key, Slot>,
    /// The bytes of all entries, with gaps where some have gone.
    heap: Vec<u8>,
    /// The bytes that are not gaps.
    live: usize,
    /// The most bytes, entries and table together.
    capacity: usize,
    /// The entries that had to go for others, since they were last asked for.
    evicted: u64,
}

impl Shard {
    /// A shard of about `capacity` bytes, 4 GiB at most.
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.min(u32::MAX as usize / 2), ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// What the entries take, gaps not counted.
    pub fn bytes(&self) -> usize {
        self.live + self.slots.len() * ENTRY_BYTES
    }

    /// The most bytes that an entry can have.
    pub fn largest(&self) -> usize {
        self.capacity.saturating_sub(ENTRY_BYTES)
    }

    pub fn version(&self, key: &Key) -> Option<u64> {
        self.slots.get(key).map(|slot| slot.version)
    }

    pub fn get(&self, key: &Key) -> Option<Found> {
        self.slots.get(key).map(|slot| self.found(slot))
    }

    fn found(&self, slot: &Slot) -> Found {
        Found { version: slot.version, bytes: slot.bytes(&self.heap).into() }
    }

    pub fn remove(&mut self, key: &Key) -> bool {
        let removed = self.slots.remove(key);
        self.live -= removed.as_ref().map_or(0, |slot| slot.size as usize);
        removed.is_some()
    }

    /// Puts `entry` in the place of what is under `key`. Others may have to
    /// go for it; if it would not fit even so, nothing changes.
    pub fn put(&mut self, key: &Key, version: u64, entry: &Entry) -> bool {
        let size = entry.bytes.len();
        if size > self.largest() {
            return false;
        }
        self.remove(key);
        while self.bytes() + size + ENTRY_BYTES > self.capacity {
            self.evict();
        }
        if self.heap.capacity() - self.heap.len() < size {
            self.compact(size);
        }
        let slot = Slot {
            // The capacity is far below what these numbers hold.
            start: self.heap.len() as u32,
            size: size as u32,
            version,
            expires: entry.expires.unwrap_or(u64::MAX),
        };
        self.heap.extend_from_slice(&entry.bytes);
        self.live += size;
        self.slots.insert(*key, slot);
        true
    }

    /// Removes some entries: first those that were never stored again, and
    /// of them the ones that expire first.
    fn evict(&mut self) {
        let rank = |(key, slot): (&Key, &Slot)| (slot.version > 1, slot.expires, *key);
        let mut ranks: Vec<_> = self.slots.iter().map(rank).collect();
        let last = ranks.len() / EVICTED;
        if last < ranks.len() {
            ranks.select_nth_unstable(last);
        }
        for (_, _, key) in ranks.iter().take(last + 1) {
            self.evicted += u64::from(self.remove(key));
        }
    }

    /// How many entries had to go for others since this was last asked.
    pub fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    /// Removes at most `at_most` entries that expired by `now`.
    pub fn sweep(&mut self, now: f64, at_most: usize) -> usize {
        let before = self.slots.len();
        let (mut left, mut freed) = (at_most, 0);
        self.slots.retain(|_, slot| {
            let goes = left > 0 && slot.expires != u64::MAX && slot.expires as f64 <= now;
            if goes {
                left -= 1;
                freed += slot.size as usize;
            }
            !goes
        });
        self.live -= freed;
        self.shrink();
        before - self.slots.len()
    }

    /// Gives back what is free, if it is much.
    fn shrink(&mut self) {
        if self.slots.len() < self.slots.capacity() / 4 {
            self.slots.shrink_to_fit();
        }
        if self.live < self.heap.capacity() / 2 {
            self.compact(0);
        }
    }

    /// Moves everything to a new buffer, with room for `more` bytes.
    fn compact(&mut self, more: usize) {
        let needed = self.live + more;
        let mut heap = Vec::with_capacity(needed + needed / SLACK);
        for slot in self.slots.values_mut() {
            let start = heap.len() as u32;
            heap.extend_from_slice(slot.bytes(&self.heap));
            slot.start = start;
        }
        self.heap = heap;
    }

    /// Appends at most `at_most - out.len()` entries after the key `after`, in order.
    pub fn list(&self, after: Option<&Key>, at_most: usize, out: &mut Vec<(Key, Found)>) {
        let mut slots: Vec<_> = self.slots.iter().filter(|&(key, _)| after.is_none_or(|after| key > after)).collect();
        slots.sort_unstable_by_key(|&(key, _)| *key);
        let room = at_most.saturating_sub(out.len());
        out.extend(slots.into_iter().take(room).map(|(key, slot)| (*key, self.found(slot))));
    }
}

impl Slot {
    fn bytes<'h>(&self, heap: &'h [u8]) -> &'h [u8] {
        let start = self.start as usize;
        heap.get(start..start + self.size as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn key(id: u32) -> Key {
        Key::of(&id.to_be_bytes())
    }

    fn entry(expires: u64, size: usize) -> Entry {
        Entry { expires: Some(expires), bytes: vec![7; size].into() }
    }

    #[test]
    fn a_full_shard_lets_go_of_what_was_stored_once_and_expires_first() {
        let mut shard = Shard::new(10 * (ENTRY_BYTES + 50));
        for id in 0..10 {
            let came_back = id < 3;
            assert!(shard.put(&key(id), 1 + u64::from(came_back), &entry(100 + u64::from(id), 50)));
        }
        assert_eq!(shard.take_evicted(), 0);
        assert!(shard.put(&key(10), 1, &entry(500, 50)));
        assert_eq!((shard.take_evicted(), shard.take_evicted()), (1, 0));
        let left: Vec<_> = (0..=10).filter(|&id| shard.get(&key(id)).is_some()).collect();
        assert_eq!(left, [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn one_more_than_ever_fits_changes_nothing() {
        let mut shard = Shard::new(1000);
        assert!(shard.put(&key(1), 1, &entry(1, 900)));
        assert!(!shard.put(&key(1), 2, &entry(1, 901)));
        assert!(!shard.put(&key(2), 1, &entry(1, 901)));
        assert_eq!((shard.len(), shard.version(&key(1))), (1, Some(1)));
    }

    #[test]
    fn memory_is_given_back() {
        let mut shard = Shard::new(1 << 20);
        for id in 0..4000 {
            assert!(shard.put(&key(id), 1, &entry(u64::from(id), 100)));
        }
        assert!(shard.heap.capacity() <= 4000 * 100 * 5 / 4);
        while shard.sweep(3990.0, 500) > 0 {}
        assert_eq!(shard.len(), 9);
        assert!(shard.heap.capacity() < 9 * 100 * 2, "{}", shard.heap.capacity());
        assert!(shard.slots.capacity() < 64, "{}", shard.slots.capacity());
        for id in 3991..4000 {
            assert_eq!(shard.get(&key(id)).expect("it lives").bytes.len(), 100);
        }
    }

    #[test]
    fn a_session_that_is_stored_again_and_again_takes_its_room_once() {
        let mut shard = Shard::new(1 << 20);
        for version in 1..10_000 {
            assert!(shard.put(&key(1), version, &entry(1, 1000)));
        }
        assert!(shard.heap.capacity() < 4000, "{}", shard.heap.capacity());
    }

    proptest! {
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0_u8..16, prop::option::of((0_u64..100, 0_usize..200))), 0..100)) {
            let mut shard = Shard::new(1 << 20);
            let mut model = BTreeMap::new();
            for (at, (id, step)) in steps.into_iter().enumerate() {
                let id = u32::from(id);
                let bytes = |size| vec![at as u8; size];
                match step {
                    Some((expires, size)) => {
                        let entry = Entry { expires: Some(expires), bytes: bytes(size).into() };
                        prop_assert!(shard.put(&key(id), at as u64, &entry));
                        model.insert(id, (expires, at as u64, bytes(size)));
                    }
                    None if id == 0 => {
                        shard.sweep(50.0, usize::MAX);
                        model.retain(|_, (expires, _, _)| *expires > 50);
                    }
                    None => prop_assert_eq!(shard.remove(&key(id)), model.remove(&id).is_some()),
                }
                prop_assert_eq!(shard.live, model.values().map(|(_, _, bytes)| bytes.len()).sum::<usize>());
                for id in 0..16 {
                    let found = shard.get(&key(id)).map(|found| (found.version, found.bytes.into_vec()));
                    prop_assert_eq!(found, model.get(&id).map(|(_, version, bytes)| (*version, bytes.clone())));
                }
            }
        }
    }
}
