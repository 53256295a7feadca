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
    /// In a script within `<svg>`, where an escaped character is the character itself: in quotes, a comment
    /// or a regular expression, or behind an entity.
    Foreign,
}

/// A script that is being read, in one of the ways that it may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    state: State,
    /// What is open, the innermost last.
    open: Vec<Open>,
    /// What came just now, and so what a slash would be.
    after: After,
    /// What came before a `+` or `-`, for there may be another.
    before: After,
    /// The last character that is no blank; `a` for a word.
    token: char,
    /// Whether blanks came behind it.
    apart: bool,
    /// The word that is being read, its beginning.
    word: String,
    /// Whether it comes behind a dot, and so is a name whatever it is.
    dotted: bool,
    /// How much of `<!--` has been read.
    opening: usize,
    /// Whether the pattern that is being read is one in this reading alone.
    guessed: bool,
}

/// What came just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// Something that a value follows: a slash begins a pattern.
    Operator,
    /// A value: a slash divides.
    Value,
    /// Either.
    Unclear,
    /// `if` and its kin, that a condition follows.
    Conditional,
}

/// What is open, and what has come once it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Parenthesis(After),
    Brace(After),
    /// `${`
    Substitution,
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
    /// It cannot be read like this after all.
    Void,
}

/// Words that a value follows, so that a slash begins a pattern.
const BEFORE_VALUES: [&str; 16] = [
    "return",
    "typeof",
    "case",
    "do",
    "else",
    "in",
    "instanceof",
    "new",
    "void",
    "throw",
    "delete",
    "extends",
    "default",
    "break",
    "continue",
    "debugger",
];

/// Words that a condition in parentheses follows, and then a statement.
const BEFORE_CONDITIONS: [&str; 4] = ["if", "while", "for", "with"];

/// Words that are names elsewhere.
const UNCLEAR: [&str; 3] = ["yield", "await", "of"];

/// More is not counted.
const DEEPEST: usize = 32;

impl Script {
    /// The beginning.
    pub fn new() -> Self {
        Self {
            state: State::Code,
            open: Vec::new(),
            after: After::Operator,
            before: After::Operator,
            token: ';',
            apart: false,
            word: String::new(),
            dotted: false,
            opening: 0,
            guessed: false,
        }
    }

    /// Whether it cannot be read like this after all.
    pub fn is_void(&self) -> bool {
        self.state == State::Void
    }

    /// Takes a character; there may be another way to read it.
    pub fn next(&mut self, c: char) -> Option<Self> {
        let ends_line = matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}');
        let mut other = None;
        self.state = match self.state {
            State::Code => {
                let state = self.code(c);
                if self.opening == 4 {
                    // A comment in a script, a comparison in a module.
                    other = Some(Self { state: State::LineComment, ..self.clone() });
                }
                state
            }
            State::Slash => match c {
                '/' => State::LineComment,
                '*' => State::BlockComment,
                _ => {
                    if matches!(self.after, After::Unclear | After::Conditional) {
                        other = Some(Self { state: in_pattern(c), guessed: true, ..self.clone() });
                    }
                    if self.after == After::Operator {
                        in_pattern(c)
                    } else {
                        (self.after, self.token) = (After::Operator, '/');
                        self.code(c)
                    }
                }
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
                    self.opens(Open::Substitution);
                    (self.after, self.token) = (After::Operator, '{');
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
            State::Pattern | State::PatternEscaped | State::Class | State::ClassEscaped if ends_line => {
                if self.guessed { State::Void } else { State::Code }
            }
            State::Pattern if c == '/' => {
                self.guessed = false;
                self.value()
            }
            State::Pattern => in_pattern(c),
            State::PatternEscaped => State::Pattern,
            State::Class => match c {
                ']' => State::Pattern,
                '\\' => State::ClassEscaped,
                _ => State::Class,
            },
            State::ClassEscaped => State::Class,
            state => state,
        };
        other
    }

    fn code(&mut self, c: char) -> State {
        let is_blank = c.is_whitespace() || c == '\u{feff}';
        self.opening = match (c, self.opening) {
            ('!', 1) => 2,
            ('-', 2 | 3) => self.opening + 1,
            _ => usize::from(c == '<'),
        };
        if c.is_alphanumeric() || matches!(c, '_' | '$') || (!c.is_ascii() && !is_blank) {
            if self.word.is_empty() {
                self.dotted = self.token == '.';
            }
            if self.word.len() < 12 {
                self.word.push(c);
            }
            (self.after, self.token, self.apart) = (After::Value, 'a', false);
            return State::Code;
        }
        let word = std::mem::take(&mut self.word);
        let is_in = |words: &[&str]| !self.dotted && words.contains(&word.as_str());
        if is_in(&BEFORE_VALUES) {
            self.after = After::Operator;
        } else if is_in(&BEFORE_CONDITIONS) {
            self.after = After::Conditional;
        } else if is_in(&UNCLEAR) {
            self.after = After::Unclear;
        }
        if is_blank {
            self.apart = true;
            return State::Code;
        }
        let (token, apart) = (self.token, self.apart);
        (self.token, self.apart) = (c, false);
        match c {
            '/' => return State::Slash,
            '"' | '\'' | '`' => return State::Quoted(c),
            '(' => {
                self.opens(Open::Parenthesis(match self.after {
                    After::Conditional => After::Operator,
                    // `for await (…)`
                    After::Unclear => After::Unclear,
                    After::Operator | After::Value => After::Value,
                }));
                self.after = After::Operator;
            }
            '{' => {
                let is_object = self.after == After::Operator && "=([,?&|+-*%".contains(token);
                self.opens(Open::Brace(if is_object { After::Value } else { After::Unclear }));
                self.after = After::Operator;
            }
            ')' | '}' => match (c, self.open.last().copied()) {
                ('}', Some(Open::Substitution)) => {
                    self.open.pop();
                    return State::Quoted('`');
                }
                (')', Some(Open::Parenthesis(after))) | ('}', Some(Open::Brace(after))) => {
                    self.open.pop();
                    self.after = after;
                }
                _ => self.after = After::Unclear,
            },
            ']' => self.after = After::Value,
            // `1.`
            '.' if word.starts_with(|c: char| c.is_ascii_digit()) => self.token = '1',
            // `...`
            '.' if token == '.' => self.token = ',',
            // `x++`, or `++x`
            '+' | '-' if token == c && !apart => (self.after, self.token) = (self.before, ' '),
            _ => (self.before, self.after) = (self.after, After::Operator),
        }
        State::Code
    }

    fn opens(&mut self, open: Open) {
        if self.open.len() == DEEPEST {
            self.open.remove(0);
        }
        self.open.push(open);
    }

    fn value(&mut self) -> State {
        (self.after, self.token, self.apart) = (After::Value, 'a', false);
        State::Code
    }

    /// Puts a value in.
    pub fn put(&mut self) -> InScript {
        self.word.clear();
        self.opening = 0;
        match self.state {
            State::Slash if self.after != After::Value => InScript::Pattern,
            State::Code | State::Slash => {
                self.state = self.value();
                InScript::Code
            }
            State::Quoted(quote) | State::Escaped(quote) => InScript::Quoted(quote),
            State::Dollar => InScript::Quoted('`'),
            State::LineComment | State::BlockComment | State::Asterisk => InScript::Comment,
            State::Pattern | State::PatternEscaped | State::Class | State::ClassEscaped | State::Void => {
                InScript::Pattern
            }
        }
    }
}

fn in_pattern(c: char) -> State {
    match c {
        '[' => State::Class,
        '\\' => State::PatternEscaped,
        _ => State::Pattern,
    }
}
