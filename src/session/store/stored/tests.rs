use std::sync::atomic::Ordering;

use http::header::{COOKIE, HeaderMap, HeaderValue};
use serde_json::json;
use tokio::time::Instant;

use super::super::super::transaction::{Rules, Transacted, transact};
use super::super::{MemoryStore, contract};
use super::faulty::{Fault, FaultyStore};
use super::*;

const ALL: Rules = Rules { commit: true, refresh: true };

/// A factory over a store that can fail, and a visitor who has a session.
struct Site {
    store: Arc<FaultyStore>,
    factory: StoredSessions,
    cookie: String,
}

fn secret() -> Secret {
    Secret::new("itsaseekreet".into())
}

fn factory(store: &Arc<FaultyStore>) -> StoredSessions {
    let options = StoredOptions { secrets: vec![secret()], ..StoredOptions::default() };
    StoredSessions::new(Arc::clone(store) as Arc<dyn Store>, options).expect("a secret")
}

fn visit(cookies: &[&str]) -> Visit {
    let pairs: Vec<_> = cookies.iter().map(|value| format!("session={value}")).collect();
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_str(&pairs.join("; ")).expect("a header"));
    Visit::from_headers(&headers, 1000.0, false).writing(true)
}

fn increment(session: &mut Session) -> u64 {
    let path = ["n".to_owned()];
    let n = session.get(&path).and_then(|n| n.as_u64()).unwrap_or(0) + 1;
    session.set(&path, json!(n)).expect("a map");
    n
}

fn value(set_cookie: Option<String>) -> String {
    let set_cookie = set_cookie.expect("a cookie");
    let pair = set_cookie.split(';').next().expect("a pair");
    pair.strip_prefix("session=").expect("our name").to_owned()
}

impl Site {
    async fn new() -> Self {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default())));
        let mut site = Self { factory: factory(&store), store, cookie: String::new() };
        site.cookie = value(site.go(increment).await.expect("it goes through").set_cookie);
        site
    }

    async fn go<T: Send>(&self, run: impl FnMut(&mut Session) -> T + Send) -> Result<Transacted<T>, SessionError> {
        transact(&self.factory, &visit(&[&self.cookie]), ALL, run, |_| true).await
    }

    async fn n(&self) -> u64 {
        self.go(|session| session.get(&["n".to_owned()]).and_then(|n| n.as_u64()).unwrap_or(0))
            .await
            .expect("n")
            .outcome
    }

    /// How many operations of the store `work` takes.
    async fn operations<T>(&self, work: impl Future<Output = T>) -> (T, u32) {
        let before = self.store.operations.load(Ordering::SeqCst);
        let done = work.await;
        (done, self.store.operations.load(Ordering::SeqCst) - before)
    }

    async fn records(&self) -> u64 {
        self.store.count().await.expect("a count")
    }
}

fn unavailable<T>(done: &Result<T, SessionError>) -> bool {
    matches!(done, Err(SessionError::Unavailable(_)))
}

