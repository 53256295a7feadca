//! A store alone: keys, versions, bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::{Cursor, Entry, Found, Key, Store, StoreError};
use super::browser::{at_once, now};
use super::{Case, Subject, Verdict, check, equal, store, text};

pub(super) const CASES: &[Case] = &[
    Case::store("an_entry_is_created_once", |s| Box::pin(an_entry_is_created_once(s))),
    Case::store("an_entry_is_replaced_at_its_version", |s| Box::pin(an_entry_is_replaced_at_its_version(s))),
    Case::store("an_entry_is_removed_at_its_version", |s| Box::pin(an_entry_is_removed_at_its_version(s))),
    Case::store("an_entry_that_is_gone_has_no_version", |s| Box::pin(an_entry_that_is_gone_has_no_version(s))),
    Case::store("every_version_is_another", |s| Box::pin(every_version_is_another(s))),
    Case::store("one_of_many_creates_an_entry", |s| Box::pin(one_of_many_creates_an_entry(s))),
    Case::store("one_of_many_replaces_an_entry", |s| Box::pin(one_of_many_replaces_an_entry(s))),
    Case::store("one_of_many_removes_an_entry", |s| Box::pin(one_of_many_removes_an_entry(s))),
    Case::store("bytes_are_kept_as_they_are", |s| Box::pin(bytes_are_kept_as_they_are(s))),
    Case::store("every_bit_of_a_key_counts", |s| Box::pin(every_bit_of_a_key_counts(s))),
    Case::store("a_load_changes_nothing", |s| Box::pin(a_load_changes_nothing(s))),
    Case::store("an_operator_removes_an_entry", |s| Box::pin(an_operator_removes_an_entry(s))),
    Case::store("a_sweep_removes_what_expired", |s| Box::pin(a_sweep_removes_what_expired(s))),
    Case::store("a_sweep_leaves_what_has_not", |s| Box::pin(a_sweep_leaves_what_has_not(s))),
    Case::store("a_sweep_heeds_the_last_expiry", |s| Box::pin(a_sweep_heeds_the_last_expiry(s))),
    Case::store("a_step_of_a_sweep_is_bounded", |s| Box::pin(a_step_of_a_sweep_is_bounded(s))),
    Case::store("the_list_has_every_entry", |s| Box::pin(the_list_has_every_entry(s))),
    Case::store("the_count_follows", |s| Box::pin(the_count_follows(s))),
];

/// A key that nobody else has.
fn fresh() -> Result<Key, String> {
    let mut bytes = [0; Key::SIZE];
    getrandom::fill(&mut bytes).map_err(text)?;
    Ok(Key::new(bytes))
}

fn entry(bytes: &[u8]) -> Entry {
    Entry { expires: Some(now() as u64 + 3600), bytes: bytes.into() }
}

async fn set(store: &dyn Store, key: &Key, seen: Option<u64>, next: Option<Entry>) -> Result<bool, String> {
    store.compare_and_set(key, seen, next).await.map_err(text)
}

async fn load(store: &dyn Store, key: &Key) -> Result<Option<Found>, String> {
    store.load(key).await.map_err(text)
}

async fn present(store: &dyn Store, key: &Key) -> Result<Found, String> {
    load(store, key).await?.ok_or_else(|| "the entry is not there".to_owned())
}

async fn created(store: &dyn Store, bytes: &[u8]) -> Result<(Key, Found), String> {
    let key = fresh()?;
    check("a fresh entry is created", set(store, &key, None, Some(entry(bytes))).await?)?;
    Ok((key, present(store, &key).await?))
}

async fn an_entry_is_created_once(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let (key, found) = created(&*store, b"first").await?;
    check("a second is refused", !set(&*store, &key, None, Some(entry(b"second"))).await?)?;
    equal("the entry", present(&*store, &key).await?, found)
}

async fn an_entry_is_replaced_at_its_version(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let (key, first) = created(&*store, b"first").await?;
    check("it is replaced", set(&*store, &key, Some(first.version), Some(entry(b"second"))).await?)?;
    let second = present(&*store, &key).await?;
    equal("the bytes", &*second.bytes, b"second")?;
    check("late is refused", !set(&*store, &key, Some(first.version), Some(entry(b"late"))).await?)?;
    equal("the entry", present(&*store, &key).await?, second)
}

