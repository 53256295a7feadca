//! Sessions in Redis or Valkey: one server, one watched by Sentinels, or a
//! Cluster. Of the commands of either, only those are used that both have.
//!
//! | | |
//! |---|---|
//! | Exact | yes, for every process that uses the server: one script compares and writes |
//! | Survives a restart, a crash, kill -9 of Sitewright | yes: every confirmed change |
//! | Survives a restart of the server in good order | yes, with `appendonly yes` or with `save` points; else no |
//! | Survives kill -9 of the server | with `appendfsync always`, yes; with `everysec` too, unless the disk is so slow that Redis holds back up to two seconds; without `appendonly` what the last snapshot has |
//! | Survives a power failure | with `appendfsync always`, yes; with `everysec` the last two seconds may be lost |
//! | Survives a failover | but for the changes that the new master had not received: replication is asynchronous |
//! | When the server's memory is full | with `noeviction` an error, and the old record stays whole |
//! | When the server's disk is full | an error, and the old record stays whole; under `appendfsync always` Redis ends itself |
//!
//! # The server
//!
//! Redis from 6.2 on. Out of the box it forgets what came after the last
//! snapshot, which may be an hour ago. For sessions that last:
//!
//! ```text
//! appendonly yes
//! appendfsync everysec        # or always, which waits for the disk after each round of commands
//! maxmemory-policy noeviction
//! ```
//!
//! - **Memory.** Every session has an expiry, so to Redis it is the first
//!   thing to throw away: under any other `maxmemory-policy`, `allkeys-…` and
//!   `volatile-…` alike, a full memory ends sessions that have not expired,
//!   without a word. Under `noeviction` visitors whose sessions cannot be
//!   written are told so, and sessions can still be read and removed.
//! - **Failover.** A master confirms before its replicas have the change. When
//!   one takes over, what it had not received is lost: usually
//!   milliseconds; after a partition all that the old master confirmed on its
//!   side, unless `min-replicas-to-write 1` and a small
//!   `min-replicas-max-lag` keep it from confirming alone. A lost change may
//!   bring a removed session back, until it expires.
//! - **Rights.** A user of its own needs
//!   `+ping +get +set +getrange +del +eval +evalsha +scan` on `~PREFIX*`,
//!   `+select` if the URL has a database,
//!   `+role` with Sentinel, `+cluster|slots` and `+asking` with a Cluster.
//!   The records are sealed, but whoever may write them may end any session.
//!
//! # Connections
//!
//! One to each server, shared by all requests, whose commands go out without
//! waiting for each other. It is made at the first use, and anew when it has
//! broken or does not answer; then a Sentinel, or the Cluster's other nodes,
//! are asked anew who is the master. A command is sent again only if a reply
//! said that it was not carried out, and a load also when its connection broke.
//!
//! ```text
//! RedisStore   Store over Servers                  (this file)
//!   command    what is sent, the script, values
//!   servers    getting a command carried out, once
//!     sentinel   who is the master
//!     cluster    who has the slot                  (slots)
//!   link       a connection, made anew when needed
//!   connection one connection: tcp, tls, unix      (tls)
//!   refusal    replies that are errors
//!   scan       all keys, for operators
//!   url        what the URL says
//! ```

mod cluster;
mod command;
mod connection;
mod link;
mod refusal;
mod scan;
mod sentinel;
mod servers;
mod slots;
mod tls;
mod url;

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use futures_util::future::try_join_all;

use super::super::factory::BoxFuture;
use super::{Cursor, Entry, Found, Key, OpenError, Page, Store, StoreError};
use command::Command;
use scan::Place;
use servers::Servers;
use url::Target;

/// The keys that one step of a look through all of them goes through, at least.
const SCANNED_AT_ONCE: usize = 1000;

