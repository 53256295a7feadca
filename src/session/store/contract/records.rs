//! Sessions in a store: what is written when, and what damage does.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::super::Session;
use super::super::super::factory::{Refusal, SessionFactory, Standing};
use super::super::{Entry, Found, Key, Store, StoredSessions};
use super::browser::Browser;
use super::{Case, Subject, Verdict, check, equal, options, store, text};
use crate::session::store::StoredOptions;

pub(super) const CASES: &[Case] = &[
    Case::store("a_reader_leaves_the_store_empty", |s| Box::pin(a_reader_leaves_the_store_empty(s))),
    Case::store("a_session_is_one_entry", |s| Box::pin(a_session_is_one_entry(s))),
    Case::store("the_store_knows_no_id_and_no_secret", |s| Box::pin(the_store_knows_no_id_and_no_secret(s))),
    Case::store("reading_a_session_writes_nothing", |s| Box::pin(reading_a_session_writes_nothing(s))),
    Case::store("reading_it_late_writes_once", |s| Box::pin(reading_it_late_writes_once(s))),
    Case::store("invalidating_removes_the_record", |s| Box::pin(invalidating_removes_the_record(s))),
    Case::store("renewing_leaves_one_record", |s| Box::pin(renewing_leaves_one_record(s))),
    Case::store("a_conflict_leaves_no_record_behind", |s| Box::pin(a_conflict_leaves_no_record_behind(s))),
    Case::store("an_oversize_session_leaves_no_record", |s| Box::pin(an_oversize_session_leaves_no_record(s))),
    Case::store("a_removed_record_is_no_session", |s| Box::pin(a_removed_record_is_no_session(s))),
    Case::store("a_foreign_record_is_no_session", |s| Box::pin(a_foreign_record_is_no_session(s))),
    Case::store("a_truncated_record_is_no_session", |s| Box::pin(a_truncated_record_is_no_session(s))),
    Case::store("a_damaged_record_is_no_session", |s| Box::pin(a_damaged_record_is_no_session(s))),
    Case::store("a_record_of_a_future_version_is_no_session", |s| {
        Box::pin(a_record_of_a_future_version_is_no_session(s))
    }),
    Case::store("a_record_for_another_cookie_is_no_session", |s| {
        Box::pin(a_record_for_another_cookie_is_no_session(s))
    }),
    Case::store("a_damaged_record_keeps_nobody_out", |s| Box::pin(a_damaged_record_keeps_nobody_out(s))),
    Case::store("a_damaged_record_can_be_removed", |s| Box::pin(a_damaged_record_can_be_removed(s))),
];

/// A visitor with a session, and where its record is.
struct Known {
    browser: Browser,
    store: Arc<dyn Store>,
    sessions: Arc<StoredSessions>,
    key: Key,
}

impl Known {
    async fn new(subject: &dyn Subject) -> Result<Self, String> {
        let store = store(subject)?;
        let sessions = Arc::new(StoredSessions::new(Arc::clone(&store), options()).map_err(text)?);
        let mut browser = Browser::on(Arc::clone(&sessions) as Arc<dyn SessionFactory>);
        browser.set("name", json!("Ada")).await?;
        let key = sessions.key(browser.cookie()?.as_bytes()).ok_or("the cookie names no session")?;
        Ok(Self { browser, store, sessions, key })
    }

    async fn load(&self, key: &Key) -> Result<Option<Found>, String> {
        self.store.load(key).await.map_err(text)
    }

    async fn found(&self) -> Result<Found, String> {
        self.load(&self.key).await?.ok_or_else(|| "the session has no record".to_owned())
    }

    fn key_of(&self, browser: &Browser) -> Result<Key, String> {
        let key = self.sessions.key(browser.cookie()?.as_bytes());
        key.ok_or_else(|| "the cookie names no session".to_owned())
    }

    /// Puts `bytes` in the place of the record.
    async fn replace(&self, bytes: &[u8]) -> Verdict {
        let seen = self.found().await?.version;
        let entry = Entry { expires: Some(self.browser.now as u64 + 3600), bytes: bytes.into() };
        check("the store takes it", self.store.compare_and_set(&self.key, Some(seen), Some(entry)).await == Ok(true))
    }

    /// That the visitor is a new one now.
    async fn is_refused(&self, refusal: Refusal) -> Verdict {
        let loaded = self.browser.load().await?;
        equal("standing", loaded.standing, Standing::Refused(refusal))?;
        check("the session is new and empty", loaded.session.is_new() && loaded.session.is_empty())
    }
}

async fn a_reader_leaves_the_store_empty(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let Ok(before) = store.count().await else { return Ok(()) };
    let mut browser = Browser::new(subject, options())?;
    for _ in 0..100 {
        let mut reader = browser.stranger();
        let done = reader.go(|session| session.is_empty()).await?;
        equal("Set-Cookie", done.set_cookie, None)?;
    }
    browser.cookie = Some("garbage".into());
    browser.go(|session| session.is_empty()).await?;
    equal("entries", store.count().await, Ok(before))
}

async fn a_session_is_one_entry(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let Ok(before) = store.count().await else { return Ok(()) };
    let mut known = Known::new(subject).await?;
    for n in 1..5 {
        equal("n", known.browser.increment().await?, n)?;
        equal("entries", store.count().await, Ok(before + 1))?;
    }
    Ok(())
}

async fn the_store_knows_no_id_and_no_secret(subject: &dyn Subject) -> Verdict {
    let known = Known::new(subject).await?;
    let cookie = known.browser.cookie()?;
    let bytes = known.found().await?.bytes;
    let id = cookie.get(cookie.len() - 40..).unwrap_or_default();
    let leaks = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    check("the cookie is not in the record", !leaks(cookie.as_bytes()) && !leaks(id.as_bytes()))?;
    check("nor is the secret", !leaks(super::secret("a").expose().as_bytes()))
}

