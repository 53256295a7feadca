use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::super::super::contract::{self, in_turn::InTurn};
use super::*;

const KEY: Key = Key::new([7; Key::SIZE]);
/// Tells a test that it is the process that another run of it has started,
/// and which file to use.
const CHILD: &str = "SITEWRIGHT_TEST_SQLITE_CHILD";

fn store(file: &Path) -> SqliteStore {
    SqliteStore::new(SqliteOptions { database: file.into(), ..SqliteOptions::default() }).expect("a store")
}

fn entry(bytes: &[u8]) -> Option<Entry> {
    Some(Entry { expires: Some(1000), bytes: bytes.into() })
}

fn bytes(found: Option<Found>) -> Option<Vec<u8>> {
    found.map(|found| found.bytes.into_vec())
}

async fn version(store: &SqliteStore, key: &Key) -> Option<u64> {
    store.load(key).await.expect("a file").map(|found| found.version)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_keep_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    // Nothing but the file is shared between these, as between processes.
    let store = || Arc::new(self::store(&folder.path().join("sessions.sqlite")));
    let store = InTurn::of([store(), store()]);
    contract::verify(&store).await.kept().expect("the contract");
}

#[tokio::test]
async fn sessions_outlive_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sessions.sqlite");
    let first = store(&file);
    assert_eq!(first.compare_and_set(&KEY, None, entry(b"old")).await, Ok(true));
    drop(first);
    assert_eq!(bytes(store(&file).load(&KEY).await.expect("a file")), Some(b"old".to_vec()));
}

#[tokio::test]
async fn nothing_is_made_before_the_first_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a").join("sessions.sqlite");
    let store = store(&path);
    assert_eq!(store.load(&KEY).await, Ok(None));
    assert_eq!(store.count().await, Ok(0));
    assert_eq!(store.sweep(1e12, 10).await, Ok(Swept::default()));
    assert_eq!(store.list(None, 10).await, Ok(Page::default()));
    assert_eq!(store.remove(&KEY).await, Ok(false));
    assert_eq!(store.compare_and_set(&KEY, None, None).await, Ok(true));
    assert_eq!(store.compare_and_set(&KEY, Some(1), entry(b"late")).await, Ok(false));
    assert_eq!(store.compare_and_set(&KEY, Some(1), None).await, Ok(false));
    assert!(!folder.path().join("a").exists());
}

#[tokio::test]
async fn only_the_owner_may_look() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a").join("sessions.sqlite");
    let store = store(&path);
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"private")).await, Ok(true));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder.path().join("a")), 0o700);
    let files = fs::read_dir(folder.path().join("a")).expect("a folder").map(|file| file.expect("a file").path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let with = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    assert_eq!(files, [path.clone(), with("-shm"), with("-wal")]);
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn every_commit_waits_for_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder.path().join("sessions.sqlite"));
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"old")).await, Ok(true));
    let asked = store.inner.writer.read(
        || sqlx::query_as("SELECT journal_mode, synchronous FROM pragma_journal_mode, pragma_synchronous"),
        |connection, query| Box::pin(query.fetch_one(connection)),
    );
    assert_eq!(asked.await, Ok(Some(("wal".to_owned(), 2_i64))));
}

#[tokio::test]
async fn other_processes_are_waited_for_in_proportion_to_the_deadline() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder.path().join("sessions.sqlite"));
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"old")).await, Ok(true));
    for (deadline, busy) in [(None, 750_i64), (Some(1), 375), (Some(60), 22_500)] {
        if let Some(seconds) = deadline {
            store.answer_within(Duration::from_secs(seconds));
        }
        for connections in [&store.inner.writer, &store.inner.readers] {
            let asked = connections.read(
                || sqlx::query_scalar("PRAGMA busy_timeout"),
                |connection, query| Box::pin(query.fetch_one(connection)),
            );
            assert_eq!(asked.await, Ok(Some(busy)));
        }
    }
}

