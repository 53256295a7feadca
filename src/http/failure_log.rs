//! What operators learn of failed requests.

use super::answer::{Account, Moment};
use crate::session::factory::SessionError;

/// Tells of a request that failed what it means for the operator: server errors and sessions that do not
/// fit, with their cause.
pub(super) fn write(account: &Account, moment: &Moment) {
    let Some(failure) = account.failure.as_ref().filter(|failure| !failure.private.is_empty()) else {
        return;
    };
    let route = account.route.as_deref().unwrap_or("-");
    let status = failure.status.as_u16();
    let id = format_args!("{:08x}", moment.id);
    let cause = &failure.private;
    if !failure.status.is_server_error() {
        if failure.is_notable {
            tracing::warn!(id, status, route, cause, "request refused");
        } else {
            tracing::debug!(id, status, route, cause, "request refused");
        }
        return;
    }
    match account.session_error {
        // The outage is told once, not for every request in it.
        Some(SessionError::Unavailable(_)) => tracing::debug!(id, status, route, cause, "request failed"),
        Some(SessionError::OutcomeUnknown(_)) => tracing::warn!(id, status, route, cause, "request failed"),
        _ => tracing::error!(id, status, route, cause, "request failed"),
    }
}
