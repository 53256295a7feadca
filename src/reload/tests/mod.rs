//! A site in a folder of its own, followed as `--reload` does.

mod outcomes;
mod saves;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::poll_fn;
use http::{HeaderMap, Method};
use notify::{RecommendedWatcher, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::listening::Listening;
use super::watch::follow;
use super::*;
use crate::session::Session;
use crate::site::params::Checked;
use crate::site::request::Request;
use crate::site::route::Ran;

/// Far longer than anything here takes, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A site of one page that shows `text`.
fn showing(text: &str) -> String {
    format!("[routes.home]\npath = \"/\"\ntext = \"{text}\"\n")
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What a visitor of `/` sees.
fn page(live: &Live) -> String {
    let State::Serving(serving) = &*live.now() else { return "broken".to_owned() };
    let Some(route) = serving.site.routes.iter().find(|route| route.pattern.text() == "/") else {
        return "missing".to_owned();
    };
    let request = Request {
        method: &Method::GET,
        path: "/",
        query_string: None,
        query: Vec::new(),
        form: Vec::new(),
        files: Vec::new(),
        checked: Checked::default(),
        passwords: Vec::new(),
        verdicts: Vec::new(),
        markers: Vec::new(),
        headers: &HeaderMap::new(),
        host: "localhost".to_owned(),
        https: false,
        remote_addr: None,
        now: 0.0,
        token: String::new(),
        nonce: String::new(),
    };
    match serving.site.run(route, &request, &mut Session::new(0.0), &mut Vec::new()) {
        Ok(Ran::Reply(reply)) => reply.body.into_text(),
        other => panic!("{other:?}"),
    }
}

fn serving(live: &Live) -> Arc<Serving> {
    match &*live.now() {
        State::Serving(serving) => Arc::clone(serving),
        State::Broken(problems) => panic!("{}", crate::diagnostic::print::to_text(problems, false)),
    }
}

/// A folder with a `config.toml`.
struct Folder {
    path: PathBuf,
    _temp: tempfile::TempDir,
}

impl Folder {
    fn new(config: &str) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let folder = Self { path: temp.path().join("site"), _temp: temp };
        write(&folder.config(), config);
        folder
    }

    fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn config(&self) -> PathBuf {
        self.join("config.toml")
    }

    fn start(&self) -> Reloader {
        Reloader::start(self.config(), Environment::new(), Vocabulary::standard(), true).unwrap().0
    }

    /// Follows the site with the system's notifications; back when they are heard.
    async fn watch(&self) -> Followed {
        let mut followed = Followed::new(self.start(), Some(Listening::<RecommendedWatcher>::new()));
        // The reading that follows the beginning of a watch.
        followed.outcome().await;
        followed
    }
}

/// A site that is being followed.
struct Followed {
    live: Arc<Live>,
    asking: UnboundedSender<()>,
    news: UnboundedReceiver<(Cause, Outcome)>,
    task: JoinHandle<()>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Followed {
    fn new<W: Watcher + Send + Sync + 'static>(reloader: Reloader, listening: Option<Listening<W>>) -> Self {
        let live = reloader.live();
        let (asking, mut asked) = unbounded_channel();
        let (tell, news) = unbounded_channel();
        let task = tokio::spawn(async move {
            let asked = poll_fn(move |cx| asked.poll_recv(cx));
            let never = std::future::pending::<()>();
            follow(reloader, listening, asked, never, |cause, outcome| drop(tell.send((cause, outcome)))).await;
        });
        Self { live, asking, news, task }
    }

    fn page(&self) -> String {
        page(&self.live)
    }

    /// The next outcome, whatever it is.
    async fn outcome(&mut self) -> (Cause, Outcome) {
        tokio::time::timeout(DEADLINE, self.news.recv()).await.expect("a reload in time").expect("a running loop")
    }

    /// Waits for a reload that is applied.
    async fn applied(&mut self) -> Changes {
        loop {
            if let (_, Outcome::Applied { changes, .. }) = self.outcome().await {
                return changes;
            }
        }
    }

    async fn rejected(&mut self) -> Diagnostics {
        loop {
            if let (_, Outcome::Rejected(problems)) = self.outcome().await {
                return problems;
            }
        }
    }

    async fn unchanged(&mut self) {
        while !matches!(self.outcome().await, (_, Outcome::Unchanged)) {}
    }

    async fn shows(&mut self, text: &str) {
        while self.page() != text {
            self.outcome().await;
        }
    }
}
