//! A route: a pure function from request and session to response and session.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::cache::Caching;
use super::csrf::{self, Csrf};
use super::failure::Failure;
use super::params::Params;
use super::pattern::Pattern;
use super::predicates::Predicates;
use super::request::Request;
use super::response::{Rendering, Reply, Response};
use super::scope::Input;
use super::session_keys::{SessionKeys, SessionUse};
use super::step::Steps;
use crate::action::{Cannot, Question, Scene};
use crate::config::declaration::CsrfCheck;
use crate::session::Session;
use crate::template::links::Links;
use crate::template::render::Templates;
use crate::template::values::truthy;

/// A declared route, compiled.
#[derive(Debug)]
pub struct Route {
    /// Its full name.
    pub name: String,
    /// Its pattern, the mount's prefix included.
    pub pattern: Pattern,
    /// The methods it declares.
    pub methods: Vec<Method>,
    /// What else must hold for it to answer.
    pub predicates: Predicates,
    /// The index of the site it belongs to, in `Site::parts`.
    pub part: usize,
    /// The parameters it declares.
    pub params: Params,
    /// What it answers when they do not hold; `None` for a bad request.
    pub invalid: Option<Response>,
    /// What it does.
    pub steps: Steps,
    /// What it answers when no step has.
    pub response: Response,
    /// The fields of its form that hold passwords.
    pub passwords: Vec<String>,
    /// Its `data`.
    pub data: Map<String, Value>,
    /// What it does to the session.
    pub session_use: SessionUse,
    /// Which keys of the session it reads and writes.
    pub keys: SessionKeys,
    /// How its replies are kept, if they are.
    pub caching: Option<Caching>,
    /// How a request with an unsafe method must show that it comes from the site itself.
    pub csrf: CsrfCheck,
    /// Whether a new CSRF token may be wanted.
    pub wants_token: bool,
    /// Whether it shows the nonce of its Content Security Policy.
    pub wants_nonce: bool,
    /// Whether a request counts as activity of its session.
    pub keepalive: bool,
    /// Changes with its declaration and with the templates it shows: for a reload, to say so.
    pub fingerprint: u64,
}

/// What a run of a route comes to.
#[derive(Debug)]
pub enum Ran {
    /// It is done.
    Reply(Reply),
    /// It has to know this before it can go on: find out and run it again. Until then nothing has
    /// happened.
    Question(Question),
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It did its work.
    Done,
    /// Its `if` did not hold.
    Skipped,
    /// There was no such key, which reads as nothing.
    Nothing,
    /// It has to know something first.
    Asked,
    /// It could not do its work, or is there to answer: its response did.
    Answered(Cannot),
    /// The request failed here.
    Failed,
}

/// What a route shares with its site.
pub struct Surroundings<'a> {
    /// The site's templates.
    pub templates: &'a Templates,
    /// The paths of its routes.
    pub links: &'a Arc<dyn Links>,
    /// `[data]` of the part the route belongs to.
    pub data: &'a Map<String, Value>,
    /// Whose requests are the site's own.
    pub csrf: &'a Csrf,
}

