use super::super::super::factory::{
    CookieReading, EncryptedCookie, EncryptedCookieOptions, SignedCookie, SignedCookieOptions, SignerError,
};
use super::super::{Entry, Found, Key, MemoryStore, StoreError};
use super::*;

/// A factory that keeps sessions in the browser: what it cannot promise is
/// named, and what it does promise holds.
struct InTheCookie(fn(StoredOptions) -> Result<Arc<dyn SessionFactory>, SignerError>);

impl Subject for InTheCookie {
    fn factory(&self, options: StoredOptions) -> Result<Arc<dyn SessionFactory>, String> {
        self.0(options).map_err(text)
    }

    fn keeper(&self) -> Keeper {
        Keeper::Browser
    }
}

async fn keeps_what_a_cookie_can(subject: InTheCookie) {
    let report = verify(&subject).await.kept().expect("the contract");
    let not_promised = report.findings.iter().filter(|(_, finding)| *finding == Finding::NotPromised);
    let server_side = cases().filter(|case| case.keeper > Keeper::Browser);
    assert!(not_promised.map(|(name, _)| *name).eq(server_side.map(|case| case.name)));
}

#[tokio::test]
async fn signed_cookies_keep_what_they_promise() {
    keeps_what_a_cookie_can(InTheCookie(|options| {
        Ok(Arc::new(SignedCookie::new(SignedCookieOptions {
            cookie: options.cookie,
            lifetimes: options.lifetimes,
            secrets: options.secrets,
            reading: CookieReading::Strict,
            ..SignedCookieOptions::default()
        })?))
    }))
    .await;
}

#[tokio::test]
async fn encrypted_cookies_keep_what_they_promise() {
    keeps_what_a_cookie_can(InTheCookie(|options| {
        Ok(Arc::new(EncryptedCookie::new(EncryptedCookieOptions {
            cookie: options.cookie,
            lifetimes: options.lifetimes,
            secrets: options.secrets,
        })?))
    }))
    .await;
}

#[test]
fn there_are_many_cases_and_every_name_is_another() {
    let names: std::collections::BTreeSet<_> = cases().map(|case| case.name).collect();
    assert_eq!(names.len(), cases().count());
    assert!(names.len() >= 100, "{}", names.len());
}

/// A store that forgets to compare: the suite must notice.
#[derive(Debug, Default)]
struct LastWriterWins(MemoryStore);

impl Store for LastWriterWins {
    fn kind(&self) -> &'static str {
        "careless"
    }

    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
        self.0.load(key)
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        _: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let seen = self.0.load(key).await?.map(|found| found.version);
            self.0.compare_and_set(key, seen, next).await
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_compare_is_found_out() {
    let store: Arc<dyn Store> = Arc::new(LastWriterWins::default());
    let report = verify(&store).await.kept().expect_err("it is broken");
    let broken =
        |name| report.findings.iter().any(|(found, finding)| *found == name && matches!(finding, Finding::Broken(_)));
    for name in ["an_entry_is_created_once", "a_commit_to_a_changed_session_conflicts", "a_commit_counts_once"] {
        assert!(broken(name), "{name}");
    }
    assert!(report.to_string().contains("an_entry_is_created_once: "));
}
