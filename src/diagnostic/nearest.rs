//! "Did you mean": the nearest valid name.

/// The candidate nearest to `name`, if one is near enough to be a slip of the finger.
///
/// Near means at most a third of the letters differ (one for short names), by the
/// Damerau-Levenshtein distance; `-` and `_` count as the same letter.
///
/// ```
/// use sitewright::diagnostic::nearest;
/// assert_eq!(nearest("incremnt_counter", ["read", "increment-counter"]), Some("increment-counter"));
/// assert_eq!(nearest("xyz", ["read", "pop"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let wanted = plain(name);
    let most = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::osa_distance(&wanted, &plain(candidate));
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= most && *candidate != name)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Advice for a name that is not valid: the nearest one if there is one.
pub fn nearest_help<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, candidates).map(|near| format!("did you mean `{near}`?"))
}

/// Advice for a name that is not valid: the nearest one, else all of them if they are few.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut all: Vec<_> = candidates.into_iter().collect();
    if let Some(help) = nearest_help(name, all.iter().copied()) {
        return Some(help);
    }
    all.sort_unstable();
    all.dedup();
    match all.as_slice() {
        [] => None,
        [only] => Some(format!("use `{only}`")),
        few if few.len() <= 48 => Some(format!("use one of `{}`", few.join("`, `"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_swapped_missing_or_doubled_is_near() {
        for slip in ["raed", "rea", "readd", "Read"] {
            assert_eq!(nearest(slip, ["read", "clear"]), Some("read"), "{slip}");
        }
    }

    #[test]
    fn something_else_altogether_is_not_near() {
        assert_eq!(nearest("frobnicate", ["read", "clear"]), None);
    }

    #[test]
    fn without_a_near_name_the_few_valid_ones_are_listed() {
        let advice = did_you_mean("frobnicate", ["read", "clear"]);
        assert_eq!(advice.as_deref(), Some("use one of `clear`, `read`"));
        assert_eq!(did_you_mean("frobnicate", ["read"]).as_deref(), Some("use `read`"));
        assert_eq!(did_you_mean("frobnicate", []), None);
    }
}
