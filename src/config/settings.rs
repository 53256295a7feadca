//! The scalar settings of `[server]`, `[session]`, `[csrf]` and `[cors]`, as types. Where they come from: `layer`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Visitor};

use crate::diagnostic::{Place, Source};

/// `[server]`, every value in force.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is documented in `keys::SERVER`, under its name")]
pub struct ServerSettings {
    pub listen: String,
    pub public_origin: Option<String>,
    #[serde(deserialize_with = "texts")]
    pub allowed_hosts: Vec<String>,
    #[serde(deserialize_with = "texts")]
    pub trusted_proxies: Vec<String>,
    pub append_slash: bool,
    pub access_log: bool,
    pub first_byte_timeout: u64,
    pub header_timeout: u64,
    pub body_timeout: u64,
    pub keep_alive_timeout: u64,
    pub write_timeout: u64,
    pub handler_timeout: u64,
    pub shutdown_timeout: u64,
    pub max_request_line: usize,
    pub max_header_bytes: usize,
    pub max_headers: usize,
    pub max_body: usize,
    pub max_connections: usize,
    pub max_connections_per_address: usize,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:6543".to_owned(),
            public_origin: None,
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            append_slash: false,
            access_log: true,
            first_byte_timeout: 10,
            header_timeout: 10,
            body_timeout: 30,
            keep_alive_timeout: 75,
            write_timeout: 30,
            handler_timeout: 15,
            shutdown_timeout: 10,
            max_request_line: 16 * 1024,
            max_header_bytes: 32 * 1024,
            max_headers: 100,
            max_body: 64 * 1024,
            max_connections: 4096,
            max_connections_per_address: 64,
        }
    }
}

impl ServerSettings {
    /// Whether only this machine can reach what listens there.
    pub fn is_loopback(&self) -> bool {
        if self.listen.starts_with("unix:") {
            return true;
        }
        let host = self.listen.rsplit_once(':').map_or("", |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }
}

/// `[session]`, every value in force.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is documented in `keys::SESSION`, under its name")]
pub struct SessionSettings {
    pub factory: Option<String>,
    pub secret: Option<SecretSource>,
    pub secrets: Option<Vec<SecretSource>>,
    pub cookie_name: String,
    pub max_age: Span,
    pub path: String,
    pub domain: Option<String>,
    #[serde(deserialize_with = "boolean_or_auto")]
    pub secure: Option<bool>,
    pub httponly: bool,
    pub samesite: String,
    pub timeout: Span,
    pub reissue_time: Option<Span>,
    pub lifetime: Span,
    pub set_on_exception: bool,
    pub hashalg: String,
    pub salt: String,
    pub cookie_reading: String,
    pub directory: String,
    pub database: String,
    pub url: Option<SecretSource>,
    pub table: String,
    pub key_prefix: String,
    pub connections: u32,
    pub store_timeout: u64,
    pub max_record: usize,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            factory: None,
            secret: None,
            secrets: None,
            cookie_name: "session".to_owned(),
            max_age: Span(None),
            path: "/".to_owned(),
            domain: None,
            secure: None,
            httponly: true,
            samesite: "Lax".to_owned(),
            timeout: Span(Some(1200)),
            reissue_time: None,
            lifetime: Span(None),
            set_on_exception: false,
            hashalg: "sha512".to_owned(),
            salt: "pyramid.session.".to_owned(),
            cookie_reading: "strict".to_owned(),
            directory: "sessions".to_owned(),
            database: "sessions.sqlite".to_owned(),
            url: None,
            table: "sitewright_sessions".to_owned(),
            key_prefix: "sitewright:".to_owned(),
            connections: 8,
            store_timeout: 2,
            max_record: 64 * 1024,
        }
    }
}

impl SessionSettings {
    /// `reissue_time`, or a tenth of `timeout`.
    pub fn reissue_time(&self) -> Option<u64> {
        match self.reissue_time {
            Some(Span(seconds)) => seconds,
            None => self.timeout.0.map(|seconds| seconds / 10),
        }
    }
}

/// `[csrf]`, every value in force.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is documented in `keys::CSRF`, under its name")]
pub struct CsrfSettings {
    pub enabled: bool,
    #[serde(deserialize_with = "texts")]
    pub trusted_origins: Vec<String>,
}

impl Default for CsrfSettings {
    fn default() -> Self {
        Self { enabled: true, trusted_origins: Vec::new() }
    }
}

