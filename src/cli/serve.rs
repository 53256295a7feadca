//! `sitewright serve`: listen, serve, reload, stop.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{ConfigOption, Exit, complain, log, report};
use crate::config::process_environment;
use crate::http::{Address, Ending, Listener, Served, serve};
use crate::reload::{Reloader, watch as watch_for_changes};
use crate::site::Vocabulary;
use crate::site::live::{Live, State};
use crate::site::server::check_listen;

#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    config: ConfigOption,
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

pub fn run(options: &Options, vocabulary: &Vocabulary) -> Exit {
    log::start();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = match runtime.enable_all().on_thread_park(log::write_gathered).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            return Exit::Program;
        }
    };
    let exit = runtime.block_on(serve_site(options, vocabulary));
    // A task that hangs must not keep the program from ending.
    runtime.shutdown_background();
    log::write_gathered();
    exit
}

async fn serve_site(options: &Options, vocabulary: &Vocabulary) -> Exit {
    let mut environment = process_environment();
    if let Some(address) = &options.listen {
        environment.insert("SITEWRIGHT__SERVER__LISTEN".to_owned(), address.clone());
    }
    let path: PathBuf = options.config.config.clone();
    let (reloader, problems) = match Reloader::start(path.clone(), environment, vocabulary.clone(), options.reload) {
        Ok(started) => started,
        Err(problems) => {
            report(&problems);
            return Exit::Problems;
        }
    };
    report(&problems);
    let live = reloader.live();
    let address = match (&*live.now(), &options.listen) {
        (State::Serving(serving), _) => serving.site.settings.server.listen.clone(),
        (State::Broken(_), Some(address)) => address.clone(),
        (State::Broken(_), None) => crate::config::settings::ServerSettings::default().listen,
    };
    let listener = match Listener::bind(&address) {
        Ok(listener) => listener,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Program;
        }
    };
    let url = url(&address, &listener.local_addresses());
    // Who reads the announcement may send a signal at once.
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(watch_for_changes(reloader, options.reload, until(stopping.clone())));
    let signals = tokio::spawn(stop_on_signal(stop));
    announce(&path, &url, &live, options.reload);
    if options.open {
        open(&url);
    }
    let served = Arc::new(Served::new(live));
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
        std::process::exit(Exit::Fine as i32);
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

fn announce(path: &std::path::Path, url: &str, live: &Live, reload: bool) {
    let mut err = io::stderr().lock();
    let _ = match &*live.now() {
        State::Serving(serving) => {
            let routes = serving.site.routes.len();
            let sessions = serving.sessions.as_ref().map_or("no sessions", |factory| factory.kind());
            writeln!(err, "Serving {} at {url}  ({routes} routes, {sessions})", path.display())
        }
        State::Broken(_) => writeln!(err, "Showing what is wrong with {} at {url}", path.display()),
    };
    let _ = match reload {
        true => writeln!(err, "Watching its files: save one, and the site changes. Stop with Ctrl-C."),
        false => writeln!(err, "Stop with Ctrl-C; reload with SIGHUP."),
    };
}

/// Opens the site with whatever the desktop uses for URLs.
fn open(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if let Err(error) = std::process::Command::new(program).arg(url).spawn() {
        tracing::warn!(%error, "cannot open a browser");
    }
}