#[tokio::test]
async fn a_sweep_looks_nowhere_but_in_the_index() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder.path().join("sessions.sqlite"));
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"old")).await, Ok(true));
    let explain = statement("sitewright_sessions", &format!("EXPLAIN QUERY PLAN {}", store.inner.sweep.as_str()));
    let plan = store.inner.writer.read(
        || sqlx::query_as::<_, (i64, i64, i64, String)>(explain.clone()).bind(0_i64).bind(1_i64),
        |connection, query| Box::pin(query.fetch_all(connection)),
    );
    let plan: Vec<_> = plan.await.expect("a plan").expect("a table").into_iter().map(|step| step.3).collect();
    assert!(plan.iter().any(|step| step.contains("sitewright_sessions_expires (expires<?)")), "{plan:?}");
    assert!(!plan.iter().any(|step| step.starts_with("SCAN sitewright")), "{plan:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_begin_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a").join("sessions.sqlite");
        let beginning = (0..8_u8).map(|number| {
            let store = store(&file);
            tokio::spawn(async move { store.compare_and_set(&Key::new([number; 32]), None, entry(b"first")).await })
        });
        for task in beginning.collect::<Vec<_>>() {
            assert_eq!(task.await.expect("no panic"), Ok(true));
        }
        assert_eq!(store(&file).count().await, Ok(8));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_load_that_nobody_waits_for_crosses_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder.path().join("sessions.sqlite"));
    let keys: Vec<_> = (0..16_u8).map(|number| Key::new([number; 32])).collect();
    for key in &keys {
        assert_eq!(store.compare_and_set(key, None, entry(key.as_bytes())).await, Ok(true));
    }
    let loading = (0..400_u32).map(|number| {
        let (store, key) = (store.clone(), keys[number as usize % keys.len()]);
        tokio::spawn(async move {
            let patience = Duration::from_micros(u64::from(number * 7 % 50) * 10);
            if number % 2 == 0 {
                drop(tokio::time::timeout(patience, store.load(&key)).await);
            } else {
                let found = store.load(&key).await.expect("a file").expect("an entry");
                assert_eq!(*found.bytes, *key.as_bytes());
            }
        })
    });
    for task in loading.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
}

#[tokio::test]
async fn what_is_no_database_is_an_error_until_it_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sessions.sqlite");
    fs::write(&file, "x".repeat(4096)).expect("a file");
    let store = store(&file);
    let error = store.load(&KEY).await.expect_err("it is no database").to_string();
    assert!(error.contains("sessions.sqlite") && error.contains("not a database"), "{error}");
    assert!(matches!(store.compare_and_set(&KEY, None, entry(b"new")).await, Err(StoreError::Unavailable(_))));
    fs::remove_file(&file).expect("a file");
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"new")).await, Ok(true), "it comes back by itself");
}

#[tokio::test]
async fn a_file_that_was_removed_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sessions.sqlite");
    let store = store(&file);
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"old")).await, Ok(true));
    assert_eq!(store.count().await, Ok(1));
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{}{suffix}", file.display())).expect("a file");
    }
    assert_eq!(store.load(&KEY).await, Ok(None));
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"new")).await, Ok(true));
    assert_eq!(bytes(self::store(&file).load(&KEY).await.expect("a file")), Some(b"new".to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_stuck_holds_up_no_reader_and_writers_not_for_long() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sessions.sqlite");
    let store = store(&file);
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"old")).await, Ok(true));
    let mut stuck = SqliteConnectOptions::new().filename(&file).connect().await.expect("a connection");
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut stuck).await.expect("a lock");
    let seen = version(&store, &KEY).await;
    let done = store.compare_and_set(&KEY, seen, entry(b"new")).await;
    assert!(matches!(&done, Err(StoreError::Unavailable(why)) if why.contains("locked")), "{done:?}");
    assert_eq!(bytes(store.load(&KEY).await.expect("a file")), Some(b"old".to_vec()));
    drop(stuck);
    assert_eq!(store.compare_and_set(&KEY, seen, entry(b"new")).await, Ok(true));
}

/// This test once more, in a process of its own.
fn child(test: &str, file: &Path, shell: &str) -> Child {
    let test = format!("session::store::sql::sqlite::tests::{test}");
    let program = std::env::current_exe().expect("a program");
    let mut command = Command::new("sh");
    command.args(["-c", shell]).arg(program).args(["--exact", &test, "--nocapture"]).env(CHILD, file);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a process")
}

