//! `[session]` to a session factory: what the settings must be.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::factories::{LEFT_OUT, Opening, cookie_options};
use super::route::Route;
use super::session_keys::SessionUse;
use super::vocabulary::Vocabulary;
use super::{Site, paths};
use crate::config::declaration::Declarations;
use crate::config::foreign;
use crate::config::settings::Settings;
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::session::factory::{HashAlg, SessionFactory};
use crate::session::store::LONGEST_DEADLINE;

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
        Some(kind) if LEFT_OUT.contains(&kind.as_str()) => problems.push(
            Diagnostic::error(place("factory"), format!("this program was built without `{kind}`"))
                .key("session.factory")
                .help(format!("build it with `--features {kind}`, which is on by default")),
        ),
        Some(kind) if !names.contains(&kind.as_str()) => problems.push(
            Diagnostic::error(place("factory"), format!("unknown session factory `{kind}`"))
                .key("session.factory")
                .maybe_help(
                    foreign::factory(kind).map(foreign::help).or_else(|| did_you_mean(kind, names.iter().copied())),
                ),
        ),
        Some(_) => {}
    }
    refuse_others_options(settings, vocabulary, problems);
    check_deadline(settings, problems);
    needs_url(settings, vocabulary, problems);
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

/// A deadline that nobody waits for is none.
fn check_deadline(settings: &Settings, problems: &mut Diagnostics) {
    let (deadline, longest) = (settings.session.store_timeout, LONGEST_DEADLINE.as_secs());
    if deadline > longest
        && let Some(place) = settings.place("session.store_timeout")
    {
        problems.push(
            Diagnostic::error(place, format!("`store_timeout` is {deadline} seconds; the most is {longest}"))
                .key("session.store_timeout")
                .help("visitors wait that long for a page; 2, the default, is enough for most stores"),
        );
    }
}

/// Leaves aside what a lower layer says for another kind of factory: where an override chose the factory,
/// the settings of the one in the file go with it.
pub fn leave_aside(settings: &mut Settings, vocabulary: &Vocabulary) {
    let name = settings.session.factory.as_deref();
    let Some(kind) = vocabulary.factories().iter().find(|kind| Some(kind.name) == name) else { return };
    let options = vocabulary.factories().iter().flat_map(|kind| kind.options);
    for option in options.filter(|option| !kind.options.contains(option)) {
        let key = format!("session.{option}");
        if settings.is_below(&key, "session.factory") {
            settings.leave_aside(&key);
        }
    }
}

/// A setting of another kind of factory would do nothing, silently.
fn refuse_others_options(settings: &Settings, vocabulary: &Vocabulary, problems: &mut Diagnostics) {
    let name = settings.session.factory.as_deref();
    let Some(kind) = vocabulary.factories().iter().find(|kind| Some(kind.name) == name) else { return };
    let options: BTreeSet<_> = vocabulary.factories().iter().flat_map(|kind| kind.options).collect();
    for option in options.into_iter().filter(|option| !kind.options.contains(option)) {
        let key = format!("session.{option}");
        let Some(place) = settings.place(&key) else { continue };
        let owners = vocabulary.factories().iter().filter(|kind| kind.options.contains(option));
        let owners: Vec<_> = owners.map(|kind| format!("`{}`", kind.name)).collect();
        let message = format!("`{option}` is a setting of {}, not of `{}`", owners.join(", "), kind.name);
        problems.push(Diagnostic::error(place, message).key(key).help("drop it, or choose that factory"));
    }
}

/// A server has to be somewhere.
fn needs_url(settings: &Settings, vocabulary: &Vocabulary, problems: &mut Diagnostics) {
    let name = settings.session.factory.as_deref();
    let Some(kind) = vocabulary.factories().iter().find(|kind| Some(kind.name) == name) else { return };
    let (Some(example), None) = (kind.url, settings.place("session.url")) else { return };
    let Some(place) = settings.place("session.factory") else { return };
    problems.push(
        Diagnostic::error(place, format!("`{}` needs to know where its server is", kind.name))
            .key("session.factory")
            .help(format!("add a `url`, such as `url = \"{example}\"`"))
            .help("if it has a password, `url = { env = \"NAME\" }` keeps it out of the file"),
    );
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

/// Opens the session factory of a site that was built without errors, with its credentials; `None`
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
        Err(error) => {
            let key = error.option.map(|option| format!("session.{option}"));
            let key = key.filter(|key| settings.place(key).is_some()).unwrap_or_else(|| "session.factory".to_owned());
            let place = settings.place(&key).or(settings.place("session"))?;
            problems.push(Diagnostic::error(place, error.message).key(key));
            None
        }
    }
}
