//! Where memcached is.

use std::fmt;
use std::path::PathBuf;

use http::Uri;

/// The port memcached listens on unless told otherwise.
const PORT: u16 = 11211;

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl Address {
    /// Reads `memcached://host[:port]` or `memcached+unix:///path`. What is
    /// wrong is said without quoting the URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("memcached+unix://") {
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err("its path must begin with `/`: memcached+unix:///run/memcached/socket".into())
            };
        }
        if !url.starts_with("memcached://") {
            return Err("it must begin with `memcached://` or `memcached+unix:///`".into());
        }
        let uri: Uri = url.parse().map_err(|_| "it is not a URL: memcached://host:11211".to_owned())?;
        let authority = uri.authority().ok_or("it names no host: memcached://host:11211")?;
        if authority.as_str().contains('@') {
            return Err("it has a user or a password, and memcached is asked without".into());
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err("nothing may follow host and port: memcached://host:11211".into());
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => PORT,
            rest => rest.and_then(number).ok_or("its port is not one of 1 to 65535")?,
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err("it names no host: memcached://host:11211".into());
        }
        Ok(Self::Tcp { host: host.to_owned(), port })
    }
}

/// The number in `:number`.
fn number(port: &str) -> Option<u16> {
    port.strip_prefix(':')?.parse().ok().filter(|&port| port > 0)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_addresses_and_sockets_are_addresses() {
        for (url, shown) in [
            ("memcached://localhost", "localhost:11211"),
            ("memcached://cache.example.com:11311/", "cache.example.com:11311"),
            ("memcached://127.0.0.1:11212", "127.0.0.1:11212"),
            ("memcached://[::1]", "[::1]:11211"),
            ("memcached://[2001:db8::7]:80", "[2001:db8::7]:80"),
            ("memcached+unix:///run/memcached/socket", "/run/memcached/socket"),
        ] {
            assert_eq!(Address::parse(url).map(|address| address.to_string()).as_deref(), Ok(shown), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_url() {
        for (url, why) in [
            ("", "must begin with"),
            ("localhost:11211", "must begin with"),
            ("redis://sesame", "must begin with"),
            ("memcached://", "is not a URL"),
            ("memcached://:11211", "names no host"),
            ("memcached://sesame:0", "port"),
            ("memcached://sesame:70000", "port"),
            ("memcached://user:sesame@host", "user or a password"),
            ("memcached://sesame/0", "nothing may follow"),
            ("memcached://sesame?timeout=1", "nothing may follow"),
            ("memcached://sesame sesame", "is not a URL"),
            ("memcached+unix://sesame", "must begin with `/`"),
        ] {
            let error = Address::parse(url).expect_err(url);
            assert!(error.contains(why) && !error.contains("sesame"), "{url}: {error}");
        }
    }
}
