//! The one way from a failure to a response: the site's own page, else ours.

use http::{HeaderValue, Method, Response, StatusCode};

use super::answer::{Account, Moment};
use super::handler::Trouble;
use super::{Incoming, ResponseBody, page};
use crate::session::factory::SessionError;
use crate::site::ErrorInfo;
use crate::site::failure::Failure;
use crate::site::live::Serving;
use crate::site::policy::new_nonce;

/// A failure and what goes with its response.
pub(super) struct Failed {
    pub failure: Failure,
    pub allowed: Vec<Method>,
    /// Whether the session was stored all the same.
    pub stored: bool,
    pub set_cookie: Option<HeaderValue>,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self { failure, allowed: Vec::new(), stored: false, set_cookie: None }
    }
}

impl From<Failure> for Box<Failed> {
    fn from(failure: Failure) -> Self {
        Box::new(failure.into())
    }
}

impl Failed {
    /// The response; the failure goes into the account.
    pub fn into_response(
        self,
        serving: &Serving,
        asked: &Incoming,
        moment: &Moment,
        account: &mut Account,
    ) -> Response<ResponseBody> {
        let Self { failure, allowed, stored, set_cookie } = self;
        let id = format!("{:08x}", moment.id);
        // Without one, no script in the page runs.
        let nonce = account.nonce.insert(new_nonce().unwrap_or_default());
        let info = ErrorInfo {
            method: &asked.method,
            path: &asked.path,
            takes_html: page::takes_html(&asked.headers),
            id: &id,
            nonce,
        };
        let reply = match serving.site.error_page(&asked.path, &failure, &info) {
            Some(Ok(reply)) => reply,
            Some(Err(broken)) => {
                tracing::error!(id, cause = broken.private, "the error page failed");
                page::failure_page(&failure, &id, &asked.headers)
            }
            None => page::failure_page(&failure, &id, &asked.headers),
        };
        let used = if stored { page::Session::Stored } else { page::Session::Unused };
        let mut response = page::response(reply, used, set_cookie);
        page::failure_headers(&failure, &allowed, response.headers_mut());
        page::shared(&serving.site, &asked.headers, response.headers_mut());
        account.failure = Some(failure);
        response
    }
}

/// What a visitor is told when the session cannot be kept. `Retry-After` asks clients to try again by
/// themselves, so it stands only where nothing was stored.
pub(super) fn session_failure(error: &SessionError) -> Failure {
    let failure = match error {
        SessionError::TooLarge { .. } | SessionError::TooDeep { .. } => Failure {
            is_notable: true,
            ..Failure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "This is more than your session can hold. Nothing was changed.",
            )
        },
        SessionError::OutcomeUnknown(_) => Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "It is not certain whether this was saved. Please look before you do it again.",
        ),
        _ => Failure {
            retry_after: Some(1),
            ..Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Your session cannot be reached just now. Please try again.",
            )
        },
    };
    failure.because(error.to_string())
}

/// What a visitor is told whose request has no answer of its own. Where its session may have been stored
/// by now, that is an unknown outcome like any other.
pub(super) fn trouble_failure(trouble: &Trouble, account: &mut Account) -> Failure {
    match trouble {
        Trouble::Refused(status) => Failure::new(*status, told_of_refusal(*status)),
        Trouble::Panicked(why) => Failure::internal(format!("the program panicked: {why}")),
        Trouble::TimedOut(patience) if *account.may_be_stored.get_mut() => {
            let error = SessionError::OutcomeUnknown(format!("no answer within {patience:?}"));
            session_failure(account.session_error.insert(error))
        }
        Trouble::TimedOut(patience) => Failure {
            retry_after: Some(1),
            ..Failure::new(StatusCode::SERVICE_UNAVAILABLE, "This has taken too long. Please try again.")
        }
        .because(format!("the route has taken longer than {patience:?}")),
    }
}

fn told_of_refusal(status: StatusCode) -> &'static str {
    match status {
        StatusCode::URI_TOO_LONG => "This address is longer than the server accepts.",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "This request has more headers than the server accepts.",
        StatusCode::NOT_IMPLEMENTED => "This server is no proxy.",
        _ => "This address cannot be read.",
    }
}
