//! What a route does, step by step.

use super::response::Response;
use crate::action::Action;
use crate::diagnostic::Place;
use crate::template::expression::Expression;

/// An action with the options every action has.
#[derive(Debug)]
pub struct Step {
    /// The verb, for listings.
    pub verb: &'static str,
    /// Where the verb stands.
    pub place: Place,
    /// The key path of the action, such as `routes.home.actions[0]`.
    pub key: String,
    /// The action.
    pub action: Box<dyn Action>,
    /// `if`.
    pub condition: Option<Expression>,
    /// `or`.
    pub otherwise: Option<Response>,
    /// What its value is bound under.
    pub bind: Option<String>,
}

/// The steps of a route, each part in the order in which it runs.
#[derive(Debug, Default)]
pub struct Steps {
    /// They run before the parameters are looked at.
    pub guards: Vec<Step>,
    /// They run when the parameters hold.
    pub actions: Vec<Step>,
}

impl Steps {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Step> + Clone {
        self.guards.iter().chain(&self.actions)
    }

    /// Those that a request goes through, unless one of them answers.
    pub fn of_request(&self, params_hold: bool) -> impl Iterator<Item = &Step> {
        self.guards.iter().chain(self.actions.iter().filter(move |_| params_hold))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.guards.len() + self.actions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
