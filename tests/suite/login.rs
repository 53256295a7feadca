//! The login site, alone and mounted: what real Pyramid did with the application it comes from, but for
//! the faults of that (names that are not escaped, a 500 for what is missing, a HEAD that changes things).

use serde_json::json;

use crate::driver::{Server, Site};

/// The login site by itself and under the tutorial, with the prefix of its paths.
fn both(test: impl Fn(&Server, &str)) {
    test(&Site::copy_of("sites/login").without_csrf().serve(), "");
    test(&Site::copy_of(".").without_csrf().serve(), "/login");
}

/// Its first page: alone at `/`, mounted at the prefix itself.
fn first(prefix: &str) -> &str {
    if prefix.is_empty() { "/" } else { prefix }
}

#[test]
fn a_name_goes_in_is_read_and_is_popped() {
    both(|server, at| {
        let mut visitor = server.visitor();
        let form = visitor.get(first(at));
        assert_eq!(form.status, 200);
        assert!(form.text().contains(&format!("action=\"{at}/add\"")), "{}", form.text());
        assert!(form.text().contains("name=\"user\""));
        assert!(form.set_cookies().is_empty(), "the form touches no session");

        let added = visitor.get(&format!("{at}/add?user=Admin"));
        assert!(added.text().contains("Session object added."), "{}", added.text());
        assert!(added.text().contains(&format!("href=\"{at}/read\"")), "{}", added.text());
        assert_eq!(visitor.session(), json!({ "user": "Admin" }));

        let read = visitor.get(&format!("{at}/read"));
        assert!(read.text().contains("Welcome Admin"), "{}", read.text());
        assert!(read.text().contains(&format!("href=\"{at}/logout\"")), "{}", read.text());
        assert!(read.set_cookies().is_empty(), "reading right away renews nothing");

        let out = visitor.get(&format!("{at}/logout"));
        assert!(out.text().contains("You have been logged out"), "{}", out.text());
        assert!(out.text().contains(&format!("href=\"{}\"", first(at))), "{}", out.text());
        assert_eq!(out.set_cookies().len(), 1, "the cookie is set again, not deleted");
        assert_eq!(visitor.session(), json!({}));
        assert!(visitor.cookie().is_some());
    });
}

#[test]
fn who_is_not_logged_in_is_led_to_the_form() {
    both(|server, at| {
        let mut visitor = server.visitor();
        let mut led = |path: &str| {
            let answer = visitor.get(&format!("{at}{path}"));
            assert_eq!((answer.status, answer.header("location")), (303, first(at)), "{path}");
            assert!(answer.set_cookies().is_empty());
        };
        led("/read");
        led("/logout");
        visitor.get(&format!("{at}/add?user=Admin"));
        visitor.get(&format!("{at}/logout"));
        let mut led = |path: &str| {
            let answer = visitor.get(&format!("{at}{path}"));
            assert_eq!((answer.status, answer.header("location")), (303, first(at)), "{path} after logging out");
        };
        led("/logout");
        led("/read");
    });
}

