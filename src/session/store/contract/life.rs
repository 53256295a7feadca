//! Beginning, use and end of a session.

use serde_json::{Value, json};

use super::super::super::Session;
use super::super::super::factory::{Refusal, Standing};
use super::super::super::lifetimes::Lifetimes;
use super::super::super::transaction::Rules;
use super::browser::{ALL, Browser, put};
use super::{Case, Subject, Verdict, check, equal, options};
use crate::session::store::StoredOptions;

pub(super) const CASES: &[Case] = &[
    Case::any("a_visitor_without_a_cookie_is_new", |s| Box::pin(a_visitor_without_a_cookie_is_new(s))),
    Case::any("reading_begins_no_session", |s| Box::pin(reading_begins_no_session(s))),
    Case::any("renewing_begins_no_session", |s| Box::pin(renewing_begins_no_session(s))),
    Case::any("the_first_write_begins_a_session", |s| Box::pin(the_first_write_begins_a_session(s))),
    Case::any("what_is_written_is_read", |s| Box::pin(what_is_written_is_read(s))),
    Case::any("another_process_reads_it_too", |s| Box::pin(another_process_reads_it_too(s))),
    Case::any("visitors_have_sessions_of_their_own", |s| Box::pin(visitors_have_sessions_of_their_own(s))),
    Case::any("created_never_changes", |s| Box::pin(created_never_changes(s))),
    Case::any("an_unchanged_session_is_not_stored", |s| Box::pin(an_unchanged_session_is_not_stored(s))),
    Case::any("head_and_prefetch_store_nothing", |s| Box::pin(head_and_prefetch_store_nothing(s))),
    Case::any("an_emptied_session_stays_a_session", |s| Box::pin(an_emptied_session_stays_a_session(s))),
    Case::any("an_idle_session_expires", |s| Box::pin(an_idle_session_expires(s))),
    Case::any("an_expired_session_shows_nothing", |s| Box::pin(an_expired_session_shows_nothing(s))),
    Case::any("writing_keeps_a_session_from_expiring", |s| Box::pin(writing_keeps_a_session_from_expiring(s))),
    Case::any("reading_keeps_a_session_from_expiring", |s| Box::pin(reading_keeps_a_session_from_expiring(s))),
    Case::any("a_quiet_page_does_not_keep_a_session", |s| Box::pin(a_quiet_page_does_not_keep_a_session(s))),
    Case::any("a_refresh_is_due_after_the_reissue_time", |s| Box::pin(a_refresh_is_due_after_the_reissue_time(s))),
    Case::any("without_a_reissue_time_no_refresh_is_due", |s| Box::pin(without_a_reissue_time_no_refresh_is_due(s))),
    Case::any("a_refresh_changes_no_data", |s| Box::pin(a_refresh_changes_no_data(s))),
    Case::any("a_lifetime_ends_a_busy_session", |s| Box::pin(a_lifetime_ends_a_busy_session(s))),
    Case::any("without_a_timeout_a_session_never_expires", |s| Box::pin(without_a_timeout_a_session_never_expires(s))),
    Case::any("a_shorter_timeout_counts_after_a_reload", |s| Box::pin(a_shorter_timeout_counts_after_a_reload(s))),
    Case::any("invalidating_ends_the_session", |s| Box::pin(invalidating_ends_the_session(s))),
    Case::any("invalidating_without_a_cookie_says_nothing", |s| {
        Box::pin(invalidating_without_a_cookie_says_nothing(s))
    }),
    Case::any("what_is_written_after_invalidating_begins_a_session", |s| {
        Box::pin(what_is_written_after_invalidating_begins_a_session(s))
    }),
    Case::any("renewing_keeps_data_and_beginning", |s| Box::pin(renewing_keeps_data_and_beginning(s))),
];

fn lasting(lifetimes: Lifetimes) -> StoredOptions {
    StoredOptions { lifetimes, ..options() }
}

async fn a_visitor_without_a_cookie_is_new(subject: &dyn Subject) -> Verdict {
    let browser = Browser::new(subject, options())?;
    let loaded = browser.load().await?;
    equal("standing", loaded.standing, Standing::Absent)?;
    check("the session is new and empty", loaded.session.is_new() && loaded.session.is_empty())?;
    check("no refresh is due", !loaded.refresh_due)?;
    equal("created", loaded.session.created(), browser.now)
}

