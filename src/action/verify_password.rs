//! `verify-password`: what `check_password` and `remember` are to a Pyramid login view.

use serde_json::Value;

use super::{Action, Args, Cannot, Effect, Operand, Opt, Question, Scene, Takes, Verb, Verdict};
use crate::template::expression::{Expression, Term};

pub const VERB: Verb = Verb {
    name: "verify-password",
    summary: "Goes on only if a name and a password are those of a user; then the session gets a new identity, as by `renew`.",
    operand: Operand::Users,
    options: &[
        Opt { name: "user", takes: Takes::Expression, summary: "The name; default `params.user`." },
        Opt {
            name: "password",
            takes: Takes::Name,
            summary: "The field of the form with the password; default `password`. Nothing else gets to see what is in it.",
        },
        Opt {
            name: "message",
            takes: Takes::Value,
            summary: "What `errors` says if they are wrong; default `The name or the password is wrong.`",
        },
    ],
    yields: Some("the user's entry without the password, and with the name as `id`"),
    cannot: Some("the name or the password is wrong, which `errors` then has under the field's name"),
    example: r#"{ verify-password = "members", as = "user", or = { redirect = "login" } }"#,
    build,
};

/// It does not tell whether there is such a user.
const WRONG: &str = "The name or the password is wrong.";

#[derive(Debug)]
struct VerifyPassword {
    users: String,
    user: Expression,
    field: String,
    message: Term,
}

fn build(mut args: Args) -> Result<Box<dyn Action>, String> {
    Ok(Box::new(VerifyPassword {
        users: args.users.take().ok_or("it needs the name of one of `[users]`")?,
        user: args.expression("user").unwrap_or_else(|| Expression::entry("params", "user")),
        field: args.word("password").unwrap_or_else(|| "password".to_owned()),
        message: args.value("message").unwrap_or_else(|| Term::Fixed(WRONG.into())),
    }))
}

impl Action for VerifyPassword {
    fn run(&self, scene: &mut Scene<'_>) -> Result<Value, Cannot> {
        let user = match scene.evaluate(&self.user)? {
            Value::String(user) => user,
            Value::Null => return Err(Cannot::NoParam("user".to_owned())),
            other => return Err(Cannot::BadValue(format!("`user` is {other}, not a name"))),
        };
        let question = Question { users: self.users.clone(), user, field: self.field.clone() };
        match scene.verdict(question)? {
            Verdict::Right(user) => {
                let user = user.clone();
                scene.renew();
                Ok(user)
            }
            Verdict::Wrong => Err(scene.wrong(&self.field, &self.message)?),
            Verdict::Missing => Err(Cannot::NoParam(self.field.clone())),
        }
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Renews]
    }

    fn password(&self) -> Option<&str> {
        Some(&self.field)
    }
}
