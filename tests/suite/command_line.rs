//! The program as a command: what it prints, where, and how it ends.

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::driver::{Ran, SESSION, Site, project};

const FINE: i32 = 0;
const PROBLEMS: i32 = 1;
const USAGE: i32 = 2;

fn tutorial() -> Site {
    Site::copy_of(".").without_csrf()
}

fn broken() -> Site {
    Site::new().config("[routes.home]\npath = \"/\"\ntxet = \"hello\"\n")
}

/// Runs to a good end with nothing to complain about, and returns what was printed.
fn fine(site: &Site, arguments: &[&str]) -> String {
    let Ran { code, out, err } = site.run(arguments);
    assert_eq!((code, &*err), (FINE, ""), "{arguments:?}: {out}");
    assert!(out.ends_with('\n'), "{out:?}");
    out
}

#[test]
fn how_it_ends_says_whose_fault_it_was() {
    let (good, bad, none) = (tutorial(), broken(), Site::new());
    for (site, arguments, code) in [
        (&good, &["check"][..], FINE),
        (&good, &["check", "config.toml", "sites/login/config.toml"], FINE),
        (&good, &["routes"], FINE),
        (&good, &["request", "GET", "/nope"], FINE),
        (&good, &["--version"], FINE),
        (&good, &["help"], FINE),
        (&bad, &["check"], PROBLEMS),
        (&bad, &["routes"], PROBLEMS),
        (&bad, &["request", "GET", "/"], PROBLEMS),
        (&bad, &["serve"], PROBLEMS),
        (&none, &["check"], PROBLEMS),
        (&none, &[], PROBLEMS),
        (&none, &["check", "nowhere.toml"], PROBLEMS),
        (&none, &["test"], PROBLEMS),
        (&good, &["chekc"], USAGE),
        (&good, &["check", "--colour"], USAGE),
        (&good, &["request", "GET"], USAGE),
        (&good, &["request", "GET", "howdy"], USAGE),
        (&good, &["request", "GET", "/", "-H", "no header"], USAGE),
        (&good, &["actions", "raed"], USAGE),
        (&good, &["completions", "cmd.exe"], USAGE),
        (&good, &["test", "nowhere"], USAGE),
        (&good, &["sessions", "shwo"], USAGE),
        (&good, &["--listen"], USAGE),
        (&good, &["--listen", "8080"], USAGE),
    ] {
        let ran = site.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
        if code != FINE {
            assert!(!(ran.err.is_empty() && ran.out.is_empty()), "{arguments:?} ends without a word");
        }
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
    }
    let ran = good.run(&["--listen", "8080"]);
    for part in ["--listen <ADDRESS>", "localhost:6543"] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    let (code, log) = good.start(&["--listen", "256.0.0.1:80"]).wait();
    assert_eq!(code, 70, "{log}");
    assert!(log.starts_with("error: "), "{log}");
}

