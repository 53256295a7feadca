//! Where in a text a tag of its syntax tree stands.

use std::ops::Range;

use handlebars::template::{Template, TemplateElement};

use super::syntax::else_tags;
use crate::diagnostic::{Place, Written};

/// Completes a syntax tree, which does not know where each `{{else if …}}` stands.
pub fn place_else_tags(template: &mut Template, text: &str) {
    for (element, mapping) in template.elements.iter_mut().zip(&template.mapping) {
        let below = match element {
            TemplateElement::HelperBlock(block) => {
                let mut tags = else_tags(text, offset_of(text, (mapping.0, mapping.1))).into_iter();
                let mut inverse = block.inverse.as_mut().filter(|_| block.chain);
                while let (Some(chained), Some(at)) = (inverse.take(), tags.next()) {
                    let mut place = mapping.clone();
                    (place.0, place.1) = spot_of(text, at);
                    chained.mapping.push(place);
                    inverse = match chained.elements.as_mut_slice() {
                        [TemplateElement::HelperBlock(next)] if next.chain => next.inverse.as_mut(),
                        _ => None,
                    };
                }
                [block.template.as_mut(), block.inverse.as_mut()]
            }
            TemplateElement::PartialBlock(tag) | TemplateElement::DecoratorBlock(tag) => [tag.template.as_mut(), None],
            _ => continue,
        };
        below.into_iter().flatten().for_each(|template| place_else_tags(template, text));
    }
}

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

/// The line and column of a byte, both counted from 1, the column in characters.
fn spot_of(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line..].chars().count() + 1)
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
