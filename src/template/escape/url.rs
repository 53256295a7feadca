//! How far a URL has come: what a value in it could still choose (URL Standard, "4.4 URL parsing").

/// What of a URL a value chooses where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InUrl {
    /// Its scheme, and so whether it is a script.
    Scheme,
    /// The host it leads to.
    Host,
    /// What comes behind.
    Further,
}

/// A URL that is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Url {
    /// What could be the beginning of its scheme.
    Scheme(String),
    /// `/`: another would begin a host.
    Slash,
    /// What stands in front of the host.
    Host,
    /// The host.
    InHost,
    /// The path and what comes behind it.
    Further,
    /// It begins with an entity, or with a scheme that is not one of the web: nothing is certain.
    Unclear,
}

/// Schemes with a host.
const WITH_HOST: [&str; 5] = ["http", "https", "ftp", "ws", "wss"];

/// Schemes that do nothing in a page.
const HARMLESS: [&str; 4] = ["mailto", "tel", "sms", "geo"];

/// Schemes that bring a page or a script of their own.
const DANGEROUS: [&str; 5] = ["javascript", "data", "vbscript", "blob", "filesystem"];

impl Url {
    /// The beginning.
    pub fn new() -> Self {
        Self::Scheme(String::new())
    }

    /// Takes a character.
    pub fn next(&mut self, c: char) {
        let next = match self {
            // Browsers drop tabs and line ends wherever they stand, and blanks in front.
            _ if matches!(c, '\t' | '\n' | '\r') => return,
            Self::Scheme(scheme) => match c {
                c if scheme.is_empty() && (c.is_ascii_control() || c == ' ') => return,
                '/' | '\\' if scheme.is_empty() => Self::Slash,
                '/' | '\\' | '?' | '#' => Self::Further,
                ':' if WITH_HOST.contains(&scheme.as_str()) => Self::Host,
                ':' if HARMLESS.contains(&scheme.as_str()) => Self::Further,
                ':' | '&' => Self::Unclear,
                c => {
                    if scheme.len() < 16 {
                        scheme.push(c.to_ascii_lowercase());
                    }
                    return;
                }
            },
            Self::Slash if matches!(c, '/' | '\\') => Self::Host,
            // It may be the entity of another.
            Self::Slash if c == '&' => return,
            Self::Slash => Self::Further,
            // `https://`: the slashes in front of the host.
            Self::Host if matches!(c, '/' | '\\') => return,
            Self::Host => Self::InHost,
            Self::InHost if matches!(c, '/' | '\\' | '?' | '#') => Self::Further,
            Self::InHost | Self::Further | Self::Unclear => return,
        };
        *self = next;
    }

    /// Puts a value in; says what of the URL it chooses.
    pub fn put(&mut self) -> InUrl {
        match self {
            Self::Scheme(scheme) => {
                let is_open = DANGEROUS.iter().any(|dangerous| dangerous.starts_with(scheme.as_str()));
                *self = Self::Further;
                if is_open { InUrl::Scheme } else { InUrl::Further }
            }
            Self::Unclear => InUrl::Scheme,
            Self::Slash => {
                *self = Self::Further;
                InUrl::Host
            }
            Self::Host | Self::InHost => {
                *self = Self::InHost;
                InUrl::Host
            }
            Self::Further => InUrl::Further,
        }
    }
}
