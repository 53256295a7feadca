//! What is wrong with a `.http` file: where, what, and how to mend it.

use std::fmt;
use std::path::Path;

/// One line of a `.http` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1.
    pub number: usize,
    /// Without its line ending.
    pub text: &'a str,
}

/// One problem in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// The column of the first marked character, counted from 1.
    pub column: usize,
    /// How many characters are marked.
    pub width: usize,
    /// The line itself.
    pub excerpt: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with `part` of `line`; with the whole line where `part` is not in it.
    pub fn at(line: Line<'_>, part: &str, message: impl Into<String>) -> Self {
        let part = if part.is_empty() { line.text.trim() } else { part };
        let (before, part) = match line.text.split_once(part) {
            Some((before, _)) => (before, part),
            None => ("", line.text),
        };
        Self {
            line: line.number,
            column: before.chars().count() + 1,
            width: part.chars().count().max(1),
            excerpt: line.text.to_owned(),
            message: message.into(),
            help: None,
        }
    }

    /// A problem with the file as a whole.
    pub fn with_file(message: impl Into<String>) -> Self {
        Self { line: 0, column: 1, width: 1, excerpt: String::new(), message: message.into(), help: None }
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Names the known word nearest to the one that was written, if one is near.
    #[must_use]
    pub fn nearest<'a>(self, written: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match similar::get_close_matches(written, &known, 1, 0.6).first() {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None if known.is_empty() => self,
            None => self.help(format!("there are: {}", known.join(", "))),
        }
    }

    /// The problem with its excerpt, as compilers print theirs.
    pub fn in_file(&self, path: &Path) -> impl fmt::Display {
        let Self { line, column, excerpt, message, .. } = self;
        let mut text = format!("error: {message}\n");
        if *line == 0 {
            text += &format!("  --> {}\n", path.display());
        } else {
            let margin = " ".repeat(line.to_string().len());
            // Tabs stay tabs before the mark, so that it stands under what it marks.
            let before = excerpt.chars().take(column - 1);
            let indent: String = before.map(|c| if c == '\t' { c } else { ' ' }).collect();
            text += &format!("{margin}--> {}:{line}:{column}\n{margin} |\n", path.display());
            text += &format!("{line} | {excerpt}\n{margin} | {indent}{}\n", "^".repeat(self.width));
        }
        if let Some(help) = &self.help {
            text += &format!("help: {help}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_prints_its_place_its_line_and_its_advice() {
        let line = Line { number: 12, text: "#\t@vistor bob" };
        let problem = Problem::at(line, "@vistor", "unknown directive `@vistor`").nearest("vistor", ["visitor", "at"]);
        let expected = "\
error: unknown directive `@vistor`
  --> tests/a.http:12:3
   |
12 | #\t@vistor bob
   |  \t^^^^^^^
help: did you mean `visitor`?
";
        assert_eq!(problem.in_file(Path::new("tests/a.http")).to_string(), expected);
    }

    #[test]
    fn a_problem_with_the_whole_file_has_no_excerpt() {
        let text = Problem::with_file("no request").in_file(Path::new("a.http")).to_string();
        assert_eq!(text, "error: no request\n  --> a.http\n");
    }

    #[test]
    fn without_a_near_name_all_are_listed() {
        let line = Line { number: 1, text: "x" };
        let problem = Problem::at(line, "x", "unknown").nearest("x", ["at", "visitor"]);
        assert_eq!(problem.help.as_deref(), Some("there are: at, visitor"));
    }
}
