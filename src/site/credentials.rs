//! What `[session]` may keep elsewhere than in the configuration: the secrets, and the `url` of a
//! server, which may have a password in it.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::Environment;
use crate::config::read::{Inputs, reason};
use crate::config::settings::{SecretSource, Settings};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::session::private::Draft;
use crate::session::secret::Secret;

/// What opening a factory may do about a secret that is not there, and so to whose sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Serving: `generate = true` writes the file.
    Generate,
    /// Looking after the sessions that are served: without the secret they were made with there are
    /// none, and it is a problem.
    MustExist,
    /// Checking and testing: nothing is written, a secret to be generated is made up for the run, and
    /// so are the sessions.
    LookOnly,
}

/// What `[session]` may keep elsewhere than in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The secrets, the newest first.
    pub secrets: Vec<Secret>,
    /// The `url`: it may have a password in it.
    pub url: Option<Secret>,
}

/// Reads the credentials of a site in `folder`; there are none if it has no `[session]`. One that is
/// not to be had is reported and left out.
pub fn read(
    settings: &Settings,
    folder: &Path,
    environment: &Environment,
    mode: Secrets,
    inputs: &mut Inputs,
    problems: &mut Diagnostics,
) -> Credentials {
    let session = &settings.session;
    let many = session.secrets.iter().flatten().enumerate();
    let many = many.map(|(i, source)| (format!("session.secrets[{i}]"), source));
    let one = session.secret.iter().map(|source| ("session.secret".to_owned(), source));
    let mut credentials = Credentials::default();
    for (key, source) in many.chain(one) {
        let Some(place) = settings.place(&key) else { continue };
        match read_secret(source, folder, environment, mode, inputs) {
            Ok(secret) => {
                judge(&secret, place, &key, settings.server.is_loopback(), problems);
                credentials.secrets.push(secret);
            }
            Err((message, help)) => problems.push(Diagnostic::error(place, message).key(key).help(help)),
        }
    }
    if let (Some(source), Some(place)) = (&session.url, settings.place("session.url")) {
        match read_source(source, folder, environment, inputs) {
            Ok(url) => credentials.url = Some(url),
            Err(missing) => problems.push(Diagnostic::error(place, missing.to_string()).key("session.url")),
        }
    }
    credentials
}

/// A weak secret is a warning where only this machine can come, an error elsewhere.
fn judge(secret: &Secret, place: &Place, key: &str, loopback: bool, problems: &mut Diagnostics) {
    let Some(weakness) = secret.weakness() else { return };
    let message = format!("this secret is weak: {weakness}");
    let diagnostic = if loopback { Diagnostic::warning(place, message) } else { Diagnostic::error(place, message) };
    problems.push(diagnostic.key(key).help("`sitewright secret` prints a good one"));
}

type Trouble = (String, &'static str);

/// Why something that is kept elsewhere is not to be had.
enum Missing {
    Inline,
    Variable(String),
    Unreadable(PathBuf, String),
    Empty(PathBuf),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline => f.write_str("the value is empty"),
            Self::Variable(name) => write!(f, "the environment variable `{name}` is not set"),
            Self::Unreadable(path, why) => write!(f, "cannot read `{}`: {why}", path.display()),
            Self::Empty(path) => write!(f, "the first line of `{}` is empty", path.display()),
        }
    }
}

/// What a source says, wherever that is.
fn read_source(
    source: &SecretSource,
    folder: &Path,
    environment: &Environment,
    inputs: &mut Inputs,
) -> Result<Secret, Missing> {
    let (text, missing) = match source {
        SecretSource::Inline(text) => (text.clone(), Missing::Inline),
        SecretSource::Variable { env } => {
            (environment.get(env).cloned().unwrap_or_default(), Missing::Variable(env.clone()))
        }
        SecretSource::File { file, .. } => {
            let path = folder.join(file);
            inputs.files.insert(path.clone());
            let text =
                inputs.read(&path).map_err(|error| Missing::Unreadable(path.clone(), reason(&error).to_string()))?;
            let line = text.lines().next().unwrap_or_default().trim().to_owned();
            (line, Missing::Empty(path))
        }
    };
    if text.is_empty() { Err(missing) } else { Ok(Secret::new(text)) }
}

/// Reads a secret; has one made where that is wanted and there is none.
fn read_secret(
    source: &SecretSource,
    folder: &Path,
    environment: &Environment,
    mode: Secrets,
    inputs: &mut Inputs,
) -> Result<Secret, Trouble> {
    if let SecretSource::File { file, generate: true } = source
        && !folder.join(file).exists()
    {
        let path = folder.join(file);
        inputs.files.insert(path.clone());
        if mode == Secrets::MustExist {
            let message = format!("there is no secret in `{}` yet", path.display());
            return Err((message, "the first start makes it; until then the site has no sessions"));
        }
        let secret = Secret::generate().map_err(|error| (format!("the system gives no random bytes: {error}"), ""))?;
        if mode == Secrets::LookOnly {
            return Ok(secret);
        }
        match write_new(&path, &secret) {
            // Another process was faster: its secret is as good.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err((
                    format!("cannot write the secret to `{}`: {}", path.display(), reason(&error)),
                    "make the folder writable, or use `{ env = \"NAME\" }`",
                ));
            }
            Ok(()) => {}
        }
    }
    read_source(source, folder, environment, inputs).map_err(|missing| match missing {
        Missing::Inline => ("the secret is empty".to_owned(), "`sitewright secret` prints a good one"),
        Missing::Variable(_) => (
            missing.to_string(),
            "set it to what `sitewright secret` prints, or use `{ file = \"session.secret\", generate = true }`",
        ),
        Missing::Unreadable(path, why) => (
            format!("cannot read the secret in `{}`: {why}", path.display()),
            "add `generate = true` to have it made once, or write what `sitewright secret` prints",
        ),
        Missing::Empty(path) => {
            (format!("the secret in `{}` is empty", path.display()), "delete the file to have a new one made")
        }
    })
}

/// Writes a secret for its owner alone. The file appears whole or not at all, and never replaces
/// another.
fn write_new(path: &Path, secret: &Secret) -> io::Result<()> {
    Draft::new(path, |file| writeln!(file, "{}", secret.expose()))?.appear()
}
