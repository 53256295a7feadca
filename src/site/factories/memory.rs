//! `memory`: Beaker's `memory`.

use std::sync::Arc;

use super::{FactoryKind, HeldBy, stored};
use crate::session::store::MemoryStore;

pub const KIND: FactoryKind = FactoryKind {
    name: "memory",
    summary: "In this process, across reloads.",
    guarantee: "No update is lost. The sessions are gone when the process ends.",
    held_by: HeldBy::Process,
    options: &["store_timeout", "max_record"],
    url: None,
    open: |opening| stored(opening, |_| Ok(Arc::new(MemoryStore::default()))),
};
