//! `[session]` to a session factory: what the settings must be, and where the secrets come from.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::factories::{Opening, cookie_options};
use super::route::{Route, SessionUse};
use super::vocabulary::Vocabulary;
use super::{Site, paths};
use crate::config::Environment;
use crate::config::declaration::Declarations;
use crate::config::read::{Inputs, reason};
use crate::config::settings::{SecretSource, Settings};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, did_you_mean};
use crate::session::factory::{HashAlg, SessionFactory};
use crate::session::secret::Secret;

/// Checks everything about `[session]` that needs no secret.
pub(super) fn check(
    settings: &Settings,
    routes: &[Route],
    parts: &[&Declarations],
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) {
    if !settings.has_session {
        needs_session(routes, parts, problems);
        return;
    }
    let Some(table) = settings.place("session").cloned() else { return };
    let place = |key: &str| settings.place(&format!("session.{key}")).unwrap_or(&table);
    let session = &settings.session;
    let names: Vec<_> = vocabulary.factories().iter().map(|kind| kind.name).collect();
    // What was given and does not fit has been reported, and is not missing.
    let given = |key: &str| settings.place(&format!("session.{key}")).is_some();
    match &session.factory {
        None if given("factory") => {}
        None => problems.push(
            Diagnostic::error(&table, "`[session]` names no factory")
                .key("session")
                .help(format!("set `factory` to one of `{}`", names.join("`, `"))),
        ),
        Some(kind) if !names.contains(&kind.as_str()) => problems.push(
            Diagnostic::error(place("factory"), format!("unknown session factory `{kind}`"))
                .key("session.factory")
                .maybe_help(did_you_mean(kind, names.iter().copied())),
        ),
        Some(_) => {}
    }
    refuse_others_options(settings, vocabulary, problems);
    match (&session.secret, &session.secrets) {
        (None, None) if given("secret") || given("secrets") => {}
        (None, None) => problems.push(
            Diagnostic::error(&table, "`[session]` has no secret")
                .key("session")
                .help("`secret = { file = \"session.secret\", generate = true }` makes one at the first start"),
        ),
        (Some(_), Some(_)) => problems.push(
            Diagnostic::error(place("secrets"), "`[session]` has both `secret` and `secrets`")
                .key("session.secrets")
                .related(place("secret"), "the other")
                .help("put the newest first in `secrets` and drop `secret`"),
        ),
        _ => {}
    }
    if HashAlg::parse(&session.hashalg).is_none() {
        problems.push(
            Diagnostic::error(place("hashalg"), format!("unknown `hashalg` `{}`", session.hashalg))
                .key("session.hashalg")
                .maybe_help(did_you_mean(&session.hashalg, HashAlg::NAMES)),
        );
    }
    for problem in cookie_options(session).problems() {
        let key = format!("session.{}", problem.option);
        problems.push(Diagnostic::error(place(problem.option), problem.message).key(key).help(problem.help));
    }
    if let (Some(reissue), Some(timeout)) = (session.reissue_time(), session.timeout.0)
        && reissue > timeout
    {
        problems.push(
            Diagnostic::warning(
                place("reissue_time"),
                format!("`reissue_time` ({reissue}) is longer than `timeout` ({timeout})"),
            )
            .key("session.reissue_time")
            .help("sessions of visitors who only read would end although they are here"),
        );
    }
}

/// A setting of another kind of factory would do nothing, silently.
fn refuse_others_options(settings: &Settings, vocabulary: &Vocabulary, problems: &mut Diagnostics) {
    let name = settings.session.factory.as_deref();
    let Some(kind) = vocabulary.factories().iter().find(|kind| Some(kind.name) == name) else { return };
    for other in vocabulary.factories() {
        for option in other.options.iter().filter(|option| !kind.options.contains(option)) {
            let key = format!("session.{option}");
            if let Some(place) = settings.place(&key) {
                let message = format!("`{option}` is a setting of `{}`, not of `{}`", other.name, kind.name);
                problems.push(Diagnostic::error(place, message).key(key).help("drop it, or choose that factory"));
            }
        }
    }
}

/// Routes that ask for a session need a factory.
fn needs_session(routes: &[Route], parts: &[&Declarations], problems: &mut Diagnostics) {
    let Some(route) = routes.iter().find(|route| route.session_use != SessionUse::None) else { return };
    let message = format!("the route `{}` uses the session, but there is no `[session]`", route.name);
    let diagnostic = match paths::declaration(parts, route) {
        Some(declared) => Diagnostic::error(&declared.name.place, message).key(&declared.key),
        None => Diagnostic::nowhere(message),
    };
    problems.push(
        diagnostic
            .help("add `[session]` with `factory = \"signed-cookie\"`")
            .help("and in it `secret = { file = \"session.secret\", generate = true }`"),
    );
}

