//! A site that changes under its visitors: no request fails, no count is lost, no page is half old and
//! half new.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use handlebars::html_escape;

use crate::driver::{PATIENCE, SESSION, Save, Server, Site, Visitor};

/// A page whose generation is written in its template file, in its route and in the site's data.
fn config(generation: u32) -> String {
    format!(
        r#"{SESSION}
        [data]
        of_site = "{generation}"
        [templates]
        footer = "{generation}"
        [routes.home]
        path = "/"
        actions = [{{ increment-counter = "counter" }}]
        template = "page"
        data = {{ of_route = "{generation}" }}
        "#
    )
}

const PAGE: &str = "Count: {{counter}} Generations: {{of_site}} {{of_route}} {{> footer}}";

/// The same in one file: emptied, it would be a site without a single page.
fn all_in_one(generation: u32) -> String {
    config(generation).replace("[templates]\n", &format!("[templates]\n        page = \"{PAGE}\"\n"))
}

fn site() -> Site {
    Site::new().config(&config(0)).file("templates/page.hbs", PAGE)
}

/// The one generation of a page.
fn generation(visitor: &mut Visitor) -> u32 {
    let page = visitor.get("/");
    page.count();
    let (_, all) = page.text().split_once("Generations: ").unwrap();
    let all: Vec<u32> = all.split_whitespace().map(|number| number.parse().unwrap()).collect();
    assert!(all.len() >= 3 && all.iter().all(|one| *one == all[0]), "half old, half new: {}", page.text());
    all[0]
}

fn reloads(server: &Server) -> usize {
    server.log().matches("reloaded in").count()
}

#[test]
fn every_way_of_saving_any_file_is_seen_and_no_count_is_lost() {
    let site = Site::copy_of(".");
    let server = site.serve_with(&["--reload"]);
    let (home, hello) = (server.keep_counting("/"), server.keep_counting("/howdy"));
    let mut visitor = server.visitor();
    let (config, layout) = (site.read("config.toml"), site.read("sites/login/templates/layout.hbs"));
    for (turn, style) in
        [Save::Truncate, Save::Rename, Save::Backup, Save::Recreate].into_iter().cycle().take(8).enumerate()
    {
        let heading = format!("<h1>Edit {turn}, {{{{name}}}}</h1>");
        site.save_as(style, "config.toml", &config.replace("<h1>Hi {{name}}</h1>", &heading));
        let log = server.wait_for_log("reloaded in");
        assert!(log.contains("changed `home`, `hello`"), "{style:?}: {log}");
        let page = visitor.get("/");
        assert!(page.text().contains(&format!("Edit {turn}, Home View")), "{style:?}: {}", page.text());

        let body = format!("<body class=\"edit-{turn}\">");
        site.save_as(style, "sites/login/templates/layout.hbs", &layout.replace("<body>", &body));
        let log = server.wait_for_log("reloaded in");
        assert!(log.contains("`login/login`"), "{style:?}: {log}");
        assert!(!log.contains("`home`"), "{style:?}: {log}");
        assert!(visitor.get("/login").text().contains(&body), "{style:?}");
    }
    home.stop();
    hello.stop();
    assert_eq!(reloads(&server), 16, "{}", server.log());
}

#[test]
fn two_hundred_saves_in_two_seconds_end_with_the_last_and_no_page_is_a_mixture() {
    for style in [Save::Truncate, Save::Rename] {
        let site = Site::new().config(&all_in_one(0));
        let server = site.serve_with(&["--reload"]);
        let asking: Vec<_> = (0..4)
            .map(|_| {
                let (mut counted, mut latest) = (0, 0);
                server.keep_asking(move |visitor| {
                    let now = generation(visitor);
                    assert!(now >= latest, "generation {now} after {latest}");
                    counted += 1;
                    latest = now;
                    assert_eq!(visitor.session()["counter"], counted);
                })
            })
            .collect();
        for save in 1..=200 {
            site.save_as(style, "config.toml", &all_in_one(save));
            thread::sleep(Duration::from_millis(10));
        }
        let mut visitor = server.visitor();
        while generation(&mut visitor) != 200 {
            server.wait_for_log("reloaded in");
        }
        asking.into_iter().for_each(|asking| assert!(asking.stop() > 0));
    }
}

