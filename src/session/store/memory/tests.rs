use std::sync::Arc;

use super::*;
use crate::session::store::contract;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_the_contract() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    contract::verify(&store).await.kept().expect("the contract");
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

/// The resident memory of this process, in bytes (proc(5)).
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    let kib = line.trim().trim_end_matches(" kB");
    kib.parse::<usize>().expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures resident memory: run it alone, with --release --nocapture"]
async fn a_million_small_sessions_take_less_than_300_mb_and_give_it_back() {
    const SESSIONS: u32 = 1_000_000;
    let before = resident();
    let store = Arc::new(MemoryStore::default());
    for id in 0..SESSIONS {
        // A record of `{"counter": 1}`.
        let next = Entry { expires: Some(1000), bytes: vec![id as u8; 33 + 14].into() };
        let done = store.compare_and_set(&Key::of(&id.to_be_bytes()), None, Some(next)).await;
        assert_eq!(done, Ok(true));
    }
    let full = resident() - before;
    let begun = std::time::Instant::now();
    let mut longest = std::time::Duration::ZERO;
    loop {
        let step = std::time::Instant::now();
        let swept = store.sweep(2000.0, 1000).await.expect("memory");
        longest = longest.max(step.elapsed());
        if !swept.more {
            break;
        }
    }
    let after = resident().saturating_sub(before);
    println!(
        "full {} MB, counted {} MB; swept in {:?}, longest step {longest:?}; then {} MB",
        full >> 20,
        store.bytes() >> 20,
        begun.elapsed(),
        after >> 20
    );
    assert!(full < 300_000_000, "{full}");
    assert!(after < full / 5, "{after} of {full}");
}
