//! Chromium, driven by WebDriver (W3C): JSON over HTTP, to `chromedriver`.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::driver::{PATIENCE, Process, Visitor};

/// The key under which WebDriver hands out elements (section 12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Chromedriver, with what it needs of its own. It ends when it is dropped.
struct Driver {
    _process: Process,
    http: RefCell<Visitor>,
    /// For the profile of the browser, and the log.
    home: TempDir,
}

impl Driver {
    /// Starts one, which says what port it has taken. It takes one that is free for IPv4, and ends where
    /// somebody else has it for IPv6.
    fn start() -> Result<Driver, String> {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new("chromedriver");
        command.args(["--port=0", "--log-path=chromedriver.log"]).current_dir(home.path());
        command.envs([("HOME", home.path()), ("TMPDIR", home.path())]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Process(command.spawn().expect("chromedriver: run tests/run"));
        let lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (say, said) = mpsc::channel();
        thread::spawn(move || {
            for port in
                lines.filter_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok())
            {
                let _ = say.send(port);
            }
        });
        let http = RefCell::new(Visitor::new(([127, 0, 0, 1], 0).into()));
        let driver = Driver { _process: process, http, home };
        let port: u16 = said.recv_timeout(PATIENCE).map_err(|_| driver.log())?;
        driver.http.borrow_mut().moves_to(SocketAddr::from(([127, 0, 0, 1], port)));
        Ok(driver)
    }

    /// What it wrote down.
    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("chromedriver.log")).unwrap_or_default()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let mut http = self.http.borrow_mut();
        let request = http.request(method, path);
        let request = if method == "POST" { request.body("application/json", body.to_string()) } else { request };
        let answer = request.try_send().map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        let value = &value["value"];
        if answer.status == 200 { Ok(value.clone()) } else { Err(value["message"].to_string()) }
    }
}

/// A browser with a profile of its own, on a page of 480 by 160 pixels. It ends when it is dropped.
pub struct Browser {
    driver: Driver,
    session: String,
}

impl Browser {
    /// Starts one. On a busy machine that may take more than one attempt.
    pub fn start() -> Browser {
        let mut failures = String::new();
        for _ in 0..3 {
            match Browser::try_start() {
                Ok(browser) => return browser,
                Err(why) => failures += &format!("{why}\n"),
            }
        }
        panic!("no browser starts:\n{failures}");
    }

    fn try_start() -> Result<Browser, String> {
        let driver = Driver::start()?;
        let options = json!({ "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--disable-quic", "--no-proxy-server",
            // Not even a name is looked up outside this machine.
            "--host-resolver-rules=MAP localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            format!("--user-data-dir={}", driver.home.path().join("profile").display()),
        ] });
        let wanted = json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let wanted = json!({ "capabilities": { "alwaysMatch": wanted } });
        let made = driver.ask("POST", "/session", &wanted).map_err(|why| format!("{why}\n{}", driver.log()))?;
        let browser = Browser { driver, session: format!("/session/{}", made["sessionId"].as_str().unwrap()) };
        let size = json!({ "width": 480, "height": 160, "deviceScaleFactor": 1, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size });
        browser.ask("POST", "/goog/cdp/execute", command);
        Ok(browser)
    }

    fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let path = format!("{}{path}", self.session);
        let answer = self.driver.ask(method, &path, &body);
        answer.unwrap_or_else(|why| panic!("{method} {path} {body}: {why}\n{}", self.driver.log()))
    }

    /// Goes to an address and waits until the page has loaded.
    pub fn open(&self, url: &str) {
        self.ask("POST", "/url", json!({ "url": url }));
    }

    /// Loads the page again.
    pub fn refresh(&self) {
        self.ask("POST", "/refresh", json!({}));
    }

    /// Goes back to the page before, and waits until it has loaded.
    pub fn back(&self) {
        self.ask("POST", "/back", json!({}));
    }

    /// The tab that is looked at.
    pub fn tab(&self) -> String {
        self.ask("GET", "/window", Value::Null).as_str().unwrap().to_owned()
    }

    /// Looks at another tab.
    pub fn switch(&self, tab: &str) {
        self.ask("POST", "/window", json!({ "handle": tab }));
    }

    /// Opens a tab, and looks at it.
    pub fn open_tab(&self) -> String {
        let made = self.ask("POST", "/window/new", json!({ "type": "tab" }));
        let tab = made["handle"].as_str().unwrap().to_owned();
        self.switch(&tab);
        tab
    }

    /// The path of the page.
    pub fn path(&self) -> String {
        let url = self.ask("GET", "/url", Value::Null);
        url.as_str().unwrap().splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap()
    }

    /// The text of the first element that a CSS selector finds.
    pub fn text_of(&self, selector: &str) -> String {
        let text = self.ask("GET", &format!("{}/text", self.element(selector)), Value::Null);
        text.as_str().unwrap().to_owned()
    }

    /// Types into a field, instead of what is in it.
    pub fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.ask("POST", &format!("{element}/clear"), json!({}));
        self.ask("POST", &format!("{element}/value"), json!({ "text": text }));
    }

    /// Ticks a box, or one of several.
    pub fn tick(&self, selector: &str) {
        self.ask("POST", &format!("{}/click", self.element(selector)), json!({}));
    }

    /// Clicks on what leads to another page, and waits until that has loaded. The driver waits only
    /// if the browser has set out before it looks.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.evaluate("document.documentElement.setAttribute('data-left', '')");
        self.ask("POST", &format!("{element}/click"), json!({}));
        let deadline = Instant::now() + PATIENCE;
        let arrived =
            "document.documentElement?.hasAttribute('data-left') === false && document.readyState === 'complete'";
        while self.evaluate(arrived) != true {
            assert!(Instant::now() < deadline, "the click on {selector} led nowhere");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn element(&self, selector: &str) -> String {
        let found = self.ask("POST", "/element", json!({ "using": "css selector", "value": selector }));
        format!("/element/{}", found[ELEMENT].as_str().unwrap())
    }

    /// What an expression of JavaScript is on this page.
    pub fn evaluate(&self, expression: &str) -> Value {
        self.ask("POST", "/execute/sync", json!({ "script": format!("return {expression}"), "args": [] }))
    }

    /// Waits until an expression holds on a page that is there as a whole. Until then the page may
    /// give way to another at any moment.
    pub fn wait_until(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        let script = format!("return document.readyState == 'complete' && ({expression})");
        let (path, body) = (format!("{}/execute/sync", self.session), json!({ "script": script, "args": [] }));
        loop {
            let said = self.driver.ask("POST", &path, &body);
            if said == Ok(Value::Bool(true)) {
                return;
            }
            assert!(Instant::now() < deadline, "{expression}: {said:?}\n{}", self.driver.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What the console has shown since it was asked last.
    pub fn console(&self) -> Vec<String> {
        let entries = self.ask("POST", "/se/log", json!({ "type": "browser" }));
        let entries = entries.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// A picture of the page, as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        let picture = self.ask("GET", "/screenshot", Value::Null);
        BASE64_STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to, the driver ends the browser too.
        let _ = self.driver.ask("DELETE", &self.session, &Value::Null);
    }
}
