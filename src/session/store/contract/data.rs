//! What a session can hold.

use serde_json::{Value, json};

use super::super::super::Session;
use super::super::super::factory::SessionError;
use super::super::super::json::MAX_DEPTH;
use super::browser::{ALL, Browser, put};
use super::{Case, Subject, Verdict, check, equal, options};

pub(super) const CASES: &[Case] = &[
    Case::any("every_kind_of_value_is_kept", |s| Box::pin(every_kind_of_value_is_kept(s))),
    Case::any("unicode_is_kept", |s| Box::pin(unicode_is_kept(s))),
    Case::any("odd_keys_are_kept", |s| Box::pin(odd_keys_are_kept(s))),
    Case::any("large_integers_are_kept", |s| Box::pin(large_integers_are_kept(s))),
    Case::any("floats_are_kept", |s| Box::pin(floats_are_kept(s))),
    Case::any("the_order_of_keys_is_kept", |s| Box::pin(the_order_of_keys_is_kept(s))),
    Case::any("what_nobody_wrote_keeps_its_spelling", |s| Box::pin(what_nobody_wrote_keeps_its_spelling(s))),
    Case::any("deep_nesting_is_kept", |s| Box::pin(deep_nesting_is_kept(s))),
    Case::any("too_deep_a_session_is_refused_and_the_old_one_stays", |s| {
        Box::pin(too_deep_a_session_is_refused_and_the_old_one_stays(s))
    }),
    Case::any("two_kilobytes_fit", |s| Box::pin(two_kilobytes_fit(s))),
    Case::any("a_session_may_shrink_and_grow", |s| Box::pin(a_session_may_shrink_and_grow(s))),
    Case::any("a_megabyte_is_refused_and_the_old_session_stays", |s| {
        Box::pin(a_megabyte_is_refused_and_the_old_session_stays(s))
    }),
    Case::any("a_megabyte_begins_no_session", |s| Box::pin(a_megabyte_begins_no_session(s))),
    Case::any("a_refusal_names_the_largest_keys", |s| Box::pin(a_refusal_names_the_largest_keys(s))),
    Case::server("sixty_kilobytes_fit", |s| Box::pin(sixty_kilobytes_fit(s))),
];

/// That `value` comes back as it was, now and after something beside it changed.
async fn kept(subject: &dyn Subject, value: Value) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("value", value.clone()).await?;
    equal("the value", browser.get("value").await?, value.clone())?;
    browser.increment().await?;
    equal("the value later", browser.get("value").await?, value)
}

async fn every_kind_of_value_is_kept(subject: &dyn Subject) -> Verdict {
    kept(subject, json!([null, true, false, 0, -1, "", "text", [], [[]], {}, {"a": {"b": []}}])).await
}

async fn unicode_is_kept(subject: &dyn Subject) -> Verdict {
    let texts =
        ["é", "日本語", "👩\u{200D}👩\u{200D}👧", "\u{202E}rtl", "\u{0}\u{1}\u{7F}\u{FFFF}", "\"\\/\r\n\t", "e\u{301}"];
    kept(subject, json!(texts)).await
}

async fn odd_keys_are_kept(subject: &dyn Subject) -> Verdict {
    kept(subject, json!({"": 1, " ": 2, "a.b": 3, "\"": 4, "ключ": 5, "\u{0}": 6, "__proto__": 7, "$": 8})).await
}

async fn large_integers_are_kept(subject: &dyn Subject) -> Verdict {
    let digits = format!("1{}", "0".repeat(400));
    let texts = ["9007199254740993", "18446744073709551616", "-9223372036854775809", &digits];
    for text in texts {
        let value: Value = serde_json::from_str(text).map_err(super::text)?;
        kept(subject, value).await?;
    }
    Ok(())
}