/// What a child does: counts on in session after session, and says after each
/// step what is confirmed, or that it failed. Ends at the first failure.
async fn count_and_tell(file: &Path, filler: usize) {
    let store = store(file);
    for step in 0_u32.. {
        let key = Key::new([step as u8 % 16; 32]);
        let mut state = vec![0; filler];
        state.extend_from_slice(&step.to_be_bytes());
        let seen = version(&store, &key).await;
        match store.compare_and_set(&key, seen, entry(&state)).await {
            Ok(true) => println!("\ndone {step}"),
            other => return println!("\nfailed {other:?}"),
        }
    }
}

/// The last step that a child confirmed, for each session, and what it says at the end.
fn told(child: &mut Child, lines: usize) -> (BTreeMap<u8, u32>, Option<String>) {
    let (mut done, mut failed) = (BTreeMap::new(), None);
    let said = BufReader::new(child.stdout.take().expect("a pipe"));
    for line in said.lines() {
        let line = line.expect("text");
        if let Some(step) = line.strip_prefix("done ") {
            let step: u32 = step.parse().expect("a number");
            done.insert(step as u8 % 16, step);
            if step as usize >= lines {
                child.kill().expect("it lives"); // what it still said is read as well
            }
        } else if let Some(why) = line.strip_prefix("failed ") {
            failed = Some(why.to_owned());
        }
    }
    child.wait().expect("it has ended");
    (done, failed)
}

/// What is in the store: for each session, the last step.
async fn steps(store: &SqliteStore) -> BTreeMap<u8, u32> {
    let page = store.list(None, 100).await.expect("a list");
    let step = |found: &Found| u32::from_be_bytes(*found.bytes.last_chunk().expect("four bytes"));
    page.entries.iter().map(|(key, found)| (key.first(), step(found))).collect()
}

#[tokio::test]
async fn kill_9_loses_nothing_that_was_confirmed_and_leaves_no_lock() {
    if let Some(file) = std::env::var_os(CHILD) {
        return count_and_tell(Path::new(&file), 100).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sessions.sqlite");
    for round in 1..6 {
        let name = "kill_9_loses_nothing_that_was_confirmed_and_leaves_no_lock";
        let mut child = child(name, &file, r#"exec "$0" "$@""#);
        let (done, failed) = told(&mut child, round * 17);
        assert_eq!(failed, None);
        assert!(done.len() > 1);
        let store = store(&file);
        let there = steps(&store).await;
        for (session, step) in done {
            // The step that was on its way may be there or not.
            assert!(there[&session] == step || there[&session] == step + 16, "{session}: {step}, {there:?}");
        }
        let key = Key::new([0; 32]);
        let seen = version(&store, &key).await;
        assert_eq!(store.compare_and_set(&key, seen, entry(&[0; 4])).await, Ok(true), "no lock is left");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_an_error_and_the_old_record_stays() {
    if let Some(file) = std::env::var_os(CHILD) {
        return count_and_tell(Path::new(&file), 5000).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sessions.sqlite");
    let name = "a_full_disk_is_an_error_and_the_old_record_stays";
    // No file may have more than 200 KB: to SQLite, the disk is full then.
    let mut child = child(name, &file, r#"trap '' XFSZ; ulimit -f 400; exec "$0" "$@""#);
    let (done, failed) = told(&mut child, usize::MAX);
    assert!(failed.is_some_and(|why| why.starts_with("Err")), "{done:?}");
    assert!(done.len() > 1);
    let store = store(&file);
    assert_eq!(steps(&store).await, done, "what was confirmed is there, and nothing else");
    let key = Key::new([0; 32]);
    let seen = version(&store, &key).await;
    assert_eq!(store.compare_and_set(&key, seen, entry(&[0; 4])).await, Ok(true), "with room again, it works again");
}

#[test]
fn a_store_does_not_need_a_server_or_a_runtime_to_be_made() {
    assert_eq!(format!("{:?}", store(Path::new("/x/s.sqlite"))), r#"SqliteStore { file: "/x/s.sqlite", .. }"#);
    let options = SqliteOptions { table: "a; DROP TABLE b".into(), ..SqliteOptions::default() };
    assert!(SqliteStore::new(options).expect_err("no name").message.contains("no name for a table"));
}
