//! Users: who may sign in, what a page learns of them, and what nobody learns of their passwords.

use std::sync::Arc;

use serde_json::json;

use super::{Page, Site};

/// The hash of `password`, as the reference implementation of Argon2 prints it; cheap enough for tests.
pub const HASH: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

const CONFIG: &str = r#"
[csrf]
enabled = false

[users]
members = { file = "users.toml" }

[templates]
form = "{{#if errors.password}}<p>{{errors.password}}</p>{{/if}}<form>{{params.user}}</form>"

[routes.form]
path     = "/"
template = "form"

[routes.sign-in]
path    = "/sign-in"
methods = ["POST"]
params  = { user = { required = true }, password = { required = true } }
invalid = { template = "form" }
actions = [
    { verify-password = "members", as = "user", or = { template = "form", status = 403 } },
    { set = "user", from = "user.id", as = "name" },
]
json    = "user"

[routes.plain]
path    = "/plain"
methods = ["POST"]
actions = [{ verify-password = "members" }]
json    = "members"

[routes.confirm]
path    = "/confirm"
methods = ["POST"]
actions = [{ verify-password = "members", user = "session.user", password = "current" }]
text    = "confirmed"

[routes.everything]
path    = "/everything"
methods = ["POST"]
actions = [
    { verify-password = "members", or = { json = { params = "params", form = "form", query = "query", errors = "errors" } } },
]
json    = { params = "params", form = "form", query = "query", session = "session", user = "members" }

[routes.look]
path = "/look"
json = "session"
"#;

fn site() -> Site {
    let users = format!(
        "[ada]\npassword = \"{HASH}\"\nname = \"Ada Lovelace\"\nrole = \"admin\"\n\n[\"Zoe@example.org\"]\npassword = \"{HASH}\"\n"
    );
    Site::with_files(CONFIG, &[("users.toml", &users)])
}

fn sign_in(site: &mut Site, form: &str) -> Page {
    site.ask("POST", "/sign-in", Some(form))
}

#[test]
fn the_right_password_binds_the_user_without_it() {
    let mut site = site();
    let page = sign_in(&mut site, "user=ada&password=password");
    assert_eq!(page.json(), json!({ "id": "ada", "name": "Ada Lovelace", "role": "admin" }));
    assert_eq!(site.get("/look").json(), json!({ "user": "ada" }));
    let page = site.ask("POST", "/plain", Some("user=%20zoe@EXAMPLE.org&password=password"));
    assert_eq!(page.json(), json!({ "id": "Zoe@example.org" }), "the name is as the file has it");
    assert!(page.0.account.session.unwrap().after.is_renewed());
}

#[test]
fn one_answer_for_a_wrong_password_and_a_wrong_name() {
    let mut site = site();
    let wrong = sign_in(&mut site, "user=ada&password=Password");
    assert_eq!(wrong.status(), 403);
    assert_eq!(wrong.body(), "<p>The name or the password is wrong.</p><form>ada</form>");
    let unknown = sign_in(&mut site, "user=eve&password=password");
    assert_eq!(unknown.body(), wrong.body().replace("ada", "eve"));
    assert_eq!(unknown.status(), wrong.status());
    assert_eq!(site.cookie, None, "nobody gets a session for it");
    assert_eq!(site.get("/").body(), "<form></form>");
}

#[test]
fn a_site_has_a_sentence_of_its_own() {
    let own = "{ verify-password = \"members\", message = \"Not you, {{params.user}}.\" }";
    let config = CONFIG.replace("{ verify-password = \"members\" }", own);
    let mut site = Site::with_files(&config, &[("users.toml", "")]);
    let page = site.send("POST", "/plain", &[FORM, ("accept", "application/json")], "user=ada&password=x");
    assert!(page.body().contains("Not you, ada."), "{}", page.body());
    assert!(!page.body().contains("is wrong"), "{}", page.body());
}

#[test]
fn a_name_costs_as_much_as_any_other() {
    let mut site = site();
    let verifier = Arc::clone(&site.site.serving().verifier);
    let nobody = format!("user={}&password=password", "x".repeat(300));
    for (form, verified) in [
        ("user=ada&password=password", 1),
        ("user=ada&password=wrong", 2),
        ("user=eve&password=password", 3),
        (nobody.as_str(), 4),
        ("user=%00&password=password", 4),
        ("user=ada&password=", 4),
        ("user=ada", 4),
        ("password=password", 4),
    ] {
        sign_in(&mut site, form);
        assert_eq!(verifier.verified(), verified, "{form}");
    }
}

