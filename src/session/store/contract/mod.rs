//! The contract as cases: what every session factory and every store must do.
//!
//! Run it on a factory or a store of your own, in a test:
//!
//! ```no_run
//! # use std::sync::Arc;
//! use sitewright::session::store::{MemoryStore, Store, contract};
//!
//! # async fn test() {
//! let store: Arc<dyn Store> = Arc::new(MemoryStore::default()); // or yours
//! contract::verify(&store).await.kept().expect("the contract");
//! # }
//! ```
//!
//! Give it a store that nobody else uses meanwhile. The cases run one after
//! the other and by the system's clock, as the store may go by it too; to let
//! a session expire they visit from the future. What a factory cannot promise
//! at all, because the browser keeps its sessions, is in the report as not
//! promised.

mod browser;
mod data;
mod exact;
mod identity;
#[cfg(test)]
pub(super) mod in_turn;
mod life;
mod records;
mod stores;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::super::factory::{BoxFuture, SessionFactory};
use super::super::secret::Secret;
use super::{Store, StoredOptions, StoredSessions};

/// How long a case may take. Reached by what hangs, not by what is slow.
const CASE_LASTS_AT_MOST: Duration = Duration::from_secs(120);

/// What is examined: something that makes factories.
pub trait Subject: Send + Sync {
    /// A factory over the sessions of this subject: a second one is what
    /// another process has, or this one after a reload. It heeds the cookie,
    /// the times and the secrets in `options`, and the rest if it can.
    ///
    /// # Errors
    /// Why there is none.
    fn factory(&self, options: StoredOptions) -> Result<Arc<dyn SessionFactory>, String>;

    /// Who keeps the sessions, and so how much there is to promise.
    fn keeper(&self) -> Keeper;

    /// The store the sessions are in, if it is a [`Store`].
    fn store(&self) -> Option<Arc<dyn Store>> {
        None
    }
}

/// Who keeps the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeper {
    /// The browser does: an old cookie is as good as a new one.
    Browser,
    /// The server does, in whatever way.
    Server,
    /// The server does, in a [`Store`].
    Store,
}

/// Every store is a subject, through [`StoredSessions`].
impl Subject for Arc<dyn Store> {
    fn factory(&self, options: StoredOptions) -> Result<Arc<dyn SessionFactory>, String> {
        let factory = StoredSessions::new(Arc::clone(self), options).map_err(|error| error.to_string())?;
        Ok(Arc::new(factory))
    }

    fn keeper(&self) -> Keeper {
        Keeper::Store
    }

    fn store(&self) -> Option<Arc<dyn Store>> {
        Some(Arc::clone(self))
    }
}

/// Nothing, or what is not as it should be.
pub type Verdict = Result<(), String>;

/// One thing the contract demands.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What is demanded, in snake case.
    pub name: &'static str,
    /// Of whom: sessions with this keeper, or a later one in the order.
    pub keeper: Keeper,
    /// Finds out.
    pub run: for<'s> fn(&'s dyn Subject) -> BoxFuture<'s, Verdict>,
}

impl Case {
    const fn any(name: &'static str, run: for<'s> fn(&'s dyn Subject) -> BoxFuture<'s, Verdict>) -> Self {
        Self { name, keeper: Keeper::Browser, run }
    }

    const fn server(name: &'static str, run: for<'s> fn(&'s dyn Subject) -> BoxFuture<'s, Verdict>) -> Self {
        Self { name, keeper: Keeper::Server, run }
    }

    const fn store(name: &'static str, run: for<'s> fn(&'s dyn Subject) -> BoxFuture<'s, Verdict>) -> Self {
        Self { name, keeper: Keeper::Store, run }
    }
}

/// Every case there is.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    let groups: [&[Case]; 6] = [life::CASES, identity::CASES, data::CASES, exact::CASES, stores::CASES, records::CASES];
    groups.into_iter().flatten()
}

/// Runs every case on `subject`.
pub async fn verify(subject: &dyn Subject) -> Report {
    let mut findings = Vec::new();
    for case in cases() {
        let finding = if case.keeper > subject.keeper() {
            Finding::NotPromised
        } else {
            let verdict = timeout(CASE_LASTS_AT_MOST, (case.run)(subject)).await;
            match verdict.unwrap_or_else(|_| Err(format!("not done within {CASE_LASTS_AT_MOST:?}"))) {
                Ok(()) => Finding::Kept,
                Err(why) => Finding::Broken(why),
            }
        };
        findings.push((case.name, finding));
    }
    Report { findings }
}

/// What a case found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is as demanded.
    Kept,
    /// It is not.
    Broken(String),
    /// It is not demanded of this subject.
    NotPromised,
}

/// What all cases found.
#[derive(Clone)]
pub struct Report {
    /// The names of the cases, and what each found.
    pub findings: Vec<(&'static str, Finding)>,
}

impl Report {
    /// The report, if everything that was promised is kept.
    ///
    /// # Errors
    /// The report, which names what is broken when shown.
    pub fn kept(self) -> Result<Self, Self> {
        let broken = |(_, finding): &(_, Finding)| matches!(finding, Finding::Broken(_));
        if self.findings.iter().any(broken) { Err(self) } else { Ok(self) }
    }
}

/// How much is kept, and then everything that is not.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.findings.iter().filter(|(_, finding)| *finding == Finding::Kept).count();
        write!(f, "{kept} of {} cases kept", self.findings.len())?;
        for (name, finding) in &self.findings {
            match finding {
                Finding::Kept => {}
                Finding::Broken(why) => write!(f, "\n  {name}: {why}")?,
                Finding::NotPromised => write!(f, "\n  {name}: not promised")?,
            }
        }
        Ok(())
    }
}

/// As it is displayed, so that `expect` prints it well.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The settings most cases begin with. No case is about the deadline, so a
/// slow machine gets all the time it needs.
fn options() -> StoredOptions {
    StoredOptions { secrets: vec![secret("a")], deadline: CASE_LASTS_AT_MOST, ..StoredOptions::default() }
}

/// A secret that differs with `name`.
fn secret(name: &str) -> Secret {
    Secret::new(format!("only-for-the-contract-{name}-wJalrXUtnFEMIK7MDENG"))
}

/// The subject's store; cases that need one are run only where there is.
fn store(subject: &dyn Subject) -> Result<Arc<dyn Store>, String> {
    subject.store().ok_or_else(|| "the subject says it has a store, and has none".to_owned())
}

fn check(demand: &str, kept: bool) -> Verdict {
    if kept { Ok(()) } else { Err(demand.to_owned()) }
}

fn equal<T: PartialEq + fmt::Debug>(what: &str, found: T, wanted: T) -> Verdict {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?} instead of {wanted:?}")) }
}

/// An error as the text of a verdict.
fn text(error: impl fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests;
