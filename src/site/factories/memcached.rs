//! `memcached`: what Beaker advises for clusters, made exact.

use std::sync::Arc;

use super::{FactoryKind, HeldBy, stored};
use crate::session::store::{MemcachedOptions, MemcachedStore};

pub const KIND: FactoryKind = FactoryKind {
    name: "memcached",
    summary: "In memcached, at `url`.",
    guarantee: "No update is lost, among any number of machines, while it remembers: sessions go with the server, and the ones used least recently when its memory is full.",
    held_by: HeldBy::Store,
    options: &["url", "key_prefix", "connections", "store_timeout", "max_record"],
    url: Some("memcached://localhost:11211"),
    open: |opening| {
        stored(opening, |opening| {
            let options = MemcachedOptions {
                url: opening.url()?.to_owned(),
                key_prefix: opening.settings.key_prefix.clone(),
                connections: opening.settings.connections as usize,
            };
            Ok(Arc::new(MemcachedStore::new(options)?))
        })
    },
};
