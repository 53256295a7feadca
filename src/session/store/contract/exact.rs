//! Several requests, one session: nothing is lost, nothing comes back.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use serde_json::{Value, json};

use super::super::super::Session;
use super::super::super::factory::{Loaded, SessionError};
use super::browser::{Browser, at_once, get, increment, pop, put};
use super::{Case, Subject, Verdict, check, equal, options, text};

pub(super) const CASES: &[Case] = &[
    Case::server("a_commit_to_a_changed_session_conflicts", |s| Box::pin(a_commit_to_a_changed_session_conflicts(s))),
    Case::server("a_commit_counts_once", |s| Box::pin(a_commit_counts_once(s))),
    Case::server("a_commit_to_an_ended_session_conflicts", |s| Box::pin(a_commit_to_an_ended_session_conflicts(s))),
    Case::server("a_commit_to_a_renewed_session_conflicts", |s| Box::pin(a_commit_to_a_renewed_session_conflicts(s))),
    Case::server("ending_a_changed_session_conflicts", |s| Box::pin(ending_a_changed_session_conflicts(s))),
    Case::server("renewing_a_changed_session_conflicts", |s| Box::pin(renewing_a_changed_session_conflicts(s))),
    Case::server("refreshing_a_changed_session_conflicts", |s| Box::pin(refreshing_a_changed_session_conflicts(s))),
    Case::server("an_ended_session_makes_a_page_run_as_new", |s| Box::pin(an_ended_session_makes_a_page_run_as_new(s))),
    Case::server("two_beginnings_are_two_sessions", |s| Box::pin(two_beginnings_are_two_sessions(s))),
    Case::server("parallel_increments_are_all_counted", |s| Box::pin(parallel_increments_are_all_counted(s))),
    Case::server("parallel_increments_without_a_queue_too", |s| Box::pin(parallel_increments_without_a_queue_too(s))),
    Case::server("parallel_increments_of_two_processes_too", |s| Box::pin(parallel_increments_of_two_processes_too(s))),
    Case::server("parallel_writes_of_different_keys_all_stay", |s| {
        Box::pin(parallel_writes_of_different_keys_all_stay(s))
    }),
    Case::server("what_is_popped_reaches_exactly_one", |s| Box::pin(what_is_popped_reaches_exactly_one(s))),
    Case::server("parallel_logouts_and_writes_bring_nothing_back", |s| {
        Box::pin(parallel_logouts_and_writes_bring_nothing_back(s))
    }),
    Case::server("parallel_renewals_leave_one_name", |s| Box::pin(parallel_renewals_leave_one_name(s))),
    Case::server("a_parallel_reader_sees_whole_sessions", |s| Box::pin(a_parallel_reader_sees_whole_sessions(s))),
    Case::server("a_dropped_commit_is_whole_or_not_at_all", |s| Box::pin(a_dropped_commit_is_whole_or_not_at_all(s))),
    Case::server("a_writer_who_gives_up_holds_up_nobody", |s| Box::pin(a_writer_who_gives_up_holds_up_nobody(s))),
    Case::server("a_writer_holds_up_no_reader", |s| Box::pin(a_writer_holds_up_no_reader(s))),
    Case::server("a_writer_holds_up_no_other_session", |s| Box::pin(a_writer_holds_up_no_other_session(s))),
];

/// How many visits come at once.
const VISITS: u64 = 32;

/// A browser with a session in which `n` is 0, whose visits do not queue: that
/// must never matter.
async fn known(subject: &dyn Subject) -> Result<Browser, String> {
    let mut browser = Browser::new(subject, options())?;
    browser.set("n", json!(0)).await?;
    browser.may_write = false;
    Ok(browser)
}

fn changed(loaded: &Loaded, change: impl FnOnce(&mut Session)) -> Session {
    let mut session = loaded.session.clone();
    change(&mut session);
    session
}

fn conflicts(what: &str, done: Result<impl std::fmt::Debug, SessionError>) -> Verdict {
    match done {
        Err(SessionError::Conflict) => Ok(()),
        other => Err(format!("{what}: {other:?} instead of a conflict")),
    }
}

async fn a_commit_to_a_changed_session_conflicts(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let loaded = browser.load().await?;
    browser.clone().increment().await?;
    let late = changed(&loaded, |session| put(session, "n", json!(100)));
    conflicts("the late one", browser.commit(&loaded, &late).await)?;
    equal("n", browser.get("n").await?, json!(1))
}