async fn floats_are_kept(subject: &dyn Subject) -> Verdict {
    let floats = [0.1, -0.0, 5e-324, f64::MAX, 1e16, 1e-7, 1_700_000_000.123_456];
    let mut browser = Browser::new(subject, options())?;
    browser.set("value", json!(floats)).await?;
    let value = browser.get("value").await?;
    // Compared as numbers: there is more than one way to write them.
    let found = value.as_array().into_iter().flatten().filter_map(Value::as_f64).map(f64::to_bits);
    equal("the bits", found.collect::<Vec<_>>(), floats.map(f64::to_bits).to_vec())
}

async fn the_order_of_keys_is_kept(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    for key in ["z", "a", "m", "0"] {
        browser.set(key, json!(1)).await?;
    }
    browser.set("a", json!(2)).await?;
    let session = browser.load().await?.session;
    equal("the keys", session.keys().collect::<Vec<_>>(), vec!["z", "a", "m", "0"])
}

async fn what_nobody_wrote_keeps_its_spelling(subject: &dyn Subject) -> Verdict {
    let odd = r#"{ "f": [1e+16,-0.0, NaN],"s" :"\uD800 \u00E9 é", "big":123456789012345678901234567890 }"#;
    let mut browser = Browser::new(subject, options())?;
    let loaded = browser.load().await?;
    let session = Session::restore(browser.now, odd).map_err(super::text)?;
    browser.commit(&loaded, &session).await.map_err(super::text)?;
    equal("the state", browser.load().await?.session.to_state_text(), odd.to_owned())
}

/// Lists inside each other, so many as a member of the state may have.
fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| json!([inner]))
}

async fn deep_nesting_is_kept(subject: &dyn Subject) -> Verdict {
    kept(subject, nested(MAX_DEPTH - 1)).await
}

async fn too_deep_a_session_is_refused_and_the_old_one_stays(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    let refused = browser.set("deep", nested(MAX_DEPTH)).await;
    check("it is refused", refused.is_err())?;
    equal("the value", browser.get("name").await?, json!("Ada"))
}

async fn two_kilobytes_fit(subject: &dyn Subject) -> Verdict {
    kept(subject, json!("x".repeat(2000))).await
}

async fn sixty_kilobytes_fit(subject: &dyn Subject) -> Verdict {
    kept(subject, json!("x".repeat(60_000))).await
}

async fn a_session_may_shrink_and_grow(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    for size in [10, 2000, 0, 1500, 1, 2000] {
        let text = json!("x".repeat(size));
        browser.set("text", text.clone()).await?;
        equal("the text", browser.get("text").await?, text)?;
    }
    Ok(())
}

/// What becomes of a session with a megabyte in it.
async fn with_a_megabyte(browser: &mut Browser) -> Result<SessionError, String> {
    let text = json!("x".repeat(1 << 20));
    let done = browser.go_with(ALL, |session| put(session, "text", text.clone())).await;
    done.err().ok_or_else(|| "it is stored".to_owned())
}

async fn a_megabyte_is_refused_and_the_old_session_stays(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    let error = with_a_megabyte(&mut browser).await?;
    check(&format!("{error} is `TooLarge`"), matches!(error, SessionError::TooLarge { .. }))?;
    equal("the state", browser.load().await?.session.to_value(), json!({"name": "Ada"}))
}

async fn a_megabyte_begins_no_session(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    with_a_megabyte(&mut browser).await?;
    equal("the cookie", browser.cookie.clone(), None)
}

async fn a_refusal_names_the_largest_keys(subject: &dyn Subject) -> Verdict {
    let mut browser = Browser::new(subject, options())?;
    browser.set("name", json!("Ada")).await?;
    match with_a_megabyte(&mut browser).await? {
        SessionError::TooLarge { bytes, limit, largest } => {
            check("it takes more than there is", bytes > limit)?;
            equal("the largest", largest.first().map(|(key, _)| key.as_str()), Some("text"))
        }
        error => Err(error.to_string()),
    }
}
