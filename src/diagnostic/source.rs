//! Where text came from: a file or an environment variable.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text that declarations were read from, under the name a person knows it by.
///
/// What is kept is the text *as it may be shown*: secrets are masked before it gets here.
#[derive(PartialEq, Eq)]
pub struct Source {
    name: String,
    text: Option<String>,
}

impl Source {
    /// A file under the path the user gave.
    pub fn file(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: Some(text.into()) })
    }

    /// An environment variable. Its value is not kept: it may be a secret.
    pub fn variable(name: &str) -> Arc<Self> {
        Arc::new(Self { name: format!("environment variable {name}"), text: None })
    }

    /// A file whose text cannot be shown, such as one that is not text.
    pub fn opaque(name: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: None })
    }

    /// The file's path, or `environment variable NAME`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text that may be shown, if any may.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The place that spans `span` bytes of this text.
    pub fn place(self: &Arc<Self>, span: Range<usize>) -> Place {
        Place { source: Arc::clone(self), span }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.name).finish()
    }
}

/// A stretch of a [`Source`], in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text it lies in.
    pub source: Arc<Source>,
    /// Its bytes.
    pub span: Range<usize>,
}

impl Place {
    /// Line and column, both counted from 1, the column in characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let text = self.source.text().unwrap_or_default();
        let before = text.get(..self.span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source.text().is_none() {
            return f.write_str(self.source.name());
        }
        let (line, column) = self.line_and_column();
        write!(f, "{}:{line}:{column}", self.source.name())
    }
}

/// A value and where it was written.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place,
}

impl<T> At<T> {
    /// Puts a value and its place together.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }
}

impl<T> std::ops::Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}
