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
        if !edge.trusts(peer) {
            return Self { address: peer, https };
        }
        let mut address = peer;
        for hop in list(headers, "x-forwarded-for").into_iter().rev() {
            let Some(hop) = parse_hop(hop) else { break };
            address = Some(hop);
            if !edge.trusts(address) {
                break;
            }
        }
        let proto = list(headers, "x-forwarded-proto").last().map(|proto| proto.eq_ignore_ascii_case(b"https"));
        Self { address, https: proto.unwrap_or(https) }
    }
}

/// The items of a header that may be repeated and hold commas: as bytes, as one that is no text must not
/// hide those beside it.
fn list<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h [u8]> {
    let fields = headers.get_all(name).iter().map(|value| value.as_bytes());
    fields
        .flat_map(|field| field.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|item| !item.is_empty())
        .collect()
}

/// An address, with or without a port.
fn parse_hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
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
        headers.insert("x-forwarded-for", HeaderValue::from_bytes(forwarded_for.as_bytes()).unwrap());
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

    #[test]
    fn what_a_visitor_writes_before_the_address_hides_nothing() {
        assert_eq!(origin("10.0.0.1", "\u{e9}, 1.2.3.4", "https").address, address("1.2.3.4"));
        assert_eq!(origin("10.0.0.1", "1.2.3.4, \u{e9}, 10.0.0.2", "https").address, address("10.0.0.2"));
    }

    #[test]
    fn who_comes_by_the_unix_socket_is_believed_if_that_is_declared() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("1.2.3.4"));
        for (proxies, expected) in [(&["unix"][..], address("1.2.3.4")), (&["10.0.0.1"], None), (&[], None)] {
            let trusted_proxies = proxies.iter().map(|proxy| (*proxy).to_owned()).collect();
            let server = ServerSettings { trusted_proxies, ..ServerSettings::default() };
            assert_eq!(Origin::of(None, &headers, &Edge::of(&server)).address, expected, "{proxies:?}");
        }
    }
}
