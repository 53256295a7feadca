//! What goes wrong for a visitor: one status, one public text, one for the log.

use std::borrow::Cow;

use http::StatusCode;

use super::params::Faults;
use crate::template::render::RenderFailure;

/// A request that cannot be answered as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The status of the answer.
    pub status: StatusCode,
    /// What the visitor is told. It says nothing about the inside.
    pub public: Cow<'static, str>,
    /// What the log is told; empty when there is nothing more to say.
    pub private: String,
    /// What is wrong with the parameters, by name.
    pub errors: Faults,
    /// Whether whoever runs the site should hear of it, although the request is to blame.
    pub is_notable: bool,
    /// Whether another site may have had the request sent: nothing of its route has run.
    pub is_forged: bool,
    /// The path of the page from which to try again, if it is known.
    pub back: Option<String>,
    /// Seconds after which trying again makes sense, for `Retry-After`.
    pub retry_after: Option<u64>,
}

impl Failure {
    /// A failure whose cause is in the request.
    pub fn new(status: StatusCode, public: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            public: public.into(),
            private: String::new(),
            errors: Faults::new(),
            is_notable: false,
            is_forged: false,
            back: None,
            retry_after: None,
        }
    }

    /// 400, with what is wrong with the request.
    pub fn bad_request(public: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, public)
    }

    /// 400, with what is wrong with each parameter.
    pub fn invalid(faults: &Faults) -> Self {
        let failure = Self::bad_request("Some of what was entered cannot be used.");
        Self { errors: faults.clone(), ..failure }
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no page at this address.")
    }

    /// 500: the cause is in the site or the program, and is for the log only.
    pub fn internal(private: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.").because(private)
    }

    /// 400: the cause is a value that came from the visitor, now or earlier.
    pub fn unfit(private: impl Into<String>) -> Self {
        Self::bad_request("Something that was entered cannot be used on this page.").because(private)
    }

    /// Adds what the log is told.
    #[must_use]
    pub fn because(mut self, private: impl Into<String>) -> Self {
        self.private = private.into();
        self
    }
}

impl From<RenderFailure> for Failure {
    fn from(failure: RenderFailure) -> Self {
        match failure {
            RenderFailure::Unfit(why) => Self::unfit(why),
            RenderFailure::Broken(why) => Self::internal(why),
        }
    }
}
