//! A cookie jar as a browser keeps one: RFC 6265 sections 5.3 (storing) and 5.4 (sending), with the
//! rules its successor took over from browsers (`Secure`, name prefixes, the longest lifetime).

use std::cmp::Reverse;
use std::net::IpAddr;

use super::set_cookie::{Dropped, SetCookie};

/// No browser keeps a cookie longer, in seconds: 400 days (rfc6265bis section 5.5).
const MAX_LIFETIME: f64 = 400.0 * 86_400.0;

/// Where a request goes, as far as cookies care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    host: String,
    path: String,
    secure: bool,
}

impl Place {
    /// `authority` is what stands in `Host` (a port is of no account to cookies), `target` the request
    /// target. Besides HTTPS, a loopback host counts as secure, as in today's browsers.
    pub fn new(authority: &str, target: &str, https: bool) -> Self {
        let host = host(authority).to_ascii_lowercase();
        let loopback = host == "localhost"
            || host.ends_with(".localhost")
            || ip(&host).is_some_and(|address| address.is_loopback());
        let path = target.split(['?', '#']).next().unwrap_or_default().to_owned();
        Self { secure: https || loopback, host, path }
    }

    /// Section 5.1.4: the directory of the request's path.
    fn default_path(&self) -> &str {
        match self.path.rsplit_once('/') {
            Some((directory, _)) if directory.starts_with('/') => directory,
            _ => "/",
        }
    }
}

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
    expires: f64,
    created: u64,
}

/// The cookies of one visitor. Time is given with every call; the jar has no clock of its own.
#[derive(Clone, Debug, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
    created: u64,
}

impl Jar {
    /// Takes one `Set-Cookie` header that came from `from` at `now`: keeps the cookie, replaces the one
    /// it names, or deletes it when it has expired. Says why when a browser would drop it.
    pub fn store(&mut self, header: &str, from: &Place, now: f64) -> Result<(), Dropped> {
        let cookie = SetCookie::parse(header)?;
        judge(&cookie, from)?;
        let (domain, host_only) = scope(cookie.domain, &from.host)?;
        let path = cookie.path.unwrap_or_else(|| from.default_path().to_owned());
        let expires = match (cookie.max_age, cookie.expires) {
            (Some(seconds), _) if seconds <= 0 => f64::NEG_INFINITY,
            (Some(seconds), _) => now + (seconds as f64).min(MAX_LIFETIME),
            (None, Some(date)) => date.min(now + MAX_LIFETIME),
            (None, None) => f64::INFINITY,
        };
        let same = |old: &Cookie| {
            old.name == cookie.name && old.domain == domain && old.host_only == host_only && old.path == path
        };
        let replaced = self.cookies.iter().position(same).map(|index| self.cookies.remove(index));
        if expires > now {
            // A replaced cookie keeps its age, and with it its turn (section 5.3 step 11.3).
            let created = replaced.map_or(self.created, |old| old.created);
            self.created += 1;
            let (name, value, secure) = (cookie.name, cookie.value, cookie.secure);
            self.cookies.push(Cookie { name, value, domain, host_only, path, secure, expires, created });
        }
        Ok(())
    }

    /// The cookies a request to `to` carries at `now`, in the order they are sent: longer paths first,
    /// then older cookies (section 5.4).
    pub fn matching(&self, to: &Place, now: f64) -> Vec<(&str, &str)> {
        let mut found: Vec<&Cookie> = self.cookies.iter().filter(|cookie| cookie.goes_to(to, now)).collect();
        found.sort_by_key(|cookie| (Reverse(cookie.path.len()), cookie.created));
        found.into_iter().map(|cookie| (cookie.name.as_str(), cookie.value.as_str())).collect()
    }
}

impl Cookie {
    fn goes_to(&self, to: &Place, now: f64) -> bool {
        let host = if self.host_only { to.host == self.domain } else { domain_matches(&to.host, &self.domain) };
        host && path_matches(&to.path, &self.path) && (to.secure || !self.secure) && self.expires > now
    }
}

fn judge(cookie: &SetCookie, from: &Place) -> Result<(), Dropped> {
    let prefixed =
        |prefix: &str| cookie.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let for_this_host = cookie.domain.is_none() && cookie.path.as_deref() == Some("/");
    if cookie.secure && !from.secure {
        Err(Dropped::InsecureOrigin)
    } else if cookie.same_site_none && !cookie.secure {
        Err(Dropped::SameSiteNone)
    } else if prefixed("__Secure-") && !cookie.secure || prefixed("__Host-") && !(cookie.secure && for_this_host) {
        Err(Dropped::Prefix)
    } else {
        Ok(())
    }
}

