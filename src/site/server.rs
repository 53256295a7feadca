//! What `[server]` must be for the server to understand it.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use crate::config::settings::{ServerSettings, Settings};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// Splits `HOST:PORT`; an IPv6 address stands in brackets.
///
/// # Errors
///
/// What is wrong with it, in a sentence.
pub fn host_and_port(address: &str) -> Result<(&str, u16), &'static str> {
    if address.contains("://") {
        return Err("an address is HOST:PORT, without http://");
    }
    let (host, port) =
        address.rsplit_once(':').ok_or("an address is HOST:PORT, such as localhost:6543, or unix:PATH")?;
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inside) if inside.parse::<Ipv6Addr>().is_ok() => inside,
        Some(_) => return Err("brackets hold an IPv6 address"),
        None if host.is_empty() => {
            return Err("name the host as well: 127.0.0.1 for this machine only, 0.0.0.0 for everyone");
        }
        None if host.contains(':') => return Err("put an IPv6 address into brackets: [::1]:PORT"),
        None => host,
    };
    let port = port.parse().map_err(|_| "a port is a number from 0 to 65535")?;
    Ok((host, port))
}

/// Whether a server can listen on an address that is written like this.
///
/// # Errors
///
/// What is wrong with it, in a sentence.
pub fn check_listen(address: &str) -> Result<(), &'static str> {
    if address.starts_with("unix:") { Ok(()) } else { host_and_port(address).map(|_| ()) }
}

/// The proxy in `trusted_proxies` that has no address: the one behind the Unix socket.
const UNIX: &str = "unix";

/// What `[server]` says of whoever a request comes from, made ready for each request.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    /// The hosts that are answered for, in lower case; none for any.
    pub hosts: Vec<String>,
    /// The proxies that are believed.
    pub proxies: Vec<IpNet>,
    /// Whether clients of the Unix socket are believed: only a proxy gets there.
    pub unix_proxy: bool,
    /// Whether visitors use HTTPS where no proxy says otherwise.
    pub https: bool,
}

impl Edge {
    /// As the settings say. What they say wrong has been reported.
    pub fn of(server: &ServerSettings) -> Self {
        Self {
            hosts: server.allowed_hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            proxies: server.trusted_proxies.iter().filter_map(|proxy| network(proxy)).collect(),
            unix_proxy: server.trusted_proxies.iter().any(|proxy| proxy == UNIX),
            https: server.public_origin.as_deref().is_some_and(|origin| origin.starts_with("https:")),
        }
    }

    /// Whether the server believes what this address says of others; `None` is a client of the Unix socket.
    pub fn trusts(&self, address: Option<IpAddr>) -> bool {
        address.map_or(self.unix_proxy, |address| {
            let address = address.to_canonical();
            self.proxies.iter().any(|network| network.contains(&address))
        })
    }
}

/// A network, or the one of a single address.
fn network(text: &str) -> Option<IpNet> {
    let one = || text.parse().ok().map(|address: IpAddr| IpNet::from(address.to_canonical()));
    text.parse().ok().or_else(one)
}

/// Checks the values of `[server]` that are more than a number or a boolean.
pub(super) fn check(settings: &Settings, problems: &mut Diagnostics) {
    let server = &settings.server;
    let mut refuse = |key: &str, message: String, help: &str| {
        let list = key.split('[').next().unwrap_or_default();
        if let Some(place) = settings.place(key).or(settings.place(list)) {
            problems.push(Diagnostic::error(place, message).key(key).help(help));
        }
    };
    let listen = &server.listen;
    if let Err(why) = check_listen(listen) {
        refuse("server.listen", format!("cannot listen on `{listen}`"), why);
    }
    if let Some(origin) = &server.public_origin
        && !is_origin(origin)
    {
        let help = "an origin is a scheme and a host, such as `https://example.org`, without a path";
        refuse("server.public_origin", format!("`{origin}` is not an origin"), help);
    }
    for (i, host) in server.allowed_hosts.iter().enumerate() {
        if host.is_empty() || host.contains(['/', '*', ' ']) || (host.contains(':') && !host.starts_with('[')) {
            let help = "a host is a name alone, such as `example.org`; `.example.org` allows its subdomains";
            refuse(&format!("server.allowed_hosts[{i}]"), format!("`{host}` is not the name of a host"), help);
        }
    }
    for (i, proxy) in server.trusted_proxies.iter().enumerate() {
        if proxy != UNIX && network(proxy).is_none() {
            let help =
                "a proxy is an address, such as `10.0.0.1`, without a port, a network, such as `10.0.0.0/8`, or `unix`";
            refuse(&format!("server.trusted_proxies[{i}]"), format!("`{proxy}` is not an address"), help);
        }
    }
}

/// RFC 6454 section 7: scheme, host, perhaps a port.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or(text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', ' ', '@']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_proxies_are_read_when_the_site_is_loaded() {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let edge = Edge::of(&ServerSettings {
            allowed_hosts: texts(&["Example.ORG", ".Example.com"]),
            trusted_proxies: texts(&["::ffff:10.0.0.1", "172.16.9.9/12", "unix", "nonsense"]),
            public_origin: Some("https://example.org".to_owned()),
            ..ServerSettings::default()
        });
        assert_eq!(edge.hosts, ["example.org", ".example.com"]);
        assert_eq!(edge.proxies, ["10.0.0.1/32", "172.16.9.9/12"].map(|network| network.parse().unwrap()));
        assert!(edge.https && edge.unix_proxy);
    }
}