#[test]
fn without_or_a_wrong_password_is_forbidden_and_a_missing_one_a_bad_request() {
    let mut site = site();
    let page = site.send("POST", "/plain", &[FORM, ("accept", "application/json")], "user=ada&password=x");
    assert_eq!(page.status(), 403);
    assert!(page.body().contains("The name or the password is wrong."), "{}", page.body());
    for form in ["user=ada", "password=password", ""] {
        let page = site.ask("POST", "/plain", Some(form));
        assert_eq!(page.status(), 400, "{form}");
    }
    let json = ("content-type", "application/json");
    let page = site.send("POST", "/plain", &[json], r#"{ "user": "ada", "password": "password" }"#);
    assert_eq!(page.status(), 200, "{}", page.body());
    for odd in [r#"{ "user": 1, "password": "password" }"#, r#"{ "user": "ada", "password": ["password"] }"#] {
        assert_eq!(site.send("POST", "/plain", &[json], odd).status(), 400, "{odd}");
    }
}

#[test]
fn a_password_is_taken_from_the_form_alone() {
    let mut site = site();
    for path in ["/plain?password=password", "/plain?password=password&user=ada"] {
        let page = site.ask("POST", path, Some("user=ada"));
        assert_eq!(page.status(), 400, "{path}");
    }
    let page = site.ask("POST", "/plain?password=wrong", Some("user=ada&password=password"));
    assert_eq!(page.status(), 200);
}

#[test]
fn somebody_who_is_signed_in_confirms_their_password() {
    let mut site = site();
    sign_in(&mut site, "user=ada&password=password");
    let page = site.ask("POST", "/confirm", Some("current=password&user=eve"));
    assert_eq!(page.body(), "confirmed");
    assert_eq!(site.ask("POST", "/confirm", Some("current=wrong")).status(), 403);
    site.cookie = None;
    assert_eq!(site.ask("POST", "/confirm", Some("current=password")).status(), 400);
}

#[test]
fn nothing_sees_a_password_and_nothing_its_hash() {
    let mut site = site();
    for form in ["user=ada&password=CANARY", "user=ada&password=CANARY&password=password", "user=eve&password=CANARY"] {
        let page = site.ask("POST", "/everything?password=CANARY", Some(form));
        assert!(!page.body().contains("CANARY"), "{}", page.body());
        assert!(!page.body().contains("argon2") && !page.body().contains("nf65"), "{}", page.body());
        assert!(page.body().contains("ada") || page.body().contains("eve"));
        let account = format!("{:?}", page.0.account);
        assert!(!account.contains("CANARY") && !account.contains("nf65"), "{account}");
    }
    let page = sign_in(&mut site, "user=&password=CANARY");
    assert_eq!(page.status(), 400);
    assert!(!page.body().contains("CANARY"), "{}", page.body());
    let serving = format!("{:?}", site.site.serving());
    assert!(!serving.contains("nf65"), "{serving}");
}

#[test]
fn too_many_wrong_passwords_are_followed_by_none() {
    let mut site = site();
    let verifier = Arc::clone(&site.site.serving().verifier);
    for name in ["ada", "eve"] {
        let form = format!("user={name}&password=wrong");
        for _ in 0..5 {
            assert_eq!(sign_in(&mut site, &form).status(), 403);
        }
        let before = verifier.verified();
        let page = sign_in(&mut site, &form);
        assert_eq!(page.status(), 429, "{name}");
        assert_eq!(page.header("retry-after"), Some("180"));
        assert!(page.body().contains("Please try again in 3 minutes."), "{}", page.body());
        let right = sign_in(&mut site, &format!("user={}&password=password", name.to_uppercase()));
        assert_eq!(right.status(), 429, "nor does a right one get through");
        assert_eq!(verifier.verified(), before);
    }
    assert_eq!(sign_in(&mut site, "user=zoe@example.org&password=password").status(), 200);
    site.now += 180.0;
    assert_eq!(sign_in(&mut site, "user=ada&password=password").status(), 200);
}

#[test]
fn how_many_may_be_wrong_is_declared_and_so_is_the_page() {
    let limits = "members = { file = \"users.toml\", max_failures = 1, failure_window = 60 }";
    let config = CONFIG.replace("members = { file = \"users.toml\" }", limits)
        + "[errors]\n429 = { html = \"<h1>{{error.message}}</h1>\" }\n";
    let mut site = Site::with_files(&config, &[("users.toml", &format!("[ada]\npassword = \"{HASH}\"\n"))]);
    assert_eq!(sign_in(&mut site, "user=ada&password=wrong").status(), 403);
    let page = sign_in(&mut site, "user=ada&password=wrong");
    assert_eq!(page.body(), "<h1>There have been too many attempts. Please try again in a minute.</h1>");
    assert_eq!(page.header("retry-after"), Some("60"));
}

#[test]
fn addresses_are_those_that_trusted_proxies_tell() {
    let proxy = "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let users = format!("[ada]\npassword = \"{HASH}\"\n");
    let mut site = Site::with_files(&format!("{CONFIG}{proxy}"), &[("users.toml", &users)]);
    let mut wrong = |address: &str| {
        site.send("POST", "/plain", &[FORM, ("x-forwarded-for", address)], "user=ada&password=wrong").status()
    };
    for i in 1..=5 {
        assert_eq!(wrong(&format!("2001:db8::{i}")), 403);
    }
    assert_eq!(wrong("2001:db8::99"), 429);
    assert_eq!(wrong("2001:db8:0:1::1"), 403);
}

#[test]
fn nobody_signs_in_where_there_are_no_users() {
    let mut site = Site::with_files(CONFIG, &[("users.toml", "")]);
    assert_eq!(sign_in(&mut site, "user=ada&password=password").status(), 403);
    assert_eq!(site.site.serving().verifier.verified(), 1);
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
