//! Cookies: which name a session, and which do not.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::super::Session;
use super::super::super::cookie::{CookieOptions, SameSite, Secure};
use super::super::super::factory::Standing;
use super::browser::Browser;
use super::{Case, Subject, Verdict, check, equal, options, secret};
use crate::session::store::StoredOptions;

pub(super) const CASES: &[Case] = &[
    Case::any("a_malformed_cookie_is_no_session", |s| Box::pin(a_malformed_cookie_is_no_session(s))),
    Case::any("a_changed_cookie_is_no_session", |s| Box::pin(a_changed_cookie_is_no_session(s))),
    Case::any("a_cut_off_cookie_is_no_session", |s| Box::pin(a_cut_off_cookie_is_no_session(s))),
    Case::any("a_forged_cookie_is_no_session", |s| Box::pin(a_forged_cookie_is_no_session(s))),
    Case::any("a_bad_cookie_does_not_keep_a_visitor_out", |s| Box::pin(a_bad_cookie_does_not_keep_a_visitor_out(s))),
    Case::any("a_bad_cookie_can_be_forgotten", |s| Box::pin(a_bad_cookie_can_be_forgotten(s))),
    Case::any("of_two_cookies_the_good_one_counts", |s| Box::pin(of_two_cookies_the_good_one_counts(s))),
    Case::any("of_two_good_cookies_the_first_counts", |s| Box::pin(of_two_good_cookies_the_first_counts(s))),
    Case::any("an_old_secret_still_verifies", |s| Box::pin(an_old_secret_still_verifies(s))),
    Case::any("a_cookie_under_an_old_secret_is_reissued", |s| Box::pin(a_cookie_under_an_old_secret_is_reissued(s))),
    Case::any("a_reissued_cookie_outlives_the_old_secret", |s| Box::pin(a_reissued_cookie_outlives_the_old_secret(s))),
    Case::any("a_dropped_secret_verifies_nothing", |s| Box::pin(a_dropped_secret_verifies_nothing(s))),
    Case::any("the_cookie_has_the_attributes_it_should", |s| Box::pin(the_cookie_has_the_attributes_it_should(s))),
    Case::any("forgetting_repeats_the_attributes", |s| Box::pin(forgetting_repeats_the_attributes(s))),
    Case::any("the_cookie_is_secure_over_https", |s| Box::pin(the_cookie_is_secure_over_https(s))),
    Case::any("a_max_age_runs_from_the_last_write", |s| Box::pin(a_max_age_runs_from_the_last_write(s))),
    Case::any("nothing_shows_the_cookie", |s| Box::pin(nothing_shows_the_cookie(s))),
    Case::server("a_cookie_counts_under_its_own_name_only", |s| Box::pin(a_cookie_counts_under_its_own_name_only(s))),
    Case::server("an_unknown_id_never_becomes_a_session", |s| Box::pin(an_unknown_id_never_becomes_a_session(s))),
    Case::server("of_a_dead_and_a_live_cookie_the_live_counts", |s| {
        Box::pin(of_a_dead_and_a_live_cookie_the_live_counts(s))
    }),
    Case::server("every_session_has_an_id_of_its_own", |s| Box::pin(every_session_has_an_id_of_its_own(s))),
    Case::server("the_cookie_holds_nothing_of_the_session", |s| Box::pin(the_cookie_holds_nothing_of_the_session(s))),
    Case::server("a_change_of_data_keeps_the_name", |s| Box::pin(a_change_of_data_keeps_the_name(s))),
    Case::server("renewing_ends_the_old_name", |s| Box::pin(renewing_ends_the_old_name(s))),
    Case::server("invalidating_ends_the_old_name", |s| Box::pin(invalidating_ends_the_old_name(s))),
    Case::server("writing_after_invalidating_ends_the_old_name", |s| {
        Box::pin(writing_after_invalidating_ends_the_old_name(s))
    }),
];

