//! The command line: arguments to exit code, one file per subcommand.

mod actions;
mod arguments;
mod check;
mod completions;
mod cookie;
mod explain;
pub mod in_process;
mod log;
pub mod new;
mod password;
mod request;
mod routes;
pub mod schema;
mod secret;
mod serve;
mod sessions;
mod table;
mod test;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Parser, Subcommand};

use crate::config::{Environment, process_environment};
use crate::diagnostic::{Diagnostics, print};
use crate::site::Vocabulary;
use crate::site::credentials::Secrets;
use crate::site::live::Serving;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Fine = 0,
    /// The site has problems, or a test failed.
    Problems = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// The program itself failed.
    Program = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Serves a web site that is declared, not programmed.
#[derive(Parser, Debug)]
#[command(name = "sitewright", version, about, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    site: SiteOption,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Options,
}

const EXAMPLES: &str = "Examples:
  sitewright new hello                    a folder with a site to start from
  sitewright --reload                     serve ./config.toml, and again at every save
  sitewright check                        every problem at once, with file, line and advice
  sitewright request GET /howdy --explain one request without a server
  sitewright test --update                run tests/*.http, accept what is new

Environment variables override settings: SITEWRIGHT__SESSION__TIMEOUT=60
Logs: SITEWRIGHT_LOG=debug
Exit codes: 0 fine, 1 the site has problems, 2 wrong usage, 70 the program has";

#[derive(Subcommand, Debug)]
enum Command {
    /// Serve the site (the default)
    Serve(serve::Options),
    /// Check sites: every problem at once, with file, line, excerpt and advice
    Check(check::Options),
    /// Show the routes, with methods, session use and actions
    Routes,
    /// Make one request without a server
    Request(request::Options),
    /// Run snapshot tests of declared sites
    Test(test::Options),
    /// Make a folder with a site to start from
    New(new::Options),
    /// Show the verbs, or all about one
    Actions(actions::Options),
    /// Print a JSON Schema of `config.toml`, for editors
    Schema,
    /// Print a fresh secret
    Secret,
    /// Hash a password, or give it to a user
    Password(password::Options),
    /// Decode, verify and explain a session cookie
    Cookie(cookie::Options),
    /// List, show and end sessions that live on a server
    Sessions(sessions::Options),
    /// Print completions for a shell
    Completions(completions::Options),
}

/// Which site.
#[derive(Args, Debug)]
struct SiteOption {
    /// The site: its file, or the folder it is in [default: config.toml]
    #[arg(long, short, value_name = "SITE", global = true)]
    config: Option<PathBuf>,
}

impl SiteOption {
    /// The site's file.
    fn file(&self) -> PathBuf {
        self.config.as_deref().map_or_else(|| PathBuf::from(FILE), site_file)
    }
}

/// What a site's file is called.
const FILE: &str = "config.toml";

/// The file of a site that is given by it, or by its folder.
fn site_file(site: &Path) -> PathBuf {
    if !site.is_dir() {
        return site.to_owned();
    }
    site.strip_prefix(".").unwrap_or(site).join(FILE)
}

/// Runs the program with these arguments (the first is the program's name), for sites that may use
/// this vocabulary: a program with verbs or session factories of its own is this one call.
pub fn run(arguments: impl IntoIterator<Item = OsString>, vocabulary: &Vocabulary) -> Exit {
    let cli = match arguments::read(arguments) {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    let config = cli.site.file();
    let mut out = io::stdout().lock();
    let done = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(options) => {
            drop(out);
            Ok(serve::run(&options, &config, vocabulary))
        }
        Command::Check(options) => check::run(&options, &cli.site, vocabulary, &mut out),
        Command::Routes => routes::run(&config, vocabulary, &mut out),
        Command::Request(options) => request::run(&options, &config, vocabulary, &mut out),
        Command::Test(options) => test::run(&options, &cli.site, vocabulary, &mut out),
        Command::New(options) => new::run(&options, &mut out),
        Command::Actions(options) => actions::run(&options, vocabulary, &mut out),
        Command::Schema => schema::run(vocabulary, &mut out),
        Command::Secret => secret::run(&mut out),
        Command::Password(options) => password::run(&options, &mut out),
        Command::Cookie(options) => cookie::run(&options, &config, vocabulary, &mut out),
        Command::Sessions(options) => sessions::run(&options, &config, vocabulary, &mut out),
        Command::Completions(options) => completions::run(&options, &mut out),
    };
    match done {
        Ok(exit) => exit,
        // Whoever read our output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Fine,
        Err(error) => {
            complain(&format!("cannot write the output: {error}"));
            Exit::Program
        }
    }
}

/// Reads arguments as [`run`] does, and does nothing: for tests of the commands that pages show.
///
/// # Errors
/// What the program would say of them.
#[doc(hidden)]
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<(), String> {
    Cli::try_parse_from(arguments).map(drop).map_err(|error| error.to_string())
}

/// Says on standard error what went wrong, in the style of a diagnostic.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "error: {message}");
}

/// Prints errors and warnings on standard error, if there are any.
fn report(problems: &Diagnostics) {
    let problems = problems.without_notes();
    if problems.is_empty() {
        return;
    }
    let mut err = io::stderr().lock();
    let color = err.is_terminal();
    let _ = writeln!(err, "{}\n", print::to_text(&problems, color));
}

/// Loads a site to look at it: nothing is written, no server is asked.
fn load(config: &Path, vocabulary: &Vocabulary) -> Result<Serving, Exit> {
    load_as(config, vocabulary, Secrets::LookOnly)
}

fn load_as(config: &Path, vocabulary: &Vocabulary, secrets: Secrets) -> Result<Serving, Exit> {
    let mut problems = Diagnostics::default();
    let environment: Environment = process_environment();
    match Serving::load(config, &environment, vocabulary, secrets, &mut problems) {
        Ok(serving) => Ok(serving),
        Err(_) => {
            report(&problems);
            Err(Exit::Problems)
        }
    }
}

/// The time, in seconds since the Unix epoch.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// A runtime for commands that await something once.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Exit> {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => Ok(runtime.block_on(future)),
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            Err(Exit::Program)
        }
    }
}
