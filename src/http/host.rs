//! The first question to a request: is it for this site?

use http::header::HOST;
use http::uri::Authority;
use http::{StatusCode, Version};

use super::Incoming;
use crate::site::failure::Failure;
use crate::site::predicates::host_matches;

/// The one valid host of a request, in lower case, with its port if it named one.
///
/// HTTP/1.1 must send exactly one `Host` (RFC 9112 section 3.2); an absolute-form target overrides
/// it; HTTP/2 sends `:authority`, and a `Host` beside it must agree (RFC 9113 section 8.3.1).
/// HTTP/1.0 may send none: then it is empty.
///
/// # Errors
///
/// 400 for none, two or a malformed one; 421 for a host that `allowed`, in lower case, does not list. An
/// empty list allows all.
pub fn host(incoming: &Incoming, allowed: &[String]) -> Result<String, Failure> {
    let mut fields = incoming.headers.get_all(HOST).iter();
    let (first, second) = (fields.next(), fields.next());
    if second.is_some() {
        return Err(Failure::bad_request("The request names two hosts."));
    }
    let field = match first.map(|value| value.to_str()) {
        Some(Ok(text)) => Some(text),
        Some(Err(_)) => return Err(malformed()),
        None => None,
    };
    let authority = incoming.connection.authority.as_deref();
    if incoming.version >= Version::HTTP_2
        && let (Some(authority), Some(field)) = (authority, field)
        && !authority.eq_ignore_ascii_case(field)
    {
        return Err(Failure::bad_request("The request names two hosts."));
    }
    if incoming.version == Version::HTTP_11 && field.is_none() {
        return Err(Failure::bad_request("The request names no host."));
    }
    let Some(text) = authority.or(field) else {
        return if allowed.is_empty() {
            Ok(String::new())
        } else {
            Err(Failure::bad_request("The request names no host."))
        };
    };
    let host = text.to_ascii_lowercase();
    let parsed: Authority = host.parse().map_err(|_| malformed())?;
    let name = parsed.host();
    // `Authority` does not look at ports.
    let has_bad_port = host.len() > name.len() + 1 && parsed.port_u16().is_none();
    if host.contains('@') || name.is_empty() || has_bad_port {
        return Err(malformed());
    }
    if !allowed.is_empty() && !allowed.iter().any(|pattern| host_matches(pattern, name)) {
        return Err(Failure::new(StatusCode::MISDIRECTED_REQUEST, "This server does not answer for this host.")
            .because(format!("host {name:?} is not in `server.allowed_hosts`")));
    }
    Ok(host)
}

fn malformed() -> Failure {
    Failure::bad_request("The request names no valid host.")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};

    use super::super::{Connection, RequestBody};
    use super::*;

    fn ask(version: Version, hosts: &[&'static str], authority: Option<&str>, allowed: &[&str]) -> Result<String, u16> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_static(host));
        }
        let incoming = Incoming {
            method: Method::GET,
            path: "/".to_owned(),
            query: None,
            headers,
            version,
            connection: Connection { peer: None, authority: authority.map(str::to_owned) },
            body: RequestBody::default(),
        };
        let allowed: Vec<_> = allowed.iter().map(|host| (*host).to_owned()).collect();
        host(&incoming, &allowed).map_err(|failure| failure.status.as_u16())
    }

    #[test]
    fn exactly_one_valid_host_is_answered() {
        let http11 = |hosts: &[&'static str]| ask(Version::HTTP_11, hosts, None, &[]);
        assert_eq!(http11(&["Localhost:6543"]), Ok("localhost:6543".to_owned()));
        assert_eq!(http11(&["[::1]:6543"]), Ok("[::1]:6543".to_owned()));
        for bad in [&[][..], &["a", "a"], &[""], &["a b"], &["user@a"], &["a/b"], &["a:b:c"], &["a:b"], &["a:65536"]] {
            assert_eq!(http11(bad), Err(400), "{bad:?}");
        }
    }

    #[test]
    fn an_old_client_may_name_no_host() {
        assert_eq!(ask(Version::HTTP_10, &[], None, &[]), Ok(String::new()));
        assert_eq!(ask(Version::HTTP_10, &[], None, &["a"]), Err(400));
    }

    #[test]
    fn the_authority_of_http_2_stands_for_the_host_and_must_agree_with_it() {
        assert_eq!(ask(Version::HTTP_2, &[], Some("a:1"), &[]), Ok("a:1".to_owned()));
        assert_eq!(ask(Version::HTTP_2, &["b"], Some("a"), &[]), Err(400));
    }

    #[test]
    fn only_allowed_hosts_are_answered() {
        let ask = |host| ask(Version::HTTP_11, &[host], None, &["example.org", ".example.com"]);
        for good in ["example.org", "EXAMPLE.org:80", "example.com", "a.b.example.com"] {
            assert!(ask(good).is_ok(), "{good}");
        }
        for bad in ["a.example.org", "badexample.com", "evil.example"] {
            assert_eq!(ask(bad), Err(421), "{bad}");
        }
    }
}
