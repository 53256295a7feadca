use std::fs;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::time::SystemTime;

use tokio::time::timeout;

use super::super::contract::{self, in_turn::InTurn};
use super::*;
use crate::session::private::private_file;

/// Beyond any slowness of the machine.
const LONG: Duration = Duration::from_secs(60);

const KEY: Key = Key::new([7; Key::SIZE]);

fn entry(bytes: &[u8]) -> Option<Entry> {
    Some(Entry { expires: Some(1000), bytes: bytes.into() })
}

fn bytes(found: Option<Found>) -> Option<Vec<u8>> {
    found.map(|found| found.bytes.into_vec())
}

fn shard(folder: &Path) -> PathBuf {
    folder.join("07")
}

/// The files in the folder of `KEY`, but for the lock.
fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(shard(folder)).expect("a folder").map(|file| file.expect("a file").file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().expect("a name")).collect();
    names.retain(|name| name != ".lock");
    names.sort();
    names
}

async fn sweep(store: &FileStore, now: f64) -> usize {
    let mut removed = 0;
    loop {
        let swept = store.sweep(now, 100).await.expect("a sweep");
        removed += swept.removed;
        if !swept.more {
            return removed;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_keep_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    // Nothing but the folder is shared between these, as between processes.
    let store = || Arc::new(FileStore::new(folder.path().join("sessions")));
    let store = InTurn::of([store(), store()]);
    contract::verify(&store).await.kept().expect("the contract");
}

#[tokio::test]
async fn sessions_outlive_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::new(folder.path());
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"old")).await, Ok(true));
    drop(store);
    let store = FileStore::new(folder.path());
    let found = store.load(&KEY).await.expect("a file");
    assert_eq!(bytes(found), Some(b"old".to_vec()));
}

#[tokio::test]
async fn nothing_is_made_before_the_first_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions");
    let store = FileStore::new(&path);
    assert_eq!(store.load(&KEY).await, Ok(None));
    assert_eq!(store.count().await, Ok(0));
    assert_eq!(sweep(&store, 1e12).await, 0);
    assert!(!path.exists());
}

#[tokio::test]
async fn only_the_owner_may_look() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a").join("sessions");
    let store = FileStore::new(&path);
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"private")).await, Ok(true));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&shard(&path)), 0o700);
    assert_eq!(mode(&shard(&path).join(KEY.to_string())), 0o600);
    assert_eq!(mode(&shard(&path).join(".lock")), 0o600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_stuck_holds_up_its_folder_only_and_no_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::new(folder.path());
    store.answer_within(LONG);
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"old")).await, Ok(true));
    let stuck = private_file().open(shard(folder.path()).join(".lock")).expect("a lock");
    stuck.lock().expect("a lock");
    let writing = tokio::spawn({
        let store = store.clone();
        async move { store.compare_and_set(&KEY, Some(1), entry(b"new")).await }
    });
    assert_eq!(bytes(store.load(&KEY).await.expect("a file")), Some(b"old".to_vec()));
    assert_eq!(store.compare_and_set(&Key::new([8; 32]), None, entry(b"other")).await, Ok(true));
    assert!(!writing.is_finished());
    drop(stuck); // as the kernel does when the process ends
    assert_eq!(writing.await.expect("no panic"), Ok(true));
}

#[tokio::test]
async fn a_change_that_others_hold_up_for_too_long_is_never_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::new(folder.path());
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"old")).await, Ok(true));
    let stuck = private_file().open(shard(folder.path()).join(".lock")).expect("a lock");
    stuck.lock().expect("a lock");
    store.answer_within(Duration::from_millis(40));
    // The first has its turn and waits for the other process, the second waits for the first.
    for attempt in ["for the lock", "for its turn"] {
        let done = store.compare_and_set(&KEY, Some(1), entry(b"new")).await;
        assert!(matches!(done, Err(StoreError::Unavailable(_))), "{attempt}: {done:?}");
    }
    store.answer_within(LONG);
    drop(stuck);
    assert_eq!(store.compare_and_set(&KEY, Some(1), entry(b"newer")).await, Ok(true), "nothing has changed");
}

