//! Elements whose content is no HTML, and where it ends (HTML, "13.2.5.2 RCDATA state" and those after it).

use super::html::Place;
use super::script::{InScript, Script};

/// These elements.
pub const RAW: [&str; 9] = ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript"];

/// The content of such an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    element: &'static str,
    /// What has begun with a `<`, in small letters.
    begun: String,
    /// What it means, if it is a script.
    script: Option<Script>,
    /// Scripts alone: whether entities are read in it, as in `<svg>`.
    foreign: bool,
    /// Whether one may have been read, so that quotes and the like are not what they seem.
    decoded: bool,
    /// Scripts alone: whether it is in a comment, where another `<script>` hides the end of this one.
    comment: Comment,
    /// How many dashes there were just now, up to two.
    dashes: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comment {
    Outside,
    /// `<!--`
    Inside,
    /// `<!-- <script>`
    Hiding,
}

/// What a character leads to.
pub enum Next {
    /// It is the one behind `</element`.
    End,
    /// The content goes on, perhaps in this way as well.
    On(Option<Raw>),
}

impl Raw {
    /// The content begins, perhaps within an `<svg>`.
    pub fn new(element: &'static str, foreign: bool) -> Self {
        let script = (element == "script").then(Script::new);
        let begun = String::new();
        Self { element, begun, script, foreign, decoded: false, comment: Comment::Outside, dashes: 0 }
    }

    /// The element.
    pub fn element(&self) -> &'static str {
        self.element
    }

    /// Takes a character; there may be another way to read it.
    pub fn next(&mut self, c: char) -> Next {
        self.decoded |= self.foreign && c == '&';
        let other = self.script.as_mut().and_then(|script| script.next(c));
        match self.ends(c) {
            true => Next::End,
            false => Next::On(other.map(|script| Self { script: Some(script), ..self.clone() })),
        }
    }

    /// Whether it cannot be read like this after all.
    pub fn is_void(&self) -> bool {
        self.script.as_ref().is_some_and(Script::is_void)
    }

    /// Whether a character is the one behind `</element`.
    fn ends(&mut self, c: char) -> bool {
        let c = c.to_ascii_lowercase();
        if self.goes_on(c) {
            self.begun.push(c);
            if self.begun == "<!--" {
                self.begun.clear();
                (self.comment, self.dashes) = (Comment::Inside, 2);
            }
            return false;
        }
        let begun = std::mem::take(&mut self.begun);
        if matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ' | '/' | '>') && !begun.is_empty() {
            match (self.comment, begun.strip_prefix("</")) {
                (Comment::Outside | Comment::Inside, Some(name)) if name == self.element => return true,
                (Comment::Inside, None) if begun == "<script" => self.comment = Comment::Hiding,
                (Comment::Hiding, Some("script")) => self.comment = Comment::Inside,
                _ => {}
            }
        }
        self.dashes = match c {
            '-' if self.comment != Comment::Outside => 2.min(self.dashes + 1),
            '>' if self.dashes == 2 => {
                self.comment = Comment::Outside;
                0
            }
            _ => 0,
        };
        if c == '<' {
            self.begun.push(c);
        }
        false
    }

    /// Whether it belongs to what has begun with a `<`.
    fn goes_on(&self, c: char) -> bool {
        let is_script = self.script.is_some();
        match self.begun.as_str() {
            "" => false,
            "<" => match c {
                '/' => true,
                '!' => is_script && self.comment == Comment::Outside,
                c => c.is_ascii_alphabetic() && self.comment == Comment::Inside,
            },
            "<!" | "<!-" => c == '-',
            begun => c.is_ascii_alphabetic() && begun.trim_start_matches(['<', '/']).len() < self.element.len(),
        }
    }

    /// Puts a value in.
    pub fn put(&mut self) -> Place {
        let begun = std::mem::take(&mut self.begun);
        self.dashes = 0;
        match &mut self.script {
            Some(script) => Place::Script(match script.put() {
                InScript::Code if !self.decoded => InScript::Code,
                _ if self.foreign => InScript::Foreign,
                within => within,
            }),
            None if self.element == "style" => Place::Style,
            // It could complete the end tag.
            None if !begun.is_empty() => Place::Tag,
            None => Place::Characters,
        }
    }
}