async fn a_commit_counts_once(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let loaded = browser.load().await?;
    let once = changed(&loaded, |session| put(session, "n", json!(1)));
    browser.commit(&loaded, &once).await.map_err(text)?;
    conflicts("the same again", browser.commit(&loaded, &once).await)?;
    equal("n", browser.get("n").await?, json!(1))
}

async fn a_commit_to_an_ended_session_conflicts(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let loaded = browser.load().await?;
    let now = browser.now;
    browser.clone().go(|session| session.invalidate(now)).await?;
    let late = changed(&loaded, |session| put(session, "n", json!(100)));
    conflicts("the late one", browser.commit(&loaded, &late).await)?;
    check("it does not come back", !browser.is_known().await?)
}

async fn a_commit_to_a_renewed_session_conflicts(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let loaded = browser.load().await?;
    let mut renewed = browser.clone();
    renewed.go(Session::renew).await?;
    let late = changed(&loaded, |session| put(session, "n", json!(100)));
    conflicts("the late one", browser.commit(&loaded, &late).await)?;
    check("the old name does not come back", !browser.is_known().await?)?;
    equal("n", renewed.get("n").await?, json!(0))
}

async fn ending_a_changed_session_conflicts(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let loaded = browser.load().await?;
    browser.clone().increment().await?;
    let ended = changed(&loaded, |session| session.invalidate(browser.now));
    conflicts("the end", browser.commit(&loaded, &ended).await)?;
    equal("n", browser.get("n").await?, json!(1))
}

async fn renewing_a_changed_session_conflicts(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let loaded = browser.load().await?;
    browser.clone().increment().await?;
    let renewed = changed(&loaded, Session::renew);
    conflicts("the new name", browser.commit(&loaded, &renewed).await)?;
    equal("n", browser.get("n").await?, json!(1))
}

async fn refreshing_a_changed_session_conflicts(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let loaded = browser.load().await?;
    browser.clone().increment().await?;
    conflicts("the refresh", browser.commit(&loaded, &loaded.session).await)?;
    equal("n", browser.get("n").await?, json!(1))
}

async fn an_ended_session_makes_a_page_run_as_new(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    browser.set("user", json!("Ada")).await?;
    let loaded = browser.load().await?;
    let mut late = browser.clone();
    let now = browser.now;
    browser.go(|session| session.invalidate(now)).await?;
    let write = changed(&loaded, |session| put(session, "n", json!(100)));
    conflicts("the late one", late.commit(&loaded, &write).await)?;
    equal("n when it runs again", late.increment().await?, 1)?;
    equal("the user", late.get("user").await?, Value::Null)
}

async fn two_beginnings_are_two_sessions(subject: &dyn Subject) -> Verdict {
    let mut left = Browser::new(subject, options())?;
    let mut right = left.clone();
    let loaded = (left.load().await?, right.load().await?);
    let named = |loaded: &Loaded, name| changed(loaded, |session| put(session, "name", json!(name)));
    left.commit(&loaded.0, &named(&loaded.0, "left")).await.map_err(text)?;
    right.commit(&loaded.1, &named(&loaded.1, "right")).await.map_err(text)?;
    equal("the left one", left.get("name").await?, json!("left"))?;
    equal("the right one", right.get("name").await?, json!("right"))
}

/// Every visit increments; each sees a number of its own, and all count.
async fn increments(browser: &Browser, tabs: &[Browser]) -> Verdict {
    let visits = tabs.iter().cycle().take(VISITS as usize).cloned();
    let seen = at_once(visits.map(|mut tab| async move { tab.increment().await })).await?;
    equal("what they saw", seen.into_iter().collect::<BTreeSet<_>>(), (1..=VISITS).collect())?;
    equal("n", browser.clone().get("n").await?, json!(VISITS))
}

async fn parallel_increments_are_all_counted(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let queued = Browser { may_write: true, ..browser.clone() };
    increments(&browser, &[queued]).await
}

async fn parallel_increments_without_a_queue_too(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    increments(&browser, std::slice::from_ref(&browser)).await
}

async fn parallel_increments_of_two_processes_too(subject: &dyn Subject) -> Verdict {
    let here = Browser { may_write: true, ..known(subject).await? };
    let there = here.at(subject, options())?;
    increments(&here, &[here.clone(), there]).await
}

async fn parallel_writes_of_different_keys_all_stay(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let write = |number| {
        let mut tab = browser.clone();
        async move { tab.set(&format!("key {number}"), json!(number)).await.map(|_| ()) }
    };
    at_once((0..VISITS).map(write)).await?;
    equal("the keys", browser.load().await?.session.keys().count() as u64, VISITS + 1)
}

