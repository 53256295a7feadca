//! `signed-cookie`: Pyramid's `SignedCookieSessionFactory`.

use std::sync::Arc;

use super::{FactoryKind, HeldBy, OpenError, Opened, Opening, cookie_options};
use crate::session::factory::{CookieReading, HashAlg, SignedCookie, SignedCookieOptions};

pub const KIND: FactoryKind = FactoryKind {
    name: "signed-cookie",
    summary: "In the cookie, signed and readable, in the wire format of Pyramid 2.x.",
    guarantee: "Tamper-proof. The browser is the store: an old cookie works until it times out, and two tabs can lose an update.",
    held_by: HeldBy::Browser,
    options: &["hashalg", "salt", "cookie_reading"],
    url: None,
    open,
};

fn open(opening: Opening<'_>) -> Opened {
    let settings = opening.settings;
    let options = SignedCookieOptions {
        cookie: cookie_options(settings),
        lifetimes: settings.into(),
        hashalg: HashAlg::parse(&settings.hashalg).ok_or_else(|| OpenError::of("hashalg", "unknown `hashalg`"))?,
        salt: settings.salt.clone(),
        secrets: opening.credentials.secrets,
        reading: match settings.cookie_reading.as_str() {
            "compatible" => CookieReading::Compatible,
            _ => CookieReading::Strict,
        },
    };
    Ok(Arc::new(SignedCookie::new(options)?))
}
