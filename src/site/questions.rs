//! What a route asks between two runs: whether a password is right.

use super::failure::Failure;
use super::live::Serving;
use super::request::Request;
use super::route::Route;
use crate::action::{Question, Verdict};

/// Finds out, and lets the request know for the next run. However often that is repeated because others
/// changed the session, nothing is asked twice.
///
/// # Errors
/// What the visitor is told if it was not found out.
pub async fn settle(
    serving: &Serving,
    route: &Route,
    question: &Question,
    request: &mut Request<'_>,
) -> Result<(), Failure> {
    // Each step has one question, and others may change the session while it is settled.
    if request.verdicts.len() > 2 * route.steps.len() {
        return Err(Failure::internal("the questions of this route come to no end"));
    }
    let password = request.passwords.iter().find(|(field, _)| *field == question.field);
    let users = serving.site.users.iter().find(|users| users.name == question.users);
    let verdict = match (users, password) {
        (None, _) => return Err(Failure::internal(format!("there are no users `{}`", question.users))),
        (Some(_), None) => Verdict::Missing,
        (Some(users), Some((_, password))) => {
            serving.verifier.verify(users, &question.user, password, request.remote_addr, request.now).await?
        }
    };
    request.verdicts.push((question.clone(), verdict));
    Ok(())
}
