//! Watch, build aside, swap.
//!
//! A [`Reloader`] reads the whole site again and swaps it in if it is good and different: there is
//! no partial reload, and a broken edit changes nothing. [`watch()`] calls it whenever a file of the
//! site is saved and whenever the process gets SIGHUP.
//!
//! ```text
//! save ─▶ listening (which folders and names: wanted) ─┐
//!                                                       ├▶ watch ─▶ Reloader::reload ─▶ report
//! SIGHUP ───────────────────────────────────────────────┘
//! ```

mod changes;
mod listening;
mod report;
#[cfg(test)]
mod tests;
mod wanted;
mod watch;

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::read::Inputs;
use crate::config::{self, Environment};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::site::credentials::Secrets;
use crate::site::live::{Live, Serving, State};
use crate::site::{ServerSettings, Vocabulary, server};

pub use changes::Changes;
pub use report::Report;
pub use watch::watch;

/// Everything it takes to build a site anew, and the [`Live`] that it is swapped into.
#[derive(Debug)]
pub struct Reloader {
    live: Arc<Live>,
    origin: Origin,
    /// What the last try read, whatever came of it.
    inputs: Inputs,
    /// What the last try complained about.
    problems: Diagnostics,
    /// Where the settings said to listen at the start.
    listening: String,
}

/// Where a site comes from.
#[derive(Debug)]
struct Origin {
    path: PathBuf,
    /// The folder that paths are relative to: the one the program was started in, by a name that it
    /// has again if it is deleted and made anew.
    home: PathBuf,
    environment: Environment,
    vocabulary: Vocabulary,
}

/// Why a site is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A file was perhaps saved.
    Saved,
    /// Somebody asked for it.
    Asked,
}

/// What came of a reload.
#[derive(Debug)]
pub enum Outcome {
    /// Every byte is as before.
    Unchanged,
    /// The new site is being served.
    Applied {
        /// What is different.
        changes: Changes,
        /// From the first byte read to the swap.
        took: Duration,
        /// What is probably not meant this way; no errors.
        warnings: Diagnostics,
    },
    /// The site has problems; what was served before still is.
    Rejected(Diagnostics),
}

impl Reloader {
    /// Reads the site whose file is at `path` for the first time and starts a [`Live`] with it;
    /// second come its warnings.
    ///
    /// With `serve_broken` a site with errors is [`State::Broken`] until it is mended.
    ///
    /// # Errors
    ///
    /// Without `serve_broken`, the problems of a site that cannot be served.
    pub fn start(
        path: PathBuf,
        environment: Environment,
        vocabulary: Vocabulary,
        serve_broken: bool,
    ) -> Result<(Self, Diagnostics), Diagnostics> {
        let known = Inputs { files: BTreeSet::from([path.clone()]), ..Inputs::default() };
        let home = std::env::current_dir().unwrap_or_default();
        let origin = Origin { path, home, environment, vocabulary };
        let mut problems = Diagnostics::default();
        let (state, inputs, listening) = match origin.load(None, &known, &mut problems) {
            Ok(serving) => {
                let inputs = serving.site.inputs.clone();
                let listening = serving.site.settings.server.listen.clone();
                (State::Serving(Arc::new(serving)), inputs, listening)
            }
            Err(inputs) if serve_broken => (State::Broken(Arc::new(problems.clone())), inputs, origin.listening()),
            Err(_) => return Err(problems),
        };
        let live = Arc::new(Live::new(state));
        Ok((Self { live, origin, inputs, problems: problems.clone(), listening }, problems))
    }

    /// Where to listen; a Unix socket is found from the folder of the site. Of a site that is broken, the
    /// settings can mostly be read all the same.
    pub fn address(&self) -> String {
        let folder = self.origin.path.parent().unwrap_or(Path::new(""));
        match self.listening.strip_prefix("unix:") {
            Some(path) if !path.is_empty() => format!("unix:{}", folder.join(path).display()),
            _ => self.listening.clone(),
        }
    }

    /// What is served, now and after every swap.
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live)
    }

    /// Reads everything again and swaps if the site is good and different.
    ///
    /// Also a site that is as it was before a broken edit counts as different: its problems are
    /// gone. Blocks for as long as reading and building take, which is milliseconds.
    pub fn reload(&mut self) -> Outcome {
        let start = Instant::now();
        let before = match &*self.live.now() {
            State::Serving(serving) => Some(Arc::clone(serving)),
            State::Broken(_) => None,
        };
        let was_good = !self.problems.has_errors();
        let mut problems = Diagnostics::default();
        let loaded = self.origin.load(before.as_deref(), &self.inputs, &mut problems);
        self.problems = problems.clone();
        let after = match loaded {
            Ok(after) => after,
            Err(inputs) => {
                self.inputs = inputs;
                if before.is_none() {
                    self.live.swap(State::Broken(Arc::new(problems.clone())));
                }
                return Outcome::Rejected(problems);
            }
        };
        self.inputs = after.site.inputs.clone();
        let same = before.as_ref().is_some_and(|before| before.site.inputs.fingerprint == self.inputs.fingerprint);
        if same && was_good {
            return Outcome::Unchanged;
        }
        let changes = Changes::between(before.as_deref(), &after, &self.listening);
        self.live.swap(State::Serving(Arc::new(after)));
        Outcome::Applied { changes, took: start.elapsed(), warnings: problems }
    }
}

impl Origin {
    /// `server.listen` of a site that is broken; the default if that is broken too.
    fn listening(&self) -> String {
        let settings = config::load(&self.path, &self.environment, &mut Diagnostics::default()).settings;
        let listen = settings.server.listen;
        let can_be = listen.starts_with("unix:") || server::host_and_port(&listen).is_ok();
        if can_be { listen } else { ServerSettings::default().listen }
    }

    /// Builds the site. What was read is in the site, or is the error; `known` stands in for it
    /// after a panic.
    fn load(&self, before: Option<&Serving>, known: &Inputs, problems: &mut Diagnostics) -> Result<Serving, Inputs> {
        let Self { path, home, environment, vocabulary } = self;
        // It may be another folder by now; a program that stays in a deleted one finds nothing.
        let _ = std::env::set_current_dir(home);
        // Nothing that lives on is changed while a site is built, so nothing can be left half-done.
        catch_unwind(AssertUnwindSafe(|| {
            let after = Serving::load_after(before, path, environment, vocabulary, Secrets::Generate, problems)?;
            if after.site.routes.is_empty() && before.is_some_and(|before| !before.site.routes.is_empty()) {
                let message = format!("`{}` declares no routes any more", path.display());
                // A shell's `>` empties a file long before it is filled.
                problems.push(Diagnostic::nowhere(message).help("if it is still being written, this will pass"));
                return Err(after.site.inputs);
            }
            Ok(after)
        }))
        .unwrap_or_else(|panic| {
            let message = format!("building the site failed in a way it never should: {}", reason(&*panic));
            problems.push(Diagnostic::nowhere(message).help("this is a mistake in the program: please report it"));
            Err(known.clone())
        })
    }
}

fn reason(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown")
}