#[test]
fn a_broken_edit_changes_nothing_says_what_is_wrong_and_the_mend_is_seen() {
    let site = site();
    let server = site.serve_with(&["--reload"]);
    let asking = server.keep_counting("/");
    let mut visitor = server.visitor();
    for turn in 1..=3 {
        site.save("config.toml", &config(turn).replace("increment-counter", "increment-conter"));
        let told = server.wait_for_log("did you mean `increment-counter`?");
        assert!(!told.contains("\u{1b}["), "no colours without a terminal: {told}");
        assert!(server.log().contains("config.toml:"), "{}", server.log());
        assert_eq!(generation(&mut visitor), turn - 1);
        site.save("config.toml", &config(turn));
        server.wait_for_log("reloaded in");
        assert_eq!(generation(&mut visitor), turn);
    }
    // A broken template file, mended by taking the edit back.
    site.save("templates/page.hbs", "{{#if counter}}never closed");
    server.wait_for_log("templates/page.hbs:1");
    assert_eq!(generation(&mut visitor), 3);
    site.save("templates/page.hbs", PAGE);
    server.wait_for_log("reloaded in");
    assert_eq!(generation(&mut visitor), 3);
    asking.stop();
}

#[test]
fn a_site_that_is_broken_from_the_start_shows_what_is_wrong_until_it_is_mended() {
    let site = site();
    site.save("config.toml", &config(7).replace("path = \"/\"", "paht = \"/<b>\""));
    let server = site.serve_with(&["--reload"]);
    let mut visitor = server.visitor();
    for path in ["/", "/anything"] {
        let shown = visitor.get(path);
        assert_eq!((shown.status, shown.header("retry-after")), (503, "2"));
        assert_eq!(shown.header("cache-control"), "no-store");
        for part in ["did you mean `path`?", "config.toml:", "/<b>"] {
            assert!(shown.text().contains(&html_escape(part)), "{part}: {}", shown.text());
        }
    }
    assert!(server.log().contains("did you mean `path`?"), "{}", server.log());

    site.save("config.toml", &config(7).replace("template = \"page\"", "template = \"pgae\""));
    server.wait_for_log("did you mean `page`?");
    let shown = visitor.get("/");
    assert!(shown.text().contains(&html_escape("did you mean `page`?")), "{}", shown.text());
    assert!(!shown.text().contains("paht"), "{}", shown.text());

    site.save("config.toml", &config(7));
    server.wait_for_log("reloaded in");
    assert_eq!(generation(&mut visitor), 7);
}

#[test]
fn a_site_that_is_not_there_yet_is_waited_for() {
    let site = Site::new();
    let server = site.serve_with(&["--reload"]);
    let shown = server.visitor().get("/");
    assert_eq!(shown.status, 503);
    assert!(shown.text().contains("config.toml"), "{}", shown.text());
    let site = site.file("templates/page.hbs", PAGE);
    site.save("config.toml", &config(1));
    server.wait_for_log("reloaded in");
    assert_eq!(generation(&mut server.visitor()), 1);
}

#[test]
fn a_broken_site_is_shown_where_it_is_to_be_served() {
    let site = site();
    let listen = |address: &str| format!("[server]\nlisten = \"{address}\"\n");
    let good = config(0);
    site.save("config.toml", &(listen("unix:site.sock") + &good.replace("path", "paht")));
    let server = site.start(&["--reload"]);
    server.wait_for_log("Showing what is wrong with config.toml at unix:site.sock");
    let mut stream = UnixStream::connect(site.path("site.sock")).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut shown = String::new();
    stream.read_to_string(&mut shown).unwrap();
    assert!(shown.starts_with("HTTP/1.1 503 ") && shown.contains(&html_escape("did you mean `path`?")), "{shown}");
    site.save("config.toml", &(listen("127.0.0.1:1") + &good));
    server.wait_for_log("`server.listen` has changed, which needs a restart");
}

#[test]
fn a_socket_is_beside_the_file_that_names_it_and_one_of_the_command_line_is_here() {
    let config = "[server]\nlisten = \"unix:site.sock\"\n[routes.home]\npath = \"/\"\ntext = \"ok\"\n";
    let site = Site::new().file("sub/config.toml", config);
    let server = site.start(&["--config", "sub/config.toml"]);
    server.wait_for_log(" at unix:sub/site.sock");
    assert!(site.path("sub/site.sock").exists());
    let server = site.start(&["--config", "sub/config.toml", "--listen", "unix:here.sock"]);
    server.wait_for_log("/here.sock");
    assert!(site.path("here.sock").exists());
}

#[test]
fn a_folder_that_is_deleted_and_made_again_is_followed() {
    for watching in [true, false] {
        let site = site();
        let server = site.serve_with(if watching { &["--reload"] } else { &[] });
        let mut visitor = server.visitor();
        assert_eq!(generation(&mut visitor), 0);
        std::fs::remove_dir_all(site.path("")).unwrap();
        if watching {
            server.wait_for_log("not reloaded");
        }
        let site = site.file("templates/page.hbs", PAGE).file("config.toml", &config(1));
        if !watching {
            server.signal("HUP");
        }
        server.wait_for_log("reloaded in");
        assert_eq!(generation(&mut visitor), 1);
        drop(site);
    }
}

