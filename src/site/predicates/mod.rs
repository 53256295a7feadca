//! `match`: what a request must be, beside its method and path, for a route to answer it (Pyramid's
//! predicates).

mod accept;
pub mod compile;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::header::ACCEPT;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use regex::Regex;

pub use accept::{Accepted, Liking};

/// What a route is chosen by: a request as far as it is known before its body is read.
#[derive(Clone, Copy, Debug)]
pub struct Head<'r> {
    /// The method.
    pub method: &'r Method,
    /// The path as sent, percent-encoded.
    pub path: &'r str,
    /// The query as sent, without its question mark.
    pub query: Option<&'r str>,
    /// The headers.
    pub headers: &'r HeaderMap,
    /// The host in lower case, with its port if the request named one.
    pub host: &'r str,
}

/// The `match` of a route, compiled; the empty one holds for every request.
#[derive(Clone, Debug, Default)]
pub struct Predicates {
    headers: Vec<Header>,
    params: Vec<Param>,
    /// Media types in lower case. One that the client takes is enough.
    accept: Vec<String>,
    xhr: Option<bool>,
    /// Hosts in lower case; a leading dot is for what is below, too. One of them is enough.
    hosts: Vec<String>,
}

/// `header`: it is there, or it begins as the regular expression says.
#[derive(Clone, Debug)]
struct Header {
    name: HeaderName,
    value: Option<Start>,
}

/// How the value of a header begins.
#[derive(Clone, Debug)]
struct Start {
    written: String,
    regex: Arc<Regex>,
}

/// `param`: it is in the query, or it has this value there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Param {
    name: String,
    value: Option<String>,
}

const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
const XHR: &str = "XMLHttpRequest";

impl Predicates {
    /// Whether there is nothing to hold.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many there are. Alternatives count once.
    fn count(&self) -> usize {
        let alternatives = [!self.accept.is_empty(), self.xhr.is_some(), !self.hosts.is_empty()];
        self.headers.len() + self.params.len() + alternatives.into_iter().filter(|given| *given).count()
    }

    /// The headers that decide whether they hold, for `Vary`. The host and the query are part of the
    /// URL.
    pub fn varies(&self) -> impl Iterator<Item = HeaderName> {
        let accept = (!self.accept.is_empty()).then_some(ACCEPT);
        let xhr = self.xhr.map(|_| REQUESTED_WITH);
        self.headers.iter().map(|header| header.name.clone()).chain(accept).chain(xhr)
    }

    /// How well a request matches these predicates; `None` if one of them does not hold.
    pub fn liking(&self, head: &Head<'_>) -> Option<Liking> {
        let xhr = || head.headers.get(REQUESTED_WITH).is_some_and(|value| value == XHR);
        let holds = self.xhr.is_none_or(|wanted| wanted == xhr())
            && self.headers.iter().all(|header| header.holds(head.headers))
            && self.params.iter().all(|param| param.holds(head.query.unwrap_or_default()))
            && (self.hosts.is_empty() || self.hosts.iter().any(|host| host_matches(host, host_name(head.host))));
        if !holds {
            return None;
        }
        if self.accept.is_empty() {
            return Some(Liking::default());
        }
        let accepted = Accepted::of(head.headers.get_all(ACCEPT).iter());
        self.accept.iter().filter_map(|kind| accepted.liking(kind)).max()
    }

    /// Whether of two routes whose predicates all hold this one answers, given how they like the
    /// request.
    pub fn beats(&self, own: &Liking, other: &Self, others: &Liking) -> bool {
        if self.count() != other.count() {
            return self.count() > other.count();
        }
        match (self.is_within(other), other.is_within(self)) {
            (true, false) => true,
            (false, true) => false,
            _ => own > others,
        }
    }

    /// Whether it is clear which of two routes on one path answers, whatever is asked.
    pub fn tells_apart(&self, other: &Self) -> bool {
        let narrower = || self.is_within(other) != other.is_within(self);
        let same = || self.is_within(other) && other.is_within(self);
        let by_accept = || !self.accept.is_empty() && self.accept.iter().all(|kind| !other.accept.contains(kind));
        self.count() != other.count() || self.excludes(other) || narrower() || (same() && by_accept())
    }

    /// Whether a request for which these hold is one for which the others do, `accept` left aside.
    fn is_within(&self, other: &Self) -> bool {
        let host_within = |host: &String| other.hosts.iter().any(|wide| is_host_within(host, wide));
        self.accept.is_empty() == other.accept.is_empty()
            && (other.xhr.is_none() || self.xhr == other.xhr)
            && other.headers.iter().all(|wide| self.headers.iter().any(|header| header.is_within(wide)))
            && other.params.iter().all(|wide| self.params.iter().any(|param| param.is_within(wide)))
            && (other.hosts.is_empty() || (!self.hosts.is_empty() && self.hosts.iter().all(host_within)))
    }