/// Where a [`RedisStore`] is.
#[derive(Clone)]
pub struct RedisOptions {
    /// The servers:
    ///
    /// - `redis://[user:password@]host[:port][/database]`
    /// - `unix://[user:password@]/path[?db=database]`
    /// - `redis+sentinel://[user:password@]host1[:port],host2[:port]/service[/database]`:
    ///   the Sentinels, and the name they watch the master by. If they want a
    ///   password as well: `?sentinel_password=…`, with `sentinel_username=…`.
    /// - `redis+cluster://[user:password@]host1[:port],host2[:port]`: some of the nodes.
    ///
    /// With `rediss` in place of `redis` connections are encrypted. The
    /// server's certificate must be for its host, as the Sentinels or the nodes name it,
    /// and signed by an authority that the system trusts, or one in the
    /// file `SSL_CERT_FILE` names in the environment; or in
    /// `?ssl_ca_certs=FILE`. A server that wants to see a certificate too gets
    /// `ssl_certfile=FILE&ssl_keyfile=FILE`. All in PEM.
    ///
    /// What is special in a password is written as in any URL: `%40` for `@`,
    /// `%2F` for `/`.
    pub url: String,
    /// What the keys begin with; what follows is the session's key in
    /// hexadecimal. Braces in it keep all sessions on one node of a Cluster.
    pub key_prefix: String,
}

/// Leaves the URL out: the password is in it.
impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
}

/// A server on this machine, without a password.
impl Default for RedisOptions {
    fn default() -> Self {
        Self { url: "redis://127.0.0.1:6379".into(), key_prefix: "sitewright:".into() }
    }
}

/// The `redis` store.
pub struct RedisStore {
    servers: Servers,
    key_prefix: String,
}

impl RedisStore {
    /// A store on the servers that `options` name. Connects with the first
    /// session; until then a server need not be there.
    ///
    /// # Errors
    /// What is wrong with the URL, without quoting it.
    pub fn new(options: RedisOptions) -> Result<Self, OpenError> {
        let unusable = |why| OpenError::of("url", format!("the `url` of Redis cannot be used: {why}"));
        let target = Target::parse(&options.url).map_err(unusable)?;
        Ok(Self { servers: Servers::new(target), key_prefix: options.key_prefix })
    }

    fn name_of(&self, key: &Key) -> Vec<u8> {
        format!("{}{key}", self.key_prefix).into_bytes()
    }

    /// What one step finds, which may be nothing: there may be many keys of
    /// others, and to go on until there are enough of ours could take for ever.
    async fn page(&self, from: Option<Cursor>, at_most: usize) -> Result<Page, StoreError> {
        let place = from.as_ref().map(Place::of).unwrap_or_default();
        let (keys, next) = scan::step(&self.servers, &self.key_prefix, &place, at_most.max(SCANNED_AT_ONCE)).await?;
        let keys: Vec<Key> = keys.into_iter().collect();
        let found = try_join_all(keys.iter().map(|key| self.load(key))).await?;
        // Some may have gone since.
        let entries = keys.into_iter().zip(found).filter_map(|(key, found)| Some((key, found?)));
        Ok(Page { entries: entries.collect(), next: next.map(|next| next.cursor()) })
    }

    async fn count_all(&self) -> Result<u64, StoreError> {
        let mut place = Some(Place::default());
        let mut seen = HashSet::new(); // Redis may show a key twice
        while let Some(at) = place {
            let (keys, next) = scan::step(&self.servers, &self.key_prefix, &at, SCANNED_AT_ONCE).await?;
            seen.extend(keys);
            place = next;
        }
        Ok(seen.len() as u64)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
}

impl Store for RedisStore {
    fn kind(&self) -> &'static str {
        "redis"
    }

    fn answer_within(&self, deadline: Duration) {
        self.servers.answer_within(deadline);
    }

    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
        Box::pin(async move { command::found(self.servers.run(&Command::Load { key: self.name_of(key) }).await?) })
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        seen: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let command = Command::compare_and_set(self.name_of(key), seen, next)?;
            command::done(&self.servers.run(&command).await?)
        })
    }

    fn list(&self, from: Option<Cursor>, at_most: usize) -> BoxFuture<'_, Result<Page, StoreError>> {
        Box::pin(self.page(from, at_most.max(1)))
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.count_all())
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { command::done(&self.servers.run(&Command::Remove { key: self.name_of(key) }).await?) })
    }
}

#[cfg(test)]
mod tests;