/// The page that a browser shows for a link or an address.
fn shown(visitor: &mut Visitor, path: &str) -> String {
    visitor.request("GET", path).header("Sec-Fetch-Dest", "document").send().text().to_owned()
}

#[test]
fn pages_that_browsers_show_have_a_script_under_reload_alone() {
    let pages = r#"
        [routes.page]
        path = "/"
        html = "<p>page</p>"
        [routes.nonce]
        path = "/nonce"
        html = "<script nonce=\"{{csp_nonce}}\"></script>"
        [routes.text]
        path = "/text"
        text = "text"
        [static]
        "/static" = "static"
    "#;
    let site = Site::new().config(pages).file("static/page.html", "<p>file</p>");
    let server = site.serve_with(&["--reload"]);
    let mut visitor = server.visitor();
    for path in ["/", "/static/page.html", "/missing"] {
        assert!(shown(&mut visitor, path).contains("<script src=\"/_sitewright/live.js\""), "{path}");
    }
    let page = shown(&mut visitor, "/nonce");
    let nonces: Vec<_> = page.split("nonce=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(matches!(nonces.as_slice(), [own, script] if own == script), "{page}");
    assert_eq!(shown(&mut visitor, "/text"), "text");
    assert_eq!(visitor.get("/").text(), "<p>page</p>", "a script may put this into a page of its own");
    let navigated = visitor.request("GET", "/").header("Accept", "text/html,*/*;q=0.8").send();
    assert!(navigated.text().contains("live.js"), "over the network a browser does not say so much");
    let fetched = visitor.request("GET", "/").header("Sec-Fetch-Dest", "empty").header("Accept", "text/html").send();
    assert_eq!(fetched.text(), "<p>page</p>");
    assert!(visitor.get("/_sitewright/live.js").header("content-type").starts_with("text/javascript"));
    assert_eq!(visitor.connections(), 1, "every answer told its length");

    let server = site.serve();
    let mut visitor = server.visitor();
    assert_eq!(shown(&mut visitor, "/"), "<p>page</p>");
    assert_eq!(visitor.get("/_sitewright/live.js").status, 404);
    assert_eq!(visitor.get("/_sitewright/events?page=x").status, 404);
}

#[test]
fn an_open_page_hears_of_a_broken_edit_and_of_its_mend() {
    let page = |text: &str| format!("[routes.page]\npath = \"/\"\nhtml = \"<p>{text}</p>\"\n");
    let site = Site::new().config(&page("one"));
    let server = site.serve_with(&["--reload"]);
    let mut visitor = server.visitor();
    let shown = shown(&mut visitor, "/");
    let (_, rest) = shown.split_once("data-page=\"").unwrap();
    let events = format!("/_sitewright/events?page={}", rest.split('"').next().unwrap());
    let mut hears = |text: &str| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let event = visitor.get(&events);
            assert_eq!((event.status, event.header("content-type")), (200, "text/event-stream"));
            if event.text().contains(text) {
                return;
            }
            assert!(Instant::now() < deadline, "{}", event.text());
        }
    };
    site.save("config.toml", &page("two").replace("html", "htlm"));
    hears("did you mean `html`?");
    site.save("config.toml", &page("two"));
    hears("event: changed\n");
    assert!(!server.access_log().contains("_sitewright"), "{}", server.access_log());
}

#[test]
fn without_reload_a_broken_site_does_not_start() {
    let site = site();
    site.save("config.toml", "[routes.home]\npath = \"/\"\ntext = \"ok\"\ntxet = \"no\"\n");
    let (code, log) = site.start(&["--listen", "127.0.0.1:0"]).wait();
    assert_eq!(code, 1);
    assert!(log.contains("config.toml:4:1"), "{log}");
    assert!(log.contains("did you mean `text`?"), "{log}");
}

#[test]
fn a_hangup_reloads_once_and_a_save_alone_does_not() {
    let site = site();
    let server = site.serve();
    let asking = server.keep_counting("/");
    let mut visitor = server.visitor();
    for turn in 1..=3 {
        site.save("config.toml", &config(turn));
        assert_eq!(generation(&mut visitor), turn - 1);
        server.signal("HUP");
        server.wait_for_log("reloaded in");
        assert_eq!(generation(&mut visitor), turn);
    }
    server.signal("HUP");
    server.wait_for_log("nothing to reload");
    site.save("config.toml", "[routes");
    server.signal("HUP");
    server.wait_for_log("not reloaded");
    assert_eq!(generation(&mut visitor), 3);
    assert_eq!(reloads(&server), 3);
    asking.stop();
}