/// A browser with a session that holds `name`.
async fn known(subject: &dyn Subject) -> Result<Browser, String> {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    Ok(browser)
}

/// That a visit with this value is a new one.
async fn refused(browser: &Browser, value: &[u8]) -> Verdict {
    let loaded = browser.load_with(&browser.visit_with(&[value])?).await;
    let loaded = loaded.map_err(|error| format!("`{}` is an error: {error}", value.escape_ascii()))?;
    let new = loaded.session.is_new() && loaded.session.is_empty();
    let refused = matches!(loaded.standing, Standing::Refused(_));
    check(&format!("`{}` is no session", value.escape_ascii()), new && refused)
}

async fn a_malformed_cookie_is_no_session(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let good = browser.cookie()?;
    let quoted = format!("\"{good}\"");
    let long = "A".repeat(5000);
    let values = ["", "x", "null", "{}", "../../etc/passwd", "' OR 1=1 --", "%00", "\t", "AAAA", &quoted, &long];
    for value in values {
        refused(&browser, value.as_bytes()).await?;
    }
    for value in [&b"\xFF\xFE"[..], b"\xC3\xA9", &[b"A".repeat(80), vec![0x80]].concat()] {
        refused(&browser, value).await?;
    }
    browser.cookie = Some(good);
    check("the good one is one", browser.is_known().await?)
}

async fn a_changed_cookie_is_no_session(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let good = browser.cookie()?.into_bytes();
    for at in 0..good.len() {
        let mut changed = good.clone();
        if let Some(byte) = changed.get_mut(at) {
            *byte = if *byte == b'A' { b'B' } else { b'A' };
        }
        refused(&browser, &changed).await?;
    }
    Ok(())
}

async fn a_cut_off_cookie_is_no_session(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let good = browser.cookie()?;
    for length in 0..good.len() {
        refused(&browser, good.as_bytes().get(..length).unwrap_or_default()).await?;
    }
    refused(&browser, format!("{good}A").as_bytes()).await
}

async fn a_forged_cookie_is_no_session(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let mut forger = Browser::new(subject, StoredOptions { secrets: vec![secret("forged")], ..options() })?;
    forger.set("name", json!("Mallory")).await?;
    refused(&browser, forger.cookie()?.as_bytes()).await
}

async fn a_bad_cookie_does_not_keep_a_visitor_out(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?.with_cookie("garbage");
    let done = browser.go(|session| session.is_empty()).await?;
    equal("Set-Cookie of a reader", done.set_cookie, None)?;
    browser.set("name", json!("Ada")).await?;
    check("the cookie is replaced", browser.cookie()? != "garbage")?;
    equal("the value", browser.get("name").await?, json!("Ada"))
}

async fn a_bad_cookie_can_be_forgotten(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?.with_cookie("garbage");
    let now = browser.now;
    browser.go(|session| session.invalidate(now)).await?;
    equal("the cookie", browser.cookie.clone(), None)
}

async fn of_two_cookies_the_good_one_counts(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let good = browser.cookie()?;
    for values in [["garbage", &good], [&good, "garbage"]] {
        let visit = browser.visit_with(&values.map(str::as_bytes))?;
        let loaded = browser.load_with(&visit).await?;
        equal("the state", loaded.session.to_value(), json!({"name": "Ada"}))?;
    }
    Ok(())
}

async fn of_two_good_cookies_the_first_counts(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let mut other = browser.stranger();
    other.set("name", json!("Grace")).await?;
    let (ada, grace) = (browser.cookie()?, other.cookie()?);
    for (values, name) in [([&ada, &grace], "Ada"), ([&grace, &ada], "Grace")] {
        let visit = browser.visit_with(&values.map(|value| value.as_bytes()))?;
        let loaded = browser.load_with(&visit).await?;
        equal("the state", loaded.session.to_value(), json!({"name": name}))?;
    }
    Ok(())
}

