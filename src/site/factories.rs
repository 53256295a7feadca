//! The kinds of session factory, and how each is made from `[session]`.

use std::path::Path;
use std::sync::Arc;

use super::sessions::Secrets;
use crate::config::settings::SessionSettings;
use crate::session::cookie::{CookieOptions, SameSite, Secure};
use crate::session::factory::{CookieReading, HashAlg, SessionFactory, SignedCookie, SignedCookieOptions};
use crate::session::secret::Secret;
use crate::session::store::{FileStore, MemoryStore, Store, StoredOptions, StoredSessions};

/// A kind of session factory: its documentation and how to make one.
#[derive(Debug)]
pub struct FactoryKind {
    /// Its name, as in `factory = "NAME"`.
    pub name: &'static str,
    /// Where its sessions live, in one sentence.
    pub summary: &'static str,
    /// What it promises, and what it cannot.
    pub guarantee: &'static str,
    /// The settings of `[session]` that only some kinds have, and this one does.
    pub options: &'static [&'static str],
    /// Makes one.
    pub open: fn(Opening<'_>) -> Opened,
}

/// A session factory, or why the settings make none.
pub type Opened = Result<Arc<dyn SessionFactory>, String>;

/// What a session factory is made from.
#[derive(Debug)]
pub struct Opening<'a> {
    /// `[session]`.
    pub settings: &'a SessionSettings,
    /// The secrets, the newest first.
    pub secrets: Vec<Secret>,
    /// The folder of the site, which paths are relative to.
    pub folder: &'a Path,
    /// Whether anything may be kept beyond this run.
    pub mode: Secrets,
    /// The factory that was served until now, if there was one.
    pub previous: Option<&'a dyn SessionFactory>,
}

/// Every kind Sitewright brings.
pub const FACTORIES: &[&FactoryKind] = &[
    &FactoryKind {
        name: "signed-cookie",
        summary: "In the cookie, signed and readable, in the wire format of Pyramid 2.x.",
        guarantee: "Tamper-proof. The browser is the store: an old cookie works until it times out, and two tabs can lose an update.",
        options: &["hashalg", "salt", "cookie_reading"],
        open: open_signed_cookie,
    },
    &FactoryKind {
        name: "memory",
        summary: "In this process, across reloads.",
        guarantee: "No update is lost. The sessions are gone when the process ends.",
        options: &[],
        open: open_memory,
    },
    &FactoryKind {
        name: "file",
        summary: "In files in `directory`, one per session.",
        guarantee: "No update is lost, among any number of processes on one machine; what was answered survives a kill -9.",
        options: &["directory"],
        open: open_file,
    },
];

fn open_signed_cookie(opening: Opening<'_>) -> Opened {
    let settings = opening.settings;
    let options = SignedCookieOptions {
        cookie: cookie_options(settings),
        timeout: settings.timeout.0,
        reissue_time: settings.reissue_time(),
        lifetime: settings.lifetime.0,
        hashalg: HashAlg::parse(&settings.hashalg).ok_or("unknown `hashalg`")?,
        salt: settings.salt.clone(),
        secrets: opening.secrets,
        reading: match settings.cookie_reading.as_str() {
            "compatible" => CookieReading::Compatible,
            _ => CookieReading::Strict,
        },
    };
    let factory = SignedCookie::new(options).map_err(|error| error.to_string())?;
    Ok(Arc::new(factory))
}

fn open_memory(opening: Opening<'_>) -> Opened {
    // New settings or secrets make a new factory; what it remembers goes on.
    let kept = opening.previous.and_then(SessionFactory::store).filter(|store| store.kind() == "memory");
    let store = kept.unwrap_or_else(|| Arc::new(MemoryStore::default()));
    stored(store, opening)
}

fn open_file(opening: Opening<'_>) -> Opened {
    if opening.mode == Secrets::LookOnly {
        // A test or a look must not change the sessions of a site that is being served.
        return stored(Arc::new(MemoryStore::default()), opening);
    }
    let folder = opening.folder.join(&opening.settings.directory);
    stored(Arc::new(FileStore::new(folder)), opening)
}

fn stored(store: Arc<dyn Store>, opening: Opening<'_>) -> Opened {
    let settings = opening.settings;
    let options = StoredOptions {
        cookie: cookie_options(settings),
        timeout: settings.timeout.0,
        reissue_time: settings.reissue_time(),
        lifetime: settings.lifetime.0,
        secrets: opening.secrets,
        ..StoredOptions::default()
    };
    let factory = StoredSessions::new(store, options).map_err(|error| error.to_string())?;
    Ok(Arc::new(factory))
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
