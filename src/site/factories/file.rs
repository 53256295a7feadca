//! `file`: Beaker's `file`.

use std::sync::Arc;

use super::{FactoryKind, HeldBy, stored};
use crate::session::store::FileStore;

pub const KIND: FactoryKind = FactoryKind {
    name: "file",
    summary: "In files in `directory`, one per session.",
    guarantee: "No update is lost, among any number of processes on one machine; what was answered survives a kill -9.",
    held_by: HeldBy::Store,
    options: &["directory", "store_timeout", "max_record"],
    url: None,
    open: |opening| {
        stored(opening, |opening| Ok(Arc::new(FileStore::new(opening.folder.join(&opening.settings.directory)))))
    },
};
