//! What declarations mean: every verb, option and response, asked in process.

mod actions;
mod caching;
mod cors;
pub mod csrf;
mod data;
mod expressions;
mod flash;
mod guards;
mod limits;
mod params;
mod partials;
mod policy;
mod predicates;
mod responses;
mod sites;
pub mod users;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use serde_json::Value;
use sitewright::cli::in_process::InProcess;
use sitewright::diagnostic::{Diagnostics, print};
use sitewright::http::answer::Answer;
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;

pub const SESSION: &str = "[session]\nfactory = \"signed-cookie\"\nsecret = \"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\"\n";

/// A declared site and one visitor of it.
pub struct Site {
    site: InProcess,
    pub cookie: Option<String>,
    pub now: f64,
    _folder: tempfile::TempDir,
}

impl Site {
    /// A site that takes requests as they come: what is tried is something else than where they are from.
    pub fn new(routes: &str) -> Self {
        Self::with_files(&format!("{routes}\n[csrf]\nenabled = false\n"), &[])
    }

    pub fn with_files(config: &str, files: &[(&str, &str)]) -> Self {
        Self::with_session(SESSION, config, files)
    }

    pub fn with_session(session: &str, config: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("config.toml", &format!("{session}{config}"));
        files.iter().for_each(|(name, text)| write(name, text));
        let site = load(&folder.path().join("config.toml"));
        Self { site: InProcess::new(Arc::new(site)), cookie: None, now: 1.9e9, _folder: folder }
    }

    pub fn ask(&mut self, method: &str, path: &str, form: Option<&str>) -> Page {
        let kind = form.map(|_| ("content-type", "application/x-www-form-urlencoded"));
        self.send(method, path, kind.as_slice(), form.unwrap_or_default())
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Page {
        let mut request = Request::builder().method(method).uri(path);
        if headers.iter().all(|(name, _)| *name != "host") {
            request = request.header(header::HOST, "localhost");
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::from(body.to_owned())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(self.site.ask(request, self.now, 7));
        if let Some(set) = answer.response.headers().get(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.cookie = (!pair.ends_with('=')).then_some(pair);
        }
        Page(answer)
    }

    pub fn get(&mut self, path: &str) -> Page {
        self.ask("GET", path, None)
    }
}

pub fn load(path: &Path) -> Serving {
    let mut problems = Diagnostics::default();
    let loaded = Serving::load(path, &BTreeMap::new(), &Vocabulary::standard(), Secrets::LookOnly, &mut problems);
    loaded.unwrap_or_else(|_| panic!("{}", print::to_text(&problems, false)))
}

pub struct Page(pub Answer);

impl Page {
    pub fn body(&self) -> &str {
        std::str::from_utf8(self.0.response.body()).unwrap()
    }

    pub fn status(&self) -> StatusCode {
        self.0.response.status()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    pub fn session(&self) -> Value {
        self.0.account.session.as_ref().unwrap().after.to_value()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap()
    }
}
