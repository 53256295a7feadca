//! Conditional requests (RFC 9110 section 13).

use std::time::{Duration, SystemTime};

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// What the conditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They hold, or there are none.
    Send,
    /// 304: the client has it already.
    NotModified,
    /// 412: it is not what the client thinks it is.
    Failed,
}

/// Weighs the conditions in the order of RFC 9110 section 13.2.2. A date that is none does not
/// count.
pub(super) fn judge(method: &Method, headers: &HeaderMap, etag: &HeaderValue, modified: SystemTime) -> Verdict {
    let reading = matches!(*method, Method::GET | Method::HEAD);
    if headers.contains_key(IF_MATCH) {
        if !names(headers, IF_MATCH, etag, false) {
            return Verdict::Failed;
        }
    } else if date(headers, IF_UNMODIFIED_SINCE).is_some_and(|since| whole_seconds(modified) > since) {
        return Verdict::Failed;
    }
    if headers.contains_key(IF_NONE_MATCH) {
        return match names(headers, IF_NONE_MATCH, etag, true) {
            false => Verdict::Send,
            true if reading => Verdict::NotModified,
            true => Verdict::Failed,
        };
    }
    let unchanged = date(headers, IF_MODIFIED_SINCE).is_some_and(|since| whole_seconds(modified) <= since);
    if unchanged && reading { Verdict::NotModified } else { Verdict::Send }
}

/// Whether a range may be sent: `If-Range` names what there is (RFC 9110 section 13.1.5).
pub(super) fn range_holds(headers: &HeaderMap, etag: &HeaderValue, modified: SystemTime) -> bool {
    let Some(value) = headers.get(IF_RANGE) else { return true };
    value == etag || date(headers, IF_RANGE).is_some_and(|since| whole_seconds(modified) == since)
}

/// Whether a list of entity tags has this one. `weakly`: a `W/` before it does not matter.
fn names(headers: &HeaderMap, name: HeaderName, etag: &HeaderValue, weakly: bool) -> bool {
    let mut items = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
    items.any(|item| {
        let item = item.trim();
        let item = if weakly { item.strip_prefix("W/").unwrap_or(item) } else { item };
        item == "*" || item.as_bytes() == etag.as_bytes()
    })
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

/// HTTP's dates have no fractions.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG: HeaderValue = HeaderValue::from_static("\"a\"");
    const BEFORE: &str = "Sat, 21 Nov 2026 10:00:00 GMT";
    const AT: &str = "Sat, 21 Nov 2026 11:00:00 GMT";

    fn modified() -> SystemTime {
        httpdate::parse_http_date(AT).unwrap() + Duration::from_millis(500)
    }

    fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn conditions_are_weighed_in_the_order_of_the_rfc() {
        for (fields, expected) in [
            (&[][..], Verdict::Send),
            (&[(IF_NONE_MATCH, "\"a\"")], Verdict::NotModified),
            (&[(IF_NONE_MATCH, "W/\"a\"")], Verdict::NotModified),
            (&[(IF_NONE_MATCH, "\"b\", \"a\"")], Verdict::NotModified),
            (&[(IF_NONE_MATCH, "*")], Verdict::NotModified),
            (&[(IF_NONE_MATCH, "\"b\"")], Verdict::Send),
            (&[(IF_MODIFIED_SINCE, AT)], Verdict::NotModified),
            (&[(IF_MODIFIED_SINCE, BEFORE)], Verdict::Send),
            (&[(IF_MODIFIED_SINCE, "yesterday")], Verdict::Send),
            (&[(IF_NONE_MATCH, "\"b\""), (IF_MODIFIED_SINCE, AT)], Verdict::Send),
            (&[(IF_MATCH, "\"a\"")], Verdict::Send),
            (&[(IF_MATCH, "W/\"a\"")], Verdict::Failed),
            (&[(IF_MATCH, "\"b\"")], Verdict::Failed),
            (&[(IF_UNMODIFIED_SINCE, BEFORE)], Verdict::Failed),
            (&[(IF_UNMODIFIED_SINCE, AT)], Verdict::Send),
            (&[(IF_MATCH, "\"a\""), (IF_UNMODIFIED_SINCE, BEFORE)], Verdict::Send),
        ] {
            assert_eq!(judge(&Method::GET, &headers(fields), &ETAG, modified()), expected, "{fields:?}");
        }
    }

    #[test]
    fn a_range_is_of_what_the_client_has() {
        for (fields, expected) in [
            (&[][..], true),
            (&[(IF_RANGE, "\"a\"")], true),
            (&[(IF_RANGE, "W/\"a\"")], false),
            (&[(IF_RANGE, "\"b\"")], false),
            (&[(IF_RANGE, AT)], true),
            (&[(IF_RANGE, BEFORE)], false),
        ] {
            assert_eq!(range_holds(&headers(fields), &ETAG, modified()), expected, "{fields:?}");
        }
    }
}