async fn reading_a_session_writes_nothing(subject: &dyn Subject) -> Verdict {
    let mut known = Known::new(subject).await?;
    let before = known.found().await?;
    for _ in 0..10 {
        known.browser.wait(10.0);
        equal("the value", known.browser.get("name").await?, json!("Ada"))?;
    }
    equal("the record", known.found().await?, before)
}

async fn reading_it_late_writes_once(subject: &dyn Subject) -> Verdict {
    let mut known = Known::new(subject).await?;
    let before = known.found().await?;
    known.browser.wait(200.0);
    known.browser.get("name").await?;
    let refreshed = known.found().await?;
    check("it is written", refreshed.version != before.version)?;
    for _ in 0..10 {
        known.browser.wait(10.0);
        known.browser.get("name").await?;
    }
    equal("the record", known.found().await?, refreshed)
}

async fn invalidating_removes_the_record(subject: &dyn Subject) -> Verdict {
    let mut known = Known::new(subject).await?;
    let now = known.browser.now;
    known.browser.go(|session| session.invalidate(now)).await?;
    equal("the record", known.load(&known.key).await?, None)
}

async fn renewing_leaves_one_record(subject: &dyn Subject) -> Verdict {
    let mut known = Known::new(subject).await?;
    known.browser.go(Session::renew).await?;
    equal("the old record", known.load(&known.key).await?, None)?;
    let key = known.key_of(&known.browser)?;
    let found = known.load(&key).await?.ok_or("there is no new record")?;
    let record = known.sessions.open(&key, &found).map_err(text)?;
    equal("the state", record.state, r#"{"name": "Ada"}"#)
}

async fn a_conflict_leaves_no_record_behind(subject: &dyn Subject) -> Verdict {
    let known = Known::new(subject).await?;
    let Ok(before) = known.store.count().await else { return Ok(()) };
    let mut late = Browser { may_write: false, ..known.browser.clone() };
    let loaded = late.load().await?;
    late.clone().increment().await?;
    let mut renewed = loaded.session.clone();
    renewed.renew();
    check("it conflicts", late.commit(&loaded, &renewed).await.is_err())?;
    equal("entries", known.store.count().await, Ok(before))
}

async fn an_oversize_session_leaves_no_record(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let Ok(before) = store.count().await else { return Ok(()) };
    let mut browser = Browser::new(subject, StoredOptions { max_record: 1000, ..options() })?;
    let refused = browser.set("text", json!("x".repeat(1000))).await;
    check("it is refused", refused.is_err())?;
    equal("entries", store.count().await, Ok(before))
}

async fn a_removed_record_is_no_session(subject: &dyn Subject) -> Verdict {
    let known = Known::new(subject).await?;
    check("it is removed", known.store.remove(&known.key).await.map_err(text)?)?;
    known.is_refused(Refusal::Unknown).await
}

async fn a_foreign_record_is_no_session(subject: &dyn Subject) -> Verdict {
    let known = Known::new(subject).await?;
    let mut other = known.browser.stranger();
    other.set("name", json!("Grace")).await?;
    let foreign = known.load(&known.key_of(&other)?).await?.ok_or("there is no other record")?;
    known.replace(&foreign.bytes).await?;
    known.is_refused(Refusal::Record).await
}

async fn a_truncated_record_is_no_session(subject: &dyn Subject) -> Verdict {
    let known = Known::new(subject).await?;
    let bytes = known.found().await?.bytes;
    for length in 0..bytes.len() {
        known.replace(bytes.get(..length).unwrap_or_default()).await?;
        known.is_refused(Refusal::Record).await?;
    }
    known.replace(&bytes).await?;
    check("the whole one is", known.browser.is_known().await?)
}

async fn a_damaged_record_is_no_session(subject: &dyn Subject) -> Verdict {
    let known = Known::new(subject).await?;
    let bytes = known.found().await?.bytes;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        if let Some(byte) = damaged.get_mut(at) {
            *byte ^= 1 << (at % 8);
        }
        known.replace(&damaged).await?;
        known.is_refused(Refusal::Record).await?;
    }
    Ok(())
}

async fn a_record_of_a_future_version_is_no_session(subject: &dyn Subject) -> Verdict {
    let known = Known::new(subject).await?;
    let mut bytes = known.found().await?.bytes;
    if let Some(format) = bytes.first_mut() {
        *format += 1;
    }
    known.replace(&bytes).await?;
    known.is_refused(Refusal::Record).await
}

async fn a_record_for_another_cookie_is_no_session(subject: &dyn Subject) -> Verdict {
    let known = Known::new(subject).await?;
    let mut other = options();
    other.cookie.name = "other".into();
    let other = StoredSessions::new(Arc::clone(&known.store), other).map_err(text)?;
    let found = known.found().await?;
    check("the other cookie's factory refuses it", other.open(&known.key, &found).is_err())?;
    check("our own opens it", known.sessions.open(&known.key, &found).is_ok())
}

async fn a_damaged_record_keeps_nobody_out(subject: &dyn Subject) -> Verdict {
    let mut known = Known::new(subject).await?;
    known.replace(b"damaged").await?;
    let old = known.browser.cookie()?;
    equal("n", known.browser.increment().await?, 1)?;
    check("the visitor has another name", known.browser.cookie()? != old)?;
    equal("the value", known.browser.get("name").await?, Value::Null)
}

async fn a_damaged_record_can_be_removed(subject: &dyn Subject) -> Verdict {
    let known = Known::new(subject).await?;
    known.replace(b"").await?;
    check("it is removed", known.store.remove(&known.key).await.map_err(text)?)?;
    known.is_refused(Refusal::Unknown).await
}