async fn an_entry_is_removed_at_its_version(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let (key, first) = created(&*store, b"first").await?;
    check("it is replaced", set(&*store, &key, Some(first.version), Some(entry(b"second"))).await?)?;
    let second = present(&*store, &key).await?;
    check("late is refused", !set(&*store, &key, Some(first.version), None).await?)?;
    check("it is removed", set(&*store, &key, Some(second.version), None).await?)?;
    equal("the entry", load(&*store, &key).await?, None)
}

async fn an_entry_that_is_gone_has_no_version(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let (key, found) = created(&*store, b"first").await?;
    check("it is removed", set(&*store, &key, Some(found.version), None).await?)?;
    check("no change", !set(&*store, &key, Some(found.version), Some(entry(b"late"))).await?)?;
    check("no second end", !set(&*store, &key, Some(found.version), None).await?)?;
    equal("the entry", load(&*store, &key).await?, None)?;
    let unknown = fresh()?;
    check("nor has one that never was", !set(&*store, &unknown, Some(1), Some(entry(b"new"))).await?)?;
    check("nothing is nothing", set(&*store, &unknown, None, None).await?)?;
    equal("the entry", load(&*store, &unknown).await?, None)
}

async fn every_version_is_another(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let (key, mut found) = created(&*store, b"same").await?;
    let mut versions = BTreeSet::from([found.version]);
    for _ in 0..20 {
        check("it is replaced", set(&*store, &key, Some(found.version), Some(entry(b"same"))).await?)?;
        found = present(&*store, &key).await?;
        check("the version is new", versions.insert(found.version))?;
    }
    Ok(())
}

/// How many of many succeed who all put something under `key` at once.
async fn racing(store: &Arc<dyn Store>, key: Key, seen: Option<u64>, end: bool) -> Result<usize, String> {
    let racers = (0..16_u8).map(|number| {
        let store = Arc::clone(store);
        async move { set(&*store, &key, seen, (!end).then(|| entry(&[number]))).await }
    });
    Ok(at_once(racers).await?.into_iter().filter(|done| *done).count())
}

async fn one_of_many_creates_an_entry(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    for _ in 0..10 {
        equal("who did", racing(&store, fresh()?, None, false).await?, 1)?;
    }
    Ok(())
}

async fn one_of_many_replaces_an_entry(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let (key, mut found) = created(&*store, b"first").await?;
    for _ in 0..10 {
        equal("who did", racing(&store, key, Some(found.version), false).await?, 1)?;
        found = present(&*store, &key).await?;
    }
    Ok(())
}

async fn one_of_many_removes_an_entry(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    for _ in 0..10 {
        let (key, found) = created(&*store, b"first").await?;
        equal("who did", racing(&store, key, Some(found.version), true).await?, 1)?;
    }
    Ok(())
}

async fn bytes_are_kept_as_they_are(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let all: Vec<u8> = (0..=255).collect();
    for bytes in [&b""[..], b"\0", b"\r\n", b"\xFF\xFE", &all, &all.repeat(256)] {
        let (_, found) = created(&*store, bytes).await?;
        check(&format!("{} bytes come back", bytes.len()), *found.bytes == *bytes)?;
    }
    Ok(())
}

async fn every_bit_of_a_key_counts(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let (key, _) = created(&*store, b"first").await?;
    for (at, bit) in (0..Key::SIZE).flat_map(|at| [(at, 1), (at, 0x80)]) {
        let mut bytes = *key.as_bytes();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= bit;
        }
        equal("under a key like it", load(&*store, &Key::new(bytes)).await?, None)?;
    }
    Ok(())
}

async fn a_load_changes_nothing(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let (key, found) = created(&*store, b"first").await?;
    for _ in 0..10 {
        equal("the entry", present(&*store, &key).await?, found.clone())?;
    }
    Ok(())
}

