//! Neither a secret nor a session cookie shows up anywhere it does not belong: not in the log however
//! talkative, not in a page, not in what the commands print, not in a snapshot.

use std::collections::BTreeSet;

use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::driver::{Answer, Factory, Server, Site, Visitor};

const SECRET: &str = "CANARY-q7Zr4nV1-kL9xT2mB8wD5sF3hJ6pG0yC";
const ENV: &str = "secret = { env = \"SITE_SECRET\" }";
const FILE: &str = "secret = { file = \"session.secret\" }";

fn config(secret: &str) -> String {
    format!(
        r#"
        [session]
        factory = "signed-cookie"
        {secret}
        [routes.count]
        path = "/"
        actions = [{{ increment-counter = "counter" }}]
        text = "Count: {{{{counter}}}}"
        [routes.store]
        path = "/store"
        methods = ["GET", "POST"]
        actions = [{{ store-param = "user" }}]
        html = "{{{{user}}}}"
        [routes.all]
        path = "/all"
        html = "{{{{json session}}}} {{{{json request}}}} {{{{json params}}}} {{{{json request.headers}}}}"
        [routes.number]
        path = "/number"
        actions = [{{ increment-counter = "user" }}]
        text = "ok"
        [routes.end]
        path = "/end"
        actions = [{{ invalidate = true }}]
        text = "ended"
        "#
    )
}

/// Where sessions live, and where the secret comes from.
fn kinds(inline: &str) -> [(Factory, &str); 4] {
    let (cookie, file) = (Factory::SIGNED_COOKIE, Factory::FILE);
    [(cookie, inline), (cookie, ENV), (cookie, FILE), (file, FILE)]
}

fn site(factory: Factory, secret: &str) -> Site {
    Site::new()
        .without_csrf()
        .sessions_in(factory)
        .env("SITEWRIGHT_LOG", "trace")
        .env("SITE_SECRET", SECRET)
        .env("RUST_BACKTRACE", "1")
        .file("session.secret", &format!("{SECRET}\n"))
        .file("tests/all.http", "GET /\n\n###\nGET /all\n\n###\n# @tamper\nGET /\n\n###\nGET /store\n\n###\nGET /end\n")
        .config(&config(secret))
}

/// What must not be seen anywhere.
struct Hidden(BTreeSet<String>);

impl Hidden {
    fn new() -> Self {
        Hidden(BTreeSet::from([SECRET.to_owned()]))
    }

    /// Adds a session cookie: its signature, and what follows it, be that the session or its id.
    fn add(&mut self, cookie: &str) {
        let (signature, rest) = cookie.split_at(if cookie.len() > 86 { 86 } else { 43 });
        self.0.insert(signature.to_owned());
        self.0.insert(rest.to_owned());
    }

    fn assert_not_in(&self, what: &str, text: &str) {
        for hidden in &self.0 {
            assert!(!text.contains(hidden), "{hidden} is in {what}:\n{text}");
        }
        // A cookie nobody knows of is still a long run of base64.
        let longest =
            text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).max_by_key(|run| run.len());
        assert!(longest.is_none_or(|run| run.len() < 80), "{longest:?} is in {what}");
    }

    fn check(&mut self, visitor: &Visitor, answer: &Answer) {
        if let Some(cookie) = visitor.cookie() {
            self.add(&cookie);
        }
        self.assert_not_in("a page", &String::from_utf8_lossy(&answer.body));
        for (name, value) in &answer.headers {
            if name != "set-cookie" {
                self.assert_not_in("a header", value.to_str().unwrap());
            }
        }
    }
}

/// Good, bad and failing requests, each with a session cookie.
fn visit(server: &Server, hidden: &mut Hidden) {
    let mut visitor = server.visitor();
    for path in [
        "/",
        "/",
        "/all",
        "/store?user=Zoe",
        "/all?x=1",
        "/number",
        "/store",
        "/nope",
        "/%ff",
        "/store?user=%ff",
        "/end",
        "/",
    ] {
        for accept in ["*/*", "application/json"] {
            let answer = visitor.request("GET", path).header("Accept", accept).send();
            hidden.check(&visitor, &answer);
        }
    }
    let long = format!("user={}", "<".repeat(5_000));
    for answer in [
        visitor.post("/store", &long),
        visitor.request("POST", "/store").body("application/json", "{").send(),
        visitor.request("HEAD", "/").send(),
        visitor.request("DELETE", "/").send(),
        visitor.request("OPTIONS", "/").send(),
    ] {
        hidden.check(&visitor, &answer);
    }
    let good = visitor.cookie().unwrap();
    for bad in [good[1..].to_owned(), format!("{good}A"), format!("\"{good}\""), good.replace('A', "B")] {
        let answer = visitor.request("GET", "/all").header("Cookie", format!("session={bad}")).send();
        hidden.check(&visitor, &answer);
    }
    let mut raw = server.raw();
    raw.send(format!("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nCookie: session={good}\r\n\r\nnonsense\r\n\r\n"));
    hidden.assert_not_in("an answer to nonsense", &raw.rest());
    over_http_2(server, &good);
}

