//! What came out against what was accepted: section by section, so that one change is one failure.

use similar::{Algorithm, DiffTag, TextDiff, capture_diff_slices};

/// What became of one request's section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As accepted.
    Same,
    /// Not as accepted; a unified diff.
    Differs(String),
    /// The snapshot does not hold this request yet; its section as a unified diff.
    New(String),
}

/// A snapshot compared with a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// One per section of the run.
    pub verdicts: Vec<Verdict>,
    /// Titles of sections whose request is gone, and text that belongs to no section.
    pub stale: Vec<String>,
}

/// A snapshot's whole text: its sections with an empty line between them.
pub fn join(sections: &[impl AsRef<str>]) -> String {
    sections.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("\n")
}

/// Compares the sections of a run with a snapshot's text. Sections are matched by title, an unnamed one
/// by its request line, and in order.
pub fn compare(expected: &str, sections: &[impl AsRef<str>]) -> Comparison {
    let (stray, old) = split(expected);
    let old_titles: Vec<String> = old.iter().map(|section| title(section)).collect();
    let new_titles: Vec<String> = sections.iter().map(|section| title(section.as_ref())).collect();
    let mut comparison = Comparison::default();
    if !stray.trim().is_empty() {
        comparison.stale.push("text before the first `###`".to_owned());
    }
    for op in capture_diff_slices(Algorithm::Myers, &old_titles, &new_titles) {
        let (tag, old_range, new_range) = op.as_tag_tuple();
        let old = old.get(old_range.clone()).unwrap_or_default();
        let new = sections.get(new_range).unwrap_or_default();
        if tag == DiffTag::Equal {
            comparison.verdicts.extend(old.iter().zip(new).map(|(old, new)| verdict(old, new.as_ref())));
        } else {
            comparison.verdicts.extend(new.iter().map(|new| Verdict::New(unified("", new.as_ref()))));
            comparison.stale.extend(old_titles.get(old_range).unwrap_or_default().iter().cloned());
        }
    }
    comparison
}

fn verdict(old: &str, new: &str) -> Verdict {
    if old == new { Verdict::Same } else { Verdict::Differs(unified(old, new)) }
}

fn unified(old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().to_string()
}

/// The text before the first section, and the sections, each without the empty line that parts it from
/// the next.
fn split(text: &str) -> (&str, Vec<&str>) {
    let starts = text.match_indices("###").map(|(at, _)| at);
    let starts = starts.filter(|at| text.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with('\n')));
    let mut starts: Vec<usize> = starts.collect();
    let stray = text.get(..starts.first().copied().unwrap_or(text.len())).unwrap_or_default();
    starts.push(text.len());
    let sections = starts.windows(2).filter_map(|bounds| match bounds {
        [start, end] if *end == text.len() => text.get(*start..*end),
        [start, end] => text.get(*start..*end).map(|section| section.strip_suffix('\n').unwrap_or(section)),
        _ => None,
    });
    (stray, sections.collect())
}

fn title(section: &str) -> String {
    let mut lines = section.lines();
    let name = lines.next().unwrap_or_default().trim_start_matches('#').trim();
    if name.is_empty() { lines.next().unwrap_or_default().to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn what_was_joined_is_split_again() {
        let all = sections(&["### a\nGET /\n\n200 OK\n\nbody:\n  ### b\n\n", "###\nGET /x\n\nbody: ###\n"]);
        let text = join(&all);
        assert_eq!(split(&text), ("", all.iter().map(String::as_str).collect()));
        assert_eq!(compare(&text, &all), Comparison { verdicts: vec![Verdict::Same; 2], stale: vec![] });
    }

    #[test]
    fn a_changed_section_differs_and_its_neighbours_do_not() {
        let old = sections(&["### a\n1\n", "### b\n1\n", "### c\n1\n"]);
        let new = sections(&["### a\n1\n", "### b\n2\n", "### c\n1\n"]);
        let found = compare(&join(&old), &new);
        let diff = "@@ -1,2 +1,2 @@\n ### b\n-1\n+2\n".to_owned();
        assert_eq!(found.verdicts, [Verdict::Same, Verdict::Differs(diff), Verdict::Same]);
    }

    #[test]
    fn new_gone_and_moved_requests_are_told_apart() {
        let old = sections(&["### a\n", "### gone\n", "###\nGET /\n"]);
        let found = compare(&join(&old), &sections(&["### new\n", "### a\n", "###\nGET /\n"]));
        assert_eq!(found.verdicts, [Verdict::New("@@ -0,0 +1 @@\n+### new\n".into()), Verdict::Same, Verdict::Same]);
        assert_eq!(found.stale, ["gone"]);

        let moved = compare(&join(&old), &sections(&["### gone\n", "### a\n", "###\nGET /\n"]));
        assert_eq!(moved.stale.len(), 1);
        assert_eq!(moved.verdicts.iter().filter(|verdict| **verdict == Verdict::Same).count(), 2);
    }

    #[test]
    fn text_outside_of_sections_is_stale() {
        let found = compare("<<<<<<< ours\n### a\n", &sections(&["### a\n"]));
        assert_eq!(found.verdicts, [Verdict::Same]);
        assert_eq!(found.stale, ["text before the first `###`"]);
        assert_eq!(compare("", &sections(&["### a\n"])).verdicts.len(), 1);
    }

    #[test]
    fn a_lost_final_newline_is_a_difference() {
        assert!(matches!(compare("### a\n1", &sections(&["### a\n1\n"])).verdicts[..], [Verdict::Differs(_)]));
    }
}
