//! How many wrong passwords there were: by name, by address, and by both.
//!
//! Each is a bucket that is full at the beginning, loses a token with every wrong password, and is full
//! again after the window (a leaky bucket, as the GCRA of ATM has it: one number, the time at which it
//! will be full). All buckets together are a table of fixed size, in which each has two places and
//! counts as the fuller of the two (a count-min sketch). So the table never grows and forgets nothing
//! before its time, however many names and addresses come: under an attack that fills it, strangers may
//! share a bucket, but nobody gets more tokens than there are.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashlink::LruCache;

use crate::config::users::Limits;

/// The places of each of the two rows.
const PLACES: usize = 1 << 18;
/// The most pairs of a user and an address that are remembered to have been right.
const MOST_FAMILIAR: usize = 10_000;
/// Sums of fractions of seconds are not exact.
const TOLERANCE: f64 = 1e-3;

/// Counts wrong passwords. An attempt is counted when it begins, and no more if it turns out right: so
/// many at once get no further than one after the other.
#[derive(Debug, Default)]
pub struct Attempts {
    counted: Mutex<Counted>,
    /// Keyed at random: nobody can tell which bucket shares a place with which.
    hashing: RandomState,
}

#[derive(Debug)]
struct Counted {
    /// When each bucket will be full; made with the first attempt.
    full_at: Vec<f64>,
    /// Addresses from which users have signed in.
    familiar: LruCache<u64, ()>,
}

impl Default for Counted {
    fn default() -> Self {
        Self { full_at: Vec::new(), familiar: LruCache::new(MOST_FAMILIAR) }
    }
}

/// Who tries.
#[derive(Clone, Copy, Debug)]
pub struct Who<'w> {
    /// The full name of the users.
    pub users: &'w str,
    /// The name that was given, in the form that names are compared in.
    pub user: &'w str,
    /// The visitor's address, if it is known.
    pub address: Option<IpAddr>,
}

/// An attempt that is counted. Dropping it takes it off again, unless `stays` was called.
#[derive(Debug)]
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    taken: Vec<Bucket>,
    familiar: Option<u64>,
    stays: bool,
}

/// The hash that leads to a bucket's places, and the seconds that a token takes to come back.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    hash: u64,
    token: f64,
}

impl Attempts {
    /// Begins an attempt.
    ///
    /// # Errors
    /// If there have been too many: the whole seconds after which there may be another.
    pub fn begin(&self, who: &Who<'_>, limits: &Limits, now: f64) -> Result<Attempt<'_>, u64> {
        let window = limits.window as f64;
        let bucket = |hash, most: usize| Bucket { hash, token: window / most as f64 };
        let network = who.address.map(network);
        let by_both = network.map(|network| self.hashing.hash_one((0, who.users, who.user, network)));
        let by_address = network.map(|network| self.hashing.hash_one((1, who.users, network)));
        let by_user = self.hashing.hash_one((2, who.users, who.user));
        let mut counted = self.lock();
        // Strangers cannot keep a user out who has signed in from where they are.
        let is_familiar = by_both.is_some_and(|hash| counted.familiar.get(&hash).is_some());
        let taken: Vec<Bucket> = [
            by_both.map(|hash| bucket(hash, limits.per_user_and_address)),
            by_address.map(|hash| bucket(hash, limits.per_address)),
            Some(bucket(by_user, limits.per_user)).filter(|_| !is_familiar),
        ]
        .into_iter()
        .flatten()
        .collect();
        let wait = taken.iter().map(|bucket| counted.until_full(*bucket, now, window) + bucket.token - window);
        let wait = wait.fold(0.0, f64::max);
        if wait > TOLERANCE {
            return Err((wait - TOLERANCE).ceil() as u64);
        }
        for bucket in &taken {
            counted.take(*bucket, now);
        }
        Ok(Attempt { attempts: self, taken, familiar: by_both, stays: false })
    }

    /// Forgets all of it.
    pub fn reset(&self) {
        *self.lock() = Counted::default();
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// The seconds until a bucket is full. A clock that was set back makes nobody wait for longer.
    fn until_full(&mut self, bucket: Bucket, now: f64, window: f64) -> f64 {
        if self.full_at.is_empty() {
            // Zeroed memory takes no room before it is written to.
            self.full_at = vec![0.0; 2 * PLACES];
        }
        let mut least = window;
        for place in bucket.places() {
            if let Some(full_at) = self.full_at.get_mut(place) {
                *full_at = full_at.min(now + window);
                least = least.min(*full_at - now);
            }
        }
        least.max(0.0)
    }

    fn take(&mut self, bucket: Bucket, now: f64) {
        for place in bucket.places() {
            if let Some(full_at) = self.full_at.get_mut(place) {
                *full_at = full_at.max(now) + bucket.token;
            }
        }
    }

    fn put_back(&mut self, bucket: Bucket) {
        for place in bucket.places() {
            if let Some(full_at) = self.full_at.get_mut(place) {
                *full_at -= bucket.token;
            }
        }
    }
}

impl Bucket {
    /// One place in each row.
    fn places(self) -> [usize; 2] {
        let low = self.hash as u32 as usize % PLACES;
        let high = (self.hash >> 32) as usize % PLACES;
        [low, PLACES + high]
    }
}

impl Attempt<'_> {
    /// A password is being looked at: from now on the attempt counts, unless it succeeds.
    pub fn stays(&mut self) {
        self.stays = true;
    }

    /// The password is right.
    pub fn succeeds(mut self) {
        self.stays = false;
        if let Some(familiar) = self.familiar {
            self.attempts.lock().familiar.insert(familiar, ());
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.stays {
            let mut counted = self.attempts.lock();
            self.taken.iter().for_each(|bucket| counted.put_back(*bucket));
        }
    }
}

/// Whose address it is: of IPv6, a customer has at least all that share its first 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests;
