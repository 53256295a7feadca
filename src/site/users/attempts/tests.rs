use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits { per_user_and_address: 5, per_address: 50, per_user: 100, window: 900 };
const NOW: f64 = 1_700_000_000.0;

fn who<'w>(user: &'w str, address: &str) -> Who<'w> {
    Who { users: "members", user, address: address.parse().ok() }
}

/// A wrong password.
fn fail(attempts: &Attempts, who: &Who<'_>, now: f64) -> Result<(), u64> {
    attempts.begin(who, &LIMITS, now).map(|mut attempt| attempt.stays())
}

/// How many wrong passwords are looked at until one is not.
fn allowed(attempts: &Attempts, who: &Who<'_>, now: f64) -> usize {
    (0..1000).take_while(|_| fail(attempts, who, now).is_ok()).count()
}

#[test]
fn after_so_many_wrong_passwords_there_is_one_at_a_time() {
    let attempts = Attempts::default();
    let ada = who("ada", "192.0.2.1");
    assert_eq!(allowed(&attempts, &ada, NOW), 5);
    assert_eq!(fail(&attempts, &ada, NOW), Err(180));
    assert_eq!(fail(&attempts, &ada, NOW + 100.5), Err(80));
    assert_eq!(allowed(&attempts, &ada, NOW + 180.0), 1);
    assert_eq!(allowed(&attempts, &ada, NOW + 5000.0), 5, "the bucket is never more than full");
}

#[test]
fn a_right_password_neither_counts_nor_makes_good_for_wrong_ones() {
    let attempts = Attempts::default();
    let (own, victim) = (who("eve", "192.0.2.1"), who("ada", "192.0.2.1"));
    for _ in 0..200 {
        attempts.begin(&own, &LIMITS, NOW).unwrap().succeeds();
    }
    for _ in 0..4 {
        fail(&attempts, &victim, NOW).unwrap();
        attempts.begin(&own, &LIMITS, NOW).unwrap().succeeds();
    }
    assert_eq!(allowed(&attempts, &victim, NOW), 1);
    attempts.begin(&own, &LIMITS, NOW).unwrap().succeeds();
    assert_eq!(allowed(&attempts, &victim, NOW), 0);
}

#[test]
fn many_at_once_get_no_further_than_one_after_the_other() {
    let attempts = Attempts::default();
    let ada = who("ada", "192.0.2.1");
    let begun: Vec<_> = (0..100).filter_map(|_| attempts.begin(&ada, &LIMITS, NOW).ok()).collect();
    assert_eq!(begun.len(), 5);
    drop(begun);
    assert_eq!(allowed(&attempts, &ada, NOW), 5, "nobody looked at their passwords");
}

#[test]
fn many_names_from_one_address_are_as_good_as_one() {
    let attempts = Attempts::default();
    let names: Vec<String> = (0..100).map(|i| format!("user{i}")).collect();
    let tried = names.iter().filter(|name| fail(&attempts, &who(name, "192.0.2.1"), NOW).is_ok()).count();
    assert_eq!(tried, 50);
    assert!(fail(&attempts, &who("ada", "192.0.2.2"), NOW).is_ok(), "others are not kept out");
}

#[test]
fn many_addresses_for_one_name_are_stopped_but_its_user_is_not() {
    let attempts = Attempts::default();
    attempts.begin(&who("ada", "192.0.2.1"), &LIMITS, NOW).unwrap().succeeds();
    let tried = (0..=255).flat_map(|a| (0..4).map(move |b| format!("10.0.{b}.{a}")));
    let tried = tried.filter(|address| fail(&attempts, &who("ada", address), NOW).is_ok()).count();
    assert_eq!(tried, 100);
    assert!(fail(&attempts, &who("ada", "198.51.100.7"), NOW).is_err());
    assert!(fail(&attempts, &who("ada", "192.0.2.1"), NOW).is_ok(), "it has signed in from here");
    assert!(fail(&attempts, &who("bob", "10.0.0.1"), NOW).is_ok());
}

#[test]
fn a_network_of_ipv6_counts_as_one_address() {
    let attempts = Attempts::default();
    let tried = (0..100).filter(|i| fail(&attempts, &who("ada", &format!("2001:db8::{i:x}")), NOW).is_ok()).count();
    assert_eq!(tried, 5);
    assert!(fail(&attempts, &who("ada", "2001:db8:0:1::1"), NOW).is_ok());
}

#[test]
fn without_an_address_the_name_alone_counts() {
    let attempts = Attempts::default();
    assert_eq!(allowed(&attempts, &who("ada", "?"), NOW), 100);
    assert_eq!(allowed(&attempts, &who("bob", "?"), NOW), 100);
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_out_for_longer_than_the_window() {
    let attempts = Attempts::default();
    let ada = who("ada", "192.0.2.1");
    assert_eq!(allowed(&attempts, &ada, NOW), 5);
    assert_eq!(fail(&attempts, &ada, NOW - 1_000_000.0), Err(180));
    assert_eq!(allowed(&attempts, &ada, NOW - 1_000_000.0 + 180.0), 1);
}

#[test]
fn memory_is_bounded_and_the_oldest_count_is_not_forgotten_for_a_new_one() {
    let attempts = Attempts::default();
    let ada = who("ada", "192.0.2.1");
    assert_eq!(allowed(&attempts, &ada, NOW), 5);
    for i in 0..100_000_u32 {
        let name = format!("user{i}");
        let who = Who { users: "members", user: &name, address: Some(IpAddr::V4(i.into())) };
        let _ = fail(&attempts, &who, NOW);
    }
    assert_eq!(attempts.lock().full_at.len(), 2 * PLACES);
    assert_eq!(allowed(&attempts, &ada, NOW), 0);
}

proptest! {
    /// Whoever comes when and from wherever: in no window is more looked at than a full bucket and what
    /// came into it meanwhile.
    #[test]
    fn no_window_has_more_than_twice_the_limit(
        steps in prop::collection::vec((0..3_usize, 0..4_u8, 0.0..120.0_f64, prop::bool::weighted(0.2)), 1..400)
    ) {
        let attempts = Attempts::default();
        let mut now = NOW;
        let mut looked_at: Vec<(usize, u8, f64)> = Vec::new();
        for (user, host, wait, right) in steps {
            now += wait;
            let address = format!("192.0.2.{host}");
            let who = who(["ada", "bob", "eve"][user], &address);
            match attempts.begin(&who, &LIMITS, now) {
                Ok(attempt) if right => attempt.succeeds(),
                Ok(mut attempt) => {
                    attempt.stays();
                    looked_at.push((user, host, now));
                }
                Err(wait) => {
                    prop_assert!((1..=900).contains(&wait));
                    let later = attempts.begin(&who, &LIMITS, now + wait as f64);
                    prop_assert!(later.is_ok(), "after the wait there may be another");
                }
            }
            let recent = |(other, from, when): &&(usize, u8, f64)| *other == user && *from == host && now - when < 900.0;
            prop_assert!(looked_at.iter().filter(recent).count() <= 10);
        }
    }
}
