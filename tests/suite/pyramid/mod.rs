//! One session cookie, shared by Sitewright and a real Pyramid: each goes on where the other stopped.

mod csrf;
mod live;
mod odd_cookies;

use std::net::SocketAddr;

use serde_json::{Value, json};
use sitewright::session::factory::HashAlg;

use crate::driver::{Answer, Visitor, project};
use live::{Pyramid, as_settings, both, created, sitewright, state};

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn the_counter_counts_on_whoever_answers() {
    let (pyramid, _site, sitewright) = both(json!({ "secret": "itsaseekreet" }));
    let mut visitor = sitewright.visitor();
    let mut expected = 0;
    for path in ["/", "/howdy", "/howdy", "/", "/"] {
        for server in [SocketAddr::from(&pyramid), SocketAddr::from(&sitewright)] {
            visitor.moves_to(server);
            expected += 1;
            assert_eq!(visitor.get(path).count(), expected);
        }
    }
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn what_the_page_about_pyramid_shows_in_python_runs() {
    let page = std::fs::read_to_string(project().join("docs/pyramid.md")).unwrap();
    let blocks: Vec<_> = page.split("\n```python\n").skip(1).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let program = format!(
            "import os\nfrom pyramid.session import SignedCookieSessionFactory\nos.environ['SESSION_SECRET'] = 'secret'\n{}",
            block.split("\n```").next().unwrap()
        );
        let ran = live::python().args(["-c", &program]).output().unwrap();
        assert!(ran.status.success(), "{}\nin:\n{program}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn every_hash_function_that_both_know_is_shared() {
    let known = live::hashalgs();
    let (shared, left): (Vec<_>, Vec<_>) =
        HashAlg::NAMES.into_iter().partition(|name| known.iter().any(|known| known == name));
    // Those that Python leaves to OpenSSL, which may be built without them.
    let may_lack = ["ripemd160", "sha512_224", "sha512_256", "sm3"];
    assert!(left.iter().all(|name| may_lack.contains(name)), "Pyramid knows only {known:?}");
    assert_all_shared(shared.iter().map(|name| json!({ "secret": "itsaseekreet", "hashalg": name })).collect());
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn every_secret_and_salt_is_shared() {
    assert_all_shared(vec![
        json!({ "secret": "s", "salt": "" }),
        json!({ "secret": "Schlüssel für Zürich" }),
        json!({ "secret": "ключ", "salt": "Salz für alle" }),
        json!({ "secret": "clé", "salt": "盐" }),
        json!({ "secret": "🔑 \"quoted\" \\ and\ttabbed" }),
        json!({ "secret": "longer than a block of SHA-512 ".repeat(10) }),
    ]);
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn every_cookie_option_is_shared_and_written_alike() {
    let options = vec![
        json!({ "secret": "itsaseekreet", "httponly": true }),
        json!({ "secret": "itsaseekreet", "httponly": false, "cookie_name": "sid", "samesite": "Strict" }),
        json!({ "secret": "itsaseekreet", "httponly": true, "secure": true, "samesite": "None", "max_age": 3600 }),
        json!({ "secret": "itsaseekreet", "httponly": false, "timeout": null, "reissue_time": null }),
    ];
    let pyramid = Pyramid::with_sites(&options);
    for (index, options) in options.iter().enumerate() {
        let (_site, sitewright) = sitewright(&as_settings(options));
        let theirs = Visitor::new(pyramid.site(index)).get("/");
        let ours = sitewright.visitor().get("/");
        assert_eq!(attributes(&ours), attributes(&theirs), "{options}");
        assert_shared(pyramid.site(index), sitewright.address, options);
    }
}

/// What stands around the value in the one `Set-Cookie`, without the date, which moves on.
fn attributes(answer: &Answer) -> Vec<&str> {
    let [cookie] = answer.set_cookies()[..] else { panic!("not one cookie: {answer:?}") };
    let (name, rest) = cookie.split_once('=').unwrap();
    let date = |attribute: &str| attribute.split_once(", ").map_or(attribute.len(), |(day, _)| day.len() - 3);
    std::iter::once(name).chain(rest.split("; ").skip(1).map(|attribute| &attribute[..date(attribute)])).collect()
}

/// For each of these options, a site of each kind shares the session.
fn assert_all_shared(options: Vec<Value>) {
    let pyramid = Pyramid::with_sites(&options);
    for (index, options) in options.iter().enumerate() {
        let (_site, sitewright) = sitewright(&as_settings(options));
        assert_shared(pyramid.site(index), sitewright.address, options);
    }
}

/// A visitor goes here, there, here and there, from either side, and the counter counts on.
fn assert_shared(one: SocketAddr, other: SocketAddr, options: &Value) {
    for way in [[one, other, one, other], [other, one, other, one]] {
        let mut visitor = Visitor::new(way[0]);
        for (server, expected) in way.into_iter().zip(1..) {
            visitor.moves_to(server);
            assert_eq!(visitor.get("/").count(), expected, "{options}");
        }
    }
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn another_key_is_another_session() {
    let options = [
        json!({ "secret": "another" }),
        json!({ "secret": "s", "salt": "x" }),
        json!({ "secret": "s", "hashalg": "sha256" }),
    ];
    let pyramid = Pyramid::with_sites(&options);
    let (_site, sitewright) = sitewright(r#"secret = "s""#);
    for (index, options) in options.iter().enumerate() {
        for way in [[pyramid.site(index), sitewright.address], [sitewright.address, pyramid.site(index)]] {
            let mut visitor = Visitor::new(way[0]);
            assert_eq!(visitor.get("/").count(), 1);
            visitor.moves_to(way[1]);
            assert_eq!(visitor.get("/").count(), 1, "{options}");
        }
    }
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn salt_and_secret_make_one_key_wherever_the_one_ends() {
    let pyramid = Pyramid::new(json!({ "salt": "ab", "secret": "cdef" }));
    let options = json!({ "salt": "abcd", "secret": "ef" });
    let (_site, sitewright) = sitewright(&as_settings(&options));
    assert_shared(pyramid.site(0), sitewright.address, &options);
}

/// What Pyramid's JSON can say and other JSON finds hard.
const VALUES: &str = r#"{"big": 18446744073709551616, "negative": -170141183460469231731687303715884105729,
    "huge": 1234567890123456789012345678901234567890123456789012345678901234567890, "zero": -0, "minus": -0.0,
    "floats": [1e16, 1e-5, 1E400, 0.1, 5e-324, 1700000000.0, 123456789.123456789], "odd": [NaN, Infinity, -Infinity],
    "text": "häß 😀 \u2028 </script> \\ \" / \b\f\n\r\t\u0000\u007f", "lone": "\ud83d, \ude00",
    "": "no key", "a.b": {"{{c}}": [[], {}, null, true, false]}, "user": "Zoë",
    "nested": {"before": 1e16, "count": 18446744073709551615, "after": ["\ud800", 18446744073709551617]}}"#;

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn what_sitewright_does_not_touch_comes_back_exactly() {
    let (pyramid, _site, sitewright) = both(json!({ "secret": "itsaseekreet" }));
    let mut visitor = Visitor::new(pyramid.site(0));
    let stored = visitor.request("POST", "/store").body("application/json", VALUES).send();
    let stored = stored.text().to_owned();
    assert_eq!(state(&visitor.cookie().unwrap()), stored);

    visitor.moves_to(&sitewright);
    assert_eq!(visitor.get("/").count(), 1);
    assert_eq!(visitor.get("/").count(), 2);
    let counted = stored.strip_suffix('}').unwrap().to_owned() + r#", "counter": 2}"#;
    assert_eq!(state(&visitor.cookie().unwrap()), counted);
    // Beside a value that is written, and beyond 64 bits.
    assert!(visitor.get("/nested").text().starts_with("Count: 18446744073709551616"));
    let counted = counted.replace(r#""count": 18446744073709551615"#, r#""count": 18446744073709551616"#);
    assert_eq!(state(&visitor.cookie().unwrap()), counted);

    visitor.moves_to(&pyramid);
    assert_eq!(visitor.get("/session").text(), counted);
    assert_eq!(visitor.get("/").count(), 3);
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn what_sitewright_writes_is_spelled_as_pyramid_spells_it() {
    let (pyramid, _site, sitewright) = both(json!({ "secret": "itsaseekreet", "reissue_time": null }));
    for name in
        ["bob", "Zoë", "%F0%9F%98%80", "%22%5C/%3C/script%3E", "%08%0C%0A%0D%09%01%7F%C2%80", "", "1e16", "null"]
    {
        let mut visitor = sitewright.visitor();
        visitor.get("/");
        visitor.post("/login/add", &format!("user={name}"));
        let cookie = visitor.cookie().unwrap();
        visitor.moves_to(&pyramid);
        assert_eq!(visitor.get("/session").text(), state(&cookie));
    }
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn a_visitor_logs_in_here_and_out_there() {
    let (pyramid, _site, sitewright) = both(json!({ "secret": "itsaseekreet" }));
    for way in [[pyramid.site(0), sitewright.address], [sitewright.address, pyramid.site(0)]] {
        let mut visitor = Visitor::new(way[0]);
        visitor.post("/login/add", "user=Zo%C3%AB");
        for server in way {
            visitor.moves_to(server);
            let welcome = visitor.get("/login/read");
            assert!(welcome.text().contains("Welcome Zoë"), "{}", welcome.text());
        }
        visitor.get("/login/logout");
        for server in way {
            visitor.moves_to(server);
            let sent = visitor.get("/login/read");
            assert!(matches!(sent.status, 302 | 303), "{}", sent.text());
            assert!(sent.header("location").ends_with("/login"), "{}", sent.header("location"));
        }
    }
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn a_session_that_ends_on_one_side_has_ended_on_the_other() {
    let (pyramid, _site, sitewright) = both(json!({ "secret": "itsaseekreet" }));
    let mut visitor = Visitor::new(pyramid.site(0));
    visitor.get("/");
    visitor.get("/invalidate");
    visitor.moves_to(&sitewright);
    assert_eq!(visitor.get("/").count(), 1);
    visitor.get("/leave");
    assert_eq!(visitor.cookie(), None);
    visitor.moves_to(&pyramid);
    assert_eq!(visitor.get("/").count(), 1);
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn flash_messages_and_the_csrf_token_survive() {
    let (pyramid, _site, sitewright) = both(json!({ "secret": "itsaseekreet" }));
    let mut visitor = Visitor::new(pyramid.site(0));
    visitor.get("/flash?message=saved");
    visitor.get("/flash?message=sent");
    visitor.get("/flash?message=caf%C3%A9&queue=warnings");
    let token = visitor.get("/csrf-token").body;

    visitor.moves_to(&sitewright);
    assert_eq!(visitor.get("/").count(), 1);
    let session = visitor.session();
    assert_eq!(session["_f_"], json!(["saved", "sent"]));
    assert_eq!(session["_f_warnings"], json!(["café"]));

    visitor.moves_to(&pyramid);
    assert!(visitor.get("/pop-flash").text().contains("saved sent"));
    assert!(visitor.get("/pop-flash?queue=warnings").text().contains("café"));
    assert_eq!(visitor.get("/csrf-token").body, token);
    visitor.moves_to(&sitewright);
    assert_eq!(visitor.get("/").count(), 2);
    assert_eq!(visitor.session().get("_f_"), None);
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn either_side_shows_the_flash_messages_of_the_other() {
    let (pyramid, _site, sitewright) = both(json!({ "secret": "itsaseekreet" }));
    let mut visitor = Visitor::new(sitewright.address);
    visitor.get("/flash?message=caf%C3%A9");
    visitor.moves_to(&pyramid);
    visitor.get("/flash?message=saved&queue=more");
    assert!(visitor.get("/pop-flash").text().contains("café"));
    assert!(visitor.get("/pop-flash?queue=more").text().contains("and café saved"));

    visitor.get("/flash?message=saved&queue=news");
    visitor.get("/flash?message=sent");
    visitor.get("/flash?message=read&queue=news");
    visitor.moves_to(&sitewright);
    assert_eq!(visitor.get("/messages").text(), "news: saved; news: read; : sent; ");
    assert_eq!(visitor.get("/messages").text(), "");
    visitor.moves_to(&pyramid);
    assert!(!visitor.get("/pop-flash?queue=news").text().contains("saved"));
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn a_tampered_cookie_is_a_new_session_on_both_sides() {
    let (pyramid, _site, sitewright) = both(json!({ "secret": "itsaseekreet" }));
    let sides = [pyramid.site(0), sitewright.address];
    for writer in sides {
        let mut visitor = Visitor::new(writer);
        visitor.get("/");
        let cookie = visitor.cookie().unwrap();
        let last = cookie.len() - 1;
        let flipped = [0, 1, 43, 84, 85, 86, last - 2, last - 1].map(|at| flip(&cookie, at));
        let cut = [1, 2, 3, 4, 60].map(|length| cookie[..=last - length].to_owned());
        let other = [cookie[1..].to_owned(), format!("{cookie}AAAA"), cookie.repeat(2), String::new()];
        for tampered in flipped.into_iter().chain(cut).chain(other) {
            for reader in sides {
                let header = format!("session={tampered}");
                let answer = Visitor::new(reader).request("GET", "/").header("Cookie", header).send();
                assert_eq!(answer.count(), 1, "{cookie} became {tampered}");
            }
        }
    }
}

/// Another letter of the alphabet in this place.
fn flip(cookie: &str, at: usize) -> String {
    let other = if &cookie[at..=at] == "A" { "Q" } else { "A" };
    format!("{}{other}{}", &cookie[..at], &cookie[at + 1..])
}

/// A visit to a Pyramid whose clock is ahead by so many seconds.
fn get_at(visitor: &mut Visitor, ahead: i32, path: &str) -> Answer {
    visitor.request("GET", path).header("Clock-Ahead", ahead.to_string()).send()
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn an_idle_session_times_out_on_both_sides() {
    let (pyramid, _site, sitewright) = both(json!({ "secret": "itsaseekreet", "timeout": 1200 }));
    for (idle, expected) in [(1000, 2), (1300, 1)] {
        let mut visitor = Visitor::new(pyramid.site(0));
        get_at(&mut visitor, -idle, "/");
        visitor.moves_to(&sitewright);
        assert_eq!(visitor.get("/").count(), expected, "{idle} seconds after Pyramid");

        let mut visitor = sitewright.visitor();
        visitor.get("/");
        visitor.moves_to(&pyramid);
        assert_eq!(get_at(&mut visitor, idle, "/").count(), expected, "{idle} seconds after Sitewright");
    }
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn a_session_without_timeout_lasts_on_both_sides() {
    let (pyramid, _site, sitewright) = both(json!({ "secret": "itsaseekreet", "timeout": null }));
    let mut visitor = Visitor::new(pyramid.site(0));
    get_at(&mut visitor, -1_000_000_000, "/");
    visitor.moves_to(&sitewright);
    assert_eq!(visitor.get("/").count(), 2);
    visitor.moves_to(&pyramid);
    assert_eq!(get_at(&mut visitor, 1_000_000_000, "/").count(), 3);
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn a_visitor_who_only_reads_is_renewed_on_both_sides() {
    let options = json!({ "secret": "itsaseekreet", "timeout": 1200, "reissue_time": 120 });
    let (pyramid, _site, sitewright) = both(options);
    for (idle, renewals) in [(30, 0), (300, 1)] {
        let mut visitor = Visitor::new(pyramid.site(0));
        get_at(&mut visitor, -idle, "/");
        let began = created(&visitor.cookie().unwrap());
        visitor.moves_to(&sitewright);
        assert_eq!(visitor.get("/look").set_cookies().len(), renewals, "{idle} seconds after Pyramid");
        visitor.get("/");
        visitor.moves_to(&pyramid);
        assert_eq!(get_at(&mut visitor, idle, "/session").set_cookies().len(), renewals);
        assert_eq!(created(&visitor.cookie().unwrap()), began);
    }
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn a_new_secret_takes_over_the_sessions_of_the_old_one() {
    let pyramid = Pyramid::with_sites(&[json!({ "secret": "the old one" }), json!({ "secret": "the new one" })]);
    let (old, new) = (pyramid.site(0), pyramid.site(1));
    let (_site, sitewright) = sitewright(r#"secrets = ["the new one", "the old one"]"#);
    let mut visitor = Visitor::new(old);
    assert_eq!(visitor.get("/").count(), 1);
    visitor.moves_to(&sitewright);
    assert_eq!(visitor.get("/look").set_cookies().len(), 1);
    visitor.moves_to(new);
    assert_eq!(visitor.get("/").count(), 2);
    visitor.moves_to(&sitewright);
    assert_eq!(visitor.get("/").count(), 3);
    visitor.moves_to(old);
    assert_eq!(visitor.get("/").count(), 1);
}