async fn reading_begins_no_session(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    for _ in 0..3 {
        let done = browser.go(|session| session.is_empty()).await?;
        check("nothing is stored", !done.committed)?;
        equal("Set-Cookie", done.set_cookie, None)?;
    }
    Ok(())
}

async fn renewing_begins_no_session(subject: &dyn Subject) -> Verdict {
    let done = Browser::new(subject, options())?.go(Session::renew).await?;
    check("nothing is stored", !done.committed)?;
    equal("Set-Cookie", done.set_cookie, None)
}

async fn the_first_write_begins_a_session(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    let done = browser.set("name", json!("Ada")).await?;
    check("it is stored", done.committed && done.before.is_new())?;
    let named = format!("{}=", browser.factory.cookie_name());
    check("a cookie is set", done.set_cookie.is_some_and(|cookie| cookie.starts_with(&named)))?;
    equal("standing", browser.standing().await?, Standing::Verified { secret: 0 })
}

async fn what_is_written_is_read(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    browser.set("born", json!(1815)).await?;
    browser.set("name", json!("Ada Lovelace")).await?;
    let loaded = browser.load().await?;
    check("the session is not new", !loaded.session.is_new())?;
    equal("the state", loaded.session.to_value(), json!({"name": "Ada Lovelace", "born": 1815}))
}

async fn another_process_reads_it_too(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    let mut there = browser.at(subject, options())?;
    equal("the value there", there.get("name").await?, json!("Ada"))?;
    there.set("name", json!("Grace")).await?;
    browser.heed(Some(&format!("session={}", there.cookie()?)));
    equal("the value here", browser.get("name").await?, json!("Grace"))
}

async fn visitors_have_sessions_of_their_own(subject: &dyn Subject) -> Verdict {
    let mut ada = Browser::new(subject, options())?;
    let mut grace = ada.stranger();
    ada.set("name", json!("Ada")).await?;
    grace.set("name", json!("Grace")).await?;
    check("the cookies differ", ada.cookie()? != grace.cookie()?)?;
    equal("hers", ada.get("name").await?, json!("Ada"))?;
    equal("the other's", grace.get("name").await?, json!("Grace"))
}

async fn created_never_changes(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.now += 0.125;
    let begun = browser.now;
    for _ in 0..3 {
        browser.increment().await?;
        browser.wait(100.0);
        equal("created", browser.load().await?.session.created(), begun)?;
    }
    Ok(())
}

async fn an_unchanged_session_is_not_stored(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    let done = browser.set("name", json!("Ada")).await?;
    check("nothing is stored", !done.committed)?;
    equal("Set-Cookie", done.set_cookie, None)
}

async fn head_and_prefetch_store_nothing(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    browser.wait(600.0);
    let rules = Rules { commit: false, ..ALL };
    let done = browser.go_with(rules, |session| put(session, "name", json!("Grace"))).await;
    let done = done.map_err(super::text)?;
    check("nothing is stored", !done.committed && done.set_cookie.is_none())?;
    equal("the value", browser.get("name").await?, json!("Ada"))
}

async fn an_emptied_session_stays_a_session(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    browser.go(Session::clear).await?;
    let loaded = browser.load().await?;
    equal("standing", loaded.standing, Standing::Verified { secret: 0 })?;
    check("it is empty and not new", loaded.session.is_empty() && !loaded.session.is_new())
}

async fn an_idle_session_expires(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    browser.wait(1200.0);
    check("it lives until the timeout", browser.is_known().await?)?;
    browser.wait(1.5);
    check("not beyond", !browser.is_known().await?)
}

async fn an_expired_session_shows_nothing(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    browser.wait(1300.0);
    let loaded = browser.load().await?;
    let gone = [Refusal::Expired, Refusal::Unknown].map(Standing::Refused);
    check("the standing says so", gone.contains(&loaded.standing))?;
    check("the session is new and empty", loaded.session.is_new() && loaded.session.is_empty())?;
    equal("created", loaded.session.created(), browser.now)?;
    equal("increment starts over", browser.increment().await?, 1)?;
    equal("nothing comes back", browser.get("name").await?, Value::Null)
}

async fn writing_keeps_a_session_from_expiring(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    for n in 1..=4 {
        equal("n", browser.increment().await?, n)?;
        browser.wait(1000.0);
    }
    Ok(())
}

