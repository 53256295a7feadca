//! How far a URL has come: what a value in it could still choose (URL Standard, "4.4 URL parsing").

use super::Made;

/// What of a URL a value chooses where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InUrl {
    /// Its scheme, and so whether it is a script.
    Scheme,
    /// The host it leads to.
    Host,
    /// All of it, but it is one of the web, and no script.
    Web,
    /// What comes behind.
    Further,
}

/// A URL that is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Url {
    /// What could be the beginning of its scheme.
    Scheme(String),
    /// A value, which may be anything, also nothing: not even whether there is a scheme is certain.
    Open,
    /// More than a value, and still nothing is certain.
    OpenWord,
    /// `/`: another would begin a host.
    Slash,
    /// What stands in front of the host.
    Host,
    /// The host.
    InHost,
    /// The path and what comes behind it.
    Further,
    /// An entity, as far as it has been read, and what stands in front of it.
    Entity(Box<Url>, String),
    /// It has a scheme that is not one of the web, or an entity that we do not know: nothing is certain.
    Unclear,
}

/// Schemes with a host.
const WITH_HOST: [&str; 5] = ["http", "https", "ftp", "ws", "wss"];

/// Schemes that do nothing in a page.
const HARMLESS: [&str; 4] = ["mailto", "tel", "sms", "geo"];

/// Schemes that bring a page or a script of their own.
const DANGEROUS: [&str; 5] = ["javascript", "data", "vbscript", "blob", "filesystem"];

/// Entities by their names, those that somebody may write in a URL.
const ENTITIES: [(&str, char); 7] =
    [("amp", '&'), ("quot", '"'), ("apos", '\''), ("lt", '<'), ("gt", '>'), ("sol", '/'), ("colon", ':')];

impl Url {
    /// The beginning.
    pub fn new() -> Self {
        Self::Scheme(String::new())
    }

    /// Takes a character, as it is written in HTML.
    pub fn next(&mut self, c: char) {
        match self {
            Self::Further | Self::Unclear => {}
            Self::Entity(before, name) => match c {
                ';' => match decoded(name) {
                    Some(c) => {
                        *self = (**before).clone();
                        self.read(c);
                    }
                    None => *self = Self::Unclear,
                },
                c if name.len() < 8 && (c.is_ascii_alphanumeric() || c == '#') => name.push(c),
                // Some count without a semicolon.
                _ => *self = Self::Unclear,
            },
            _ if c == '&' => *self = Self::Entity(Box::new(self.clone()), String::new()),
            _ => self.read(c),
        }
    }

    fn read(&mut self, c: char) {
        let next = match self {
            // Browsers drop tabs and line ends wherever they stand, and blanks in front.
            _ if matches!(c, '\t' | '\n' | '\r') => return,
            Self::Scheme(scheme) => match c {
                c if scheme.is_empty() && (c.is_ascii_control() || c == ' ') => return,
                '/' | '\\' if scheme.is_empty() => Self::Slash,
                '/' | '\\' | '?' | '#' => Self::Further,
                ':' if WITH_HOST.contains(&scheme.as_str()) => Self::Host,
                ':' if HARMLESS.contains(&scheme.as_str()) => Self::Further,
                ':' => Self::Unclear,
                c => {
                    if scheme.len() < 16 {
                        scheme.push(c.to_ascii_lowercase());
                    }
                    return;
                }
            },
            // `https:`, or nothing: `//` may begin a host with either.
            Self::Open if matches!(c, '/' | '\\' | ':') => Self::Host,
            Self::Open | Self::OpenWord => match c {
                '/' | '\\' | '?' | '#' => Self::Further,
                ':' => Self::Unclear,
                _ => Self::OpenWord,
            },
            Self::Slash if matches!(c, '/' | '\\') => Self::Host,
            Self::Slash => Self::Further,
            // `https://`: the slashes in front of the host.
            Self::Host if matches!(c, '/' | '\\') => return,
            Self::Host if !matches!(c, '?' | '#') => Self::InHost,
            Self::Host => Self::Further,
            Self::InHost if matches!(c, '/' | '\\' | '?' | '#') => Self::Further,
            Self::InHost | Self::Further | Self::Entity(..) | Self::Unclear => return,
        };
        *self = next;
    }

    /// Puts a value in; says what of the URL it chooses. What comes behind it may choose as much if the
    /// value can be empty, or end as it likes.
    pub fn put(&mut self, made: Made) -> InUrl {
        let (next, part) = match (&*self, made) {
            (Self::Further, _) => (Self::Further, InUrl::Further),
            (Self::Unclear | Self::Entity(..), _) => (Self::Unclear, InUrl::Scheme),
            // It may be `/` alone.
            (Self::Scheme(scheme), Made::Path | Made::FixedPath | Made::Rooted) if scheme.is_empty() => {
                (Self::Slash, InUrl::Further)
            }
            (Self::Scheme(scheme), Made::WebUrl) if scheme.is_empty() => (Self::Host, InUrl::Web),
            (Self::Scheme(scheme), _) => {
                let is_in = |schemes: &[&str]| schemes.iter().any(|one| one.starts_with(scheme.as_str()));
                let is_path = matches!(made, Made::Path | Made::FixedPath | Made::WebUrl);
                match scheme.as_str() {
                    "" => (Self::Open, InUrl::Scheme),
                    _ if is_path => (Self::Further, InUrl::Further),
                    _ if is_in(&DANGEROUS) => (Self::OpenWord, InUrl::Scheme),
                    _ if is_in(&WITH_HOST) => (Self::OpenWord, InUrl::Host),
                    _ => (Self::Further, InUrl::Further),
                }
            }
            // `{{base}}{{url …}}`
            (Self::Open, Made::Path | Made::FixedPath) => (Self::Slash, InUrl::Further),
            (Self::OpenWord, Made::Path | Made::FixedPath) => (Self::Further, InUrl::Further),
            (Self::Open | Self::OpenWord, _) => (Self::Open, InUrl::Scheme),
            // Never empty, and nothing in it ends anything.
            (Self::Slash, Made::Word) => (Self::Further, InUrl::Further),
            (Self::Host, Made::Host | Made::Word) => (Self::InHost, InUrl::Further),
            (Self::InHost, Made::Path | Made::FixedPath | Made::Rooted) => (Self::Further, InUrl::Further),
            (Self::InHost, Made::Host) => (Self::InHost, InUrl::Host),
            (Self::Slash | Self::Host, _) => (Self::Host, InUrl::Host),
            (Self::InHost, _) => (Self::InHost, InUrl::Host),
        };
        *self = next;
        part
    }
}

/// What an entity stands for, given without `&` and `;`.
fn decoded(name: &str) -> Option<char> {
    let Some(number) = name.strip_prefix('#') else {
        return ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    // Browsers read some of the others otherwise.
    char::from_u32(code.ok()?).filter(|c| c.is_ascii_graphic() || c.is_ascii_whitespace())
}
