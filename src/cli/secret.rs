//! `sitewright secret`: a fresh secret.

use std::io::{self, Write};

use super::{Exit, complain};
use crate::session::secret::Secret;

pub fn run(out: &mut impl Write) -> io::Result<Exit> {
    match Secret::generate() {
        Ok(secret) => writeln!(out, "{}", secret.expose()).map(|()| Exit::Fine),
        Err(error) => {
            complain(&format!("the system gives no random bytes: {error}"));
            Ok(Exit::Program)
        }
    }
}
