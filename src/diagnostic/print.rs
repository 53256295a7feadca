//! How problems look: as text for a terminal, in the shape `rustc` has made familiar.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Place, Severity};

/// Every problem with its excerpt and advice, then one line that counts them.
///
/// `color` puts terminal colours in; without it the text is plain.
pub fn to_text(problems: &Diagnostics, color: bool) -> String {
    let mut text = String::new();
    for diagnostic in problems.sorted() {
        text.push_str(&one(diagnostic, color));
        text.push_str("\n\n");
    }
    text.push_str(&summary(problems));
    text
}

/// One problem with its excerpt and advice, without a line end behind it.
pub fn one(diagnostic: &Diagnostic, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).term_width(120).render(&[group(diagnostic)])
}

/// `1 route`, `2 routes`.
pub fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `2 errors, 1 warning`, or `no problems`.
pub fn summary(problems: &Diagnostics) -> String {
    let counts: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .into_iter()
        .map(|(severity, word)| (problems.count(severity), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count as u64, word))
        .collect();
    if counts.is_empty() { "no problems".to_owned() } else { counts.join(", ") }
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message));
    match &diagnostic.place {
        Some(place) if place.source.text().is_some() => group = with_excerpts(group, diagnostic, place),
        Some(place) => {
            group = group.element(Origin::path(place.source.name()));
            if !diagnostic.key.is_empty() {
                group = group.element(Level::NOTE.message(format!("it sets `{}`", diagnostic.key)));
            }
        }
        None => {}
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    group
}

/// Places of the same file share one excerpt; others follow in theirs.
fn with_excerpts<'a>(mut group: Group<'a>, diagnostic: &'a Diagnostic, place: &'a Place) -> Group<'a> {
    let key = format!("`{}`", diagnostic.key);
    // No need to say it twice.
    let named = diagnostic.key.is_empty() || diagnostic.message.contains(&key);
    let label = if named { String::new() } else { format!("in {key}") };
    let mut first = snippet(place).annotation(mark(AnnotationKind::Primary, place, label));
    for (other, what) in &diagnostic.related {
        if other.source == place.source {
            first = first.annotation(mark(AnnotationKind::Context, other, what.clone()));
        }
    }
    group = group.element(first);
    for (other, what) in &diagnostic.related {
        if other.source != place.source {
            let annotation = mark(AnnotationKind::Context, other, what.clone());
            group = group.element(snippet(other).annotation(annotation));
        }
    }
    group
}

fn snippet<'a>(place: &'a Place) -> Snippet<'a, Annotation<'a>> {
    Snippet::source(place.source.text().unwrap_or_default()).path(place.source.name())
}

/// A mark never runs past the line it starts on: a whole template under carets helps nobody.
fn mark<'a>(kind: AnnotationKind, place: &Place, label: String) -> Annotation<'a> {
    let text = place.source.text().unwrap_or_default();
    let start = floor_char(text, place.span.start.min(text.len()));
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = floor_char(text, place.span.end.clamp(start, line_end.max(start)));
    let annotation = kind.span(start..end);
    if label.is_empty() { annotation } else { annotation.label(label) }
}

fn floor_char(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    #[test]
    fn a_problem_shows_file_line_column_excerpt_key_and_advice() {
        let source = Source::file("config.toml", "a = 1\nactions = [{ raed = \"x\" }]\n");
        let problem = Diagnostic::error(&source.place(19..23), "unknown verb `raed`")
            .key("routes.home.actions[0]")
            .help("did you mean `read`?");
        let text = to_text(&problem.into(), false);
        assert_eq!(
            text,
            "error: unknown verb `raed`\n \
             --> config.toml:2:14\n  \
             |\n\
             2 | actions = [{ raed = \"x\" }]\n  \
             |              ^^^^ in `routes.home.actions[0]`\n  \
             |\n  \
             = help: did you mean `read`?\n\n\
             1 error"
        );
    }

    #[test]
    fn a_variable_is_named_and_its_value_is_not_shown() {
        let source = Source::variable("SITEWRIGHT__SESSION__TIMEOUT");
        let problem = Diagnostic::error(&source.place(0..0), "not a number of seconds").key("session.timeout");
        let text = to_text(&problem.into(), false);
        assert!(text.contains("environment variable SITEWRIGHT__SESSION__TIMEOUT"), "{text}");
    }
}