fn rotated() -> StoredOptions {
    StoredOptions { secrets: vec![secret("newer"), secret("a")], ..options() }
}

async fn an_old_secret_still_verifies(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?.at(subject, rotated())?;
    equal("standing", browser.standing().await?, Standing::Verified { secret: 1 })?;
    equal("the value", browser.get("name").await?, json!("Ada"))
}

async fn a_cookie_under_an_old_secret_is_reissued(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?.at(subject, rotated())?;
    check("a refresh is due", browser.load().await?.refresh_due)?;
    let done = browser.go(|_| ()).await?;
    check("a cookie is set", done.set_cookie.is_some())?;
    equal("standing", browser.standing().await?, Standing::Verified { secret: 0 })?;
    check("once", browser.go(|_| ()).await?.set_cookie.is_none())
}

async fn a_reissued_cookie_outlives_the_old_secret(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?.at(subject, rotated())?;
    browser.increment().await?;
    let mut later = browser.at(subject, StoredOptions { secrets: vec![secret("newer")], ..options() })?;
    equal("the value", later.get("name").await?, json!("Ada"))
}

async fn a_dropped_secret_verifies_nothing(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let later = browser.at(subject, StoredOptions { secrets: vec![secret("newer")], ..options() })?;
    refused(&later, browser.cookie()?.as_bytes()).await
}

fn elsewhere() -> StoredOptions {
    let cookie = CookieOptions {
        name: "sid".into(),
        path: Some("/shop".into()),
        domain: Some("example.com".into()),
        secure: Secure::Always,
        same_site: Some(SameSite::Strict),
        ..CookieOptions::default()
    };
    StoredOptions { cookie, ..options() }
}

fn attributes(set_cookie: &str) -> BTreeSet<String> {
    let parts = set_cookie.split(';').skip(1).map(|part| part.trim().to_ascii_lowercase());
    parts.filter(|part| !part.starts_with("max-age=") && !part.starts_with("expires=")).collect()
}

async fn the_cookie_has_the_attributes_it_should(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, elsewhere())?;
    let set = browser.set("name", json!("Ada")).await?.set_cookie.unwrap_or_default();
    check("the name", set.starts_with("sid="))?;
    let wanted = ["path=/shop", "domain=example.com", "secure", "httponly", "samesite=strict"];
    equal("the attributes", attributes(&set), wanted.map(str::to_owned).into())
}

async fn forgetting_repeats_the_attributes(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, elsewhere())?;
    let set = browser.set("name", json!("Ada")).await?.set_cookie.unwrap_or_default();
    let now = browser.now;
    let forget = browser.go(|session| session.invalidate(now)).await?.set_cookie.unwrap_or_default();
    check("the name", forget.starts_with("sid=;"))?;
    equal("the attributes", attributes(&forget), attributes(&set))
}

async fn the_cookie_is_secure_over_https(subject: &dyn Subject) -> Verdict {
    for https in [false, true] {
        let mut browser = Browser { https, ..Browser::new(subject, options())? };
        let set = browser.set("name", json!("Ada")).await?.set_cookie.unwrap_or_default();
        equal("secure", attributes(&set).contains("secure"), https)?;
    }
    Ok(())
}

async fn a_max_age_runs_from_the_last_write(subject: &dyn Subject) -> Verdict {
    let cookie = CookieOptions { max_age: Some(3600), ..CookieOptions::default() };
    let mut browser = Browser::new(subject, StoredOptions { cookie, ..options() })?;
    for _ in 0..3 {
        let done = browser.go(super::browser::increment).await?;
        check("it is sent", done.set_cookie.is_some_and(|set| set.contains("Max-Age=3600")))?;
        browser.wait(60.0);
    }
    Ok(())
}

