//! The token that forms send back, under `_csrft_` as Pyramid keeps it.

use serde_json::Value;

use super::Session;

impl Session {
    /// The key that holds the token.
    pub const CSRF_KEY: &str = "_csrft_";

    /// The token; `get_csrf_token` of Pyramid, but for making one.
    #[must_use]
    pub fn csrf_token(&self) -> Option<String> {
        match self.get(&[Self::CSRF_KEY.to_owned()])? {
            Value::String(token) if !token.is_empty() => Some(token),
            _ => None,
        }
    }

    /// Sets another token, so that forms which were shown before are worth nothing.
    pub fn set_csrf_token(&mut self, token: &str) {
        // A path of one part has nothing in its way.
        let _ = self.set(&[Self::CSRF_KEY.to_owned()], Value::from(token));
    }
}
