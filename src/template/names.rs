//! Dotted paths as Handlebars writes them: `session.cart.[a b]`, `../name`, `@root.name`.

/// What a path in a template starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// The innermost scope: inside `{{#each}}`, the item.
    Here,
    /// `../`, so many times.
    Up(usize),
    /// `@root.`
    Root,
    /// A variable of a block, such as `@index`; `@root` alone is none that there is.
    Local,
}

/// Takes a path apart. `this` and `.` are empty paths.
///
/// ```
/// use sitewright::template::names::{parse, Start};
/// assert_eq!(parse("../a.[b c]/d"), (Start::Up(1), vec!["a".into(), "b c".into(), "d".into()]));
/// ```
pub fn parse(raw: &str) -> (Start, Vec<String>) {
    let mut rest = below_this(raw).unwrap_or(raw);
    let mut start = Start::Here;
    if let Some(below) = rest.strip_prefix("@root").filter(|below| below.starts_with(['.', '/'])) {
        start = Start::Root;
        rest = below;
    } else if rest.starts_with('@') {
        return (Start::Local, Vec::new());
    } else {
        let mut ups = 0;
        while let Some(below) = rest.strip_prefix("../").or(rest.strip_prefix("..")) {
            ups += 1;
            rest = below;
        }
        if ups > 0 {
            start = Start::Up(ups);
        }
    }
    (start, segments(rest))
}

/// Whether a path says that it starts from the innermost scope: `this.name`.
pub fn is_explicit(raw: &str) -> bool {
    below_this(raw).is_some()
}

fn below_this(raw: &str) -> Option<&str> {
    ["this.", "this/", "./"].iter().find_map(|here| raw.strip_prefix(here))
}

fn segments(text: &str) -> Vec<String> {
    let mut segments = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        rest = rest.trim_start_matches(['.', '/']);
        let (segment, below) = match rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some(bracketed) => bracketed,
            None => {
                let end = rest.find(['.', '/']).unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        if !segment.is_empty() && segment != "this" {
            segments.push(segment.to_owned());
        }
        rest = below;
    }
    segments
}

/// Whether `text` can be written as a plain dotted path: `session.count`, `items.0`, `a.[b c]`.
pub fn is_path(text: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
    let mut rest = text;
    loop {
        let end = if rest.starts_with('[') {
            rest.find(']').map(|at| at + 1)
        } else {
            Some(rest.find(|c| !word(c)).unwrap_or(rest.len()))
        };
        match end {
            Some(end) if end > 0 => rest = &rest[end..],
            _ => return false,
        }
        if rest.is_empty() {
            return true;
        }
        match rest.strip_prefix('.') {
            Some(below) => rest = below,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart_as_handlebars_does() {
        let segments = |raw| parse(raw).1;
        assert_eq!(segments("session.user"), ["session", "user"]);
        assert_eq!(segments("session/user"), ["session", "user"]);
        assert_eq!(segments("this.name"), ["name"]);
        assert!(segments("this").is_empty() && segments(".").is_empty());
        assert_eq!(parse("@root.a").0, Start::Root);
        assert_eq!(parse("../../a"), (Start::Up(2), vec!["a".to_owned()]));
        assert_eq!(parse("@index").0, Start::Local);
        assert_eq!(parse("@root").0, Start::Local);
        assert_eq!(parse("@root.this"), (Start::Root, Vec::new()));
        assert_eq!(parse("this/@root.a"), (Start::Root, vec!["a".to_owned()]));
        assert_eq!(parse("./../a"), (Start::Up(1), vec!["a".to_owned()]));
    }

    #[test]
    fn only_plain_dotted_words_are_a_path() {
        for good in ["a", "session.count", "items.0.name", "request.headers.[user-agent]"] {
            assert!(is_path(good), "{good}");
        }
        for bad in ["", ".", "a.", ".a", "a b", "(a)", "a..b", "[", "a.[b"] {
            assert!(!is_path(bad), "{bad}");
        }
    }
}
