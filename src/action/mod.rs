//! What a route can do: the verbs, one file each, and the one list of them.
//!
//! To add a verb, write its file and add one line to [`VERBS`]. The list feeds the parser, its
//! "did you mean", `sitewright actions` and the reference page; a test builds every example.
//!
//! An action sees the session as a value and the request through names, never a store: so a route
//! can be run again when somebody else was faster.

mod append;
mod args;
mod clear;
mod delete;
mod flash;
mod increment_counter;
mod invalidate;
mod new_csrf_token;
mod peek_flash;
mod pop;
mod pop_flash;
mod read;
mod remove;
mod renew;
mod require;
mod respond;
mod scene;
mod set;
mod set_default;
mod store_param;
mod verify_password;

use std::fmt;

use serde_json::Value;

pub use args::{Arg, Args};
pub use scene::{Cannot, Question, Scene, Verdict};

/// Every verb Sitewright brings, in the order of the reference page.
pub const VERBS: &[&Verb] = &[
    &increment_counter::VERB,
    &store_param::VERB,
    &read::VERB,
    &pop::VERB,
    &set::VERB,
    &set_default::VERB,
    &append::VERB,
    &remove::VERB,
    &delete::VERB,
    &clear::VERB,
    &flash::VERB,
    &pop_flash::VERB,
    &peek_flash::VERB,
    &require::VERB,
    &respond::VERB,
    &verify_password::VERB,
    &new_csrf_token::VERB,
    &renew::VERB,
    &invalidate::VERB,
];

/// A verb of the language: its documentation, what it takes, and how to make the action.
#[derive(Debug)]
pub struct Verb {
    /// Its name, as in `{ NAME = operand }`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What stands behind the verb.
    pub operand: Operand,
    /// Its options, beside `as`, `if` and `or`.
    pub options: &'static [Opt],
    /// What its value is, for templates; `None` if it has none.
    pub yields: Option<&'static str>,
    /// When the action fails, so that its `or` answers; `None` if nothing does.
    pub cannot: Option<&'static str>,
    /// An action as it stands in `actions = [ … ]`.
    pub example: &'static str,
    /// Makes the action from its arguments, or says why they do not go together.
    pub build: fn(Args) -> Result<Box<dyn Action>, String>,
}

/// What stands behind a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A key path into the session.
    Key,
    /// The name of a parameter.
    Param,
    /// An expression.
    Expression,
    /// Any value; strings in it are inline templates.
    Value,
    /// A response, which answers instead of the route's.
    Response,
    /// The name of one of `[users]`.
    Users,
    /// `true`: there is nothing to say.
    Nothing,
}

impl Operand {
    /// How it is written, for people.
    pub fn written(self) -> &'static str {
        match self {
            Self::Key => "\"KEY\"",
            Self::Param => "\"PARAMETER\"",
            Self::Expression => "\"EXPRESSION\"",
            Self::Value => "VALUE",
            Self::Response => "RESPONSE",
            Self::Users => "\"USERS\"",
            Self::Nothing => "true",
        }
    }
}

/// An option of a verb.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it means.
    pub summary: &'static str,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Any value; strings in it are inline templates.
    Value,
    /// An expression.
    Expression,
    /// A number, or an expression that gives one.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A key path into the session.
    Key,
    /// A name, as it stands.
    Name,
    /// A text, with braces or without.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// What an action does to the session: keys as far as they are known before a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Reads a key.
    Reads(Vec<String>),
    /// Stores something under a key; under any, if there are no parts.
    Writes(Vec<String>),
    /// Stores under a key what it makes of what is there: a counter, a list that grows.
    Changes(Vec<String>),
    /// Removes a key, or something from what it holds.
    Removes(Vec<String>),
    /// Reads a key and removes it, for one request alone.
    Takes(Vec<String>),
    /// Puts a message into a queue, by its key; into any, if there are no parts.
    Flashes(Vec<String>),
    /// Removes all keys, or ends it.
    Clears,
    /// Gives it a new identity.
    Renews,
}

/// One step of a route.
///
/// `run` is pure: the same session and the same request give the same result, and nothing but the
/// session is changed. It may run several times for one request.
pub trait Action: fmt::Debug + Send + Sync {
    /// Does it. The value is bound for templates.
    ///
    /// # Errors
    ///
    /// [`Cannot`] if the action cannot do its work; then the session must be as it was.
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot>;

    /// What it does to the session.
    fn effects(&self) -> Vec<Effect>;

    /// Whether all it does follows from its arguments and from the keys that it reads. A route that is kept by
    /// `cache` has no other actions.
    fn follows_from_arguments(&self) -> bool {
        false
    }

    /// The field of the form that holds a password: nothing but a [`Question`] gets to see it.
    fn password(&self) -> Option<&str> {
        None
    }

    /// The field of the form that `errors` has a sentence about when it cannot do its work.
    fn faults(&self) -> Option<&str> {
        self.password()
    }
}
