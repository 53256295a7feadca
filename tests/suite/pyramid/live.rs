//! A real Pyramid beside Sitewright: how both are started, and what a session cookie holds.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::driver::{Server, Site, Visitor, project};

/// The interpreter that `tests/run` set up, with Pyramid at hand.
pub fn python() -> Command {
    Command::new(std::env::var_os("SITEWRIGHT_TEST_PYTHON").expect("SITEWRIGHT_TEST_PYTHON: run tests/run"))
}

/// `tests/pyramid/app.py`.
fn app() -> Command {
    let mut command = python();
    command.arg(project().join("tests/pyramid/app.py"));
    command
}

/// What Pyramid takes for `hashalg` on this machine.
pub fn hashalgs() -> Vec<String> {
    let output = app().arg("--hashalgs").output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A running Pyramid with one site or more; it ends when it is dropped.
pub struct Pyramid {
    process: Child,
    sites: Vec<SocketAddr>,
}

impl Pyramid {
    /// One site, its `SignedCookieSessionFactory` made with these arguments.
    pub fn new(options: Value) -> Pyramid {
        Pyramid::with_sites(&[options])
    }

    /// Several sites.
    pub fn with_sites(options: &[Value]) -> Pyramid {
        let mut command = app();
        command.args(options.iter().map(Value::to_string)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut pyramid = Pyramid { process, sites: Vec::new() };
        for line in lines.take(options.len()) {
            let port: u16 = line.unwrap().parse().unwrap();
            pyramid.sites.push(([127, 0, 0, 1], port).into());
        }
        assert_eq!(pyramid.sites.len(), options.len(), "Pyramid does not start");
        pyramid
    }

    /// Where a site is.
    pub fn site(&self, index: usize) -> SocketAddr {
        self.sites[index]
    }

    /// The cookie value that the first site's secret makes of a payload, whatever that is.
    pub fn sign(&self, payload: &str) -> String {
        let answer = Visitor::new(self.site(0)).request("POST", "/sign").body("text/plain", payload).send();
        answer.text().to_owned()
    }
}

impl From<&Pyramid> for SocketAddr {
    fn from(pyramid: &Pyramid) -> SocketAddr {
        pyramid.site(0)
    }
}

impl Drop for Pyramid {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Pages beside the shipped ones.
const PAGES: &str = r#"
[routes.look]
path = "/look"
actions = []
json = "session"

[routes.nested]
path = "/nested"
actions = [{ increment-counter = "nested.count" }]
text = "Count: {{count}}"

[routes.flash]
path = "/flash"
actions = [{ flash = "{{params.message}}" }, { flash = "and {{params.message}}", queue = "more" }]
text = "Waiting"

[routes.messages]
path = "/messages"
text = "{{#each flash}}{{queue}}: {{message}}; {{/each}}"

[routes.leave]
path = "/leave"
actions = [{ invalidate = true }]
text = "Gone"
"#;

/// The shipped sites and a few pages, with these lines in `[session]`.
pub fn sitewright(session: &str) -> (Site, Server) {
    let site = Site::copy_of(".").without_csrf();
    site.edit("config.toml", r#"secret  = { file = "session.secret", generate = true }"#, session);
    site.save("config.toml", &(site.read("config.toml") + PAGES));
    let server = site.serve();
    (site, server)
}

/// The arguments of Pyramid's factory as lines of `[session]`: the names are the same.
pub fn as_settings(options: &Value) -> String {
    let options = options.as_object().unwrap();
    let line = |(name, value): (&String, &Value)| match value {
        // JSON's strings are TOML's, and so are its numbers.
        Value::Null => format!("{name} = \"never\"\n"),
        value => format!("{name} = {value}\n"),
    };
    options.iter().map(line).collect()
}

/// One site on each side, with the same options.
pub fn both(options: Value) -> (Pyramid, Site, Server) {
    let (site, server) = sitewright(&as_settings(&options));
    (Pyramid::new(options), site, server)
}

/// What a cookie under SHA-512 says, as it is written: `[renewed, created, state]`.
pub fn payload(cookie: &str) -> String {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cookie).unwrap();
    String::from_utf8(bytes[64..].to_vec()).unwrap()
}

/// The session in it, as it is written.
pub fn state(cookie: &str) -> String {
    let payload = payload(cookie);
    let mut parts = payload.splitn(3, ", ");
    let state = parts.nth(2).and_then(|rest| rest.strip_suffix(']'));
    state.unwrap().to_owned()
}

/// When it began, as it is written.
pub fn created(cookie: &str) -> String {
    payload(cookie).split(", ").nth(1).unwrap().to_owned()
}