#[test]
fn the_same_bytes_reload_nothing_and_the_log_says_what_else_changed() {
    let site = site();
    let server = site.serve_with(&["--reload"]);
    site.save("config.toml", &config(0));
    site.save_as(Save::Rename, "templates/page.hbs", PAGE);
    site.save("templates/notes.txt", "no template");
    site.save("config.toml", &format!("{}\n[routes.about]\npath = \"/about\"\ntext = \"about\"\n", config(0)));
    let log = server.wait_for_log("reloaded in");
    assert!(log.ends_with("added `about`"), "{log}");
    site.save("config.toml", &format!("{}\n[routes.about]\npath = \"/us\"\ntext = \"about\"\n", config(0)));
    assert!(server.wait_for_log("reloaded in").ends_with("changed `about`"));
    site.save("config.toml", &config(0));
    assert!(server.wait_for_log("reloaded in").ends_with("removed `about`"));
    assert_eq!(reloads(&server), 3);
}

#[test]
fn secrets_rotate_without_losing_a_visitor() {
    for factory in ["signed-cookie", "encrypted-cookie"] {
        secrets_of_a_factory_rotate(factory);
    }
}

fn secrets_of_a_factory_rotate(factory: &str) {
    let with = |secrets: &str| {
        let made = "secret = { file = \"session.secret\", generate = true }";
        let factory = format!("factory = \"{factory}\"");
        config(0).replace(made, &format!("secrets = [{secrets}]")).replace("factory = \"signed-cookie\"", &factory)
    };
    assert!(with("").contains(factory));
    let [old, new] = ["old", "new"].map(|name| format!("\"{name}-0123456789-abcdefghijklmnopqrstuvwxyz\""));
    let site = site();
    site.save("config.toml", &with(&old));
    let server = site.serve_with(&["--reload"]);
    let asking = server.keep_counting("/");
    let mut gone = server.visitor();
    assert_eq!(gone.get("/").count(), 1);
    let rotate = |secrets: &str| {
        site.save("config.toml", &with(secrets));
        let log = server.wait_for_log("reloaded in");
        assert!(log.ends_with("changed [session]"), "{log}");
    };
    rotate(&format!("{new}, {old}"));
    // Whoever comes by while both are good is signed anew.
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/").count(), 1);
    let rounds = asking.stop();
    assert!(rounds > 0);
    rotate(&new);
    assert!(!server.log().contains("visitors lose"), "{}", server.log());
    assert_eq!(visitor.get("/").count(), 2);
    assert_eq!(gone.get("/").count(), 1, "who stayed away has a new session");
    rotate(&old);
    server.wait_for_log("visitors lose the sessions they have");
}

#[test]
fn connections_outlive_a_reload_and_a_request_ends_on_the_site_it_began_with() {
    let page = |text: &str| {
        format!("[routes.say]\npath = \"/\"\nmethods = [\"GET\", \"POST\"]\ntext = \"{text} {{{{params.word}}}}\"\n")
    };
    let site = Site::new().config(&page("old"));
    let server = site.serve_with(&["--reload"]);
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/?word=1").text(), "old 1");
    let mut raw = server.raw();
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n");
    raw.send("Expect: 100-continue\r\nContent-Length: 6\r\n\r\n");
    raw.expect_continue();

    site.save("config.toml", &page("new"));
    server.wait_for_log("reloaded in");
    assert_eq!(visitor.get("/?word=2").text(), "new 2");
    assert_eq!(visitor.connections(), 1);
    raw.send("word=3");
    assert_eq!(raw.answer("POST").text(), "old 3");
    raw.send("GET /?word=4 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(raw.answer("GET").text(), "new 4");
}

#[test]
fn limits_change_live_and_what_needs_a_restart_is_named() {
    let site = site().file("config.toml", &format!("[server]\nlisten = \"127.0.0.1:0\"\n{}", config(0)));
    // The address must come from the file here, not from the command line.
    let server = site.serve_as_declared(&["--reload"]);
    assert_eq!(server.visitor().get("/").count(), 1);
    site.edit("config.toml", "[server]\n", "[server]\nmax_request_line = 100\n");
    server.wait_for_log("changed [server]");
    let long = format!("/?{}", "x".repeat(200));
    assert_eq!(server.visitor().get(&long).status, 414);
    site.edit("config.toml", "127.0.0.1:0", "127.0.0.1:1");
    server.wait_for_log("`server.listen` has changed, which needs a restart");
    assert_eq!(server.visitor().get("/").count(), 1);
}
