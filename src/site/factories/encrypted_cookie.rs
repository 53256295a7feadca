//! `encrypted-cookie`: after pyramid_nacl_session and Beaker's encrypted cookie.

use std::sync::Arc;

use super::{FactoryKind, HeldBy, Opened, Opening, cookie_options};
use crate::session::factory::{EncryptedCookie, EncryptedCookieOptions};

pub const KIND: FactoryKind = FactoryKind {
    name: "encrypted-cookie",
    summary: "In the cookie, sealed: its owner cannot read it.",
    guarantee: "Tamper-proof, and unreadable but for its length. The browser is the store: an old cookie works until it times out, and two tabs can lose an update.",
    held_by: HeldBy::Browser,
    options: &[],
    url: None,
    open,
};

fn open(opening: Opening<'_>) -> Opened {
    let settings = opening.settings;
    let options = EncryptedCookieOptions {
        cookie: cookie_options(settings),
        lifetimes: settings.into(),
        secrets: opening.credentials.secrets,
    };
    Ok(Arc::new(EncryptedCookie::new(options)?))
}