    /// Whether no request can have both.
    fn excludes(&self, other: &Self) -> bool {
        let apart = |one: &String, two: &String| !is_host_within(one, two) && !is_host_within(two, one);
        let hosts_apart = || self.hosts.iter().all(|one| other.hosts.iter().all(|two| apart(one, two)));
        (self.xhr.is_some() && other.xhr.is_some() && self.xhr != other.xhr)
            || (!self.hosts.is_empty() && !other.hosts.is_empty() && hosts_apart())
            || self.headers.iter().any(|one| other.headers.iter().any(|two| one.excludes(two)))
            || self.params.iter().any(|one| other.params.iter().any(|two| one.excludes(two)))
    }

    /// Whether they can hold where only these hosts are answered; any, if there are none.
    pub fn within_hosts(&self, allowed: &[String]) -> bool {
        let overlap = |host: &String| {
            allowed
                .iter()
                .map(|wide| wide.to_ascii_lowercase())
                .any(|wide| is_host_within(host, &wide) || is_host_within(&wide, host))
        };
        allowed.is_empty() || self.hosts.is_empty() || self.hosts.iter().any(overlap)
    }

    /// Whether this is by `accept`, and whether HTML is among what it takes.
    pub fn by_accept(&self) -> Option<bool> {
        (!self.accept.is_empty()).then(|| self.accept.iter().any(|kind| kind == "text/html"))
    }

    /// As they would be written, for listings.
    pub fn written(&self) -> Vec<String> {
        let header = |header: &Header| match &header.value {
            Some(start) => format!("{}: {}", header.name, start.written),
            None => header.name.to_string(),
        };
        let param = |param: &Param| match &param.value {
            Some(value) => format!("?{}={value}", param.name),
            None => format!("?{}", param.name),
        };
        let mut written: Vec<String> = self.headers.iter().map(header).collect();
        written.extend(self.params.iter().map(param));
        written.extend((!self.accept.is_empty()).then(|| format!("accept {}", self.accept.join(" or "))));
        written.extend(self.xhr.map(|xhr| if xhr { "xhr" } else { "no xhr" }.to_owned()));
        written.extend((!self.hosts.is_empty()).then(|| format!("host {}", self.hosts.join(" or "))));
        written
    }
}

impl Header {
    /// Several fields of one name are one value (RFC 9110 section 5.3).
    fn holds(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(&self.name).iter().map(HeaderValue::as_bytes);
        let Some(first) = values.next() else { return false };
        let Some(start) = &self.value else { return true };
        let mut value = String::from_utf8_lossy(first).into_owned();
        for further in values {
            value.push_str(", ");
            value.push_str(&String::from_utf8_lossy(further));
        }
        start.regex.is_match(&value)
    }

    fn is_within(&self, wide: &Self) -> bool {
        let written = |header: &Self| header.value.as_ref().map(|start| start.written.clone());
        self.name == wide.name && (wide.value.is_none() || written(self) == written(wide))
    }

    /// Two texts, neither of which begins with the other.
    fn excludes(&self, other: &Self) -> bool {
        let (Some(one), Some(two)) = (&self.value, &other.value) else { return false };
        let is_text = |start: &Start| !start.written.contains(regex_syntax::is_meta_character);
        self.name == other.name
            && is_text(one)
            && is_text(two)
            && !one.written.starts_with(&two.written)
            && !two.written.starts_with(&one.written)
    }
}

impl Param {
    /// As for `params`, the last of several values counts.
    fn holds(&self, query: &str) -> bool {
        let mut values = query.split('&').filter_map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            (!field.is_empty() && decoded(name) == self.name).then_some(value)
        });
        let last = values.next_back();
        last.is_some_and(|value| self.value.as_ref().is_none_or(|wanted| decoded(value) == *wanted))
    }

    fn is_within(&self, wide: &Self) -> bool {
        self.name == wide.name && (wide.value.is_none() || self.value == wide.value)
    }

    fn excludes(&self, other: &Self) -> bool {
        self.name == other.name && self.value.is_some() && other.value.is_some() && self.value != other.value
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// A host without its port.
fn host_name(host: &str) -> &str {
    let port = |(_, port): &(&str, &str)| port.bytes().all(|byte| byte.is_ascii_digit());
    host.rsplit_once(':').filter(port).map_or(host, |(name, _)| name)
}

/// `.example.org` is `example.org` and everything below it. Both are in lower case.
pub fn host_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix('.') {
        Some(domain) => name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => name == pattern,
    }
}

fn is_host_within(narrow: &str, wide: &str) -> bool {
    match narrow.strip_prefix('.') {
        Some(domain) => wide.starts_with('.') && host_matches(wide, domain),
        None => host_matches(wide, narrow),
    }
}

/// Whether this can be a host without a port, a dot in front allowed.
fn is_host(text: &str) -> bool {
    let name = text.strip_prefix('.').unwrap_or(text);
    let parsed: Option<Authority> = name.parse().ok();
    parsed.is_some_and(|authority| authority.host() == name && !name.starts_with('.'))
}
