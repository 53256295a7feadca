//! Whether a precompressed copy may stand in for a file: `Accept-Encoding` (RFC 9110 section
//! 12.5.3).

use http::HeaderValue;

/// The encodings that files are looked for in, the smallest first, and the suffix of each.
pub(super) const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// What a client takes, in lower case.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    taken: Vec<String>,
    refused: Vec<String>,
}

impl Accepted {
    /// Whether it takes this encoding: it names it, or it takes any.
    pub fn takes(&self, encoding: &str) -> bool {
        let has = |list: &[String], name: &str| list.iter().any(|item| item == name);
        has(&self.taken, encoding) || (has(&self.taken, "*") && !has(&self.refused, encoding))
    }
}

/// Reads the fields. How much the client likes one is not asked: the smallest it takes is sent.
pub(super) fn accepted<'a>(fields: impl Iterator<Item = &'a HeaderValue>) -> Accepted {
    let mut accepted = Accepted::default();
    for item in fields.filter_map(|field| field.to_str().ok()).flat_map(|field| field.split(',')) {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let quality = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
        let refused = quality.is_some_and(|quality| quality.trim().parse::<f32>().is_ok_and(|quality| quality <= 0.0));
        let list = if refused { &mut accepted.refused } else { &mut accepted.taken };
        list.push(name.trim().to_ascii_lowercase());
    }
    accepted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_taken_if_it_is_named_and_not_refused() {
        let takes = |field: &'static str, encoding| accepted([HeaderValue::from_static(field)].iter()).takes(encoding);
        for (field, encoding, expected) in [
            ("gzip, deflate, br", "br", true),
            ("gzip, deflate, br", "gzip", true),
            ("GZIP;q=0.5", "gzip", true),
            ("gzip", "br", false),
            ("", "gzip", false),
            ("br;q=0, *", "br", false),
            ("br;q=0.000, *;q=0.1", "gzip", true),
            ("*", "br", true),
            ("*;q=0", "br", false),
            ("identity", "gzip", false),
            ("gzip;q=x", "gzip", true),
        ] {
            assert_eq!(takes(field, encoding), expected, "{field} {encoding}");
        }
    }
}
