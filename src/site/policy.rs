//! The Content Security Policy of pages (W3C, CSP Level 3), and the nonce in it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::failure::Failure;

/// What every page says unless its route says otherwise. It leaves a page's own scripts and styles
/// alone.
pub const POLICY: &str = "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// What a page says that shows its nonce: of the scripts and styles in it, those with the nonce count, and
/// of files, the site's own.
pub fn with_nonce(nonce: &str) -> String {
    format!("script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; {POLICY}")
}

/// A nonce: 128 random bits, as base64.
///
/// # Errors
///
/// 500 if the system has no random numbers.
pub fn new_nonce() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::internal(format!("no random numbers: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
