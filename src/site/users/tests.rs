use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::verify::Verifier;
use super::*;
use crate::action::Verdict;
use crate::session::secret::Secret;

/// Two users whose password is `password`.
fn users() -> Users {
    let hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let user = |id: &str| (id.to_owned(), User { hash: Hash::read(hash).unwrap(), shown: json!({ "id": id }) });
    Users { name: "members".to_owned(), limits: Limits::default(), users: [user("ada"), user("bob")].into() }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

#[test]
fn names_are_compared_as_people_read_them() {
    for same in ["Ada", " ada ", "ADA", "\u{ff21}da", "ad\u{61}"] {
        assert_eq!(normalised(same), "ada", "{same}");
    }
    assert_eq!(normalised("Zoe\u{308}"), normalised("ZO\u{cb}"));
    assert_ne!(normalised("ada"), normalised("adda"));
}

#[tokio::test]
async fn the_password_of_somebody_else_is_nobodys() {
    let (verifier, users) = (Verifier::with_room(1), users());
    let known = verifier.verify(&users, "Ada", &secret("password"), None, 0.0).await;
    assert_eq!(known, Ok(Verdict::Right(json!({ "id": "ada" }))));
    for stranger in ["eve", "mallory", "", "password"] {
        let verdict = verifier.verify(&users, stranger, &secret("password"), None, 0.0).await;
        assert_eq!(verdict, Ok(Verdict::Wrong), "{stranger}");
    }
    assert_eq!(verifier.verified(), 5);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_too_long_may_come_again_and_has_not_been_wrong() {
    let (verifier, users) = (Verifier::with_room(0), users());
    let address = "192.0.2.1".parse().ok();
    for _ in 0..10 {
        let began = tokio::time::Instant::now();
        let busy = verifier.verify(&users, "ada", &secret("password"), address, 1.9e9).await.unwrap_err();
        assert_eq!((busy.status, busy.retry_after), (StatusCode::SERVICE_UNAVAILABLE, Some(5)));
        assert!(began.elapsed() >= Duration::from_secs(5));
    }
    assert_eq!(verifier.verified(), 0);
}
