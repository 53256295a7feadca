//! `sitewright sessions`: operators look at sessions and end them, while the site is being served.

use serde_json::Value;

use crate::driver::{Factory, Ran, Site};

const FINE: i32 = 0;
const PROBLEMS: i32 = 1;
const USAGE: i32 = 2;
const PROGRAM: i32 = 70;

fn tutorial(factory: Factory) -> Site {
    Site::copy_of(".").sessions_in(factory)
}

/// Runs `sitewright sessions …` to a good end, and returns what was printed.
fn fine(site: &Site, arguments: &[&str]) -> String {
    let Ran { code, out, err } = site.run(&[&["sessions"], arguments].concat());
    assert_eq!((code, &*err), (FINE, ""), "{arguments:?}: {out}");
    out
}

/// Runs it to a bad end, and returns the complaint.
fn fails(site: &Site, arguments: &[&str], code: i32) -> String {
    let ran = site.run(&[&["sessions"], arguments].concat());
    assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
    assert!(ran.err.starts_with("error: ") && !ran.err.contains("panicked"), "{arguments:?}: {}", ran.err);
    ran.err
}

/// Runs it with other settings than the server has, and returns what was printed.
fn under(site: &Site, (setting, value): (&str, &str), arguments: &[&str], code: i32) -> String {
    let mut command = site.command(&[&["sessions"], arguments].concat());
    let output = command.env(format!("SITEWRIGHT__SESSION__{setting}"), value).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

fn json(site: &Site, arguments: &[&str]) -> Value {
    serde_json::from_str(&fine(site, &[arguments, &["--format", "json"]].concat())).unwrap()
}

fn handles(site: &Site) -> Vec<String> {
    let list = json(site, &["list"]);
    let listed = list["sessions"].as_array().unwrap();
    listed.iter().map(|session| session["handle"].as_str().unwrap().to_owned()).collect()
}

/// What a served site's operator can do, wherever its sessions live.
fn looks_at_sessions_and_ends_them(factory: Factory, lists: bool) {
    let site = tutorial(factory);
    let server = site.serve();
    let mut visitors = [server.visitor(), server.visitor(), server.visitor()];
    for (times, visitor) in visitors.iter_mut().enumerate() {
        for _ in 0..=times {
            visitor.get("/");
        }
        visitor.get(&format!("/login/add?user=Visitor{times}"));
    }
    let explained = site.run(&["cookie", &visitors[1].cookie().unwrap()]).out;
    let handle = explained.trim().rsplit(' ').next().unwrap();

    let shown = json(&site, &["show", handle]);
    assert_eq!(shown["handle"], handle, "{}", factory.name);
    assert_eq!(shown["state"], serde_json::json!({ "counter": 2, "user": "Visitor1" }), "{}", factory.name);
    if lists {
        assert!(handles(&site).iter().any(|listed| listed == handle), "{}", factory.name);
        assert_eq!(handles(&site).len(), 3, "{}", factory.name);
        assert!(fine(&site, &["show", &handle[..12]]).contains("\"Visitor1\""), "{}", factory.name);
    } else {
        assert!(fails(&site, &[], PROBLEMS).contains("cannot say which sessions it has"));
        assert!(fails(&site, &["show", &handle[..12]], PROBLEMS).contains("take a whole handle"));
        assert!(fails(&site, &["purge", "--all", "--yes"], PROBLEMS).contains("cannot say which"));
    }

    assert_eq!(fine(&site, &["revoke", handle]), format!("revoked {handle}\n"));
    assert!(fails(&site, &["show", handle], PROBLEMS).contains("there is no session"));
    assert_eq!(visitors[1].get("/").count(), 1, "{}: the server noticed", factory.name);
    assert_eq!(visitors[2].get("/").count(), 4, "{}: nobody else did", factory.name);
    assert_eq!(fine(&site, &["purge"]), "removed 0 sessions that had ended\n");
    if lists {
        assert_eq!(fine(&site, &["purge", "--all", "--yes"]), "removed 3 sessions\n");
        assert_eq!(visitors[2].get("/").count(), 1, "{}", factory.name);
    }
}

#[test]
fn an_operator_looks_at_sessions_and_ends_them() {
    looks_at_sessions_and_ends_them(Factory::FILE, true);
}

#[test]
#[ignore = "needs the servers that keep sessions: run by tests/run"]
fn an_operator_looks_at_sessions_on_a_server_and_ends_them() {
    for factory in Factory::on_servers() {
        looks_at_sessions_and_ends_them(factory, factory.name != "memcached");
    }
}

#[test]
fn a_list_says_when_and_how_much_and_never_what() {
    let site = tutorial(Factory::FILE);
    let server = site.serve();
    server.visitor().get("/login/add?user=Admin");
    server.visitor().get("/");
    let table = fine(&site, &[]);
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("HANDLE        CREATED  LAST USED  EXPIRES  SIZE"), "{table}");
    assert!(lines[1].contains("s ago") && lines[1].contains("in 19m") && lines[1].ends_with(" 1"), "{table}");
    assert_eq!((lines.len(), lines[4]), (5, "2 sessions"), "{table}");
    let listed = json(&site, &[]);
    assert_eq!(listed["count"], 2);
    let first = &listed["sessions"][0];
    assert_eq!(first["expires"].as_f64().unwrap() - first["used"].as_f64().unwrap(), 1200.0);
    assert_eq!((&first["keys"], &first["ended"]), (&1.into(), &Value::Null));
    assert!(!format!("{table}{listed}").contains("Admin"));

    assert!(fine(&site, &["list", "--limit", "1"]).ends_with("\n1 of 2 sessions; `--limit` shows more\n"));
    assert_eq!(json(&site, &["list", "--limit", "1"])["sessions"].as_array().unwrap().len(), 1);
}

