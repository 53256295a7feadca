//! Where in a script a text has led to: a small part of JavaScript's lexical grammar (ECMA-262, chapter
//! 12), enough to tell code from what is in quotes.

/// Where in a script a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InScript {
    /// Where a value of the language can be written.
    Code,
    /// Within these quotes.
    Quoted(char),
    /// In a comment.
    Comment,
    /// In a regular expression.
    Pattern,
}

/// A script that is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    state: State,
    /// For each `${` that is open, how many braces are open in it.
    braces: Vec<u8>,
    /// Whether a slash would divide: there was a value just now.
    after_value: bool,
    /// The word that is being read, its beginning.
    word: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Code,
    /// A slash: of a comment, a pattern or a division.
    Slash,
    Quoted(char),
    /// Behind a backslash.
    Escaped(char),
    /// Behind a `$` in a template literal.
    Dollar,
    LineComment,
    BlockComment,
    /// Behind an asterisk in a comment.
    Asterisk,
    Pattern,
    PatternEscaped,
    /// Between `[` and `]`, where a slash does not end it.
    Class,
    ClassEscaped,
}

/// Words that a value follows, so that a slash begins a pattern.
const BEFORE_VALUES: [&str; 11] =
    ["return", "typeof", "case", "do", "else", "in", "instanceof", "new", "void", "throw", "delete"];

impl Script {
    /// The beginning.
    pub fn new() -> Self {
        Self { state: State::Code, braces: Vec::new(), after_value: false, word: String::new() }
    }

    /// Takes a character.
    pub fn next(&mut self, c: char) {
        let ends_line = matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}');
        self.state = match self.state {
            State::Code => self.code(c),
            State::Slash => match c {
                '/' => State::LineComment,
                '*' => State::BlockComment,
                _ if self.after_value => {
                    self.after_value = false;
                    self.code(c)
                }
                '[' => State::Class,
                '\\' => State::PatternEscaped,
                _ if ends_line => State::Code,
                _ => State::Pattern,
            },
            State::Quoted(quote) if c == quote => self.value(),
            State::Quoted(quote) => match c {
                '\\' => State::Escaped(quote),
                '$' if quote == '`' => State::Dollar,
                // Without its end it ends here.
                '\n' | '\r' if quote != '`' => State::Code,
                _ => State::Quoted(quote),
            },
            State::Escaped(quote) => State::Quoted(quote),
            State::Dollar => match c {
                '{' => {
                    self.braces.push(0);
                    self.after_value = false;
                    State::Code
                }
                '`' => self.value(),
                '\\' => State::Escaped('`'),
                '$' => State::Dollar,
                _ => State::Quoted('`'),
            },
            State::LineComment if ends_line => State::Code,
            State::BlockComment | State::Asterisk if c == '*' => State::Asterisk,
            State::Asterisk if c == '/' => State::Code,
            State::Asterisk => State::BlockComment,
            State::Pattern | State::PatternEscaped | State::Class | State::ClassEscaped if ends_line => State::Code,
            State::Pattern => match c {
                '/' => self.value(),
                '[' => State::Class,
                '\\' => State::PatternEscaped,
                _ => State::Pattern,
            },
            State::PatternEscaped => State::Pattern,
            State::Class => match c {
                ']' => State::Pattern,
                '\\' => State::ClassEscaped,
                _ => State::Class,
            },
            State::ClassEscaped => State::Class,
            state => state,
        };
    }

    fn code(&mut self, c: char) -> State {
        if c.is_alphanumeric() || matches!(c, '_' | '$') {
            if self.word.len() < 12 {
                self.word.push(c);
            }
            self.after_value = true;
            return State::Code;
        }
        let word = std::mem::take(&mut self.word);
        if BEFORE_VALUES.contains(&word.as_str()) {
            self.after_value = false;
        }
        match c {
            '/' => return State::Slash,
            '"' | '\'' | '`' => return State::Quoted(c),
            '{' => {
                if let Some(open) = self.braces.last_mut() {
                    *open = open.saturating_add(1);
                }
                self.after_value = false;
            }
            '}' => {
                self.after_value = false;
                match self.braces.last_mut() {
                    Some(0) => {
                        self.braces.pop();
                        return State::Quoted('`');
                    }
                    Some(open) => *open -= 1,
                    None => {}
                }
            }
            ')' | ']' => self.after_value = true,
            c if c.is_whitespace() => {}
            _ => self.after_value = false,
        }
        State::Code
    }

    fn value(&mut self) -> State {
        self.after_value = true;
        State::Code
    }

    /// Puts a value in.
    pub fn put(&mut self) -> InScript {
        self.word.clear();
        match self.state {
            State::Slash if !self.after_value => InScript::Pattern,
            State::Code | State::Slash => {
                self.state = self.value();
                InScript::Code
            }
            State::Quoted(quote) | State::Escaped(quote) => InScript::Quoted(quote),
            State::Dollar => InScript::Quoted('`'),
            State::LineComment | State::BlockComment | State::Asterisk => InScript::Comment,
            State::Pattern | State::PatternEscaped | State::Class | State::ClassEscaped => InScript::Pattern,
        }
    }
}
