//! `mysql`: Beaker's database type, on MySQL and MariaDB.

use std::sync::Arc;

use super::{FactoryKind, HeldBy, stored};
use crate::session::store::{MysqlOptions, MysqlStore};

pub const KIND: FactoryKind = FactoryKind {
    name: "mysql",
    summary: "In a table of MySQL or MariaDB, at `url`.",
    guarantee: "No update is lost, among any number of machines; what was answered survives a crash of Sitewright and of the server.",
    held_by: HeldBy::Store,
    options: &["url", "table", "connections", "store_timeout", "max_record"],
    url: Some("mysql://app@localhost/app"),
    open: |opening| {
        stored(opening, |opening| {
            let settings = opening.settings;
            let options = MysqlOptions {
                url: opening.url()?.to_owned(),
                table: settings.table.clone(),
                connections: settings.connections as usize,
            };
            Ok(Arc::new(MysqlStore::new(options)?))
        })
    },
};
