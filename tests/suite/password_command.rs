//! `sitewright password`: hashes, and users in files.

use std::os::unix::fs::PermissionsExt;

use crate::driver::{Ran, Site};

const PASSWORD: &str = "it was a dark and stormy night";

fn password(site: &Site, arguments: &[&str], input: &str) -> Ran {
    site.run_with_input(&[&["password"], arguments].concat(), input)
}

/// What `check` says of a site with this file of users.
fn check(site: &Site, file: &str) -> String {
    site.save(
        "config.toml",
        &format!("[users]\nmembers = {{ file = \"{file}\" }}\n[routes.home]\npath = \"/\"\ntext = \"\"\n"),
    );
    let ran = site.run(&["check"]);
    ran.out + &ran.err
}

#[test]
fn a_hash_is_printed_and_nothing_else() {
    let site = Site::new();
    for input in [PASSWORD.to_owned(), format!("{PASSWORD}\n"), format!("{PASSWORD}\r\nnot this\n")] {
        let ran = password(&site, &[], &input);
        assert_eq!((ran.code, &*ran.err), (0, ""));
        assert!(ran.out.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && ran.out.ends_with('\n'), "{}", ran.out);
        assert_eq!(ran.out.lines().count(), 1);
    }
    assert!(!site.path("users.toml").exists());
}

#[test]
fn a_password_that_nobody_can_use_is_refused() {
    let site = Site::new();
    for (input, why) in [("", "empty"), ("\n", "empty"), ("a\u{7}b\n", "control character")] {
        let ran = password(&site, &["--user", "ada"], input);
        assert_eq!((ran.code, &*ran.out), (1, ""));
        assert!(ran.err.contains(why) && ran.err.contains("nothing was changed"), "{}", ran.err);
    }
    assert!(!site.path("users.toml").exists());
    let ran = password(&site, &[], "short\n");
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("5 characters are few"), "{}", ran.err);
}

#[test]
fn the_first_user_makes_a_file_for_its_owner_alone() {
    let site = Site::new();
    let ran = password(&site, &["--user", "ada"], PASSWORD);
    assert_eq!((ran.code, &*ran.err), (0, ""));
    assert!(ran.out.starts_with("ada is the first user in users.toml"), "{}", ran.out);
    let mode = std::fs::metadata(site.path("users.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(site.read("users.toml").starts_with("[ada]\npassword = \"$argon2id$"), "{}", site.read("users.toml"));
    assert_eq!(check(&site, "users.toml"), "config.toml: no problems in 1 route\n");
}

#[test]
fn what_else_is_in_a_file_stays_as_it_is() {
    let before = "# The people.\n\n[ada] # first\nname   = 'Ada'\npassword = \"old\"\n\n[\"zoe@example.org\"]\npassword = \"z\" # keep\n";
    let site = Site::new().file("people/users.toml", before);
    let path = site.path("people/users.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let ran = password(&site, &["--user", " ADA", "people/users.toml"], PASSWORD);
    assert_eq!(ran.out, "ada has a new password in people/users.toml.\n", "{}", ran.err);
    let after = site.read("people/users.toml");
    let hash = after.lines().find_map(|line| line.strip_prefix("password = \"$argon2id$")).unwrap();
    assert_eq!(after, before.replace("\"old\"", &format!("\"$argon2id${hash}")));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let ran = password(&site, &["--user", "Grace H.", "people/users.toml"], PASSWORD);
    assert_eq!(ran.out, "Grace H. is a new user in people/users.toml.\n", "{}", ran.err);
    assert!(site.read("people/users.toml").contains("\n[\"Grace H.\"]\npassword = \"$argon2id$"));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn comments_alone_stay_above_the_first_user() {
    let site = Site::new().file("users.toml", "# The people.\n");
    assert_eq!(password(&site, &["--user", "ada"], PASSWORD).code, 0);
    assert!(site.read("users.toml").starts_with("# The people.\n[ada]\npassword"), "{}", site.read("users.toml"));
}

#[test]
fn a_link_to_a_file_stays_one() {
    let site = Site::new().file("real.toml", "[ada]\npassword = \"old\"\n");
    std::os::unix::fs::symlink("real.toml", site.path("users.toml")).unwrap();
    assert_eq!(password(&site, &["--user", "ada"], PASSWORD).code, 0);
    assert!(site.path("users.toml").is_symlink());
    assert!(site.read("real.toml").contains("$argon2id$"));
}

#[test]
fn what_cannot_be_written_is_said_before_a_password_is_asked_for() {
    let broken = "[ada]\npassword = \"$argon2id$CANARY\nname = 1\n";
    let site = Site::new().file("broken.toml", broken).file("odd.toml", "ada = \"CANARY\"\n");
    for (arguments, why) in [
        (["--user", "", "users.toml"], "nobody can sign in with this name"),
        (["--user", "$argon2id$x", "users.toml"], "nobody can sign in with this name"),
        (["--user", "ada", "broken.toml"], "something is wrong in line 2"),
        (["--user", "ada", "odd.toml"], "a user is a table"),
        (["--user", "ada", "nowhere/users.toml"], "there is no folder `nowhere`"),
        (["--user", "ada", "."], "cannot read"),
    ] {
        let ran = password(&site, &arguments, PASSWORD);
        assert_eq!((ran.code, &*ran.out), (1, ""), "{arguments:?}");
        assert!(ran.err.contains(why) && !ran.err.contains("CANARY"), "{arguments:?}: {}", ran.err);
    }
    assert_eq!(site.read("broken.toml"), broken);
    assert_eq!(password(&site, &["users.toml"], PASSWORD).code, 2, "whose password is it?");
}