async fn reading_keeps_a_session_from_expiring(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    for _ in 0..4 {
        browser.wait(1000.0);
        equal("the value", browser.get("name").await?, json!("Ada"))?;
    }
    Ok(())
}

async fn a_quiet_page_does_not_keep_a_session(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    let quiet = Rules { refresh: false, ..ALL };
    browser.wait(1000.0);
    let done = browser.go_with(quiet, |_| ()).await.map_err(super::text)?;
    check("nothing is stored", !done.committed)?;
    browser.wait(300.0);
    check("it has expired", !browser.is_known().await?)
}

async fn a_refresh_is_due_after_the_reissue_time(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    browser.wait(120.0);
    check("not before", !browser.load().await?.refresh_due)?;
    browser.wait(1.5);
    check("after", browser.load().await?.refresh_due)?;
    check("reading stores it then", browser.go(|_| ()).await?.committed)?;
    check("and not again", !browser.go(|_| ()).await?.committed)
}

async fn without_a_reissue_time_no_refresh_is_due(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, lasting(Lifetimes { reissue_time: None, ..Lifetimes::default() }))?;
    browser.set("name", json!("Ada")).await?;
    browser.wait(1100.0);
    check("none is due", !browser.load().await?.refresh_due)
}

async fn a_refresh_changes_no_data(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("list", json!([1, {"a": "b"}, null])).await?;
    let before = browser.load().await?.session;
    browser.wait(500.0);
    check("a refresh is stored", browser.go(|_| ()).await?.committed)?;
    let after = browser.load().await?.session;
    equal("the state", after.to_state_text(), before.to_state_text())?;
    equal("created", after.created(), before.created())
}

async fn a_lifetime_ends_a_busy_session(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, lasting(Lifetimes { lifetime: Some(3000), ..Lifetimes::default() }))?;
    for n in 1..=4 {
        equal("n", browser.increment().await?, n)?;
        browser.wait(900.0);
    }
    let gone = [Refusal::Outlived, Refusal::Unknown].map(Standing::Refused);
    check("it is over", gone.contains(&browser.standing().await?))?;
    equal("n", browser.increment().await?, 1)
}

async fn without_a_timeout_a_session_never_expires(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, lasting(Lifetimes { timeout: None, ..Lifetimes::default() }))?;
    browser.set("name", json!("Ada")).await?;
    browser.wait(10.0 * 365.0 * 86_400.0);
    equal("the value", browser.get("name").await?, json!("Ada"))
}

async fn a_shorter_timeout_counts_after_a_reload(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    browser.wait(600.0);
    let strict = browser.at(subject, lasting(Lifetimes { timeout: Some(300), ..Lifetimes::default() }))?;
    check("it has expired there", !strict.is_known().await?)?;
    check("and not here", browser.is_known().await?)
}

async fn invalidating_ends_the_session(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    let now = browser.now;
    let done = browser.go(|session| session.invalidate(now)).await?;
    let told = done.set_cookie.unwrap_or_default();
    check("the browser is told to forget the cookie", told.contains("Max-Age=0"))?;
    equal("the cookie", browser.cookie.clone(), None)?;
    check("the visitor is new", browser.load().await?.session.is_new())
}

async fn invalidating_without_a_cookie_says_nothing(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    let now = browser.now;
    let done = browser.go(|session| session.invalidate(now)).await?;
    equal("Set-Cookie", done.set_cookie, None)
}

async fn what_is_written_after_invalidating_begins_a_session(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    browser.wait(60.0);
    let (old, now) = (browser.cookie()?, browser.now);
    let write = move |session: &mut Session| {
        session.invalidate(now);
        put(session, "notice", json!("bye"));
    };
    browser.go(write).await?;
    check("under another name", browser.cookie()? != old)?;
    let session = browser.load().await?.session;
    equal("the state", session.to_value(), json!({"notice": "bye"}))?;
    equal("created", session.created(), now)
}

async fn renewing_keeps_data_and_beginning(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    let begun = browser.now;
    browser.wait(60.0);
    let old = browser.cookie()?;
    browser.go(Session::renew).await?;
    check("the cookie is another", browser.cookie()? != old)?;
    let session = browser.load().await?.session;
    equal("the state", session.to_value(), json!({"name": "Ada"}))?;
    equal("created", session.created(), begun)
}
