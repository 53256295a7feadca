//! A served site as the edge's [`Handler`]: which site answers, on whose clock, and what the log is told.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::Response;

use super::answer::{Account, Moment, respond};
use super::failed::{Failed, trouble_failure};
use super::handler::Trouble;
use super::host::host;
use super::origin::Origin;
use super::outage::Outage;
use super::refused_cookies::RefusedCookies;
use super::{Handler, Incoming, Limits, ResponseBody, access_log, broken, failure_log, filter, live_reload};
use crate::dev::Dev;
use crate::site::live::{Live, State};

/// Answers requests with whatever site is live.
#[derive(Debug)]
pub struct Served {
    live: Arc<Live>,
    next_id: AtomicU64,
    outage: Outage,
    refused_cookies: RefusedCookies,
    dev: Option<Arc<Dev>>,
}

/// A request that is being answered, by the site that was live when it came.
#[derive(Debug)]
pub struct Call {
    /// What its page says of the site, if open pages learn of edits.
    page: Option<String>,
    state: Arc<State>,
    moment: Moment,
    start: Instant,
    account: Account,
}

impl Served {
    /// Serves what `live` holds, now and after every swap.
    pub fn new(live: Arc<Live>) -> Self {
        // Ids of two runs of the program should not be mistaken for each other.
        let first = getrandom::u32().unwrap_or_default();
        Self {
            live,
            next_id: AtomicU64::new(u64::from(first)),
            outage: Outage::default(),
            refused_cookies: RefusedCookies::default(),
            dev: None,
        }
    }

    /// Has open pages learn of edits.
    #[must_use]
    pub fn with_dev(self, dev: Arc<Dev>) -> Self {
        Self { dev: Some(dev), ..self }
    }

    /// What asks for news of edits, if this does.
    fn dev_for(&self, incoming: &Incoming, state: &State) -> Option<&Dev> {
        let dev = self.dev.as_deref().filter(|_| live_reload::is_asked(incoming))?;
        let is_for_us = match state {
            State::Serving(serving) => host(incoming, &serving.site.settings.server.allowed_hosts).is_ok(),
            State::Broken(_) => true,
        };
        is_for_us.then_some(dev)
    }

    /// Tries whether the sessions of the site can be reached; if not, the log says so.
    pub async fn try_sessions(&self) {
        if let State::Serving(serving) = &*self.live.now()
            && let Some(factory) = &serving.sessions
        {
            let patience = Duration::from_secs(serving.site.settings.session.store_timeout);
            self.outage.look(&**factory, patience).await;
        }
    }
}

impl Handler for Served {
    type Call = Call;

    fn limits(&self) -> Limits {
        match &*self.live.now() {
            State::Serving(serving) => Limits::of(&serving.site.settings.server),
            State::Broken(_) => Limits::default(),
        }
    }

    fn is_proxy(&self, peer: IpAddr) -> bool {
        match &*self.live.now() {
            State::Serving(serving) => serving.site.edge.trusts(Some(peer)),
            State::Broken(_) => false,
        }
    }

    fn begin(&self, _: &Incoming) -> Call {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff;
        Call {
            page: self.dev.as_ref().map(|dev| dev.page()),
            state: self.live.now(),
            moment: Moment { now: now(), id },
            start: Instant::now(),
            account: Account::default(),
        }
    }

    async fn answer(&self, incoming: &mut Incoming, call: &mut Call) -> Response<ResponseBody> {
        if let Some(dev) = self.dev_for(incoming, &call.state) {
            return live_reload::answer(dev, incoming, self.limits().handler).await;
        }
        let mut response = match &*call.state {
            State::Serving(serving) => respond(serving, incoming, &call.moment, &mut call.account).await,
            State::Broken(problems) => return broken::answer(problems),
        };
        if let Some(page) = &call.page {
            live_reload::put_into(&mut response, page, incoming, call.account.nonce.as_deref());
        }
        response
    }

    fn stand_in(&self, incoming: &Incoming, call: &mut Call, trouble: Trouble) -> Response<ResponseBody> {
        match &*call.state {
            State::Serving(serving) => {
                let failed = Failed::from(trouble_failure(&trouble, &mut call.account));
                failed.into_response(serving, incoming, &call.moment, &mut call.account)
            }
            State::Broken(_) => filter::plain(trouble.status()),
        }
    }

    fn end(&self, incoming: &Incoming, call: Call, response: &Response<ResponseBody>) {
        let Call { page: _, state, moment, start, account } = call;
        let State::Serving(serving) = &*state else { return };
        if let Some(factory) = &serving.sessions {
            self.outage.notice(&**factory, &account);
        }
        if let Some(session) = &account.session {
            self.refused_cookies.notice(session.standing);
        }
        failure_log::write(&account, &moment);
        if serving.site.settings.server.access_log && self.dev_for(incoming, &state).is_none() {
            // What the edge refuses was not looked at any further.
            let peer = incoming.connection.peer.map(|peer| peer.ip());
            let address = account.address.or_else(|| Origin::of(peer, &incoming.headers, &serving.site.edge).address);
            access_log::write(incoming, start, address, account.route.as_deref(), response);
        }
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests;