async fn nothing_shows_the_cookie(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let cookie = browser.cookie()?;
    let visit = browser.visit_with(&[cookie.as_bytes()])?;
    let loaded = browser.load_with(&visit).await?;
    let shown = format!("{visit:?} {:?} {:?} {:?}", loaded.token, loaded.standing, browser.factory);
    check("neither visit nor token nor factory shows it", !shown.contains(&cookie))
}

async fn a_cookie_counts_under_its_own_name_only(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let cookie = CookieOptions { name: "other".into(), ..CookieOptions::default() };
    let other = browser.at(subject, StoredOptions { cookie, ..options() })?;
    refused(&other, browser.cookie()?.as_bytes()).await
}

async fn an_unknown_id_never_becomes_a_session(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let planted = browser.cookie()?;
    let now = browser.now;
    browser.go(|session| session.invalidate(now)).await?;
    // Signed by us, and nobody's session any more.
    let mut victim = browser.with_cookie(&planted);
    refused(&victim, planted.as_bytes()).await?;
    victim.set("name", json!("Grace")).await?;
    check("the victim gets another name", victim.cookie()? != planted)?;
    refused(&browser, planted.as_bytes()).await
}

async fn of_a_dead_and_a_live_cookie_the_live_counts(subject: &dyn Subject) -> Verdict {
    let browser = known(subject).await?;
    let (live, mut other) = (browser.cookie()?, browser.stranger());
    other.set("name", json!("Grace")).await?;
    let dead = other.cookie()?;
    let now = other.now;
    other.go(|session| session.invalidate(now)).await?;
    for values in [[&dead, &live], [&live, &dead]] {
        let visit = browser.visit_with(&values.map(|value| value.as_bytes()))?;
        let loaded = browser.load_with(&visit).await?;
        equal("the state", loaded.session.to_value(), json!({"name": "Ada"}))?;
    }
    Ok(())
}

async fn every_session_has_an_id_of_its_own(subject: &dyn Subject) -> Verdict {
    let mut values = BTreeSet::new();
    let browser = Browser::new(subject, options())?;
    for _ in 0..50 {
        let mut visitor = browser.stranger();
        visitor.set("name", json!("Ada")).await?;
        values.insert(visitor.cookie()?);
    }
    equal("different cookies", values.len(), 50)
}

async fn the_cookie_holds_nothing_of_the_session(subject: &dyn Subject) -> Verdict {
    let mut small = Browser::new(subject, options())?;
    let mut large = small.stranger();
    small.set("a", json!(1)).await?;
    large.set("a", json!("x".repeat(10_000))).await?;
    equal("the length", large.cookie()?.len(), small.cookie()?.len())
}

async fn a_change_of_data_keeps_the_name(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let name = browser.cookie()?;
    for _ in 0..3 {
        browser.increment().await?;
        equal("the cookie", browser.cookie()?, name.clone())?;
    }
    Ok(())
}

async fn renewing_ends_the_old_name(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let mut thief = browser.clone();
    browser.go(Session::renew).await?;
    refused(&browser, thief.cookie()?.as_bytes()).await?;
    equal("what a thief sees", thief.get("name").await?, Value::Null)?;
    thief.set("name", json!("Mallory")).await?;
    equal("what the visitor sees", browser.get("name").await?, json!("Ada"))
}

async fn invalidating_ends_the_old_name(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let mut replayed = browser.clone();
    let now = browser.now;
    browser.go(|session| session.invalidate(now)).await?;
    refused(&browser, replayed.cookie()?.as_bytes()).await?;
    equal("what a replay sees", replayed.get("name").await?, Value::Null)
}

async fn writing_after_invalidating_ends_the_old_name(subject: &dyn Subject) -> Verdict {
    let mut browser = known(subject).await?;
    let old = browser.cookie()?;
    let now = browser.now;
    browser
        .go(|session| {
            session.invalidate(now);
            super::browser::put(session, "notice", json!("bye"));
        })
        .await?;
    refused(&browser, old.as_bytes()).await
}