async fn what_is_popped_reaches_exactly_one(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    for _ in 0..5 {
        browser.set("flash", json!("Saved")).await?;
        let tabs = (0..VISITS).map(|number| Browser { may_write: number % 2 == 0, ..browser.clone() });
        let popped = tabs.map(|mut tab| async move { Ok(tab.go(|session| pop(session, "flash")).await?.outcome) });
        let popped = at_once(popped).await?;
        equal("who got it", popped.iter().filter(|value| !value.is_null()).count(), 1)?;
    }
    Ok(())
}

async fn parallel_logouts_and_writes_bring_nothing_back(subject: &dyn Subject) -> Verdict {
    for round in 0..10 {
        let mut browser = known(subject).await?;
        browser.set("user", json!("Ada")).await?;
        let visits = (0..8).map(|number| {
            let mut tab = Browser { may_write: (number + round) % 3 > 0, ..browser.clone() };
            async move {
                if number == 4 {
                    let now = tab.now;
                    tab.go(|session| session.invalidate(now)).await?;
                } else {
                    tab.increment().await?;
                }
                // Whoever wrote later has a session of its own by now.
                let begun_anew = tab.cookie.is_some();
                Ok((begun_anew, tab))
            }
        });
        let tabs = at_once(visits).await?;
        check("the session is over", !browser.is_known().await?)?;
        for (_, mut tab) in tabs.into_iter().filter(|(begun_anew, _)| *begun_anew) {
            equal("the user", tab.get("user").await?, Value::Null)?;
        }
    }
    Ok(())
}

async fn parallel_renewals_leave_one_name(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let renewals = (0..8).map(|number| {
        let mut tab = Browser { may_write: number % 2 == 0, ..browser.clone() };
        async move {
            tab.go(Session::renew).await?;
            Ok(tab)
        }
    });
    let mut names = BTreeSet::new();
    for tab in at_once(renewals).await? {
        if tab.is_known().await? {
            names.insert(tab.cookie()?);
        }
    }
    equal("names that are known", names.len(), 1)?;
    check("the old one is not", !names.contains(&browser.cookie()?))
}

async fn a_parallel_reader_sees_whole_sessions(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let write = |session: &mut Session, number: u64| {
        // Of different length each time, and the same on both sides.
        let text = json!(number.to_string().repeat(1 + number as usize % 50));
        put(session, "left", text.clone());
        put(session, "right", text);
    };
    browser.go(|session| write(session, 0)).await?;
    let mut writer = browser.clone();
    let writing = tokio::spawn(async move {
        for number in 1..100 {
            writer.go(|session| write(session, number)).await?;
        }
        Ok::<_, String>(())
    });
    while !writing.is_finished() {
        let session = browser.load().await?.session;
        equal("the right side", get(&session, "right"), get(&session, "left"))?;
        tokio::task::yield_now().await;
    }
    writing.await.map_err(text)?
}

async fn a_dropped_commit_is_whole_or_not_at_all(subject: &dyn Subject) -> Verdict {
    for polls in 0..4 {
        // Each on a session of its own: it may be carried out later than it is asked for.
        let mut tab = known(subject).await?;
        let mut hanging_up = Box::pin(async { tab.clone().go(increment).await });
        for _ in 0..polls {
            if is_ready(hanging_up.as_mut()).await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(hanging_up);
        let after = tab.get("n").await?.as_u64().unwrap_or(0);
        check(&format!("0 became {after}"), after <= 1)?;
        let last = tab.increment().await?;
        check(&format!("then it became {last}"), last == after + 1 || last == 2)?;
        equal("n", tab.get("n").await?, json!(last))?;
    }
    Ok(())
}

/// Polls once.
async fn is_ready(mut future: Pin<&mut impl Future>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await
}

async fn a_writer_who_gives_up_holds_up_nobody(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser { may_write: true, ..known(subject).await? };
    for n in 1..20 {
        drop(browser.load().await?);
        equal("n", browser.increment().await?, n)?;
    }
    Ok(())
}

async fn a_writer_holds_up_no_reader(subject: &dyn Subject) -> Verdict {
    let browser = Browser { may_write: true, ..known(subject).await? };
    let held = browser.load().await?;
    let mut reader = Browser { may_write: false, ..browser.clone() };
    equal("n", reader.get("n").await?, json!(0))?;
    drop(held);
    Ok(())
}

async fn a_writer_holds_up_no_other_session(subject: &dyn Subject) -> Verdict {
    let browser = Browser { may_write: true, ..known(subject).await? };
    let held = browser.load().await?;
    let mut other = browser.stranger();
    equal("n", other.increment().await?, 1)?;
    drop(held);
    Ok(())
}
