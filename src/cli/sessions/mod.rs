//! `sitewright sessions`: the sessions that a store keeps, while the site is being served or not.
//!
//! A session is called by its handle: the [`Key`](crate::session::store::Key) that the store has it
//! under, which opens nothing. The store is what a server asks at every request, so what is removed
//! here is gone there.

mod handle;
mod list;
mod purge;
mod revoke;
mod row;
mod show;
mod times;

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;
use tokio::time::timeout;

use super::{Exit, block_on, complain, load_as, now};
use crate::diagnostic;
use crate::session::factory::SessionFactory;
use crate::session::store::{Cursor, Found, Key, Page, Store, StoreError, StoredSessions};
use crate::site::Vocabulary;
use crate::site::credentials::Secrets;
use crate::site::factories::HeldBy;

/// How long an operator waits for one answer of a store.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many sessions are asked for at a time.
const PAGE: usize = 1000;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sitewright sessions                  who has a session, the latest first
  sitewright sessions show 3f9a0c      what it holds
  sitewright sessions revoke 3f9a0c    end it: its visitor is logged out
  sitewright sessions purge --expired  remove what has timed out
  sitewright sessions --format json    for scripts")]
pub struct Options {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: list::Options,
}

#[derive(Subcommand, Debug)]
enum What {
    /// List sessions, without what they hold (the default)
    List(list::Options),
    /// Show one session, with what it holds
    Show(show::Options),
    /// End sessions
    Revoke(revoke::Options),
    /// Remove sessions that have timed out, or all
    Purge(purge::Options),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Why a command ends before its work is done.
enum Stop {
    /// Said already, on standard error.
    Said(Exit),
    /// To be said.
    Because(Exit, String),
    /// The output cannot be written.
    Output(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Because(Exit::Program, error.to_string())
    }
}

/// The sessions of a site and the moment they are looked at.
struct Sessions<'a> {
    stored: &'a StoredSessions,
    now: f64,
}

pub fn run(options: &Options, config: &Path, vocabulary: &Vocabulary, out: &mut impl Write) -> io::Result<Exit> {
    match block_on(attempt(options, config, vocabulary, out)) {
        Ok(Ok(exit)) | Ok(Err(Stop::Said(exit))) | Err(exit) => Ok(exit),
        Ok(Err(Stop::Because(exit, message))) => {
            complain(&message);
            Ok(exit)
        }
        Ok(Err(Stop::Output(error))) => Err(error),
    }
}

async fn attempt(
    options: &Options,
    config: &Path,
    vocabulary: &Vocabulary,
    out: &mut impl Write,
) -> Result<Exit, Stop> {
    let factory = open(config, vocabulary)?;
    let sessions = Sessions { stored: stored(factory.as_ref(), vocabulary)?, now: now() };
    sessions.store().answer_within(PATIENCE);
    match &options.what {
        None => list::run(&options.list, &sessions, out).await,
        Some(What::List(options)) => list::run(options, &sessions, out).await,
        Some(What::Show(options)) => show::run(options, &sessions, out).await,
        Some(What::Revoke(options)) => revoke::run(options, &sessions, out).await,
        Some(What::Purge(options)) => purge::run(options, &sessions, out).await,
    }
}

/// The factory of the site, over the sessions that are served.
fn open(config: &Path, vocabulary: &Vocabulary) -> Result<std::sync::Arc<dyn SessionFactory>, Stop> {
    let serving = load_as(config, vocabulary, Secrets::MustExist).map_err(Stop::Said)?;
    serving.sessions.ok_or_else(|| Stop::Because(Exit::Problems, "this site declares no sessions".to_owned()))
}

/// The sessions behind it, if they can be reached from here.
fn stored<'f>(factory: &'f dyn SessionFactory, vocabulary: &Vocabulary) -> Result<&'f StoredSessions, Stop> {
    let kind = factory.kind();
    let held_by = vocabulary.factory(kind).map(|kind| kind.held_by);
    let why = match (factory.stored(), held_by) {
        (Some(_), Some(HeldBy::Process)) => format!(
            "the sessions of `{kind}` live in the process that serves the site, and nobody else can reach them; they \
             end with it"
        ),
        (Some(stored), _) => return Ok(stored),
        (None, Some(HeldBy::Browser)) => format!(
            "the sessions of `{kind}` are held by the browsers: there is no list of them, and none can be ended from \
             here; a new secret ends all of them, and `sitewright cookie VALUE` shows one"
        ),
        (None, _) => format!("the sessions of `{kind}` are in no store that can be looked into"),
    };
    Err(Stop::Because(Exit::Problems, why))
}

impl Sessions<'_> {
    fn store(&self) -> &dyn Store {
        self.stored.store().as_ref()
    }

    async fn load(&self, key: &Key) -> Result<Option<Found>, Stop> {
        Ok(answer(self.store().load(key)).await?)
    }

    async fn remove(&self, key: &Key) -> Result<bool, Stop> {
        Ok(done(self.store().remove(key)).await?)
    }

    /// The next page; `None` after the last.
    async fn page(&self, place: &mut Place, at_most: usize) -> Result<Option<Page>, StoreError> {
        let from = match std::mem::replace(place, Place::End) {
            Place::Start => None,
            Place::After(cursor) => Some(cursor),
            Place::End => return Ok(None),
        };
        let page = answer(self.store().list(from, at_most)).await?;
        if let Some(next) = &page.next {
            *place = Place::After(next.clone());
        }
        Ok(Some(page))
    }

    /// Why the sessions cannot be listed.
    fn unlisted(&self, error: StoreError) -> Stop {
        if error != StoreError::Unsupported {
            return error.into();
        }
        let kind = self.store().kind();
        let message = format!(
            "`{kind}` cannot say which sessions it has; `show` and `revoke` take a whole handle, which `sitewright \
             cookie VALUE` prints"
        );
        Stop::Because(Exit::Problems, message)
    }
}

/// How far a list has been read.
enum Place {
    Start,
    After(Cursor),
    End,
}

/// What the store answers, if it does so in time.
async fn answer<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(StoreError::Unavailable(late())))
}

/// The same, for what changes something.
async fn done<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(StoreError::OutcomeUnknown(late())))
}

fn late() -> String {
    format!("no answer within {PATIENCE:?}")
}

/// JSON for a terminal: what could steer it is escaped.
fn pretty(value: &Value) -> String {
    let text = format!("{value:#}");
    let escaped = |c: char| match c {
        '\n' => c.to_string(),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// "1 session", "2 sessions".
fn counted(number: u64) -> String {
    diagnostic::counted(number, "session")
}
