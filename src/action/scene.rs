//! What an action sees while it runs, and the ways it can fail.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Number, Value, json};

use crate::session::Session;
use crate::template::expression::{Expression, Key, KeyFailure, Term, Text};
use crate::template::render::{RenderFailure, Scope, Templates};

/// The session, the names, the templates: one run of a route.
pub struct Scene<'a> {
    /// The session; changing it is what actions are for.
    pub session: &'a mut Session,
    /// Now, in seconds since the Unix epoch: the same however often the route runs.
    pub now: f64,
    /// A new CSRF token, should one be wanted: the same however often the route runs.
    pub token: &'a str,
    /// What earlier actions bound, the latest last.
    pub bound: &'a [(&'a str, Value)],
    /// Every other name: the request and the site's data.
    pub input: &'a dyn Scope,
    /// The site's templates.
    pub templates: &'a Templates,
    /// What came of the questions that earlier runs of the route asked.
    pub verdicts: &'a [(Question, Verdict)],
}

/// Whether a user's password is right. Finding out takes long and leaves traces, so an action asks,
/// the engine finds out, and the route runs again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The full name of the users.
    pub users: String,
    /// The name that was given.
    pub user: String,
    /// The field of the form that the password is in.
    pub field: String,
}

/// What came of a [`Question`].
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The password is right: the user's entry without it.
    Right(Value),
    /// The name or the password is wrong.
    Wrong,
    /// The form has no such field.
    Missing,
}

/// Why an action could not do its work. Its `or` answers; without one, what each says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cannot {
    /// The session does not have this key. Without `or` it reads as nothing.
    Missing(String),
    /// The request does not have this parameter. Without `or`: 400, naming it.
    NoParam(String),
    /// What the visitor put into a key path cannot be a key. Without `or`: 400.
    BadKey(String),
    /// What is in the session is not what the action works on. Without `or`: 409.
    Unfit(String),
    /// A list has reached its limit. Without `or`: 409.
    Full(String),
    /// A value that was worked out is not what the action takes. Without `or`: 400.
    BadValue(String),
    /// What was required does not hold. Without `or`: 403.
    Refused,
    /// What was entered in a field is wrong, and this says so in `errors`. Without `or`: 403.
    Wrong(String, String),
    /// It has to know this first; then the route runs again.
    Asks(Question),
    /// There is nothing it cannot do: its operand is the answer.
    Answers,
    /// A template failed. Without `or`: 500, or 400 if what was entered does not fit it.
    Render(RenderFailure),
}

/// In words for whoever runs the site.
impl fmt::Display for Cannot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(key) => write!(f, "the session has no `{key}`"),
            Self::NoParam(name) => write!(f, "there is no parameter `{name}`"),
            Self::BadKey(why) | Self::Unfit(why) | Self::Full(why) | Self::BadValue(why) => f.write_str(why),
            Self::Refused => f.write_str("does not hold"),
            Self::Wrong(field, sentence) => write!(f, "sets `errors.{field}`: {sentence}"),
            Self::Asks(_) => f.write_str("has to know something first"),
            Self::Answers => f.write_str("answers"),
            Self::Render(RenderFailure::Unfit(why) | RenderFailure::Broken(why)) => f.write_str(why),
        }
    }
}

impl From<RenderFailure> for Cannot {
    fn from(failure: RenderFailure) -> Self {
        Self::Render(failure)
    }
}

impl Scope for Scene<'_> {
    fn get(&self, name: &str, entries: Option<&BTreeSet<String>>) -> Option<Cow<'_, Value>> {
        if let Some((_, value)) = self.bound.iter().rev().find(|(bound, _)| *bound == name) {
            return Some(Cow::Borrowed(value));
        }
        let value = match name {
            "session" => session_value(self.session, entries),
            "flash" => flash_value(self.session),
            "csrf_token" => Value::from(self.session.csrf_token()?),
            _ => return self.input.get(name, entries),
        };
        Some(Cow::Owned(value))
    }
}

