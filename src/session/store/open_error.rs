//! Why the settings make no store, or no session factory.

use std::fmt;

use crate::session::factory::SignerError;

/// What is wrong, and with which setting of `[session]` if it is with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenError {
    /// The setting, such as `url`.
    pub option: Option<&'static str>,
    /// What is wrong, without what is secret.
    pub message: String,
}

impl OpenError {
    /// Something is wrong with a setting.
    pub fn of(option: &'static str, message: impl Into<String>) -> Self {
        Self { option: Some(option), message: message.into() }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for OpenError {}

/// It is with no setting in particular.
impl From<String> for OpenError {
    fn from(message: String) -> Self {
        Self { option: None, message }
    }
}

impl From<SignerError> for OpenError {
    fn from(error: SignerError) -> Self {
        error.to_string().into()
    }
}
