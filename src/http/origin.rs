//! Who the visitor is and how they came, seen through trusted proxies.

use std::net::IpAddr;

use http::HeaderMap;

use crate::site::server::Edge;

/// The visitor's address and whether they use HTTPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The address; `None` on a Unix socket without a trusted proxy's word.
    pub address: Option<IpAddr>,
    /// Whether the visitor's own connection is HTTPS.
    pub https: bool,
}

impl Origin {
    /// Believes `X-Forwarded-For` and `X-Forwarded-Proto` only from trusted proxies, from the
    /// nearest hop outward up to the first that is not trusted.
    pub fn of(peer: Option<IpAddr>, headers: &HeaderMap, edge: &Edge) -> Self {
        let https = edge.https;
        let peer = peer.map(|address| address.to_canonical());
        let trusted = |address: IpAddr| edge.trusts(address);
        if !peer.is_some_and(trusted) {
            return Self { address: peer, https };
        }
        let mut address = peer;
        for hop in list(headers, "x-forwarded-for").into_iter().rev() {
            let Some(hop) = parse_hop(hop) else { break };
            address = Some(hop);
            if !trusted(hop) {
                break;
            }
        }
        let proto = list(headers, "x-forwarded-proto").last().map(|proto| proto.eq_ignore_ascii_case("https"));
        Self { address, https: proto.unwrap_or(https) }
    }
}

/// The items of a header that may be repeated and hold commas.
fn list<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    let fields = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    fields.flat_map(|field| field.split(',')).map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// An address, with or without a port.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let address = text.parse().or_else(|_| text.parse().map(|socket: std::net::SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::site::ServerSettings;

    fn origin(peer: &str, forwarded_for: &'static str, proto: &'static str) -> Origin {
        let trusted = ["10.0.0.1", "10.0.0.2", "::ffff:10.0.0.3", "172.16.0.0/12", "fd00::/8"].map(str::to_owned);
        let settings = ServerSettings { trusted_proxies: trusted.into(), ..ServerSettings::default() };
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static(forwarded_for));
        headers.insert("x-forwarded-proto", HeaderValue::from_static(proto));
        Origin::of(peer.parse().ok(), &headers, &Edge::of(&settings))
    }

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(origin("192.0.2.1", "1.2.3.4", "https"), Origin { address: address("192.0.2.1"), https: false });
    }

    #[test]
    fn a_trusted_proxy_is_believed_up_to_the_first_stranger() {
        assert_eq!(
            origin("10.0.0.1", "9.9.9.9, 1.2.3.4, 10.0.0.2", "https"),
            Origin { address: address("1.2.3.4"), https: true }
        );
        assert_eq!(origin("::ffff:10.0.0.1", "[2001:db8::1]:99", "http").address, address("2001:db8::1"));
        for proxy in ["10.0.0.3", "172.16.0.1", "::ffff:172.31.255.255", "fd12::1"] {
            assert_eq!(origin(proxy, "1.2.3.4, 172.20.0.1", "https").address, address("1.2.3.4"), "{proxy}");
        }
        for stranger in ["10.0.0.4", "172.32.0.1", "fe80::1"] {
            assert_eq!(origin(stranger, "1.2.3.4", "https").address, address(stranger));
        }
        assert_eq!(origin("10.0.0.1", "nonsense", "https").address, address("10.0.0.1"));
    }
}
