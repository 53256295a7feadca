use std::sync::Arc;

use super::*;
use crate::session::store::contract;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_the_contract() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    contract::verify(&store).await.kept().expect("the contract");
}

#[tokio::test]
async fn what_never_fits_is_told_as_too_large() {
    let store = MemoryStore::new(256 << 10); // a kilobyte for each part
    let entry = |size| Some(Entry { expires: None, bytes: vec![0; size].into() });
    let key = Key::of(b"a session");
    let Err(StoreError::TooLarge { bytes: 1024, limit }) = store.compare_and_set(&key, None, entry(1024)).await else {
        panic!("it cannot be kept");
    };
    assert_eq!(store.compare_and_set(&key, None, entry(limit)).await, Ok(true));
}

#[tokio::test]
async fn it_stays_within_its_capacity_and_keeps_who_came_back() {
    let store = MemoryStore::new(1 << 20);
    let entry = |expires| Some(Entry { expires: Some(expires), bytes: vec![0; 40].into() });
    let mut regulars = Vec::new();
    for id in 0..200_000_u32 {
        let key = Key::of(&id.to_be_bytes());
        assert_eq!(store.compare_and_set(&key, None, entry(1000)).await, Ok(true));
        if id < 100 {
            assert_eq!(store.compare_and_set(&key, Some(1), entry(10)).await, Ok(true));
            regulars.push(key);
        }
    }
    assert!(store.bytes() <= 1 << 20);
    for key in &regulars {
        assert!(store.load(key).await.expect("memory").is_some());
    }
}

/// On one thread, whoever does not pause keeps it from all others.
#[tokio::test]
async fn requests_have_their_turn_during_each_step_of_a_sweep() {
    const STEP: usize = 1000;
    let store = Arc::new(MemoryStore::default());
    let entry = |expires| Some(Entry { expires: Some(expires), bytes: Box::from(*b"bytes") });
    // In each shard fewer than a step removes.
    for id in 0..50_000_u32 {
        assert_eq!(store.compare_and_set(&Key::of(&id.to_be_bytes()), None, entry(1000)).await, Ok(true));
    }
    let known = Key::of(b"known");
    assert_eq!(store.compare_and_set(&known, None, entry(3000)).await, Ok(true));
    let loads = Arc::new(AtomicUsize::new(0));
    let reader = tokio::spawn({
        let (store, loads) = (Arc::clone(&store), Arc::clone(&loads));
        async move {
            loop {
                assert!(store.load(&known).await.expect("memory").is_some());
                loads.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }
    });
    let mut more = true;
    while more {
        let before = loads.load(Ordering::Relaxed);
        more = store.sweep(2000.0, STEP).await.expect("memory").more;
        assert!(loads.load(Ordering::Relaxed) > before, "a step goes through without a pause");
    }
    assert_eq!(store.count().await, Ok(1));
    assert!(!reader.is_finished());
}

/// The resident memory of this process, in bytes (proc(5)).
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    let kib = line.trim().trim_end_matches(" kB");
    kib.parse::<usize>().expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures resident memory, so it runs alone: run by tests/run"]
async fn a_million_small_sessions_take_less_than_300_mb_and_give_it_back() {
    const SESSIONS: u32 = 1_000_000;
    const GIVEN_BACK: std::time::Duration = std::time::Duration::from_secs(300);
    let before = resident();
    let store = Arc::new(MemoryStore::default());
    for id in 0..SESSIONS {
        // A record of `{"counter": 1}`.
        let next = Entry { expires: Some(1000), bytes: vec![id as u8; 33 + 14].into() };
        let done = store.compare_and_set(&Key::of(&id.to_be_bytes()), None, Some(next)).await;
        assert_eq!(done, Ok(true));
    }
    let (full, counted) = (resident() - before, store.bytes());
    let begun = std::time::Instant::now();
    let mut longest = std::time::Duration::ZERO;
    loop {
        let step = std::time::Instant::now();
        let more = store.sweep(2000.0, 1000).await.expect("memory").more;
        longest = longest.max(step.elapsed());
        if !more {
            break;
        }
    }
    let swept = begun.elapsed();
    let mut after = resident().saturating_sub(before);
    // The allocator gives back a while later, when something else is asked of it.
    while after >= full / 5 && begun.elapsed() < GIVEN_BACK {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        std::hint::black_box(vec![0_u8; 1 << 20]);
        after = resident().saturating_sub(before);
    }
    println!(
        "a million sessions: {} MB, of which {} MB are counted; swept in {:.1?}, {longest:.1?} at most at a time; then {} MB",
        full / 1_000_000,
        counted / 1_000_000,
        swept,
        after / 1_000_000
    );
    assert!(full < 300_000_000, "{full}");
    assert!(after < full / 5, "{after} of {full}");
}