#[test]
fn the_latest_are_listed_whatever_order_the_store_has_them_in() {
    let site = tutorial(Factory::FILE);
    let server = site.serve();
    let mut visitors: Vec<_> = (0..6).map(|_| server.visitor()).collect();
    for visitor in &mut visitors {
        visitor.get("/");
        let explained = site.run(&["cookie", &visitor.cookie().unwrap()]).out;
        let latest = json(&site, &["list", "--limit", "1"]);
        let handle = latest["sessions"][0]["handle"].as_str().unwrap();
        assert!(explained.contains(handle), "{handle} is not the latest: {explained}");
    }
    assert_eq!(json(&site, &["list", "--limit", "2"])["count"], 6);
    assert_eq!(json(&site, &["list", "--limit", "2"])["sessions"].as_array().unwrap().len(), 2);
}

#[test]
fn a_handle_may_be_short_but_must_be_somebodys() {
    let site = tutorial(Factory::FILE);
    let server = site.serve();
    // Of seventeen, two begin with the same of sixteen digits.
    (0..17).for_each(|_| drop(server.visitor().get("/")));
    let mut handles = handles(&site);
    handles.sort();
    let twins = handles.windows(2).find(|pair| pair[0][..1] == pair[1][..1]).unwrap();
    let ambiguous = fails(&site, &["show", &twins[0][..1]], PROBLEMS);
    assert!(ambiguous.contains("several sessions begin with `") && ambiguous.contains(&twins[0][..12]), "{ambiguous}");
    assert!(fails(&site, &["revoke", &twins[0][..1]], PROBLEMS).contains("several sessions"));
    assert!(
        fine(&site, &["show", &handles[0][..16].to_uppercase()]).starts_with(&format!("handle     {}", handles[0]))
    );

    let nobodys = "0".repeat(64);
    assert!(fails(&site, &["show", &nobodys], PROBLEMS).contains("there is no session"));
    assert!(fails(&site, &["show", &nobodys[..40]], PROBLEMS).contains("there is no session"));
    let ran = site.run(&["sessions", "revoke", &handles[0], &nobodys, &handles[1]]);
    assert_eq!((ran.code, ran.out.lines().count()), (PROBLEMS, 2), "one that is wrong spares nobody else: {}", ran.err);
    for wrong in ["", "xyz", "session=abc", &"0".repeat(65)] {
        assert!(fails(&site, &["show", wrong], USAGE).contains("a handle is hexadecimal"), "{wrong}");
    }
    assert!(fails(&site, &["revoke"], USAGE).contains("HANDLE"));
}

#[test]
fn a_purge_removes_what_has_timed_out_and_all_only_when_told_to() {
    let site = tutorial(Factory::FILE);
    let server = site.serve();
    let mut visitor = server.visitor();
    visitor.get("/");
    // By this setting every visitor has been away for too long.
    let strict = ("LIFETIME", "0");
    assert!(under(&site, strict, &[], FINE).contains("  ended  "));
    let refused = under(&site, strict, &["purge", "--all"], USAGE);
    assert!(refused.contains("`--yes`"), "{refused}");
    assert!(under(&site, strict, &["purge", "--all", "--expired"], USAGE).contains("cannot be used with"));
    assert_eq!(visitor.get("/").count(), 2);
    assert_eq!(fine(&site, &["purge", "--expired"]), "removed 0 sessions that had ended\n");
    assert_eq!(under(&site, strict, &["purge", "--expired"], FINE), "removed 1 session that had ended\n");
    assert_eq!(fine(&site, &[]), "no sessions\n");
    assert_eq!(visitor.get("/").count(), 1);
}

#[test]
fn a_record_of_another_secret_is_listed_and_can_be_ended() {
    let site = tutorial(Factory::FILE);
    let server = site.serve();
    server.visitor().get("/");
    let handle = &handles(&site)[0];
    let other = ("SECRET", "0123456789abcdefghijklmnopqrstuvwxyz-ABCD");
    assert!(under(&site, other, &[], FINE).contains("unreadable"));
    assert!(under(&site, other, &["show", handle], FINE).contains("with a secret that is gone"));
    assert_eq!(under(&site, other, &["purge"], FINE), "removed 0 sessions that had ended\n");
    under(&site, other, &["revoke", handle], FINE);
    assert_eq!(fine(&site, &[]), "no sessions\n");
}

#[test]
fn sessions_that_cannot_be_reached_say_why() {
    for (site, code, why) in [
        (tutorial(Factory::MEMORY), PROBLEMS, "live in the process that serves the site"),
        (Site::copy_of("."), PROBLEMS, "held by the browsers"),
        (Site::new().config("[routes.a]\npath = \"/\"\ntext = \"\"\n"), PROBLEMS, "declares no sessions"),
        (Site::new(), PROBLEMS, "config.toml"),
        (tutorial(Factory::FILE).env("SITEWRIGHT__SESSION__DIRECTORY", "config.toml"), PROGRAM, "not available"),
    ] {
        if site.path("config.toml").exists() {
            site.save("session.secret", "0123456789abcdefghijklmnopqrstuvwxyz-ABCD\n");
        }
        for arguments in [&[][..], &["list"], &["show", "abc"], &["revoke", "abc"], &["purge", "--all", "--yes"]] {
            let said = fails(&site, arguments, code);
            assert!(said.contains(why), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn nothing_is_made_where_nothing_was_served() {
    let site = tutorial(Factory::FILE);
    let said = fails(&site, &[], PROBLEMS);
    assert!(said.contains("there is no secret in `session.secret` yet") && said.contains("--> config.toml:"), "{said}");
    assert!(!site.path("session.secret").exists());
    assert!(!site.path("sessions").exists());
}
