//! Sitewright serves a web site that is **declared, not programmed**.
//!
//! One idea carries everything: **a route is a pure function, `(request, session) -> (response,
//! session)`, and the engine does everything else.** Because what a route can do is a closed,
//! declared set, the program knows before the first request which names each template needs and
//! which routes touch the session at all.
//!
//! What a site may declare is in `docs/reference.md`. A program with verbs or session factories of
//! its own is one call, [`cli::run`], with a [`site::Vocabulary`]: see `examples/`.
//!
//! # How a site is built
//!
//! ```text
//! config.toml ─ config::load ─▶ Declarations ─ Site::build ─▶ Site ─ Live::swap ─▶ served
//!                   │ every problem a Diagnostic │                   ▲
//!                   └──────── diagnostic ────────┘                reload
//! ```
//!
//! # How a request is served
//!
//! ```text
//! socket ─▶ http (guard, hyper, one warp filter) ─▶ http::answer ─▶ Site::find ─▶ Route
//!                                                        │
//!                  session::transaction: load ─▶ Route::run ─▶ commit, again on a conflict
//! ```
//!
//! What takes long and leaves traces, such as verifying a password, a route cannot do: it asks, the
//! engine finds out ([`site::questions`]), and the route runs again with what came of it.
//!
//! # Where things are
//!
//! | Folder | Its one job |
//! |---|---|
//! | [`diagnostic`] | a problem as data: where, what, how to mend it |
//! | [`config`] | text to declarations, each with its place in the file |
//! | [`template`] | Handlebars, and the small language inside strings |
//! | [`action`] | one file per verb, one list |
//! | [`session`] | the value, the transaction, the cookie, one file per factory |
//! | [`site`] | declarations to a [`site::Site`]: router, routes, checks; immutable |
//! | [`http`] | the only folder that names warp: the edge, and the life of a request |
//! | [`reload`] | watch, build aside, swap |
//! | [`dev`] | what the browser of someone who edits a site learns of the edits |
//! | [`snapshot`] | `.http` files, the jar, the comparison |
//! | [`cli`] | one file per subcommand |
//!
//! Arrows point the following way and nowhere else, and a test enforces it:
//! `cli -> {reload, http, dev, snapshot, site, session, action, config}`, `reload -> {config, site}`,
//! `http -> {site, session, dev}`, `site -> {config, action, template, session}`,
//! `action -> {template, session's value}`, and all of them to `diagnostic`.
//!
//! # The words
//!
//! Site, Route, Action, Session, Store, Template, Diagnostic: one spelling each, in the
//! configuration, in types, in folders. Two kinds of failure: a [`diagnostic::Diagnostic`] for the
//! author (many, at once), a [`site::failure::Failure`] for the visitor (one, with a public and a
//! private text).
//!
//! # What is absent on purpose
//!
//! - A session object that talks to a store. Sessions are values; only
//!   [`session::transaction`] loads and commits, and nothing else tries again on a conflict.
//! - A partial reload. The whole site is built aside and one pointer is swapped ([`site::live`]).
//! - A second expression language beside Handlebars.
//! - Text that reaches a visitor from an error's inside: `http/failed.rs` is the one error door.

#[cfg(not(unix))]
compile_error!("Sitewright is for Linux and other Unix systems: it needs their signals, sockets and file permissions");

pub mod action;
pub mod cli;
pub mod config;
pub mod dev;
pub mod diagnostic;
pub mod http;
pub mod reload;
pub mod session;
pub mod site;
pub mod snapshot;
pub mod template;

/// The allocator of the program, so that tests measure the memory that it would take.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
