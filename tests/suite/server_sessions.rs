//! Sessions on the server: one setting moves the shipped sites, and no update is ever lost.

use std::net::SocketAddr;
use std::thread;

use crate::driver::{Factory, Server, Site, Visitor};

const FACTORIES: [Factory; 2] = [Factory::MEMORY, Factory::FILE];

fn tutorial(factory: Factory) -> Site {
    Site::copy_of(".").without_csrf().sessions_in(factory)
}

/// A visitor with the cookie of another, on a connection of its own.
fn twin(server: &Server, cookie: &str, times: usize) -> thread::JoinHandle<usize> {
    let (address, cookie) = (SocketAddr::from(server), cookie.to_owned());
    thread::spawn(move || {
        let mut visitor = Visitor::new(address);
        let answered = |_: &usize| visitor.request("GET", "/").header("Cookie", &cookie).send().status == 200;
        (0..times).filter(answered).count()
    })
}

#[test]
fn one_setting_moves_the_shipped_sites_to_another_factory() {
    for factory in FACTORIES {
        let site = tutorial(factory);
        let factory = factory.name;
        let server = site.serve();
        let mut visitor = server.visitor();
        assert_eq!(visitor.get("/").count(), 1, "{factory}");
        assert_eq!(visitor.get("/howdy").count(), 2, "{factory}");
        assert_eq!(visitor.post("/login/add", "user=Admin").status, 200, "{factory}");
        assert!(visitor.get("/login/read").text().contains("Welcome Admin"), "{factory}");
        assert_eq!(visitor.get("/login/logout").status, 200, "{factory}");
        assert_eq!(visitor.get("/login/read").status, 303, "{factory}");
        assert_eq!(visitor.get("/").count(), 3, "{factory}");
        let id = visitor.cookie().unwrap();
        assert!(id.len() < 200 && !id.contains("Admin"), "the cookie names the session and holds nothing of it");
        assert_eq!(site.path("sessions").exists(), factory == "file");
    }
}

#[test]
fn what_came_with_a_stored_session_is_kept_by_no_cache_wherever_the_session_lives() {
    for factory in ["signed-cookie", "memory"] {
        let site = Site::new().with_session(
            r#"
            [defaults]
            headers = { Cache-Control = "private, max-age=60" }
            [routes.count]
            path = "/"
            actions = [{ increment-counter = "counter" }]
            text = "{{counter}}"
            [routes.look]
            path = "/look"
            text = "{{session.counter}}"
            "#,
        );
        let site = site.env("SITEWRIGHT__SESSION__FACTORY", factory);
        let server = site.serve();
        let mut visitor = server.visitor();
        for (path, expected) in [("/", "no-store"), ("/", "no-store"), ("/look", "private, max-age=60")] {
            let answer = visitor.get(path);
            assert_eq!((answer.header("cache-control"), answer.header("vary")), (expected, "Cookie"), "{factory}");
        }
    }
}

#[test]
fn visitors_who_only_read_leave_no_session_behind() {
    let site = tutorial(Factory::FILE);
    let server = site.serve();
    for _ in 0..100 {
        let mut visitor = server.visitor();
        assert!(visitor.get("/login").set_cookies().is_empty());
        assert!(visitor.get("/login/read").set_cookies().is_empty());
    }
    assert!(!site.path("sessions").exists());
}

#[test]
fn two_thousand_visits_fifty_at_a_time_are_all_counted() {
    for factory in FACTORIES {
        let site = tutorial(factory);
        let factory = factory.name;
        let server = site.serve();
        let mut visitor = server.visitor();
        assert_eq!(visitor.get("/").count(), 1, "{factory}");
        let cookie = format!("session={}", visitor.cookie().unwrap());
        let twins: Vec<_> = (0..50).map(|_| twin(&server, &cookie, 40)).collect();
        let answered: usize = twins.into_iter().map(|twin| twin.join().unwrap()).sum();
        all_counted(factory, answered, 2000, &mut visitor);
    }
}

/// Every visit that was answered is counted. One that was not (a disk may be slower than the
/// store's deadline) may be counted or not, and nothing else is.
fn all_counted(factory: &str, answered: usize, asked: usize, visitor: &mut Visitor) {
    if factory == "memory" {
        assert_eq!(answered, asked);
    }
    let counted = visitor.get("/").count() as usize - 2;
    assert!(
        answered <= counted && counted <= asked,
        "{factory}: {answered} answered, {counted} counted, {asked} asked"
    );
    assert!(answered > 0, "{factory}");
}

