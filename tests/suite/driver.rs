//! A fluent driver: a site in a folder of its own, the real program, and visitors with cookie jars.
//!
//! Every wait is for an event. [`PATIENCE`] is not a time that is tested, only how long a test waits
//! before it fails instead of hanging.

use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use sitewright::config::Environment;
use sitewright::diagnostic::{Diagnostics, print};
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;
use tempfile::TempDir;

mod factories;
mod proxy;
mod random;
mod visitor;

pub use factories::Factory;
pub use proxy::{Proxy, Weather};
pub use random::Random;
pub use visitor::{Answer, Asking, Raw, Visitor};

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A `[session]` that makes its own secret.
pub const SESSION: &str = r#"
[session]
factory = "signed-cookie"
secret = { file = "session.secret", generate = true }
"#;

/// The folder of the project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A site in a temporary folder, and the environment the program finds there.
pub struct Site {
    folder: TempDir,
    /// Where in it the site is.
    below: PathBuf,
    environment: Vec<(String, String)>,
    starter: Vec<String>,
}

/// How an editor saves a file.
#[derive(Clone, Copy, Debug)]
pub enum Save {
    /// Empties the file and writes it.
    Truncate,
    /// Writes another file and renames it.
    Rename,
    /// Renames the old file, writes a new one, deletes the old: as vim does.
    Backup,
    /// Deletes the file and writes it again.
    Recreate,
}

impl Site {
    /// An empty folder.
    pub fn new() -> Site {
        Site {
            folder: tempfile::tempdir().unwrap(),
            below: PathBuf::new(),
            environment: Vec::new(),
            starter: Vec::new(),
        }
    }

    /// A copy of a shipped site: `"sites/login"`, or `"."` for the tutorial with all it mounts.
    pub fn copy_of(folder: &str) -> Site {
        // All of them, as one may mount another.
        let site = Site::new();
        fs::copy(project().join("config.toml"), site.path("config.toml")).unwrap();
        copy_folder(&project().join("sites"), &site.path("sites"));
        Site { below: PathBuf::from(folder), ..site }
    }

    /// With this `config.toml`.
    pub fn config(self, text: &str) -> Site {
        self.file("config.toml", text)
    }

    /// With a `[session]` in its `config.toml`, and this below it.
    pub fn with_session(self, text: &str) -> Site {
        self.config(&[SESSION, text].concat())
    }

    /// With this file.
    pub fn file(self, name: &str, text: &str) -> Site {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        self.save(name, text);
        self
    }

    /// With routes that take requests from wherever they come, and a login form that begins no session:
    /// for tests of something else.
    pub fn without_csrf(self) -> Site {
        for form in ["templates/login.hbs", "sites/login/templates/login.hbs"] {
            if self.path(form).exists() {
                self.edit(form, "{{csrf_field}}\n", "");
            }
        }
        self.env("SITEWRIGHT__CSRF__ENABLED", "false")
    }

    /// With this environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Site {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The environment variables of the program.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// With the program started by another, which gets the command line behind its own arguments and
    /// becomes it.
    pub fn started_by(mut self, starter: &[&str]) -> Site {
        self.starter = starter.iter().map(|&word| word.to_owned()).collect();
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(&self.below).join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Empties the file and writes it.
    pub fn save(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Saves a file the way some editor does.
    pub fn save_as(&self, style: Save, name: &str, text: &str) {
        let path = self.path(name);
        let other = self.path(&format!("{name}~"));
        match style {
            Save::Truncate => self.save(name, text),
            Save::Rename => {
                fs::write(&other, text).unwrap();
                fs::rename(&other, &path).unwrap();
            }
            Save::Backup => {
                fs::rename(&path, &other).unwrap();
                fs::write(&path, text).unwrap();
                fs::remove_file(&other).unwrap();
            }
            Save::Recreate => {
                fs::remove_file(&path).unwrap();
                fs::write(&path, text).unwrap();
            }
        }
    }

    /// Replaces a text in a file, which must be there, and saves it.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "no {from:?} in {name}:\n{text}");
        self.save(name, &text.replace(from, to));
    }

    /// The site as a server has it, in this process: with the very sessions that are served.
    pub fn open(&self) -> Serving {
        let environment: Environment = self.environment.iter().cloned().collect();
        let (vocabulary, mut problems) = (Vocabulary::standard(), Diagnostics::default());
        let config = self.path("config.toml");
        let opened = Serving::load(&config, &environment, &vocabulary, Secrets::Generate, &mut problems);
        opened.unwrap_or_else(|_| panic!("{}", print::to_text(&problems, false)))
    }

    /// The program in this folder, about to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let program = [env!("CARGO_BIN_EXE_sitewright").to_owned()];
        let mut words = self.starter.iter().chain(&program);
        let mut command = Command::new(words.next().unwrap());
        command.args(words);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SITEWRIGHT") {
                command.env_remove(name);
            }
        }
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        command.args(arguments).current_dir(self.path("")).envs(environment).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with_input(arguments, "")
    }

    /// Runs the program to its end, with this on standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A program that reads nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Serves the site on a free port.
    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// Serves the site on a free port, with more arguments.
    pub fn serve_with(&self, arguments: &[&str]) -> Server {
        self.serve_as_declared(&[arguments, &["--listen", "127.0.0.1:0"]].concat())
    }

    /// Serves the site on 127.0.0.1, at the port that it declares.
    pub fn serve_as_declared(&self, arguments: &[&str]) -> Server {
        let server = self.start(arguments);
        let log = server.wait_for_log(" at http://127.0.0.1:");
        let (_, port) = log.rsplit_once(" at http://127.0.0.1:").unwrap();
        let port = port.split('/').next().unwrap();
        Server { address: ([127, 0, 0, 1], port.parse().unwrap()).into(), ..server }
    }

    /// Starts the program as a server, which may fail to become one.
    pub fn start(&self, arguments: &[&str]) -> Server {
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Log::default());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let collector = Arc::clone(&log);
        thread::spawn(move || collector.collect(stderr));
        Server { process: Process(child), address: ([127, 0, 0, 1], 0).into(), log, seen: Cell::new(0) }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else if path.extension().is_none_or(|extension| extension != "secret") {
            fs::copy(path, copy).unwrap();
        }
    }
}

