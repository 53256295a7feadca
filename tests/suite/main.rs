//! The integration tests, in one binary: it links once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod broken;
mod browser;
mod command_line;
mod documentation;
mod driver;
mod explain;
mod fire;
mod hostile;
mod keys;
mod language;
mod leaks;
mod login;
mod logs;
mod new_command;
mod outages;
mod own_factory;
mod own_verb;
mod password_command;
mod pyramid;
mod reference;
mod reloading;
mod round_trips;
mod schema;
mod server_sessions;
mod sessions_command;
mod sites;
mod snapshots;
mod sockets;
mod statics;
mod tidy;
mod tutorial;
mod users;