#[tokio::test]
async fn every_folder_on_the_way_to_a_record_is_on_the_disk_once_it_is_confirmed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, above) = (folder.path(), folder.path().join("a"));
    let sessions = above.join("sessions");
    let noted = Arc::new(Mutex::new(Vec::new()));
    let synced = || std::mem::take(&mut *noted.lock().expect("no panic"));
    let store = || {
        let noted = Arc::clone(&noted);
        let note = move |step, path: &Path| {
            if step == Step::SyncFolder {
                noted.lock().expect("no panic").push(path.to_owned());
            }
            Ok(())
        };
        FileStore::on(odd_disk(note), sessions.clone())
    };
    let first = store();
    assert_eq!(first.compare_and_set(&KEY, None, entry(b"1")).await, Ok(true));
    let all = synced();
    for path in [root, &above, &sessions, &shard(&sessions)] {
        assert!(all.contains(&path.to_owned()), "{path:?} is not in {all:?}");
    }
    assert_eq!(first.compare_and_set(&KEY, Some(1), entry(b"2")).await, Ok(true));
    assert_eq!(synced(), [shard(&sessions)]);
    // Whoever made the folder may have been killed before it was on the disk.
    assert_eq!(store().compare_and_set(&KEY, Some(2), entry(b"3")).await, Ok(true));
    assert_eq!(synced(), [sessions.clone(), shard(&sessions)]);
}

#[tokio::test]
async fn a_disk_that_hangs_keeps_some_threads_and_not_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let told = Mutex::new(told);
    let hang = move |step, _: &Path| {
        if step == Step::Read {
            let _ = told.lock().map(|told| told.recv());
        }
        Ok(())
    };
    let store = FileStore::on(odd_disk(hang), folder.path().to_owned());
    store.answer_within(Duration::from_millis(200));
    let mut loading = tokio::task::JoinSet::new();
    for number in 0..600_u32 {
        let store = store.clone();
        loading.spawn(async move { store.load(&Key::of(&number.to_be_bytes())).await });
    }
    for _ in 64..600 {
        let done = timeout(LONG, loading.join_next()).await.expect("an answer");
        let done = done.expect("more").expect("no panic");
        assert!(matches!(done, Err(StoreError::Unavailable(_))), "{done:?}");
    }
    assert_eq!(tokio::task::spawn_blocking(|| "others").await.expect("no panic"), "others");
    drop(tell);
    while let Some(done) = loading.join_next().await {
        assert_eq!(done.expect("no panic"), Ok(None));
    }
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::new(folder.path());
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"whole")).await, Ok(true));
    fs::write(shard(folder.path()).join(format!("{KEY}.new")), b"SWS").expect("a file");
    assert_eq!(sweep(&store, 0.0).await, 0);
    assert_eq!(files(folder.path()), [KEY.to_string()]);
    assert_eq!(bytes(store.load(&KEY).await.expect("a file")), Some(b"whole".to_vec()));
}

#[tokio::test]
async fn a_draft_that_gets_its_name_before_the_sweep_has_the_lock_is_no_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::new(folder.path());
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"whole")).await, Ok(true));
    let record = shard(folder.path()).join(KEY.to_string());
    let draft = record.with_extension("new");
    fs::rename(&record, &draft).expect("a writer at work");
    let shard = store.inner.shard_of(&KEY).expect("a shard");
    let seen = shard.outdated(0.0, 100).expect("a list");
    assert_eq!(seen, std::slice::from_ref(&draft));
    fs::rename(&draft, &record).expect("the writer is done");
    assert_eq!(shard.lock(&RealDisk).expect("a lock").remove(&seen, 0.0), Ok(0));
    assert_eq!(files(folder.path()), [KEY.to_string()]);
}

#[tokio::test]
async fn a_damaged_file_is_swept_after_a_day_and_a_newer_layout_never() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::new(folder.path());
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"whole")).await, Ok(true));
    let path = shard(folder.path()).join(KEY.to_string());
    let mut newer = [8; Key::SIZE];
    newer[0] = 7;
    let newer = shard(folder.path()).join(Key::new(newer).to_string());
    fs::write(&newer, b"SWS\x02 and whatever it will say").expect("a file");
    fs::write(&path, b"SWS").expect("a file");
    let found = store.load(&KEY).await.expect("no error").expect("something");
    assert_eq!((found.version, &*found.bytes), (0, &b"SWS"[..]));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs_f64();
    assert_eq!(sweep(&store, now).await, 0);
    let long_ago = SystemTime::now() - Duration::from_secs(90_000);
    for path in [&path, &newer] {
        let file = fs::File::options().write(true).open(path).expect("a file");
        file.set_modified(long_ago).expect("a time");
    }
    assert_eq!(sweep(&store, now).await, 1);
    assert!(!path.exists() && newer.exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions");
    fs::write(&path, b"a file").expect("a file");
    let store = FileStore::new(&path);
    assert!(matches!(store.load(&KEY).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.compare_and_set(&KEY, None, entry(b"new")).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.sweep(0.0, 1).await, Err(StoreError::Unavailable(_))));
    fs::remove_file(&path).expect("a file");
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"new")).await, Ok(true), "it comes back by itself");
}