/// What became of a command.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// What a server has written on standard error so far.
#[derive(Default)]
struct Log {
    written: Mutex<Written>,
    grown: Condvar,
}

#[derive(Default)]
struct Written {
    log: String,
    access_log: String,
    ended: bool,
}

impl Log {
    fn collect(&self, mut stderr: impl BufRead) {
        let mut line = Vec::new();
        while stderr.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line);
            let mut written = self.written.lock().unwrap();
            let access = text.contains(" access: ");
            if access { &mut written.access_log } else { &mut written.log }.push_str(&text);
            self.grown.notify_all();
            line.clear();
        }
        self.written.lock().unwrap().ended = true;
        self.grown.notify_all();
    }
}

/// A program that is stopped when it is dropped.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program, serving.
pub struct Server {
    process: Process,
    pub address: SocketAddr,
    log: Arc<Log>,
    /// How much of the log earlier waits have passed over.
    seen: Cell<usize>,
}

impl Server {
    /// Everything on standard error so far but the access log.
    pub fn log(&self) -> String {
        self.log.written.lock().unwrap().log.clone()
    }

    /// The access log so far.
    pub fn access_log(&self) -> String {
        self.log.written.lock().unwrap().access_log.clone()
    }

    /// Waits until a text stands in the log behind what the wait before this one returned. Returns
    /// everything from there to the end of the line with the text.
    pub fn wait_for_log(&self, text: &str) -> String {
        let start = self.seen.get();
        let found = self.wait_for(text, |written| &written.log[start..]);
        self.seen.set(start + found.len());
        found
    }

    /// Waits until a text stands in the access log. Returns everything to the end of its line.
    pub fn wait_for_access_log(&self, text: &str) -> String {
        self.wait_for(text, |written| &written.access_log)
    }

    fn wait_for(&self, text: &str, part: impl Fn(&Written) -> &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut written = self.log.written.lock().unwrap();
        loop {
            let log = part(&written);
            if let Some(at) = log.find(text)
                && let Some(rest) = log[at..].find('\n')
            {
                return log[..at + rest].to_owned();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || written.ended {
                let log = written.log.clone();
                drop(written);
                panic!("no {text:?} on standard error:\n{log}");
            }
            written = self.log.grown.wait_timeout(written, left).unwrap().0;
        }
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.process.0.id()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        // Every shell has a `kill` of its own; not every system has another.
        let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the program's end: its exit code and the whole log.
    pub fn wait(mut self) -> (i32, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.process.0.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < deadline, "the program does not end:\n{}", self.log()),
            }
            thread::sleep(Duration::from_millis(5));
        };
        (status.code().expect("an exit code"), self.whole_log())
    }

    /// Kills the program, without a chance to put anything in order: the whole log.
    pub fn kill(mut self) -> String {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
        self.whole_log()
    }

    fn whole_log(&self) -> String {
        let written = self.log.written.lock().unwrap();
        let (written, _) = self.log.grown.wait_timeout_while(written, PATIENCE, |written| !written.ended).unwrap();
        written.log.clone()
    }

    /// A new visitor.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.address)
    }

    /// A bare connection.
    pub fn raw(&self) -> Raw {
        Raw::new(self.address)
    }

    /// Waits until nobody can connect any more.
    pub fn wait_for_refusal(&self) {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address).is_ok() {
            assert!(Instant::now() < deadline, "the port stays open");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Has a new visitor do something again and again, until it is told to stop.
    pub fn keep_asking(&self, ask: impl FnMut(&mut Visitor) + Send + 'static) -> Asking {
        Asking::start(self.visitor(), ask)
    }

    /// A visitor who looks at a page that counts, again and again, and never misses a count.
    pub fn keep_counting(&self, path: &'static str) -> Asking {
        let mut expected = 0;
        self.keep_asking(move |visitor| {
            expected += 1;
            assert_eq!(visitor.get(path).count(), expected);
        })
    }
}

impl From<&Server> for SocketAddr {
    fn from(server: &Server) -> SocketAddr {
        server.address
    }
}
