mod live;
mod scripted;

use super::*;

const NOW: u64 = 1_800_000_000;

#[test]
fn times_are_periods_up_to_30_days_and_dates_beyond() {
    const DAYS_30: u64 = 30 * 86_400;
    for (expires, expected) in [
        (None, 0),
        (Some(0), -1),
        (Some(NOW - 1), -1),
        (Some(NOW), -1),
        (Some(NOW + 1), 2),
        (Some(NOW + 1200), 1201),
        (Some(NOW + DAYS_30 - 2), DAYS_30 as i64 - 1),
        (Some(NOW + DAYS_30 - 1), DAYS_30 as i64),
        (Some(NOW + DAYS_30), (NOW + DAYS_30 + 1) as i64),
        (Some(NOW + DAYS_30 + 1), (NOW + DAYS_30 + 2) as i64),
        (Some(LAST_DATE - 1), LAST_DATE as i64),
        (Some(LAST_DATE), 0),
        (Some(i64::MAX as u64), 0),
        (Some(u64::MAX), 0),
    ] {
        assert_eq!(time(expires, NOW), expected, "{expires:?}");
    }
    // Periods do not end in 2038.
    assert_eq!(time(Some(LAST_DATE + 1000), LAST_DATE), 1001);
}

#[test]
fn options_that_make_no_store_are_refused() {
    let refused = |options| MemcachedStore::new(options).expect_err("no store").message;
    let default = MemcachedOptions::default;
    assert!(refused(MemcachedOptions { url: "memcached://sesame:x".into(), ..default() }).contains("url"));
    for key_prefix in ["two words".to_owned(), "new\r\nline".to_owned(), "é".to_owned(), "x".repeat(187)] {
        assert!(refused(MemcachedOptions { key_prefix, ..default() }).contains("prefix"));
    }
    assert!(refused(MemcachedOptions { connections: 0, ..default() }).contains("connection"));
    assert!(MemcachedStore::new(MemcachedOptions { key_prefix: "x".repeat(186), ..default() }).is_ok());
    assert!(MemcachedStore::new(MemcachedOptions { key_prefix: String::new(), ..default() }).is_ok());
}
