use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::session::factory::{BoxFuture, Committed};

const ALL: Rules = Rules { commit: true, refresh: true };

/// One session in memory, with a version: the least a store can be.
#[derive(Debug, Default)]
struct Memory {
    /// The state and its version; `None`: there is no session.
    record: Mutex<(Option<String>, u64)>,
    commits: AtomicU32,
    refresh_due: bool,
    /// What the next commits answer instead.
    failure: Option<SessionError>,
}

impl Memory {
    fn holding(state: &str) -> Self {
        Self { record: Mutex::new((Some(state.to_owned()), 1)), ..Self::default() }
    }

    fn failing(self, failure: SessionError) -> Self {
        Self { failure: Some(failure), ..self }
    }

    fn state(&self) -> Option<String> {
        self.record.lock().expect("the record").0.clone()
    }

    fn commits(&self) -> u32 {
        self.commits.load(Ordering::SeqCst)
    }

    fn replace(&self, seen: &Loaded, session: &Session) -> Result<Committed, SessionError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let seen: Option<&u64> = seen.token.as_ref().and_then(|token| token.downcast_ref());
        let mut record = self.record.lock().expect("the record");
        if seen != Some(&record.1) {
            return Err(SessionError::Conflict);
        }
        let gone = session.is_invalidated() && session.is_empty();
        *record = ((!gone).then(|| session.to_state_text()), record.1 + 1);
        Ok(Committed { set_cookie: Some("set".to_owned()) })
    }
}

impl SessionFactory for Memory {
    fn kind(&self) -> &'static str {
        "test"
    }

    fn cookie_name(&self) -> &str {
        "session"
    }

    fn load<'a>(&'a self, visit: &'a Visit) -> BoxFuture<'a, Result<Loaded, SessionError>> {
        Box::pin(async move {
            let (state, version) = self.record.lock().expect("the record").clone();
            let restored = state.map(|state| Session::restore(1.0, &state).expect("a state"));
            Ok(Loaded {
                standing: match restored {
                    Some(_) => Standing::Verified { secret: 0 },
                    None => Standing::Absent,
                },
                session: restored.unwrap_or_else(|| Session::new(visit.now)),
                refresh_due: self.refresh_due,
                token: Some(Box::new(version)),
            })
        })
    }

    fn commit<'a>(
        &'a self,
        _: &'a Visit,
        loaded: &'a Loaded,
        session: &'a Session,
    ) -> BoxFuture<'a, Result<Committed, SessionError>> {
        Box::pin(async move {
            tokio::task::yield_now().await; // give others the chance to be first
            self.replace(loaded, session)
        })
    }
}

fn n() -> Vec<String> {
    vec!["n".to_owned()]
}

fn increment(session: &mut Session) -> u64 {
    let count = session.get(&n()).and_then(|n| n.as_u64()).unwrap_or(0) + 1;
    session.set(&n(), json!(count)).expect("a map");
    count
}

