//! `Accept`: which media types a client takes, and how much it likes each (RFC 9110 section 12.5.1).

use std::cmp::Reverse;

use http::HeaderValue;

/// Of types that a client likes as much, in which order they are preferred: Pyramid's.
const ORDER: [&str; 6] =
    ["text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain", "application/json"];

/// How much a client likes a media type; the more, the greater.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Liking {
    /// In thousandths.
    quality: u16,
    order: Reverse<usize>,
    /// So that no two types are alike.
    kind: Reverse<String>,
}

/// What a client takes.
#[derive(Debug)]
pub struct Accepted(Vec<(String, u16)>);

impl Accepted {
    /// Reads the fields. None, or none that can be read, takes everything.
    pub fn of<'h>(fields: impl Iterator<Item = &'h HeaderValue>) -> Self {
        let items = fields.filter_map(|field| field.to_str().ok()).flat_map(|field| field.split(','));
        Self(items.filter_map(range).collect())
    }

    /// How much it likes a type; `None` if it does not take it.
    pub fn liking(&self, kind: &str) -> Option<Liking> {
        let group = kind.split('/').next().unwrap_or_default();
        // The range that says most about the type decides.
        let of = |range: &str| self.0.iter().filter(|(own, _)| own == range).map(|(_, quality)| *quality).max();
        let named = of(kind).or_else(|| of(&format!("{group}/*"))).or_else(|| of("*/*"));
        let quality = if self.0.is_empty() { 1000 } else { named.unwrap_or_default() };
        let order = ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len());
        (quality > 0).then(|| Liking { quality, order: Reverse(order), kind: Reverse(kind.to_owned()) })
    }

    /// The one of some types that it likes best; of those it likes as much, one that it names itself, and
    /// of these the first.
    pub fn best<'k>(&self, kinds: &[&'k str]) -> Option<&'k str> {
        let named = |kind: &str| self.0.iter().any(|(own, _)| own == kind);
        let liked = kinds.iter().enumerate().filter_map(|(index, kind)| {
            let liking = self.liking(kind)?;
            Some(((liking.quality, named(kind), Reverse(index)), *kind))
        });
        liked.max_by_key(|(liking, _)| *liking).map(|(_, kind)| kind)
    }
}

/// A media range and its quality. One with parameters is none of the types without.
fn range(item: &str) -> Option<(String, u16)> {
    let (range, parameters) = item.split_once(';').unwrap_or((item, "q=1"));
    let range = range.trim().to_ascii_lowercase();
    // What follows the weight belongs to no type.
    let (name, value) = parameters.split(';').next()?.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return Some((format!("{range};{parameters}"), 0));
    }
    let quality: f32 = value.trim().parse().ok()?;
    let good = range.contains('/') && (0.0..=1.0).contains(&quality);
    good.then(|| (range, (quality * 1000.0).round() as u16))
}
