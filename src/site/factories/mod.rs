//! The kinds of session factory, one file each, and the one list of them.
//!
//! A kind that keeps its sessions in a [`Store`] says how to make the store; [`stored`] does the
//! rest. The list feeds the parser, its "did you mean" and the reference page.

mod encrypted_cookie;
mod file;
#[cfg(feature = "memcached")]
mod memcached;
mod memory;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod signed_cookie;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::credentials::{Credentials, Secrets};
use crate::config::settings::SessionSettings;
use crate::session::cookie::{CookieOptions, SameSite, Secure};
use crate::session::factory::SessionFactory;
use crate::session::lifetimes::Lifetimes;
pub use crate::session::store::OpenError;
use crate::session::store::{MemoryStore, Store, StoredOptions, StoredSessions};

/// A kind of session factory: its documentation and how to make one.
#[derive(Debug)]
pub struct FactoryKind {
    /// Its name, as in `factory = "NAME"`.
    pub name: &'static str,
    /// Where its sessions live, in one sentence.
    pub summary: &'static str,
    /// What it promises, and what it cannot.
    pub guarantee: &'static str,
    /// Who holds its sessions.
    pub held_by: HeldBy,
    /// The settings of `[session]` that only some kinds have, and this one does.
    pub options: &'static [&'static str],
    /// An example of the `url` that this kind needs, if it does.
    pub url: Option<&'static str>,
    /// Makes one.
    pub open: fn(Opening<'_>) -> Opened,
}

/// Who holds the sessions of a factory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// The browser, in its cookie: of two changes at once one can be lost, and nobody can list or end them.
    Browser,
    /// The process that serves the site, and no other.
    Process,
    /// A store that other processes reach, too.
    Store,
}

/// A session factory, or why the settings make none.
pub type Opened = Result<Arc<dyn SessionFactory>, OpenError>;

/// What a session factory is made from.
#[derive(Debug)]
pub struct Opening<'a> {
    /// `[session]`.
    pub settings: &'a SessionSettings,
    /// What `[session]` may keep elsewhere.
    pub credentials: Credentials,
    /// The folder of the site, which paths are relative to.
    pub folder: &'a Path,
    /// Whether anything may be kept beyond this run.
    pub mode: Secrets,
    /// What was served until now, if anything was.
    pub previous: Option<Previous<'a>>,
}

/// The factory that another takes the place of, and what it was made from.
#[derive(Clone, Copy, Debug)]
pub struct Previous<'a> {
    /// Its `[session]`.
    pub settings: &'a SessionSettings,
    /// Its credentials.
    pub credentials: &'a Credentials,
    /// The factory.
    pub sessions: &'a dyn SessionFactory,
}

/// Every kind Sitewright brings.
pub const FACTORIES: &[&FactoryKind] = &[
    &signed_cookie::KIND,
    &encrypted_cookie::KIND,
    &memory::KIND,
    &file::KIND,
    #[cfg(feature = "sqlite")]
    &sqlite::KIND,
    #[cfg(feature = "postgres")]
    &postgres::KIND,
    #[cfg(feature = "mysql")]
    &mysql::KIND,
    #[cfg(feature = "redis")]
    &redis::KIND,
    #[cfg(feature = "memcached")]
    &memcached::KIND,
];

/// The kinds, and features of the same name, that this program was built without.
pub const LEFT_OUT: &[&str] = &[
    #[cfg(not(feature = "sqlite"))]
    "sqlite",
    #[cfg(not(feature = "postgres"))]
    "postgres",
    #[cfg(not(feature = "mysql"))]
    "mysql",
    #[cfg(not(feature = "redis"))]
    "redis",
    #[cfg(not(feature = "memcached"))]
    "memcached",
];

/// Sessions in the store that `make` makes; in the one there is, if it is made from the same
/// settings: what it holds and the connections it has go on.
pub fn stored(opening: Opening<'_>, make: impl FnOnce(&Opening<'_>) -> Result<Arc<dyn Store>, OpenError>) -> Opened {
    let deadline = Duration::from_secs(opening.settings.store_timeout);
    let store = match opening.kept_store() {
        // Until the new site is visited, the old one is served, and its deadline counts.
        Some(store) => store,
        None => {
            let store = make(&opening)?;
            store.answer_within(deadline);
            store
        }
    };
    let store = match opening.mode {
        Secrets::Generate | Secrets::MustExist => store,
        // A test or a look must not change the sessions of a site that is being served.
        Secrets::LookOnly => Arc::new(MemoryStore::default()),
    };
    let settings = opening.settings;
    let options = StoredOptions {
        cookie: cookie_options(settings),
        lifetimes: settings.into(),
        secrets: opening.credentials.secrets,
        max_record: settings.max_record,
        deadline,
    };
    Ok(Arc::new(StoredSessions::new(store, options)?))
}

impl Opening<'_> {
    /// The store of the factory before, if this one's would be made from the same settings.
    fn kept_store(&self) -> Option<Arc<dyn Store>> {
        let previous = self.previous?;
        let (old, new) = (previous.settings, self.settings);
        let same = old.factory == new.factory
            && old.directory == new.directory
            && old.database == new.database
            && old.table == new.table
            && old.key_prefix == new.key_prefix
            && old.connections == new.connections
            && previous.credentials.url == self.credentials.url;
        let stored = previous.sessions.stored().filter(|_| same)?;
        Some(Arc::clone(stored.store()))
    }

    /// The `url`; the checks have seen to it that there is one where a kind needs one.
    ///
    /// # Errors
    /// If there is none.
    pub fn url(&self) -> Result<&str, OpenError> {
        let missing = || OpenError::of("url", "this factory needs a `url`");
        let url = self.credentials.url.as_ref().ok_or_else(missing)?;
        Ok(url.expose())
    }
}

impl From<&SessionSettings> for Lifetimes {
    fn from(settings: &SessionSettings) -> Self {
        Self { timeout: settings.timeout.0, reissue_time: settings.reissue_time(), lifetime: settings.lifetime.0 }
    }
}

/// The cookie that the settings describe.
pub fn cookie_options(settings: &SessionSettings) -> CookieOptions {
    CookieOptions {
        name: settings.cookie_name.clone(),
        max_age: settings.max_age.0,
        path: Some(settings.path.clone()),
        domain: settings.domain.clone(),
        secure: match settings.secure {
            None => Secure::Auto,
            Some(true) => Secure::Always,
            Some(false) => Secure::Never,
        },
        http_only: settings.httponly,
        same_site: Some(match settings.samesite.as_str() {
            "Strict" => SameSite::Strict,
            "None" => SameSite::None,
            _ => SameSite::Lax,
        }),
    }
}