async fn visit<T: Send>(
    memory: &Memory,
    rules: Rules,
    run: impl FnMut(&mut Session) -> T + Send,
) -> Result<Transacted<T>, SessionError> {
    transact(memory, &Visit::new(5.0, false), rules, run, |_| true).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_increments_are_all_counted() {
    const VISITS: u64 = 64;
    let memory = std::sync::Arc::new(Memory::default());
    let visits: Vec<_> = (0..VISITS)
        .map(|_| {
            let memory = std::sync::Arc::clone(&memory);
            tokio::spawn(async move { visit(&memory, ALL, increment).await.expect("it goes through").outcome })
        })
        .collect();
    let mut seen = Vec::new();
    for visit in visits {
        seen.push(visit.await.expect("no panic"));
    }
    seen.sort_unstable();
    assert!(seen.into_iter().eq(1..=VISITS), "every visitor saw a number of its own");
    assert_eq!(memory.state(), Some(format!(r#"{{"n": {VISITS}}}"#)));
}

#[tokio::test]
async fn a_run_says_what_it_saw_left_and_stored() {
    let memory = Memory::holding(r#"{"n": 1}"#);
    let done = visit(&memory, ALL, increment).await.expect("it goes through");
    assert_eq!((done.outcome, done.attempts, done.committed), (2, 1, true));
    assert_eq!(done.before.to_value(), json!({"n": 1}));
    assert_eq!(done.after.to_value(), json!({"n": 2}));
    assert_eq!(done.standing, Standing::Verified { secret: 0 });
    assert_eq!(done.set_cookie.as_deref(), Some("set"));
}

#[tokio::test]
async fn a_destroyed_session_never_comes_back() {
    let memory = Memory::holding(r#"{"user": "Admin", "n": 1}"#);
    let logout = || {
        let mut record = memory.record.lock().expect("the record");
        *record = (None, record.1 + 1);
    };
    let mut runs = 0;
    let done = visit(&memory, ALL, |session| {
        runs += 1;
        if runs == 1 {
            logout(); // another request ends the session while this one runs
        }
        increment(session)
    });
    let done = done.await.expect("it goes through");
    assert_eq!(done.attempts, 2);
    assert!(done.before.is_new());
    assert_eq!(memory.state().as_deref(), Some(r#"{"n": 1}"#), "no user");
}

#[tokio::test]
async fn head_and_prefetch_store_nothing() {
    let memory = Memory { refresh_due: true, ..Memory::holding("{}") };
    let rules = Rules { commit: false, refresh: true };
    let done = visit(&memory, rules, increment).await.expect("it goes through");
    assert_eq!(done.after.to_value(), json!({"n": 1}), "what it would have been");
    assert!(!done.committed && done.set_cookie.is_none());
    assert_eq!(memory.commits(), 0);
}

#[tokio::test]
async fn a_failed_outcome_stores_nothing() {
    let memory = Memory::holding("{}");
    let visit = Visit::new(5.0, false);
    let run = |session: &mut Session| {
        increment(session);
        Err::<(), _>("a broken template")
    };
    let done = transact(&memory, &visit, ALL, run, Result::is_ok).await;
    assert!(!done.expect("it goes through").committed);
    assert_eq!(memory.state().as_deref(), Some("{}"));
}

#[tokio::test]
async fn readers_store_nothing() {
    for memory in [Memory::default(), Memory::holding(r#"{"n": 1}"#)] {
        let done = visit(&memory, ALL, |session| session.get(&n())).await;
        assert!(!done.expect("it goes through").committed);
        let unchanged = |session: &mut Session| {
            let before = session.get(&n()).unwrap_or(Value::Null);
            session.set(&n(), json!("other")).expect("a map");
            match before {
                Value::Null => drop(session.remove(&n())),
                before => session.set(&n(), before).expect("a map"),
            }
        };
        let done = visit(&memory, ALL, unchanged).await;
        assert!(!done.expect("it goes through").committed);
        assert_eq!(memory.commits(), 0);
    }
}

#[tokio::test]
async fn a_due_refresh_stores_what_was_loaded() {
    let due = |memory| Memory { refresh_due: true, ..memory };
    let memory = due(Memory::holding(r#"{"n":1}"#));
    let done = visit(&memory, ALL, |_| ()).await.expect("it goes through");
    assert!(done.committed && done.set_cookie.is_some());
    assert_eq!(memory.state().as_deref(), Some(r#"{"n":1}"#));

    let quiet = Rules { commit: true, refresh: false };
    let done = visit(&memory, quiet, |_| ()).await.expect("it goes through");
    assert!(!done.committed);

    let absent = due(Memory::default());
    let done = visit(&absent, ALL, |_| ()).await.expect("it goes through");
    assert!(!done.committed, "a new session has nothing to refresh");
}

#[tokio::test]
async fn a_refresh_that_fails_is_left_out_and_told() {
    for error in [
        SessionError::TooLarge { bytes: 2, limit: 1, largest: Vec::new() },
        SessionError::Unavailable("the disk is full".into()),
        SessionError::OutcomeUnknown("the connection broke".into()),
    ] {
        let memory = Memory { refresh_due: true, ..Memory::holding("{}") }.failing(error.clone());
        let done = visit(&memory, ALL, |_| ()).await.expect("the page is answered");
        assert!(!done.committed && done.set_cookie.is_none());
        assert_eq!((done.unrefreshed, memory.commits()), (Some(error.clone()), 1));
        let failed = visit(&memory, ALL, increment).await;
        assert_eq!(failed.expect_err("a change must be stored"), error);
    }
}

#[tokio::test]
async fn an_unknown_outcome_is_never_repeated() {
    let unknown = SessionError::OutcomeUnknown("the connection broke".into());
    let memory = Memory::holding("{}").failing(unknown.clone());
    let mut runs = 0;
    let done = visit(&memory, ALL, |session| {
        runs += 1;
        increment(session)
    });
    assert_eq!(done.await.expect_err("unknown"), unknown);
    assert_eq!((runs, memory.commits()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn endless_conflicts_come_to_an_end() {
    let memory = Memory::holding("{}").failing(SessionError::Conflict);
    let done = visit(&memory, ALL, increment).await;
    assert_eq!(done.expect_err("contended"), SessionError::Contended { attempts: 1000 });
    assert_eq!(memory.commits(), 1000);
}

#[tokio::test]
async fn an_end_and_a_new_identity_are_stored_without_a_change() {
    let memory = Memory::holding("{}");
    let done = visit(&memory, ALL, Session::renew).await.expect("it goes through");
    assert!(done.committed);
    let done = visit(&memory, ALL, |session| session.invalidate(5.0)).await;
    assert!(done.expect("it goes through").committed);
    assert_eq!(memory.state(), None);
    let done = visit(&memory, ALL, Session::renew).await.expect("it goes through");
    assert!(!done.committed, "there is no session to rename");
}

#[tokio::test]
async fn a_state_that_could_not_be_read_back_is_refused() {
    let memory = Memory::holding("{}");
    let done = visit(&memory, ALL, |session| {
        let deep = vec!["d".to_owned(); MAX_DEPTH + 1];
        session.set(&deep, json!(1)).expect("maps");
    });
    assert_eq!(done.await.expect_err("too deep"), SessionError::TooDeep { limit: MAX_DEPTH });
    assert_eq!(memory.state().as_deref(), Some("{}"));
}