fn unknown<T>(done: &Result<T, SessionError>) -> bool {
    matches!(done, Err(SessionError::OutcomeUnknown(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_a_store_that_works_it_keeps_the_contract() {
    let store: Arc<dyn Store> = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default())));
    contract::verify(&store).await.kept().expect("the contract");
}

#[tokio::test]
async fn a_read_takes_one_operation_and_a_write_two() {
    let site = Site::new().await;
    assert_eq!(site.operations(site.go(|_| ())).await.1, 1);
    assert_eq!(site.operations(site.go(increment)).await.1, 2);
    let stranger = Visit::new(1000.0, false);
    let stranger = transact(&site.factory, &stranger, ALL, |_| (), |()| true);
    assert_eq!(site.operations(stranger).await.1, 0);
    let forged = visit(&[&"A".repeat(86)]);
    let forged = transact(&site.factory, &forged, ALL, |_| (), |()| true);
    assert_eq!(site.operations(forged).await.1, 0, "the signature is checked first");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_or_stalls_is_unavailable_in_time() {
    let site = Site::new().await;
    site.store.fail_loads([Fault::Before, Fault::After, Fault::Stall]);
    for _ in 0..3 {
        let begun = Instant::now();
        assert!(unavailable(&site.go(increment).await));
        assert!(begun.elapsed() <= Duration::from_millis(2100));
    }
    assert_eq!(site.n().await, 1, "it comes back by itself");
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_did_not_happen_changes_nothing_and_sets_no_cookie() {
    let site = Site::new().await;
    site.store.fail_sets([Fault::Before]);
    assert!(unavailable(&site.go(increment).await));
    assert_eq!(site.n().await, 1);
    assert_eq!(site.go(increment).await.expect("it is back").outcome, 2);
}

#[tokio::test(start_paused = true)]
async fn a_sign_of_life_that_is_not_stored_keeps_no_reader_from_the_page() {
    let site = Site::new().await;
    let mut later = visit(&[&site.cookie]);
    later.now += 121.0;
    for fault in [Fault::Before, Fault::After, Fault::Stall] {
        site.store.fail_sets([fault]);
        let done = transact(&site.factory, &later, ALL, |_| (), |()| true).await.expect("the page");
        assert!(!done.committed && done.set_cookie.is_none() && done.unrefreshed.is_some(), "{fault:?}");
        later.now += 121.0; // one of them was stored all the same
    }
    let done = transact(&site.factory, &later, ALL, |_| (), |()| true).await.expect("the page");
    assert!(done.committed && done.unrefreshed.is_none(), "the next visit tries again");
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_outcome_is_unknown_is_not_repeated() {
    let site = Site::new().await;
    for (fault, expected) in [(Fault::After, 2), (Fault::Stall, 2), (Fault::StallAfter, 3)] {
        site.store.fail_sets([fault]);
        let begun = Instant::now();
        let (done, operations) = site.operations(site.go(increment)).await;
        assert!(unknown(&done), "{fault:?}");
        assert_eq!(operations, 2, "{fault:?}");
        assert!(begun.elapsed() <= Duration::from_millis(2100));
        assert_eq!(site.n().await, expected, "{fault:?}");
    }
}

#[tokio::test]
async fn a_store_that_panics_hurts_one_request() {
    let site = Site::new().await;
    site.store.fail_sets([Fault::Panic]);
    assert!(unknown(&site.go(increment).await));
    assert_eq!(site.go(increment).await.expect("the next").outcome, 2);
}

#[tokio::test]
async fn a_commit_ends_even_if_nobody_waits_for_it() {
    let site = Site::new().await;
    let visit = visit(&[&site.cookie]);
    let loaded = site.factory.load(&visit).await.expect("a session");
    let mut session = loaded.session.clone();
    increment(&mut session);
    let mut commit = site.factory.commit(&visit, &loaded, &session);
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(commit.as_mut().poll(cx).is_ready())).await;
    assert!(!polled, "it has begun and not ended");
    drop(commit);
    // The next writer waits for the turn that the commit still has.
    assert_eq!(site.go(increment).await.expect("it goes through").outcome, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_one_session_do_not_collide() {
    let site = Arc::new(Site::new().await);
    let before = site.store.operations.load(Ordering::SeqCst);
    let visits: Vec<_> = (0..50)
        .map(|_| {
            let site = Arc::clone(&site);
            tokio::spawn(async move { site.go(increment).await.expect("it goes through").attempts })
        })
        .collect();
    for visit in visits {
        assert_eq!(visit.await.expect("no panic"), 1);
    }
    assert_eq!(site.store.operations.load(Ordering::SeqCst) - before, 100);
    assert_eq!(site.n().await, 51);
}

#[tokio::test(start_paused = true)]
async fn a_queue_before_a_stalled_store_is_told_at_once() {
    for commits in [false, true] {
        let site = Arc::new(Site::new().await);
        if commits {
            site.store.fail_sets([Fault::Stall; 20]);
        } else {
            site.store.fail_loads([Fault::Stall; 20]);
        }
        let begun = Instant::now();
        let visits: Vec<_> = (0..20)
            .map(|_| {
                let site = Arc::clone(&site);
                tokio::spawn(async move { site.go(increment).await.is_err() })
            })
            .collect();
        for visit in visits {
            assert!(visit.await.expect("no panic"));
        }
        assert!(begun.elapsed() <= Duration::from_millis(2100), "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_name_that_cannot_be_stored_leaves_the_old_one() {
    let site = Site::new().await;
    site.store.fail_sets([Fault::Before]);
    assert!(unavailable(&site.go(Session::renew).await));
    assert_eq!((site.n().await, site.records().await), (1, 1));
    site.store.fail_sets([Fault::StallAfter]);
    assert!(unavailable(&site.go(Session::renew).await), "the record under the new name is nobody's");
    assert_eq!(site.n().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_first_session_that_is_not_confirmed_can_safely_be_tried_again() {
    let site = Site::new().await;
    for fault in [Fault::Before, Fault::After, Fault::Stall, Fault::StallAfter] {
        site.store.fail_sets([fault]);
        let stranger = Visit::new(1000.0, false);
        assert!(unavailable(&transact(&site.factory, &stranger, ALL, increment, |_| true).await), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_name_that_cannot_be_removed_stays_the_only_one() {
    let site = Site::new().await;
    site.store.fail_sets([Fault::None, Fault::Before]);
    assert!(unavailable(&site.go(Session::renew).await));
    assert_eq!((site.n().await, site.records().await), (1, 1));
    site.store.fail_sets([Fault::None, Fault::After]);
    assert!(unknown(&site.go(Session::renew).await));
    assert_eq!(site.n().await, 0, "removed, as it turns out");
}

#[tokio::test]
async fn a_visit_looks_up_four_sessions_at_most() {
    let site = Site::new().await;
    let mut dead = Vec::new();
    for _ in 0..6 {
        let done = transact(&site.factory, &Visit::new(1000.0, false), ALL, increment, |_| true).await;
        let cookie = value(done.expect("it goes through").set_cookie);
        let key = site.factory.key(cookie.as_bytes()).expect("a key");
        assert_eq!(site.store.remove(&key).await, Ok(true));
        dead.push(cookie);
    }
    let visit = visit(&dead.iter().map(String::as_str).collect::<Vec<_>>());
    let (loaded, operations) = site.operations(site.factory.load(&visit)).await;
    assert_eq!(loaded.expect("a new one").standing, Standing::Refused(Refusal::Unknown));
    assert_eq!(operations, 4);
}

#[tokio::test]
async fn a_session_from_the_future_is_refused() {
    let site = Site::new().await;
    let standing = async |now| {
        let mut visit = visit(&[&site.cookie]);
        visit.now = now;
        site.factory.load(&visit).await.expect("an answer").standing
    };
    assert_eq!(standing(880.0).await, Standing::Verified { secret: 0 });
    assert_eq!(standing(879.0).await, Standing::Refused(Refusal::Future));
}

#[tokio::test]
async fn a_cookie_is_explained_without_its_id() {
    let site = Site::new().await;
    let key = site.factory.key(site.cookie.as_bytes()).expect("a key");
    let explained = site.factory.explain(site.cookie.as_bytes(), 0.0).expect("a text");
    assert_eq!(explained, format!("signed with the newest secret; names the session {key}"));
    let explained = site.factory.explain(b"x", 0.0).expect("a text");
    assert_eq!(explained, Refusal::Encoding.to_string());
}

#[tokio::test]
async fn a_store_that_goes_on_under_another_deadline_learns_it_when_the_new_site_is_visited() {
    let site = Site::new().await;
    let told = || site.store.deadline.lock().expect("the deadline").take();
    assert_eq!(told(), Some(Duration::from_secs(2)));
    for (deadline, expected) in [(Duration::from_secs(7), Duration::from_secs(7)), (Duration::MAX, LONGEST_DEADLINE)] {
        let options = StoredOptions { secrets: vec![secret()], deadline, ..StoredOptions::default() };
        let next = StoredSessions::new(Arc::clone(&site.store) as Arc<dyn Store>, options).expect("a secret");
        assert_eq!(told(), None, "the old site is still served");
        let done = transact(&next, &visit(&[&site.cookie]), ALL, increment, |_| true).await;
        assert!(done.is_ok(), "{done:?}");
        assert_eq!(told(), Some(expected));
    }
}

#[tokio::test]
async fn no_secret_is_an_error() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let made = StoredSessions::new(store, StoredOptions::default());
    assert_eq!(made.expect_err("no secret"), SignerError::NoSecret);
}