async fn an_operator_removes_an_entry(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let (key, found) = created(&*store, b"first").await?;
    check("it is replaced", set(&*store, &key, Some(found.version), Some(entry(b"second"))).await?)?;
    check("it is removed", store.remove(&key).await.map_err(text)?)?;
    equal("the entry", load(&*store, &key).await?, None)?;
    check("once", !store.remove(&key).await.map_err(text)?)
}

/// Sweeps until there is no more.
async fn sweep(store: &dyn Store, now: f64) -> Verdict {
    while store.sweep(now, 100).await.map_err(text)?.more {}
    Ok(())
}

async fn a_sweep_removes_what_expired(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let mut keys = Vec::new();
    for _ in 0..150 {
        let key = fresh()?;
        let expired = Entry { expires: Some(now() as u64 - 60), ..entry(b"old") };
        check("it is stored", set(&*store, &key, None, Some(expired)).await?)?;
        keys.push(key);
    }
    sweep(&*store, now()).await?;
    for key in keys {
        equal("what expired", load(&*store, &key).await?, None)?;
    }
    Ok(())
}

async fn a_sweep_leaves_what_has_not(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let (key, found) = created(&*store, b"first").await?;
    let endless = fresh()?;
    let entry = Entry { expires: None, ..entry(b"endless") };
    check("it is stored", set(&*store, &endless, None, Some(entry)).await?)?;
    sweep(&*store, now()).await?;
    equal("what has not expired", present(&*store, &key).await?, found)?;
    equal("what never does", &*present(&*store, &endless).await?.bytes, b"endless")
}

async fn a_sweep_heeds_the_last_expiry(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let key = fresh()?;
    let soon = Entry { expires: Some(now() as u64 + 60), ..entry(b"soon") };
    check("it is stored", set(&*store, &key, None, Some(soon)).await?)?;
    let found = present(&*store, &key).await?;
    check("it is refreshed", set(&*store, &key, Some(found.version), Some(entry(b"later"))).await?)?;
    sweep(&*store, now() + 120.0).await?;
    equal("the entry", &*present(&*store, &key).await?.bytes, b"later")
}

async fn a_step_of_a_sweep_is_bounded(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    for _ in 0..50 {
        let expired = Entry { expires: Some(now() as u64 - 60), ..entry(b"old") };
        check("it is stored", set(&*store, &fresh()?, None, Some(expired)).await?)?;
    }
    loop {
        let swept = store.sweep(now(), 7).await.map_err(text)?;
        check("no more than asked for", swept.removed <= 7)?;
        if !swept.more {
            return Ok(());
        }
    }
}

/// Every key in the list, or nothing if the store cannot tell.
async fn listed(store: &dyn Store) -> Result<Option<Vec<(Key, Found)>>, String> {
    let (mut entries, mut from): (Vec<_>, Option<Cursor>) = (Vec::new(), None);
    loop {
        match store.list(from.take(), 10).await {
            Err(StoreError::Unsupported) => return Ok(None),
            page => {
                let page = page.map_err(text)?;
                entries.extend(page.entries);
                from = page.next;
            }
        }
        if from.is_none() {
            return Ok(Some(entries));
        }
    }
}

async fn the_list_has_every_entry(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let mut created_here = Vec::new();
    for number in 0..25_u8 {
        created_here.push(created(&*store, &[number]).await?);
    }
    let Some(entries) = listed(&*store).await? else { return Ok(()) };
    for one in created_here {
        check("an entry is in the list", entries.contains(&one))?;
        store.remove(&one.0).await.map_err(text)?;
    }
    let keys: BTreeSet<_> = entries.iter().map(|(key, _)| key).collect();
    equal("keys", keys.len(), entries.len())
}

async fn the_count_follows(subject: &dyn Subject) -> Verdict {
    let store = store(subject)?;
    let before = match store.count().await {
        Err(StoreError::Unsupported) => return Ok(()),
        count => count.map_err(text)?,
    };
    let (key, _) = created(&*store, b"first").await?;
    equal("one more", store.count().await, Ok(before + 1))?;
    store.remove(&key).await.map_err(text)?;
    equal("one less", store.count().await, Ok(before))
}