#[test]
fn help_has_examples_and_every_command_has_help() {
    let site = Site::new();
    let help = fine(&site, &["--help"]);
    for part in ["Examples:", "sitewright check", "SITEWRIGHT__SESSION__TIMEOUT=60", "Exit codes: 0 fine, 1"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    for command in [
        "serve",
        "check",
        "routes",
        "request",
        "test",
        "new",
        "actions",
        "schema",
        "secret",
        "cookie",
        "sessions",
        "completions",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
        let own = fine(&site, &[command, "--help"]);
        assert!(own.contains("Usage: sitewright ") && own.contains(command), "{own}");
    }
}

#[test]
fn check_prints_every_problem_with_its_place_and_notes_do_not_fail() {
    let checked = broken().run(&["check"]);
    assert_eq!(checked.err, "");
    for part in ["unknown key `txet`", "config.toml:3:1", "did you mean `text`?", "error"] {
        assert!(checked.out.contains(part), "{part}: {}", checked.out);
    }
    assert!(!checked.out.contains('\u{1b}'), "no colours without a terminal");

    let site = Site::new()
        .file("good.toml", "[routes.a]\npath = \"/\"\ntext = \"a\"\n")
        .file("bad.toml", "[routes.a]\npath = \"/\"\ntext = 1\n")
        .file("worse.toml", "[routes");
    let checked = site.run(&["check", "good.toml", "bad.toml", "worse.toml"]);
    assert_eq!(checked.code, PROBLEMS);
    for part in ["good.toml: no problems in 1 route", "bad.toml:3:8", "worse.toml:1:8"] {
        assert!(checked.out.contains(part), "{part}: {}", checked.out);
    }
}

#[test]
fn check_writes_nothing() {
    let site = tutorial();
    for arguments in [&["check"][..], &["routes"], &["request", "GET", "/"], &["test"]] {
        site.run(arguments);
        assert!(!site.path("session.secret").exists(), "{arguments:?} made a secret");
    }
}

#[test]
fn routes_are_listed_with_methods_session_use_and_actions() {
    let table = fine(&tutorial(), &["routes"]);
    let cells =
        |line: &'_ str| line.split("  ").filter(|cell| !cell.is_empty()).map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<Vec<String>> = table.lines().map(cells).collect();
    assert_eq!(rows[0], ["NAME", "METHODS", "PATH", "SESSION", "ACTIONS"]);
    assert_eq!(rows[1], ["home", "GET", "/", "writes counter", "increment-counter"]);
    assert_eq!(rows[2], ["hello", "GET", "/howdy", "writes counter", "increment-counter"]);
    assert!(
        rows.contains(&["login/read", "GET", "/login/read", "reads user", "read"].map(str::to_owned).into()),
        "{table}"
    );
    assert!(rows.contains(&["login/login", "GET", "/login", "none"].map(str::to_owned).into()), "{table}");
}

#[test]
fn a_request_is_made_without_a_server_and_explained() {
    let site = tutorial();
    let shown = fine(&site, &["request", "GET", "/howdy"]);
    assert!(shown.starts_with("HTTP/1.1 200 OK\n") && shown.contains("<p>Count: 1</p>"), "{shown}");
    let shown = fine(&site, &["request", "POST", "/login/add", "--data", "user=Admin"]);
    assert!(shown.contains("Session object added."), "{shown}");

    let explained = fine(&site, &["request", "GET", "/howdy", "--explain"]);
    for part in [
        "200 OK",
        "`hello`",
        "increment-counter",
        "it is new",
        "before   {}",
        "after    {\"counter\":1}",
        "stored   yes",
    ] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
    for (arguments, part) in [
        (&["request", "HEAD", "/", "--explain"][..], "stored   no: HEAD only looks"),
        (&["request", "GET", "/", "-H", "Sec-Purpose: prefetch", "--explain"], "stored   no: a prefetch only looks"),
        (&["request", "GET", "/", "-H", "Cookie: session=x", "--explain"], "the cookie is no session"),
        (&["request", "GET", "/login", "--explain"], "not asked for"),
        (&["request", "GET", "/login/add", "--explain"], "failed   The parameter"),
        (&["request", "GET", "/nope", "--explain"], "none has this path"),
        (&["request", "POST", "/", "--explain"], "405"),
    ] {
        let explained = fine(&site, arguments);
        assert!(explained.contains(part), "{arguments:?}: {explained}");
    }
}

#[test]
fn a_request_to_a_route_that_takes_forms_comes_as_if_from_the_form() {
    let site = Site::copy_of(".");
    let asked = ["request", "POST", "/login/add", "--data", "user=Admin"];
    let shown = fine(&site, &asked);
    assert!(shown.contains("Session object added."), "{shown}");
    for header in ["X-CSRF-Token: 0", "Cookie: session=x"] {
        let shown = fine(&site, &[&asked[..], &["--header", header]].concat());
        assert!(shown.starts_with("HTTP/1.1 400 ") && shown.contains("This form has expired"), "{shown}");
    }
}

#[test]
fn a_body_can_come_from_standard_input() {
    let site = tutorial();
    let arguments = ["request", "POST", "/login/add", "--data", "-", "--explain"];
    let Ran { out, .. } = site.run_with_input(&arguments, "user=Zo%C3%AB");
    assert!(out.contains("after    {\"user\":\"Zoë\"}"), "{out}");
}

#[test]
fn actions_are_listed_and_described_with_an_example() {
    let site = Site::new();
    let list = fine(&site, &["actions"]);
    for verb in
        ["increment-counter", "store-param", "read", "pop", "set", "set-default", "delete", "clear", "invalidate"]
    {
        assert!(list.contains(&format!("{verb} ")), "{verb}: {list}");
        let one = fine(&site, &["actions", verb]);
        assert!(one.contains(&format!("{{ {verb} = ")) && one.contains("Example: actions = ["), "{one}");
    }
    let flash = fine(&site, &["actions", "flash"]);
    assert!(!flash.contains("\n  as ") && flash.contains("\n  or "), "a message has no value to bind: {flash}");
    assert!(!fine(&site, &["actions", "clear"]).contains("\n  or "), "nothing keeps it from its work");
    assert!(site.run(&["actions", "raed"]).err.contains("did you mean `read`?"));
}

#[test]
fn every_secret_is_64_fresh_random_bytes() {
    let site = Site::new();
    let secrets: BTreeSet<String> = (0..20).map(|_| fine(&site, &["secret"])).collect();
    assert_eq!(secrets.len(), 20);
    for secret in secrets {
        let bytes = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, secret.trim_end()).unwrap();
        assert_eq!(bytes.len(), 64);
    }
}

