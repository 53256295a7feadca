//! The site that is being served, and the one place where it is swapped for the next.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::cache::pages::Pages;
use super::credentials::{Credentials, Secrets};
use super::factories::{Opening, Previous};
use super::users::verify::Verifier;
use super::{Site, Vocabulary, credentials, sessions};
use crate::config::read::Inputs;
use crate::config::settings::{SessionSettings, Settings};
use crate::config::{self, Environment};
use crate::diagnostic::Diagnostics;
use crate::session::factory::SessionFactory;

/// A site with its session factory: what one request sees from its beginning to its end.
#[derive(Debug)]
pub struct Serving {
    /// The site.
    pub site: Site,
    /// Where its sessions live; `None` if no route asks for one.
    pub sessions: Option<Arc<dyn SessionFactory>>,
    /// The replies that are kept.
    pub pages: Pages,
    /// Verifies passwords, before and after a reload.
    pub verifier: Arc<Verifier>,
    credentials: Credentials,
}

impl Serving {
    /// Reads and builds the site at `path` and opens its session factory.
    ///
    /// # Errors
    ///
    /// What was read, if there is an error among `problems`: a reload watches it for the mend.
    pub fn load(
        path: &Path,
        environment: &Environment,
        vocabulary: &Vocabulary,
        secrets: Secrets,
        problems: &mut Diagnostics,
    ) -> Result<Self, Inputs> {
        Self::load_after(None, path, environment, vocabulary, secrets, problems)
    }

    /// Like [`Serving::load`], to be served after `previous`: if neither `[session]` nor a secret
    /// differs, its session factory goes on, with whatever it holds.
    ///
    /// # Errors
    ///
    /// As [`Serving::load`].
    pub fn load_after(
        previous: Option<&Self>,
        path: &Path,
        environment: &Environment,
        vocabulary: &Vocabulary,
        mode: Secrets,
        problems: &mut Diagnostics,
    ) -> Result<Self, Inputs> {
        let mut loaded = config::load(path, environment, problems);
        sessions::leave_aside(&mut loaded.settings, vocabulary);
        let folder = loaded.declarations.as_ref().map_or_else(PathBuf::new, |declared| declared.folder.clone());
        let read_credentials = |settings: &Settings, mode, inputs: &mut Inputs, problems: &mut Diagnostics| {
            credentials::read(settings, &folder, environment, mode, inputs, problems)
        };
        // They are looked at before the site is built, so that one run shows every problem; only a
        // good site has one made.
        let mut inputs = loaded.inputs.clone();
        read_credentials(&loaded.settings, Secrets::LookOnly, &mut inputs, problems);
        let Some(mut site) = Site::build(loaded, vocabulary, problems) else { return Err(inputs) };
        let credentials = read_credentials(&site.settings, mode, &mut site.inputs, problems);
        if problems.has_errors() {
            return Err(site.inputs);
        }
        let sessions = match previous.filter(|previous| previous.opened_with(&site.settings.session, &credentials)) {
            Some(previous) => previous.sessions.clone(),
            None => {
                let opening = Opening {
                    settings: &site.settings.session,
                    credentials: credentials.clone(),
                    folder: &folder,
                    mode,
                    previous: previous.and_then(Self::as_previous),
                };
                sessions::open(&site, opening, vocabulary, problems)
            }
        };
        if problems.has_errors() {
            return Err(site.inputs);
        }
        // Nothing that an older site said is kept.
        let (entries, bytes) = site.cache_limits;
        let verifier = previous.map(|previous| Arc::clone(&previous.verifier)).unwrap_or_default();
        Ok(Self { pages: Pages::new(entries, bytes), site, sessions, verifier, credentials })
    }

    fn opened_with(&self, settings: &SessionSettings, credentials: &Credentials) -> bool {
        self.credentials == *credentials && self.site.settings.session == *settings
    }

    /// Whether visitors keep the sessions they have from when `before` was served.
    pub fn keeps_sessions_of(&self, before: &Self) -> bool {
        let (Some(old), Some(new)) = (&before.sessions, &self.sessions) else { return true };
        if Arc::ptr_eq(old, new) {
            return true;
        }
        let (old, new) = (&before.site.settings.session, &self.site.settings.session);
        let same_place = old.factory == new.factory
            && old.directory == new.directory
            && old.database == new.database
            && old.table == new.table
            && old.key_prefix == new.key_prefix
            && before.credentials.url == self.credentials.url;
        let same_cookie = old.cookie_name == new.cookie_name && old.salt == new.salt && old.hashalg == new.hashalg;
        let newest = before.credentials.secrets.first();
        same_place && same_cookie && newest.is_none_or(|newest| self.credentials.secrets.contains(newest))
    }

    fn as_previous(&self) -> Option<Previous<'_>> {
        let sessions = self.sessions.as_deref()?;
        Some(Previous { settings: &self.site.settings.session, credentials: &self.credentials, sessions })
    }
}

/// What is served now.
#[derive(Clone, Debug)]
pub enum State {
    /// A good site.
    Serving(Arc<Serving>),
    /// There has not been a good site yet: visitors see what is wrong with it.
    Broken(Arc<Diagnostics>),
}

/// The one pointer that a reload swaps. A request takes it once and keeps what it took.
#[derive(Debug)]
pub struct Live(ArcSwap<State>);

impl Live {
    /// Starts with this state.
    pub fn new(state: State) -> Self {
        Self(ArcSwap::from_pointee(state))
    }

    /// What is served now.
    pub fn now(&self) -> Arc<State> {
        self.0.load_full()
    }

    /// Serves something else from the next request on.
    pub fn swap(&self, state: State) {
        self.0.store(Arc::new(state));
    }
}