#[test]
fn a_missing_parameter_is_a_400_that_names_it() {
    both(|server, at| {
        let mut visitor = server.visitor();
        visitor.get(&format!("{at}/add?user=Admin"));
        for answer in [
            visitor.get(&format!("{at}/add")),
            visitor.get(&format!("{at}/add?USER=x")),
            visitor.post(&format!("{at}/add"), "other=x"),
            visitor.request("POST", &format!("{at}/add")).body("application/json", r#"{"other":1}"#).send(),
            visitor.request("POST", &format!("{at}/add")).body("text/plain", "user=x").send(),
        ] {
            assert_eq!(answer.status, 400, "{}", answer.text());
            assert!(answer.text().contains("user"), "{}", answer.text());
        }
        assert_eq!(visitor.session(), json!({ "user": "Admin" }));
    });
}

#[test]
fn parameters_are_found_where_pyramid_finds_them() {
    both(|server, at| {
        let add = format!("{at}/add");
        let mut visitor = server.visitor();
        visitor.get(&format!("{add}?user="));
        assert_eq!(visitor.session(), json!({ "user": "" }), "an empty value is stored");
        assert!(visitor.get(&format!("{at}/read")).text().contains("Welcome "));

        visitor.get(&format!("{add}?user=A&user=B"));
        assert_eq!(visitor.session(), json!({ "user": "B" }), "the last of repeated values counts");

        visitor.post(&add, "user=Posted");
        assert_eq!(visitor.session(), json!({ "user": "Posted" }));

        visitor.post(&format!("{add}?user=query"), "user=body");
        assert_eq!(visitor.session(), json!({ "user": "query" }), "the query wins over the body");

        visitor.request("PUT", &add).form("user=put").send();
        assert_eq!(visitor.session(), json!({ "user": "put" }));

        visitor.get(&format!("{add}?user=Zo%C3%AB+%F0%9F%98%80"));
        assert_eq!(visitor.session(), json!({ "user": "Zoë 😀" }));
        assert!(visitor.get(&format!("{at}/read")).text().contains("Welcome Zoë 😀"));

        // Beyond Pyramid, where a JSON body is not looked at.
        visitor.request("POST", &add).body("application/json", r#"{"user":"json"}"#).send();
        assert_eq!(visitor.session(), json!({ "user": "json" }));

        visitor.request("POST", &format!("{at}/logout")).send();
        assert_eq!(visitor.session(), json!({}), "POST logs out, too");
    });
}

#[test]
fn a_name_in_a_multipart_form_is_stored() {
    both(|server, at| {
        let mut visitor = server.visitor();
        let body = "--b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nmulti\r\n--b--\r\n";
        let added = visitor.request("POST", &format!("{at}/add")).body("multipart/form-data; boundary=b", body).send();
        assert_eq!(added.status, 200, "{}", added.text());
        assert_eq!(visitor.session(), json!({ "user": "multi" }));
    });
}

#[test]
fn head_neither_logs_in_nor_out() {
    both(|server, at| {
        let mut visitor = server.visitor();
        let head = visitor.request("HEAD", &format!("{at}/add?user=Admin")).send();
        assert_eq!((head.status, visitor.cookie()), (200, None));
        let head = visitor.request("HEAD", &format!("{at}/read")).send();
        assert_eq!((head.status, head.header("location")), (303, first(at)));

        visitor.get(&format!("{at}/add?user=Admin"));
        assert_eq!(visitor.request("HEAD", &format!("{at}/logout")).send().status, 200);
        assert_eq!(visitor.session(), json!({ "user": "Admin" }));
    });
}

#[test]
fn a_forged_name_is_no_login_and_a_real_one_can_be_replayed_until_it_times_out() {
    both(|server, at| {
        let mut visitor = server.visitor();
        visitor.get(&format!("{at}/add?user=Eve"));
        let eve = visitor.cookie().unwrap();
        visitor.get(&format!("{at}/add?user=Bob"));
        let bob = visitor.cookie().unwrap();

        // The signature comes first, so a spliced cookie is one name under another's signature.
        let forged = format!("session={}{}", &eve[..86], &bob[86..]);
        let read = visitor.request("GET", &format!("{at}/read")).header("Cookie", forged).send();
        assert_eq!((read.status, read.header("location")), (303, first(at)));

        visitor.get(&format!("{at}/logout"));
        let read = visitor.request("GET", &format!("{at}/read")).header("Cookie", format!("session={bob}")).send();
        assert!(read.text().contains("Welcome Bob"), "the browser is the store: {}", read.text());
    });
}

#[test]
fn a_site_mounted_shares_the_session_of_the_site_around_it() {
    let server = Site::copy_of(".").without_csrf().serve();
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/").count(), 1);
    visitor.post("/login/add", "user=Admin");
    assert_eq!(visitor.get("/howdy").count(), 2);
    assert!(visitor.get("/login/read").text().contains("Welcome Admin"));
    visitor.get("/login/logout");
    assert_eq!(visitor.get("/").count(), 3);
    assert_eq!(visitor.get("/login/").status, 404, "a prefix has no slash of its own");
}