#[test]
fn a_cookie_is_decoded_verified_and_explained() {
    let site = tutorial();
    let server = site.serve();
    let mut visitor = server.visitor();
    visitor.get("/");
    let cookie = visitor.cookie().unwrap();
    for value in [format!("session={cookie}"), format!("session={cookie}; Path=/; HttpOnly")] {
        let explained = fine(&site, &["cookie", &value]);
        for part in ["good, by the newest secret", "{\"counter\": 1}]", "verdict    a session"] {
            assert!(explained.contains(part), "{part}: {explained}");
        }
    }
    let first = if cookie.starts_with('A') { 'B' } else { 'A' };
    let tampered = fine(&site, &["cookie", &format!("{first}{}", &cookie[1..])]);
    for part in ["not by any of the secrets", "{\"counter\": 1}]", "verdict    no session"] {
        assert!(tampered.contains(part), "{part}: {tampered}");
    }
    fine(&site, &["cookie", "nonsense"]);

    let read = site.run_with_input(&["cookie", "-"], &cookie);
    assert!(read.out.contains("verdict    a session"), "{}", read.out);
}

#[test]
fn a_sealed_cookie_is_opened_with_the_secret() {
    let site = tutorial().env("SITEWRIGHT__SESSION__FACTORY", "encrypted-cookie");
    let server = site.serve();
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/").count(), 1);
    assert_eq!(visitor.get("/howdy").count(), 2);
    let cookie = visitor.cookie().unwrap();
    let explained = fine(&site, &["cookie", &cookie]);
    for part in ["seal       good, by the newest secret", "{\"counter\": 2}]", "verdict    a session"] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
    let tampered = fine(&site, &["cookie", &format!("{}AAAA", &cookie[..cookie.len() - 4])]);
    assert!(tampered.contains("verdict    no session") && !tampered.contains("counter"), "{tampered}");
}

#[test]
fn a_cookie_that_begins_with_a_dash_is_no_option() {
    let site = tutorial();
    let server = site.serve();
    let mut visitor = server.visitor();
    let cookie = loop {
        visitor.get("/");
        let cookie = visitor.cookie().unwrap();
        // `-c` and `-h` are options all the same.
        if cookie.starts_with('-') && !cookie.starts_with("-c") && !cookie.starts_with("-h") {
            break cookie;
        }
    };
    assert!(fine(&site, &["cookie", &cookie]).contains("verdict    a session"));
}

#[test]
fn completions_are_a_script_the_shell_accepts() {
    let site = Site::new();
    let script = fine(&site, &["completions", "bash"]);
    for word in ["_sitewright", "completions", "--explain", "--reload"] {
        assert!(script.contains(word), "{word}");
    }
    let site = site.file("completions.bash", &script);
    let accepted = std::process::Command::new("bash").arg("-n").arg(site.path("completions.bash")).status().unwrap();
    assert!(accepted.success());
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        fine(&site, &["completions", shell]);
    }
}

#[test]
fn output_into_a_closed_pipe_is_no_failure() {
    let site = tutorial();
    for arguments in
        [&["actions"][..], &["routes"], &["check"], &["--help"], &["completions", "bash"], &["test"], &["secret"]]
    {
        let mut child = site.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
        assert!(output.status.code().is_some_and(|code| code == FINE || arguments == ["test"]), "{arguments:?}: {err}");
    }
}

