//! Where in a text a tag of its syntax tree stands.

use std::ops::Range;

use crate::diagnostic::{Place, Written};

/// Where `part` of `word` stands in the tag at `spot`; the tag itself if `word` is not there or is
/// empty.
pub fn locate(text: &Written, spot: (usize, usize), word: &str, part: Range<usize>) -> Place {
    let start = offset_of(&text.text, spot);
    // Elements begin at their tag or at the white space before it.
    let start = start + text.text[start..].find("{{").unwrap_or(0);
    let tag = &text.text[start..];
    let end = tag.find("}}").map_or(tag.len(), |end| end + 2);
    match find_word(&tag[..end], word) {
        Some(at) => text.place_of(start + at + part.start..start + at + part.end),
        None => text.place_of(start..start + end),
    }
}

/// Where a word stands by itself: not within a longer one, and neither as the name of `name=value`
/// if it also stands elsewhere.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let part_of_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@');
    let mut alone = text.match_indices(word).map(|(at, _)| at).filter(|at| {
        let (before, after) = (&text[..*at], &text[at + word.len()..]);
        !word.is_empty() && !before.ends_with(part_of_word) && !after.starts_with(part_of_word)
    });
    let first = alone.clone().next();
    alone.find(|at| !text[at + word.len()..].starts_with('=')).or(first)
}

/// The byte at a line and column, both counted from 1, the column in characters.
pub fn offset_of(text: &str, (line, column): (usize, usize)) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(at) => start += at + 1,
            None => return text.len(),
        }
    }
    text[start..].char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_where_it_stands_by_itself() {
        assert_eq!(find_word("{{#each each_item}}", "each"), Some(3));
        assert_eq!(find_word("{{lookup map p}}", "p"), Some(13));
        assert_eq!(find_word("{{> row name=name}}", "name"), Some(13));
        assert_eq!(find_word("{{url \"user\" nmae=1}}", "nmae"), Some(13));
        assert_eq!(find_word("{{a.b}}", "b"), None);
        assert_eq!(find_word("{{a}}", ""), None);
    }
}