/// The domain a cookie belongs to, and whether it stays with that very host (section 5.3 steps 4-6).
/// A name without a dot stands in for the list of public suffixes: nobody shares cookies under it.
fn scope(domain: Option<String>, host: &str) -> Result<(String, bool), Dropped> {
    match domain {
        None => Ok((host.to_owned(), true)),
        Some(domain) if domain == host => {
            let alone = !domain.contains('.') || ip(host).is_some();
            Ok((domain, alone))
        }
        Some(domain) if domain.contains('.') && domain_matches(host, &domain) => Ok((domain, false)),
        Some(_) => Err(Dropped::ForeignDomain),
    }
}

/// Section 5.1.3.
fn domain_matches(host: &str, domain: &str) -> bool {
    let parent = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    host == domain || parent && ip(host).is_none()
}

/// Section 5.1.4.
fn path_matches(request: &str, cookie: &str) -> bool {
    request.strip_prefix(cookie).is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

fn host(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn ip(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: f64 = 1_000_000.0;

    fn at(url: &str) -> Place {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Place::new(authority, path, scheme == "https")
    }

    fn jar(url: &str, headers: &[&str]) -> Jar {
        let mut jar = Jar::default();
        for header in headers {
            jar.store(header, &at(url), NOW).unwrap();
        }
        jar
    }

    fn sent(jar: &Jar, url: &str, now: f64) -> String {
        let pairs = jar.matching(&at(url), now);
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn dropped(url: &str, header: &str) -> Option<Dropped> {
        Jar::default().store(header, &at(url), NOW).err()
    }

    #[test]
    fn without_domain_the_cookie_goes_to_the_same_host_only_whatever_the_port() {
        let jar = jar("http://example.com:6543/", &["a=1"]);
        assert_eq!(sent(&jar, "http://EXAMPLE.com:80/", NOW), "a=1");
        assert_eq!(sent(&jar, "http://www.example.com/", NOW), "");
        assert_eq!(sent(&jar, "http://badexample.com/", NOW), "");
    }

    #[test]
    fn with_domain_the_cookie_goes_to_subdomains_too() {
        let jar = jar("http://www.example.com/", &["a=1; Domain=.Example.com"]);
        for host in ["example.com", "www.example.com", "a.b.example.com"] {
            assert_eq!(sent(&jar, &format!("http://{host}/"), NOW), "a=1");
        }
        assert_eq!(sent(&jar, "http://badexample.com/", NOW), "");
    }

    #[test]
    fn a_foreign_domain_a_child_a_suffix_and_a_part_of_an_address_are_dropped() {
        for (url, domain) in [
            ("http://example.com/", "other.com"),
            ("http://example.com/", "www.example.com"),
            ("http://example.com/", "com"),
            ("http://192.168.0.1/", "0.1"),
        ] {
            let found = dropped(url, &format!("a=1; Domain={domain}"));
            assert_eq!(found, Some(Dropped::ForeignDomain), "{domain}");
        }
    }

    #[test]
    fn localhost_and_addresses_may_name_themselves() {
        assert_eq!(sent(&jar("http://localhost/", &["a=1; Domain=localhost"]), "http://localhost/", NOW), "a=1");
        assert_eq!(sent(&jar("http://10.0.0.1/", &["a=1; Domain=10.0.0.1"]), "http://10.0.0.1/", NOW), "a=1");
        assert_eq!(sent(&jar("http://[::1]:80/", &["a=1; Secure"]), "http://[::1]/", NOW), "a=1");
    }

    #[test]
    fn the_default_path_is_the_directory_of_the_request() {
        for (url, sees, not) in
            [("http://h/a/b", "http://h/a/c", "http://h/ab"), ("http://h/a/", "http://h/a", "http://h/")]
        {
            let jar = jar(url, &["x=1"]);
            assert_eq!(sent(&jar, sees, NOW), "x=1");
            assert_eq!(sent(&jar, not, NOW), "");
        }
        assert_eq!(sent(&jar("http://h/a", &["x=1"]), "http://h/other", NOW), "x=1");
        assert_eq!(sent(&jar("http://h/a/b", &["x=1; Path=relative"]), "http://h/a?q=/", NOW), "x=1");
    }

    #[test]
    fn a_path_matches_itself_and_what_lies_below() {
        let jar = jar("http://h/", &["x=1; Path=/a/b"]);
        for (path, sees) in [("/a/b", true), ("/a/b/", true), ("/a/b/c", true), ("/a/bc", false), ("/a", false)] {
            assert_eq!(sent(&jar, &format!("http://h{path}"), NOW) == "x=1", sees, "{path}");
        }
    }

    #[test]
    fn longer_paths_go_first_then_older_cookies() {
        let jar = jar("http://h/", &["a=1; Path=/", "b=2; Path=/x/y", "c=3; Path=/", "d=4; Path=/x/y", "a=5; Path=/"]);
        assert_eq!(sent(&jar, "http://h/x/y", NOW), "b=2; d=4; a=5; c=3");
    }

    #[test]
    fn a_cookie_is_replaced_only_under_the_same_name_domain_and_path() {
        let jar = jar("http://www.example.com/", &["a=1", "a=2", "a=3; Path=/x", "a=4; Domain=example.com"]);
        assert_eq!(sent(&jar, "http://www.example.com/x", NOW), "a=3; a=2; a=4");
    }

    #[test]
    fn max_age_counts_from_now_and_wins_over_expires() {
        let jar = jar("http://h/", &["a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
        assert_eq!(sent(&jar, "http://h/", NOW + 59.0), "a=1");
        assert_eq!(sent(&jar, "http://h/", NOW + 60.0), "");
    }

    #[test]
    fn expires_ends_a_cookie_and_no_cookie_outlives_400_days() {
        let short = jar("http://h/", &["a=1; Expires=Mon, 12 Jan 1970 13:46:41 GMT"]);
        assert_eq!(sent(&short, "http://h/", NOW), "a=1");
        assert_eq!(sent(&short, "http://h/", NOW + 1.0), "");
        let long = jar("http://h/", &["a=1; Max-Age=99999999999", "b=2"]);
        assert_eq!(sent(&long, "http://h/", NOW + MAX_LIFETIME), "b=2");
    }

    #[test]
    fn an_expired_cookie_deletes_the_one_it_names() {
        for deletion in ["a=; Max-Age=0", "a=gone; Max-Age=-5", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"] {
            assert_eq!(sent(&jar("http://h/", &["a=1", "b=2", deletion]), "http://h/", NOW), "b=2");
        }
        assert_eq!(sent(&jar("http://h/", &["a=1; Path=/", "a=; Max-Age=0; Path=/x"]), "http://h/", NOW), "a=1");
    }

    #[test]
    fn secure_cookies_need_https_or_a_loopback_host() {
        assert_eq!(dropped("http://example.com/", "a=1; Secure"), Some(Dropped::InsecureOrigin));
        let secure = jar("https://example.com/", &["a=1; Secure"]);
        assert_eq!(sent(&secure, "https://example.com/", NOW), "a=1");
        assert_eq!(sent(&secure, "http://example.com/", NOW), "");
        for host in ["localhost:6543", "127.0.0.1", "a.localhost"] {
            let url = format!("http://{host}/");
            assert_eq!(sent(&jar(&url, &["a=1; Secure"]), &url, NOW), "a=1");
        }
    }

    #[test]
    fn name_prefixes_and_same_site_none_keep_their_promises() {
        for (header, fate) in [
            ("__Secure-a=1", Some(Dropped::Prefix)),
            ("__Secure-a=1; Secure", None),
            ("__Host-a=1; Secure", Some(Dropped::Prefix)),
            ("__Host-a=1; Secure; Path=/; Domain=example.com", Some(Dropped::Prefix)),
            ("__host-a=1; Path=/", Some(Dropped::Prefix)),
            ("__Host-a=1; Secure; Path=/", None),
            ("a=1; SameSite=None", Some(Dropped::SameSiteNone)),
            ("a=1; SameSite=None; Secure", None),
        ] {
            assert_eq!(dropped("https://example.com/", header), fate, "{header}");
        }
    }

    #[test]
    fn a_cookie_that_is_too_long_leaves_the_old_one_in_place() {
        let mut jar = jar("http://h/", &["a=1"]);
        let found = jar.store(&format!("a={}", "x".repeat(4096)), &at("http://h/"), NOW);
        assert_eq!(found, Err(Dropped::TooLong(4097)));
        assert_eq!(sent(&jar, "http://h/", NOW), "a=1");
    }

    proptest! {
        #[test]
        fn whatever_is_kept_fits_a_header_and_what_it_came_from(header in "[ab=;, \"\\PC]{0,20}(; ?(Path|Domain|Max-Age|Expires|Secure)=?[ -~]{0,12}){0,3}") {
            let place = at("https://a.example.com/b/c");
            let mut jar = Jar::default();
            let kept = jar.store(&header, &place, NOW);
            let sent = jar.matching(&place, NOW);
            prop_assert!(sent.len() <= usize::from(kept.is_ok()));
            for (name, value) in sent {
                prop_assert!(!name.is_empty() && !name.contains(['=', ';']) && !value.contains(';'));
            }
        }
    }
}