#[test]
fn environment_variables_override_settings_and_wrong_ones_are_named() {
    let config = format!(
        "{SESSION}timeout = 3600\n[routes.a]\npath = \"/\"\nactions = [{{ set = \"a\", value = 1 }}]\ntext = \"a\"\n"
    );
    let cookie = |site: &Site| {
        fine(site, &["request", "GET", "/"]).lines().find(|line| line.starts_with("set-cookie")).map(str::to_owned)
    };

    let site =
        Site::new().config(&config).env("SITEWRIGHT__SESSION__TIMEOUT", "60").env("SITEWRIGHT__SESSION__MAX_AGE", "90");
    assert!(cookie(&site).unwrap().contains("Max-Age=90"));
    let site = Site::new().config(&config).env("SITEWRIGHT__SESSION__COOKIE_NAME", "sid");
    assert!(cookie(&site).unwrap().starts_with("set-cookie: sid="));

    let site = Site::new().config(&config.replace("timeout = 3600", "timeout = 3600\nreissue_time = 100"));
    let checked = site.env("SITEWRIGHT__SESSION__TIMEOUT", "60").run(&["check"]);
    assert!(checked.out.contains("is longer than `timeout` (60)"), "{}", checked.out);

    for (name, value, told) in [
        ("SITEWRIGHT__SESSION__TIMEOUT", "soon", "session.timeout"),
        ("SITEWRIGHT__SESSION__TIMOUT", "60", "SITEWRIGHT__SESSION__TIMEOUT"),
        ("SITEWRIGHT__SERVER__MAX_BODY", "-1", "server.max_body"),
    ] {
        let site = Site::new().config(&config).env(name, value);
        let checked = site.run(&["check"]);
        assert_eq!(checked.code, PROBLEMS, "{name}");
        assert!(checked.out.contains(name) && checked.out.contains(told), "{name}: {}", checked.out);
    }
}

#[test]
fn a_local_file_overrides_settings_and_the_environment_overrides_it() {
    let config = format!(
        "{SESSION}cookie_name = \"one\"\n[routes.a]\npath = \"/\"\nactions = [{{ set = \"a\", value = 1 }}]\ntext = \"a\"\n"
    );
    let sets = |site: &Site, name: &str| {
        let shown = fine(site, &["request", "GET", "/"]);
        assert!(shown.contains(&format!("set-cookie: {name}=")), "{name}: {shown}");
    };
    let site = Site::new().config(&config);
    sets(&site, "one");
    let site = site.file("config.local.toml", "[session]\ncookie_name = \"two\"\n");
    sets(&site, "two");
    let site = site.env("SITEWRIGHT__SESSION__COOKIE_NAME", "three");
    sets(&site, "three");

    let site = Site::new().config(&config).file("config.local.toml", "[session]\ncookie_nmae = \"two\"\n");
    let checked = site.run(&["check"]);
    assert!(checked.out.contains("config.local.toml:2:1"), "{}", checked.out);
}

#[test]
fn serving_says_where_and_nothing_on_standard_output() {
    let site = tutorial();
    let server = site.serve();
    let log = server.log();
    assert!(log.contains(&format!("Serving config.toml at http://127.0.0.1:{}/", server.address.port())), "{log}");
    assert!(!log.contains('\u{1b}'), "no colours without a terminal: {log}");
    let mut visitor = server.visitor();
    visitor.get("/howdy?token=hidden");
    let line = server.wait_for_access_log("/howdy");
    assert!(line.contains("127.0.0.1 \"GET /howdy HTTP/1.1\" 200 156 "), "{line}");
    assert!(line.trim_end().ends_with(" hello"), "{line}");
    assert!(!line.contains("hidden"), "a query is where people put tokens: {line}");
}

#[test]
fn the_shipped_site_is_checked_where_it_stands() {
    let checked = Site::new().run(&["check", &project().join("config.toml").to_string_lossy()]);
    assert_eq!(checked.code, FINE, "{}", checked.out);
}

