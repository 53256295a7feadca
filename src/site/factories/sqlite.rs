//! `sqlite`: Beaker's database type, in one file.

use std::sync::Arc;

use super::{FactoryKind, HeldBy, stored};
use crate::session::store::{SqliteOptions, SqliteStore};

pub const KIND: FactoryKind = FactoryKind {
    name: "sqlite",
    summary: "In one file of SQLite, `database`.",
    guarantee: "No update is lost, among any number of processes on one machine; what was answered survives a kill -9 and a power failure. The choice for a site on one machine.",
    held_by: HeldBy::Store,
    options: &["database", "table", "connections", "store_timeout", "max_record"],
    url: None,
    open: |opening| {
        stored(opening, |opening| {
            let settings = opening.settings;
            let options = SqliteOptions {
                database: opening.folder.join(&settings.database),
                table: settings.table.clone(),
                connections: settings.connections as usize,
            };
            Ok(Arc::new(SqliteStore::new(options)?))
        })
    },
};