/// The flash messages as templates see them.
fn flash_value(session: &Session) -> Value {
    let of_queue = |queue: &str| {
        let messages = session.peek_flash(queue).into_iter();
        messages.map(|message| json!({ "queue": queue, "message": message })).collect::<Vec<_>>()
    };
    session.flash_queues().flat_map(of_queue).collect()
}

/// The session as templates see it: only the wanted entries are read.
pub fn session_value(session: &Session, entries: Option<&BTreeSet<String>>) -> Value {
    let Some(entries) = entries else { return session.to_value() };
    let read = |entry: &String| Some((entry.clone(), session.get(std::slice::from_ref(entry))?));
    Value::Object(entries.iter().filter_map(read).collect())
}

impl Scene<'_> {
    /// What came of a question.
    ///
    /// # Errors
    /// [`Cannot::Asks`] if it has not been asked yet.
    pub fn verdict(&self, question: Question) -> Result<&Verdict, Cannot> {
        let known = self.verdicts.iter().find(|(asked, _)| *asked == question);
        known.map(|(_, verdict)| verdict).ok_or(Cannot::Asks(question))
    }

    /// Gives the session a new identity, and a CSRF token that who knew the old one does not know.
    pub fn renew(&mut self) {
        self.session.renew();
        if self.session.csrf_token().is_some() {
            self.session.set_csrf_token(self.token);
        }
    }

    /// Works out a key path.
    pub fn key<'k>(&self, key: &'k Key) -> Result<Cow<'k, [String]>, Cannot> {
        key.parts(self.templates, self).map_err(|failure| match failure {
            KeyFailure::Empty => Cannot::BadKey("a part of the name is empty".to_owned()),
            KeyFailure::Reserved(name) => Cannot::BadKey(format!("the name {name:?} is reserved")),
            KeyFailure::Render(failure) => Cannot::Render(failure),
        })
    }

    /// Works out a value.
    pub fn value(&self, term: &Term) -> Result<Value, Cannot> {
        Ok(term.value(self.templates, self)?)
    }

    /// The failure that says of a field what is wrong with it.
    ///
    /// # Errors
    /// If the message cannot be worked out.
    pub fn wrong(&self, field: &str, message: &Term) -> Result<Cannot, Cannot> {
        let sentence = match self.value(message)? {
            Value::String(sentence) => sentence,
            other => other.to_string(),
        };
        Ok(Cannot::Wrong(field.to_owned(), sentence))
    }

    /// Works out a text.
    pub fn text(&self, text: &Text) -> Result<String, Cannot> {
        Ok(text.render(self.templates, self)?)
    }

    /// Works out an expression.
    pub fn evaluate(&self, expression: &Expression) -> Result<Value, Cannot> {
        Ok(expression.value(self.templates, self)?)
    }

    /// Works out the number that the option `name` stands for.
    pub fn number(&self, name: &str, term: &Term) -> Result<Number, Cannot> {
        match self.value(term)? {
            Value::Number(number) => Ok(number),
            other => Err(Cannot::BadValue(format!("`{name}` is {other}, not a number"))),
        }
    }

    /// The list under a key, if there is anything.
    pub fn list(&self, path: &[String]) -> Result<Option<Vec<Value>>, Cannot> {
        match self.session.get(path) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(Cannot::Unfit(format!("`{}` is not a list", path.join(".")))),
        }
    }

    /// Adds an item to the list under a key, or begins it.
    pub fn append(&mut self, path: &[String], item: Value) -> Result<(), Cannot> {
        if self.session.contains(path) {
            self.session.push(path, item);
            return Ok(());
        }
        self.store(path, Value::Array(vec![item]))
    }

    /// Removes the item at a place of the list under a key.
    pub fn remove_item(&mut self, path: &[String], at: usize) {
        self.session.remove(&[path, &[at.to_string()]].concat());
    }

    /// Stores a value in the session.
    pub fn store(&mut self, path: &[String], value: Value) -> Result<(), Cannot> {
        self.session
            .set(path, value)
            .map_err(|error| Cannot::Unfit(format!("cannot store under `{}`: {error}", path.join("."))))
    }
}