fn over_http_2(server: &Server, cookie: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket));
        let (mut client, connection) = handshake.await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get(format!("http://{}/all", server.address));
        let request = request.header("cookie", format!("session={cookie}")).body(String::new()).unwrap();
        assert_eq!(client.send_request(request).await.unwrap().status(), 200);
    });
}

#[test]
fn requests_and_broken_edits_show_no_secret_wherever_it_comes_from() {
    let inline = format!("secret = \"{SECRET}\"");
    for (factory, secret) in kinds(&inline) {
        let site = site(factory, secret);
        let server = site.serve();
        let mut hidden = Hidden::new();
        visit(&server, &mut hidden);
        for broken in [
            // Mistakes in the very line of the secret, and beside it.
            format!("secret = \"{SECRET}"),
            format!("secret = {SECRET}"),
            format!("secret \"{SECRET}\""),
            format!("secret == \"{SECRET}\""),
            format!("secrte = \"{SECRET}\""),
            format!("Secret = \"{SECRET}\""),
            format!("secret = \"{SECRET}\"\n        secret = \"{SECRET}\""),
            format!("secret = [\"{SECRET}\"]"),
            format!("secrets = \"{SECRET}\""),
            format!("secrets = [\"{SECRET}\", 1]"),
            format!("secret = {{ value = \"{SECRET}\" }}"),
            format!("secret = \"{SECRET}\"\n        secrets = [\"{SECRET}\"]"),
            format!("secret = \"{SECRET}\"\n        timeuot = 60"),
            format!("{inline}\n        [routes.broken"),
            format!("{secret}\n        hashalg = \"none\""),
        ] {
            site.save("config.toml", &config(&broken));
            server.signal("HUP");
            server.wait_for_log("not reloaded");
            let checked = site.run(&["check"]);
            assert_eq!(checked.code, 1, "{broken}");
            hidden.assert_not_in(&format!("check of {broken}"), &(checked.out + &checked.err));
        }
        site.save("config.toml", &config(secret).replace("Count: ", "Counted: "));
        server.signal("HUP");
        server.wait_for_log("reloaded in");
        visit(&server, &mut hidden);
        server.signal("TERM");
        server.wait_for_log("stopp");
        hidden.assert_not_in("the log", &server.log());
        hidden.assert_not_in("the access log", &server.access_log());
    }
}

#[test]
fn a_site_that_is_broken_from_the_start_shows_no_secret_on_its_page() {
    for broken in [
        format!("secret = \"{SECRET}\"\n        timeuot = 60"),
        format!("secret = \"{SECRET}"),
        format!("secert = \"{SECRET}\""),
    ] {
        let site = site(Factory::SIGNED_COOKIE, &broken);
        let server = site.serve_with(&["--reload"]);
        let page = server.visitor().get("/");
        assert_eq!(page.status, 503);
        let hidden = Hidden::new();
        hidden.assert_not_in("the page of problems", page.text());
        hidden.assert_not_in("the log", &server.log());
    }
}

#[test]
fn commands_and_snapshots_show_no_secret_and_no_cookie() {
    let inline = format!("secret = \"{SECRET}\"");
    for (factory, secret) in kinds(&inline) {
        let site = site(factory, secret);
        let server = site.serve();
        let mut visitor = server.visitor();
        visitor.get("/");
        let cookie = visitor.cookie().unwrap();
        let mut hidden = Hidden::new();
        hidden.add(&cookie);
        let header = format!("Cookie: session={cookie}");
        for arguments in [
            &["check"][..],
            &["routes"],
            &["request", "GET", "/all", "-H", &header],
            &["request", "GET", "/", "-H", &header, "--explain"],
            &["request", "GET", "/nope", "-H", &header, "--explain"],
            &["cookie", &format!("session={cookie}")],
            &["cookie", &format!("session={}", &cookie[1..])],
            &["test", "--update"],
            &["test", "--format", "junit"],
        ] {
            let ran = site.run(arguments);
            assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
            hidden.assert_not_in(&format!("{arguments:?}"), &(ran.out + &ran.err));
        }
        let snapshot = site.read("tests/all.snap");
        assert!(snapshot.contains("session=[session]"), "{snapshot}");
        hidden.assert_not_in("the snapshot", &snapshot);
        // A test that fails shows a difference.
        site.edit("config.toml", "Count: ", "Counted: ");
        let failed = site.run(&["test"]);
        assert_eq!(failed.code, 1);
        hidden.assert_not_in("a failed test", &(failed.out + &failed.err));
    }
}