#[test]
fn two_processes_on_the_same_files_lose_no_visit() {
    let site = tutorial(Factory::FILE);
    let servers = [site.serve(), site.serve()];
    let mut visitor = servers[0].visitor();
    visitor.get("/");
    let cookie = format!("session={}", visitor.cookie().unwrap());
    let twins: Vec<_> = (0..20).map(|i| twin(&servers[i % 2], &cookie, 25)).collect();
    let answered: usize = twins.into_iter().map(|twin| twin.join().unwrap()).sum();
    all_counted("file", answered, 500, &mut visitor);
}

#[test]
fn sessions_in_files_survive_a_killed_process() {
    let site = tutorial(Factory::FILE);
    let server = site.serve();
    let mut visitor = server.visitor();
    for count in 1..=5 {
        assert_eq!(visitor.get("/").count(), count);
    }
    server.signal("KILL");
    drop(server);
    let server = site.serve();
    visitor.moves_to(&server);
    assert_eq!(visitor.get("/").count(), 6);
}

#[test]
fn a_damaged_record_does_not_fill_the_log_however_often_its_visitor_comes() {
    const VISITS: usize = 60;
    let site = tutorial(Factory::FILE);
    let server = site.serve();
    let mut visitor = server.visitor();
    visitor.get("/");
    let cookie = format!("session={}", visitor.cookie().unwrap());
    let parts = std::fs::read_dir(site.path("sessions")).unwrap().map(|part| part.unwrap().path());
    let mut files = parts.flat_map(|part| std::fs::read_dir(part).unwrap().map(|file| file.unwrap().path()));
    let record = files.find(|file| !file.ends_with(".lock")).unwrap();
    std::fs::write(record, "damaged").unwrap();
    for _ in 0..VISITS {
        let answer = visitor.request("GET", "/login").header("Cookie", &cookie).send();
        assert_eq!(answer.status, 200);
        let answer = visitor.request("GET", "/").header("Cookie", &cookie).send();
        assert_eq!(answer.count(), 1, "it is no session");
    }
    let told = server.log().matches("a session's record cannot be read").count();
    assert!((1..VISITS).contains(&told), "{told} of {VISITS}");
}

#[test]
fn sessions_in_memory_live_through_reloads_and_a_new_secret() {
    let site = tutorial(Factory::MEMORY);
    let server = site.serve_with(&["--reload"]);
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/").count(), 1);
    site.edit("config.toml", "Hi {{name}}", "Hello {{name}}");
    server.wait_for_log("reloaded");
    assert_eq!(visitor.get("/").count(), 2);
    site.edit(
        "config.toml",
        "secret  = { file = \"session.secret\", generate = true }",
        "secrets = [\"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-\", { file = \"session.secret\" }]",
    );
    server.wait_for_log("[session]");
    let answer = visitor.get("/");
    assert_eq!(answer.count(), 3, "verified under the old secret");
    assert_eq!(answer.set_cookies().len(), 1, "issued anew under the new one");
}

#[test]
fn a_logged_out_session_never_comes_back() {
    let site = Site::new().with_session(
        r#"
        [routes.count]
        path = "/"
        actions = [{ increment-counter = "counter" }]
        html = "<p>Count: {{counter}}</p>"
        [routes.end]
        path = "/end"
        actions = [{ invalidate = true }]
        text = "ended"
        "#,
    );
    let site = site.sessions_in(Factory::MEMORY);
    let server = site.serve();
    let mut visitor = server.visitor();
    visitor.get("/");
    let cookie = format!("session={}", visitor.cookie().unwrap());
    let twins: Vec<_> = (0..8).map(|_| twin(&server, &cookie, 50)).collect();
    visitor.get("/end");
    twins.into_iter().for_each(|twin| assert_eq!(twin.join().unwrap(), 50));
    // Whoever still has the old cookie begins anew, every time.
    let mut late = Visitor::new(SocketAddr::from(&server));
    assert_eq!(late.request("GET", "/").header("Cookie", &cookie).send().count(), 1);
}
