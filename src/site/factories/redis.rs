//! `redis`: what pyramid_redis_sessions and Beaker keep in Redis, made exact.

use std::sync::Arc;

use super::{FactoryKind, HeldBy, stored};
use crate::session::store::{RedisOptions, RedisStore};

pub const KIND: FactoryKind = FactoryKind {
    name: "redis",
    summary: "In Redis, at `url`: one server, behind Sentinels, or a Cluster.",
    guarantee: "No update is lost, among any number of machines; as durable as the server is set to be.",
    held_by: HeldBy::Store,
    options: &["url", "key_prefix", "store_timeout", "max_record"],
    url: Some("redis://localhost:6379/0"),
    open: |opening| {
        stored(opening, |opening| {
            let settings = opening.settings;
            let options = RedisOptions { url: opening.url()?.to_owned(), key_prefix: settings.key_prefix.clone() };
            Ok(Arc::new(RedisStore::new(options)?))
        })
    },
};
