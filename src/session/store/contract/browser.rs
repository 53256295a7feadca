//! A browser with one cookie, and the clock it is visited by.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::{COOKIE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::super::super::Session;
use super::super::super::factory::{Committed, Loaded, SessionError, SessionFactory, Standing, Visit};
use super::super::super::transaction::{Rules, Transacted, transact};
use super::super::StoredOptions;
use super::Subject;

/// What an ordinary page may do.
pub const ALL: Rules = Rules { commit: true, refresh: true };

/// A visitor. A clone is another tab, or somebody who copied the cookie.
#[derive(Clone, Debug)]
pub struct Browser {
    pub factory: Arc<dyn SessionFactory>,
    /// The value of the session cookie.
    pub cookie: Option<String>,
    pub now: f64,
    pub https: bool,
    /// Whether visits say that they may write.
    pub may_write: bool,
}

impl Browser {
    pub fn new(subject: &dyn Subject, options: StoredOptions) -> Result<Self, String> {
        Ok(Self::on(subject.factory(options)?))
    }

    pub fn on(factory: Arc<dyn SessionFactory>) -> Self {
        Self { factory, cookie: None, now: now(), https: false, may_write: true }
    }

    /// The same browser, at another factory over the same sessions.
    pub fn at(&self, subject: &dyn Subject, options: StoredOptions) -> Result<Self, String> {
        Ok(Self { factory: subject.factory(options)?, ..self.clone() })
    }

    /// The same moment and factory, somebody else.
    pub fn stranger(&self) -> Self {
        Self { cookie: None, ..self.clone() }
    }

    pub fn with_cookie(&self, value: impl Into<String>) -> Self {
        Self { cookie: Some(value.into()), ..self.clone() }
    }

    pub fn wait(&mut self, seconds: f64) {
        self.now += seconds;
    }

    pub fn cookie(&self) -> Result<String, String> {
        self.cookie.clone().ok_or_else(|| "there is no session cookie".to_owned())
    }

    fn visit(&self) -> Result<Visit, String> {
        let cookies: Vec<_> = self.cookie.iter().map(String::as_bytes).collect();
        self.visit_with(&cookies)
    }

    /// A visit with these values, all in cookies of our name.
    pub fn visit_with(&self, values: &[&[u8]]) -> Result<Visit, String> {
        let name = self.factory.cookie_name().as_bytes();
        let pairs: Vec<_> = values.iter().map(|value| [name, b"=", value].concat()).collect();
        let mut headers = HeaderMap::new();
        if !pairs.is_empty() {
            let field = HeaderValue::from_bytes(&pairs.join(&b"; "[..]));
            headers.insert(COOKIE, field.map_err(|error| error.to_string())?);
        }
        Ok(Visit::from_headers(&headers, self.now, self.https).writing(self.may_write))
    }

    /// Visits a page that does `run`, and heeds `Set-Cookie`.
    pub async fn go<T: Send>(&mut self, run: impl FnMut(&mut Session) -> T + Send) -> Result<Transacted<T>, String> {
        self.go_with(ALL, run).await.map_err(|error| error.to_string())
    }

    pub async fn go_with<T: Send>(
        &mut self,
        rules: Rules,
        run: impl FnMut(&mut Session) -> T + Send,
    ) -> Result<Transacted<T>, SessionError> {
        let visit = self.visit().map_err(SessionError::Unavailable)?;
        let done = transact(self.factory.as_ref(), &visit, rules, run, |_| true).await?;
        self.heed(done.set_cookie.as_deref());
        Ok(done)
    }

    /// What the factory finds for this browser, without a page.
    pub async fn load(&self) -> Result<Loaded, String> {
        self.load_with(&self.visit()?).await
    }

    pub async fn load_with(&self, visit: &Visit) -> Result<Loaded, String> {
        self.factory.load(visit).await.map_err(|error| error.to_string())
    }

    pub async fn standing(&self) -> Result<Standing, String> {
        let loaded = Self { may_write: false, ..self.clone() }.load().await?;
        Ok(loaded.standing)
    }

    pub async fn is_known(&self) -> Result<bool, String> {
        Ok(matches!(self.standing().await?, Standing::Verified { .. }))
    }

    pub async fn commit(&mut self, loaded: &Loaded, session: &Session) -> Result<Committed, SessionError> {
        let visit = self.visit().map_err(SessionError::Unavailable)?;
        let committed = self.factory.commit(&visit, loaded, session).await?;
        self.heed(committed.set_cookie.as_deref());
        Ok(committed)
    }

    pub fn heed(&mut self, set_cookie: Option<&str>) {
        let Some(set_cookie) = set_cookie else { return };
        let pair = set_cookie.split(';').next().unwrap_or_default();
        let value = pair.split_once('=').map(|(_, value)| value.to_owned());
        self.cookie = value.filter(|value| !value.is_empty());
    }

    pub async fn set(&mut self, key: &str, value: Value) -> Result<Transacted<()>, String> {
        self.go(|session| put(session, key, value.clone())).await
    }

    /// The value in the session; null if there is none.
    pub async fn get(&mut self, key: &str) -> Result<Value, String> {
        Ok(self.go(|session| get(session, key)).await?.outcome)
    }

    /// Adds one to the number under `n`, and says what it is then.
    pub async fn increment(&mut self) -> Result<u64, String> {
        Ok(self.go(increment).await?.outcome)
    }
}

pub fn put(session: &mut Session, key: &str, value: Value) {
    // A key without dots always has a place.
    let _ = session.set(&[key.to_owned()], value);
}

pub fn get(session: &Session, key: &str) -> Value {
    session.get(&[key.to_owned()]).unwrap_or(Value::Null)
}

pub fn pop(session: &mut Session, key: &str) -> Value {
    session.remove(&[key.to_owned()]).unwrap_or(Value::Null)
}

pub fn increment(session: &mut Session) -> u64 {
    let n = get(session, "n").as_u64().unwrap_or(0) + 1;
    put(session, "n", json!(n));
    n
}

/// The time, in whole seconds: some factories keep no more.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64().floor())
}

/// What came of tasks that ran at once.
pub async fn at_once<T, F>(tasks: impl IntoIterator<Item = F>) -> Result<Vec<T>, String>
where
    T: Send + 'static,
    F: Future<Output = Result<T, String>> + Send + 'static,
{
    let mut running: JoinSet<_> = tasks.into_iter().collect();
    let mut results = Vec::new();
    while let Some(done) = running.join_next().await {
        results.push(done.map_err(|error| error.to_string())??);
    }
    Ok(results)
}