#[test]
fn a_site_is_given_by_its_file_or_its_folder_before_or_behind_the_command() {
    let site = Site::copy_of(".");
    for arguments in [
        &["check", "-c", "sites/cart"][..],
        &["-c", "sites/cart", "check"],
        &["check", "sites/cart"],
        &["check", "--config", "sites/cart/config.toml"],
    ] {
        let checked = fine(&site, arguments);
        assert!(checked.starts_with("sites/cart/config.toml: no problems in 12 routes\n"), "{arguments:?}: {checked}");
    }
    let both = fine(&site, &["-c", "sites/wizard", "check", "sites/cart"]);
    assert!(both.contains("sites/wizard/config.toml: ") && both.contains("sites/cart/config.toml: "), "{both}");
    assert!(fine(&site, &["-c", "sites/login", "routes"]).contains("/read"));
    for command in [&["secret"][..], &["actions"], &["completions", "bash"], &["test"], &["request", "GET", "/"]] {
        fine(&site, &[command, &["-c", "sites/login"]].concat());
    }
    let Ran { code, err, .. } = site.run(&["sites/login/"]);
    assert_eq!(code, USAGE);
    assert!(err.contains("tip: to serve the site that is there: 'sitewright --config sites/login/'"), "{err}");
    for misplaced in
        [&["--reload", "check"][..], &["--listen", "localhost:0", "routes"], &["sessions", "--limit", "3", "purge"]]
    {
        let Ran { code, err, .. } = site.run(misplaced);
        assert!(code == USAGE && err.contains("is no option of"), "{misplaced:?}: {err}");
    }
}

#[test]
fn tests_run_on_the_site_that_is_named() {
    let site = Site::copy_of(".");
    assert!(fine(&site, &["-c", "sites/login", "test"]).contains("sites/login/tests/login.http"));
    // Played to another site than the one they are beside, they come out otherwise.
    let ran = site.run(&["test", "-c", "sites/flash", "sites/login/tests/login.http"]);
    assert_eq!(ran.code, PROBLEMS, "{}", ran.out);
}

#[test]
fn warnings_fail_a_check_that_denies_them() {
    let warned =
        "[session]\nfactory = \"memory\"\nsecret = \"weak\"\n[routes.a]\npath = \"/\"\ntext = \"{{session.a}}\"\n";
    let warned = Site::new().config(warned);
    let good = Site::new().config("[routes.a]\npath = \"/\"\ntext = \"a\"\n");
    for (site, denied) in [(&warned, PROBLEMS), (&good, FINE)] {
        assert_eq!(site.run(&["check"]).code, FINE);
        let ran = site.run(&["check", "--deny-warnings"]);
        assert_eq!(ran.code, denied, "{}", ran.out);
    }
    // A note is no warning.
    assert_eq!(tutorial().run(&["check", "--deny-warnings"]).code, FINE);
}

#[test]
fn what_the_file_says_for_its_factory_is_left_aside_where_an_override_chose_another() {
    let route = "[routes.a]\npath = \"/\"\nactions = [{ set = \"a\", value = 1 }]\ntext = \"a\"\n";
    let of = |factory: &str, setting: &str| {
        let session = SESSION.replace("signed-cookie", factory);
        Site::new().config(&format!("{session}{setting}\n{route}"))
    };
    for (factory, setting) in [
        ("sqlite", "database = \"tea.sqlite\""),
        ("file", "directory = \"tea\""),
        ("redis", "url = { env = \"NOWHERE_SET\" }\nkey_prefix = \"tea:\""),
        ("signed-cookie", "hashalg = \"sha256\""),
    ] {
        for other in ["memory", "encrypted-cookie"] {
            fine(&of(factory, setting).env("SITEWRIGHT__SESSION__FACTORY", other), &["check"]);
            let local = format!("[session]\nfactory = \"{other}\"\n");
            fine(&of(factory, setting).file("config.local.toml", &local), &["check"]);
        }
    }
    // Who overrides the setting, or writes both in one place, means it.
    let astray = of("memory", "").env("SITEWRIGHT__SESSION__DATABASE", "tea.sqlite");
    for site in [astray, of("memory", "database = \"tea.sqlite\"")] {
        let checked = site.run(&["check"]);
        assert_eq!(checked.code, PROBLEMS, "{}", checked.out);
        assert!(checked.out.contains("`database` is a setting of `sqlite`, not of `memory`"), "{}", checked.out);
    }
}
