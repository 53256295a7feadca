//! `sitewright serve`: listen, serve, reload, stop.

use std::fmt::Display;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use futures_util::FutureExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Exit, log};
use crate::config::process_environment;
use crate::dev::Dev;
use crate::diagnostic::{Diagnostics, counted, print};
use crate::http::{Address, Ending, Listener, Served, descriptors, serve};
use crate::reload::{Cause, Outcome, Reloader, Report, watch as watch_for_changes};
use crate::site::Vocabulary;
use crate::site::live::{Live, State};
use crate::site::server::check_listen;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Serve the new site whenever one of its files is saved
    #[arg(long)]
    reload: bool,
    /// Where to listen, instead of `server.listen`
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    listen: Option<String>,
    /// Open the site in a browser
    #[arg(long)]
    open: bool,
}

/// A mistake in `--listen` is one of usage.
fn listen_address(text: &str) -> Result<String, &'static str> {
    check_listen(text).map(|()| text.to_owned())
}

pub fn run(options: &Options, config: &Path, vocabulary: &Vocabulary) -> Exit {
    if let Err(error) = log::start() {
        super::complain(&format!("cannot start: {error}"));
        return Exit::Program;
    }
    descriptors::raise_limit();
    let exit = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let exit = runtime.block_on(serve_site(options, config, vocabulary));
            // A task that hangs must not keep the program from ending.
            runtime.shutdown_background();
            exit
        }
        Err(error) => complain(format_args!("cannot start: {error}")),
    };
    log::finish();
    exit
}

async fn serve_site(options: &Options, config: &Path, vocabulary: &Vocabulary) -> Exit {
    let mut environment = process_environment();
    if let Some(address) = &options.listen {
        environment.insert("SITEWRIGHT__SERVER__LISTEN".to_owned(), from_here(address));
    }
    let (reloader, problems) = match Reloader::start(config.to_owned(), environment, vocabulary.clone(), options.reload)
    {
        Ok(started) => started,
        Err(problems) => {
            report(&problems);
            return Exit::Problems;
        }
    };
    report(&problems);
    let live = reloader.live();
    let address = reloader.address();
    let listener = match Listener::bind(&address) {
        Ok(listener) => listener,
        Err(error) => return complain(&error),
    };
    let url = url(&address, &listener.local_addresses());
    // Who reads the announcement may send a signal at once.
    let (stop, stopping) = watch::channel(false);
    let dev = options.reload.then(|| Arc::new(Dev::default()));
    let tell = teller(Report::new(log::Plain, log::is_colored(), &problems), dev.clone());
    let watching = watch_for_changes(reloader, options.reload, tell, until(stopping.clone()));
    tokio::spawn(async move {
        if AssertUnwindSafe(watching).catch_unwind().await.is_err() {
            tracing::error!("reloading has ended: please report it");
        }
    });
    let signals = tokio::spawn(stop_on_signal(stop));
    announce(config, &url, &live, options.reload);
    if options.open {
        open(&url);
    }
    let mut served = Served::new(live);
    if let Some(dev) = dev {
        served = served.with_dev(Arc::clone(&dev));
        let stopping = stopping.clone();
        tokio::spawn(async move {
            until(stopping).await;
            dev.stop();
        });
    }
    let served = Arc::new(served);
    let trying = Arc::clone(&served);
    tokio::spawn(async move { trying.try_sessions().await });
    let ending = serve(listener, served, until(stopping)).await;
    signals.abort();
    match ending {
        Ending::Drained => tracing::info!("stopped"),
        Ending::Aborted { connections } => tracing::warn!(connections, "stopped; some requests were cut off"),
    }
    Exit::Fine
}

/// An address of the command line: the path of a Unix socket there is found from where the command is
/// given, not from the site.
fn from_here(address: &str) -> String {
    let path = address.strip_prefix("unix:").filter(|path| !path.is_empty());
    let path = path.and_then(|path| std::path::absolute(path).ok());
    path.map_or_else(|| address.to_owned(), |path| format!("unix:{}", path.display()))
}

/// Asks for a graceful stop on SIGTERM and SIGINT; a second one ends the program at once.
/// From the call on, they no longer end the process by themselves.
fn stop_on_signal(stop: watch::Sender<bool>) -> impl Future<Output = ()> + Send {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async move {
        let (Ok(mut term), Ok(mut int)) = signals else {
            tracing::error!("signals cannot be heard");
            return std::future::pending().await;
        };
        tokio::select! { _ = term.recv() => {} _ = int.recv() => {} }
        tracing::info!("stopping: waiting for requests in progress");
        let _ = stop.send(true);
        tokio::select! { _ = term.recv() => {} _ = int.recv() => {} }
        tracing::warn!("stopped at once");
        log::finish();
        std::process::exit(Exit::Fine as i32);
    }
}

/// Tells of reloads on standard error and in open pages.
fn teller(mut report: Report<log::Plain>, dev: Option<Arc<Dev>>) -> impl FnMut(Cause, Outcome) + Send {
    move |cause, outcome| {
        report.tell(cause, &outcome);
        match (&dev, &outcome) {
            (Some(dev), Outcome::Applied { .. }) => dev.changed(),
            (Some(dev), Outcome::Rejected(problems)) => dev.broken(print::to_text(&problems.without_notes(), false)),
            _ => {}
        }
    }
}

async fn until(mut stopping: watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// What a person types into a browser: the name that was asked for, with the port in use.
fn url(asked: &str, addresses: &[Address]) -> String {
    let Some(Address::Tcp(address)) = addresses.iter().find(|address| matches!(address, Address::Tcp(_))) else {
        return asked.to_owned();
    };
    let host = asked.rsplit_once(':').map_or(asked, |(host, _)| host);
    let host = if address.ip().is_unspecified() { "localhost" } else { host };
    format!("http://{host}:{}/", address.port())
}

fn announce(path: &Path, url: &str, live: &Live, reload: bool) {
    let path = path.display();
    let serving = match &*live.now() {
        State::Serving(serving) => {
            let routes = counted(serving.site.routes.len() as u64, "route");
            let sessions = serving.sessions.as_ref().map_or("no sessions", |factory| factory.kind());
            format!("Serving {path} at {url}  ({routes}, {sessions})")
        }
        State::Broken(_) => format!("Showing what is wrong with {path} at {url}"),
    };
    let how = match reload {
        true => "Watching its files: save one, and the site changes. Stop with Ctrl-C.",
        false => "Stop with Ctrl-C; reload with SIGHUP.",
    };
    say(format_args!("{serving}\n{how}\n"));
}

/// Prints errors and warnings, if there are any.
fn report(problems: &Diagnostics) {
    let problems = problems.without_notes();
    if !problems.is_empty() {
        say(format_args!("{}\n\n", print::to_text(&problems, log::is_colored())));
    }
}

/// Says what went wrong with the program, in the style of a diagnostic.
fn complain(message: impl Display) -> Exit {
    say(format_args!("error: {message}\n"));
    Exit::Program
}

/// Puts text into the log as it is, in one piece.
fn say(text: impl Display) {
    let _ = log::Plain.write_all(text.to_string().as_bytes());
}

/// Opens the site with whatever the desktop uses for URLs.
fn open(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if let Err(error) = std::process::Command::new(program).arg(url).spawn() {
        tracing::warn!(%error, "cannot open a browser");
    }
}