impl Route {
    /// Runs the route: `(request, session) -> (reply, session)`.
    ///
    /// Nothing but `session` is changed, and the same input gives the same result: the engine may
    /// run it again when somebody else changed the session meanwhile. `outcomes` says of each step
    /// that was come to what became of it in this run.
    ///
    /// # Errors
    ///
    /// A [`Failure`] when the request cannot be answered as declared; what has happened to
    /// `session` until then is not to be kept.
    pub fn run(
        &self,
        around: &Surroundings<'_>,
        request: &Request<'_>,
        session: &mut Session,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<Ran, Failure> {
        outcomes.clear();
        if csrf::is_unsafe(request.method) {
            around.csrf.check(self.csrf, request, session)?;
        }
        let input = Input { request, route: &self.data, site: around.data };
        let mut bound = Vec::with_capacity(self.steps.len());
        let faults = request.checked.faults();
        for step in self.steps.of_request(faults.is_empty()) {
            let mut scene = scene(request, around, &input, session, &bound);
            if let Some(condition) = &step.condition {
                let holds =
                    condition.value(around.templates, &scene).inspect_err(|_| outcomes.push(Outcome::Failed))?;
                if !truthy(&holds) {
                    outcomes.push(Outcome::Skipped);
                    continue;
                }
            }
            let (outcome, value) = match (step.action.run(&mut scene), &step.otherwise) {
                (Ok(value), _) => (Outcome::Done, value),
                (Err(Cannot::Asks(question)), _) => {
                    outcomes.push(Outcome::Asked);
                    return Ok(Ran::Question(question));
                }
                (Err(cannot), Some(response)) => {
                    let fault = match &cannot {
                        Cannot::Wrong(field, sentence) => Some(("errors", json!({ field: sentence }))),
                        _ => None,
                    };
                    bound.extend(fault);
                    outcomes.push(Outcome::Answered(cannot));
                    return show(response, around, self::scene(request, around, &input, session, &bound));
                }
                (Err(Cannot::Missing(_)), None) => (Outcome::Nothing, Value::Null),
                (Err(cannot), None) => {
                    outcomes.push(Outcome::Failed);
                    return Err(failure(cannot));
                }
            };
            outcomes.push(outcome);
            if let Some(name) = step.bind.as_deref() {
                bound.push((name, value));
            }
        }
        let scene = scene(request, around, &input, session, &bound);
        match &self.invalid {
            _ if faults.is_empty() => show(&self.response, around, scene),
            Some(invalid) => show(invalid, around, scene),
            None => Err(Failure::invalid(faults)),
        }
    }

    /// All that it may answer with.
    pub fn responses(&self) -> impl Iterator<Item = &Response> {
        let steps = self.steps.iter().filter_map(|step| step.otherwise.as_ref());
        steps.chain(&self.invalid).chain([&self.response])
    }
}

/// What an action or a response sees.
fn scene<'s>(
    request: &'s Request<'_>,
    around: &Surroundings<'s>,
    input: &'s Input<'_>,
    session: &'s mut Session,
    bound: &'s [(&'s str, Value)],
) -> Scene<'s> {
    Scene {
        session,
        now: request.now,
        token: &request.token,
        bound,
        input,
        templates: around.templates,
        verdicts: &request.verdicts,
    }
}

/// Renders a response. The CSRF token that it shows is there then, and the flash messages are gone.
fn show(response: &Response, around: &Surroundings<'_>, scene: Scene<'_>) -> Result<Ran, Failure> {
    if response.shows_token && scene.session.csrf_token().is_none() {
        scene.session.set_csrf_token(scene.token);
    }
    let reply = response.render(&Rendering { templates: around.templates, links: around.links, scope: &scene })?;
    if response.shows_flash {
        scene.session.pop_all_flash();
    }
    Ok(Ran::Reply(reply))
}

/// What a visitor is told when an action cannot do its work and has no `or`.
fn failure(cannot: Cannot) -> Failure {
    match cannot {
        Cannot::Missing(key) => Failure::internal(format!("the session has no `{key}`")),
        Cannot::NoParam(name) => Failure::bad_request(format!("The parameter \u{201c}{name}\u{201d} is missing.")),
        Cannot::BadKey(reason) => Failure::bad_request("A name in this request cannot be used.").because(reason),
        Cannot::Unfit(reason) => {
            Failure::new(StatusCode::CONFLICT, "Your session holds something that this page cannot work with.")
                .because(reason)
        }
        Cannot::Full(reason) => {
            Failure::new(StatusCode::CONFLICT, "There is no room for more. Nothing was changed.").because(reason)
        }
        Cannot::BadValue(reason) => Failure::unfit(reason),
        Cannot::Wrong(field, sentence) => {
            Failure { errors: vec![(field, sentence.clone())], ..Failure::new(StatusCode::FORBIDDEN, sentence) }
        }
        Cannot::Refused => Failure::new(StatusCode::FORBIDDEN, "You cannot do this now."),
        Cannot::Asks(_) => Failure::internal("a question was taken for a failure"),
        Cannot::Answers => Failure::internal("an action that answers has no answer"),
        Cannot::Render(failure) => failure.into(),
    }
}