/// A step that a disk is asked for.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Read,
    Write,
    Rename,
    Remove,
    SyncFolder,
}

/// A disk on which something happens before every step; before a write is
/// done, half of it is.
struct OddDisk<F>(F);

fn odd_disk(before: impl Fn(Step, &Path) -> io::Result<()> + Send + Sync + 'static) -> Box<dyn Disk> {
    Box::new(OddDisk(before))
}

impl<F> std::fmt::Debug for OddDisk<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OddDisk")
    }
}

impl<F: Fn(Step, &Path) -> io::Result<()> + Send + Sync + 'static> Disk for OddDisk<F> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0(Step::Read, path).and_then(|()| RealDisk.read(path))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        RealDisk.write(path, &bytes[..bytes.len() / 2])?;
        self.0(Step::Write, path).and_then(|()| RealDisk.write(path, bytes))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0(Step::Rename, from).and_then(|()| RealDisk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0(Step::Remove, path).and_then(|()| RealDisk.remove(path))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.0(Step::SyncFolder, path).and_then(|()| RealDisk.sync_folder(path))
    }
}

/// A disk whose step with this number fails. It counts them in `steps`.
fn failing_disk(steps: &Arc<AtomicUsize>, fails: usize) -> Box<dyn Disk> {
    let steps = Arc::clone(steps);
    odd_disk(move |_, _| match steps.fetch_add(1, Ordering::SeqCst) {
        number if number == fails => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    })
}

/// Fails every step in turn, until none fails, and returns how many there are.
async fn every_step_in_turn(old: Option<&[u8]>, new: Option<&[u8]>) -> usize {
    for fails in 0.. {
        let folder = tempfile::tempdir().expect("a folder");
        let sound = FileStore::new(folder.path());
        if let Some(old) = old {
            assert_eq!(sound.compare_and_set(&KEY, None, entry(old)).await, Ok(true));
        }
        let seen = sound.load(&KEY).await.expect("a file").map(|found| found.version);
        let steps = Arc::new(AtomicUsize::new(0));
        let store = FileStore::on(failing_disk(&steps, fails), folder.path().to_owned());
        let done = store.compare_and_set(&KEY, seen, new.and_then(entry)).await;

        let left = bytes(sound.load(&KEY).await.expect("a file"));
        let (old, new) = (old.map(<[u8]>::to_vec), new.map(<[u8]>::to_vec));
        match done {
            Ok(done) => {
                assert!(done && left == new);
                assert!(fails >= steps.load(Ordering::SeqCst), "no failure is passed over");
                return fails;
            }
            Err(StoreError::Unavailable(_)) => assert_eq!(left, old, "step {fails}"),
            Err(StoreError::OutcomeUnknown(_)) => assert!(left == old || left == new, "step {fails}"),
            Err(error) => panic!("{error}"),
        }
        // Whatever failed, the next one succeeds, and a sweep leaves one file.
        let seen = sound.load(&KEY).await.expect("a file").map(|found| found.version);
        assert_eq!(sound.compare_and_set(&KEY, seen, entry(b"next")).await, Ok(true));
        sweep(&sound, 0.0).await;
        assert_eq!(files(folder.path()), [KEY.to_string()]);
    }
    0
}

#[tokio::test]
async fn whatever_step_fails_there_is_the_old_record_or_the_new_one() {
    assert!(every_step_in_turn(None, Some(b"new")).await >= 5);
    assert!(every_step_in_turn(Some(b"old"), Some(b"new, and longer")).await >= 4);
    assert!(every_step_in_turn(Some(b"old"), None).await >= 3);
}