/// Whether opening a factory may write a secret that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Serving: `generate = true` writes the file.
    Generate,
    /// Checking and testing: nothing is written; a secret to be generated is made up for the run.
    LookOnly,
}

/// Reads the secrets of a site in `folder`, the newest first; none if it has no `[session]`. One
/// that is not to be had is reported and left out.
pub fn secrets(
    settings: &Settings,
    folder: &Path,
    environment: &Environment,
    mode: Secrets,
    inputs: &mut Inputs,
    problems: &mut Diagnostics,
) -> Vec<Secret> {
    let session = &settings.session;
    let many = session.secrets.iter().flatten().enumerate();
    let many = many.map(|(i, source)| (format!("session.secrets[{i}]"), source));
    let one = session.secret.iter().map(|source| ("session.secret".to_owned(), source));
    let mut secrets = Vec::new();
    for (key, source) in many.chain(one) {
        let Some(place) = settings.place(&key) else { continue };
        match read_secret(source, folder, environment, mode, inputs) {
            Ok(secret) => {
                judge(&secret, place, &key, settings.server.is_loopback(), problems);
                secrets.push(secret);
            }
            Err((message, help)) => problems.push(Diagnostic::error(place, message).key(key).help(help)),
        }
    }
    secrets
}

/// Opens the session factory of a site that was built without errors, with its [`secrets`]; `None`
/// if it has no `[session]` or the factory refuses (which is reported).
pub fn open(
    site: &Site,
    opening: Opening<'_>,
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) -> Option<Arc<dyn SessionFactory>> {
    let settings = &site.settings;
    let name = settings.session.factory.as_deref().filter(|_| settings.has_session)?;
    let kind = vocabulary.factories().iter().find(|kind| kind.name == name)?;
    match (kind.open)(opening) {
        Ok(factory) => Some(factory),
        Err(message) => {
            let place = settings.place("session.factory").or(settings.place("session"))?;
            problems.push(Diagnostic::error(place, message).key("session.factory"));
            None
        }
    }
}

/// A weak secret is a warning where only this machine can come, an error elsewhere.
fn judge(secret: &Secret, place: &Place, key: &str, loopback: bool, problems: &mut Diagnostics) {
    let Some(weakness) = secret.weakness() else { return };
    let message = format!("this secret is weak: {weakness}");
    let diagnostic = if loopback { Diagnostic::warning(place, message) } else { Diagnostic::error(place, message) };
    problems.push(diagnostic.key(key).help("`sitewright secret` prints a good one"));
}

type Trouble = (String, &'static str);

fn read_secret(
    source: &SecretSource,
    folder: &Path,
    environment: &Environment,
    mode: Secrets,
    inputs: &mut Inputs,
) -> Result<Secret, Trouble> {
    match source {
        SecretSource::Inline(text) if text.is_empty() => {
            Err(("the secret is empty".to_owned(), "`sitewright secret` prints a good one"))
        }
        SecretSource::Inline(text) => Ok(Secret::new(text.clone())),
        SecretSource::Variable { env } => match environment.get(env) {
            Some(text) if !text.is_empty() => Ok(Secret::new(text.clone())),
            _ => Err((
                format!("the environment variable `{env}` is not set"),
                "set it to what `sitewright secret` prints, or use `{ file = \"session.secret\", generate = true }`",
            )),
        },
        SecretSource::File { file, generate } => {
            let path = folder.join(file);
            inputs.files.insert(path.clone());
            if *generate && !path.exists() {
                let secret =
                    Secret::generate().map_err(|error| (format!("no random secret is to be had: {error}"), ""))?;
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
            let text = inputs.read(&path).map_err(|error| {
                (
                    format!("cannot read the secret in `{}`: {}", path.display(), reason(&error)),
                    "add `generate = true` to have it made once, or write what `sitewright secret` prints",
                )
            })?;
            match text.lines().next().map(str::trim) {
                Some(line) if !line.is_empty() => Ok(Secret::new(line.to_owned())),
                _ => Err((
                    format!("the secret in `{}` is empty", path.display()),
                    "delete the file to have a new one made",
                )),
            }
        }
    }
}

/// Writes a secret for its owner alone. The file appears whole or not at all, and never replaces
/// another.
fn write_new(path: &Path, secret: &Secret) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        writeln!(file, "{}", secret.expose())?;
        file.sync_all()?;
        std::fs::hard_link(&draft, path)
    });
    let _ = std::fs::remove_file(&draft);
    written
}
