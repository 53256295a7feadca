//! `postgres`: Beaker's database type, on PostgreSQL.

use std::sync::Arc;

use super::{FactoryKind, HeldBy, stored};
use crate::session::store::{PostgresOptions, PostgresStore};

pub const KIND: FactoryKind = FactoryKind {
    name: "postgres",
    summary: "In a table of PostgreSQL, at `url`.",
    guarantee: "No update is lost, among any number of machines; what was answered survives a crash of Sitewright and of the server.",
    held_by: HeldBy::Store,
    options: &["url", "table", "connections", "store_timeout", "max_record"],
    url: Some("postgres://app@localhost/app"),
    open: |opening| {
        stored(opening, |opening| {
            let settings = opening.settings;
            let options = PostgresOptions {
                url: opening.url()?.to_owned(),
                table: settings.table.clone(),
                connections: settings.connections as usize,
            };
            Ok(Arc::new(PostgresStore::new(options)?))
        })
    },
};