/// `[cors]`, every value in force.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is documented in `keys::CORS`, under its name")]
pub struct CorsSettings {
    #[serde(deserialize_with = "texts")]
    pub origins: Vec<String>,
    pub credentials: bool,
    #[serde(deserialize_with = "texts")]
    pub headers: Vec<String>,
    #[serde(deserialize_with = "texts")]
    pub expose: Vec<String>,
    pub max_age: u64,
}

impl Default for CorsSettings {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            credentials: false,
            headers: ["content-type", "x-csrf-token"].map(str::to_owned).into(),
            expose: Vec::new(),
            max_age: 600,
        }
    }
}

/// A whole number of seconds, or `"never"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Option<u64>);

impl Span {
    /// As a duration; `None` for never.
    pub fn duration(self) -> Option<Duration> {
        self.0.map(Duration::from_secs)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = TextOrNumber::deserialize(deserializer)?.0;
        match text.as_str() {
            "never" => Ok(Self(None)),
            digits => digits.parse().map(|seconds| Self(Some(seconds))).map_err(D::Error::custom),
        }
    }
}

/// Where a secret comes from, or a URL that may have a password in it; it is read when the site is
/// built.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum SecretSource {
    /// The configuration itself.
    Inline(String),
    /// An environment variable.
    Variable {
        /// Its name.
        env: String,
    },
    /// A file's first line.
    File {
        /// Its path, relative to the configuration.
        file: String,
        /// Whether it is made when it is not there.
        #[serde(default)]
        generate: bool,
    },
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("Inline(***)"),
            Self::Variable { env } => write!(f, "Variable({env})"),
            Self::File { file, .. } => write!(f, "File({file})"),
        }
    }
}

/// All settings of a site, and where each came from.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `[server]`.
    pub server: ServerSettings,
    /// `[session]`.
    pub session: SessionSettings,
    /// `[csrf]`.
    pub csrf: CsrfSettings,
    /// `[cors]`.
    pub cors: CorsSettings,
    /// Whether anything declares a `[session]`.
    pub has_session: bool,
    pub(super) places: BTreeMap<String, Place>,
    /// The files, the lowest layer first; variables lie above them.
    pub(super) sources: Vec<Arc<Source>>,
}

impl Settings {
    /// Where `key` (such as `session.timeout` or `session.secrets[0]`) was given: the value in
    /// force, or one that does not fit and is left out.
    pub fn place(&self, key: &str) -> Option<&Place> {
        self.places.get(key)
    }

    /// Whether `key` was given in a lower layer than `other`: it did not know of that.
    pub fn is_below(&self, key: &str, other: &str) -> bool {
        let layer = |key| {
            let place = self.place(key)?;
            Some(self.sources.iter().position(|source| *source == place.source).unwrap_or(self.sources.len()))
        };
        matches!((layer(key), layer(other)), (Some(key), Some(other)) if key < other)
    }

    /// Takes a setting of `[session]` for not given; what it is does not matter then.
    pub fn leave_aside(&mut self, key: &str) {
        self.places.remove(key);
        if key == "session.url" {
            self.session.url = None;
        }
    }
}

/// A string or a number, as text: what an environment variable and a file both can give.
struct TextOrNumber(String);

impl<'de> Deserialize<'de> for TextOrNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = String;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a number")
            }
            fn visit_str<E>(self, text: &str) -> Result<String, E> {
                Ok(text.to_owned())
            }
            fn visit_i64<E>(self, number: i64) -> Result<String, E> {
                Ok(number.to_string())
            }
            fn visit_u64<E>(self, number: u64) -> Result<String, E> {
                Ok(number.to_string())
            }
            fn visit_bool<E>(self, boolean: bool) -> Result<String, E> {
                Ok(boolean.to_string())
            }
        }
        deserializer.deserialize_any(Any).map(Self)
    }
}

fn boolean_or_auto<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match TextOrNumber::deserialize(deserializer)?.0.as_str() {
        "auto" => Ok(None),
        text => text.parse().map(Some).map_err(D::Error::custom),
    }
}

/// An array of strings, or one string with commas (from an environment variable).
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        Many(Vec<String>),
        One(String),
    }
    Ok(match Texts::deserialize(deserializer)? {
        Texts::Many(list) => list,
        Texts::One(text) => text.split(',').map(|item| item.trim().to_owned()).collect(),
    })
}
