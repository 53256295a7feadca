//! A connection that is made at the first use, and anew when it has gone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::time::Instant;

use super::super::super::factory::BoxFuture;
use super::connection::{Connection, Connector};
use super::url::Address;

/// After a failure nobody tries again for so long; who comes meanwhile is
/// told the same.
const PAUSE: Duration = Duration::from_millis(100);

/// Makes a connection, within a time of its own.
type Connect = dyn Fn() -> BoxFuture<'static, Result<Connection, String>> + Send + Sync;
/// A connection on its way. It is a task of its own: that whoever needed it
/// has stopped waiting does not make it begin from the start.
type Coming = Shared<BoxFuture<'static, Result<Arc<Connection>, String>>>;

/// Where a connection to one server is to be had.
pub(super) struct Link {
    connect: Box<Connect>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Arc<Connection>>,
    coming: Option<Coming>,
    failed: Option<(Instant, String)>,
}

impl Link {
    /// A link to the server at `address`.
    pub fn to(connector: Arc<Connector>, address: Address) -> Arc<Self> {
        Self::new(move || {
            let (connector, address) = (Arc::clone(&connector), address.clone());
            Box::pin(async move { connector.connect(&address).await })
        })
    }

    /// A link to whichever server `connect` finds.
    pub fn new(
        connect: impl Fn() -> BoxFuture<'static, Result<Connection, String>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { connect: Box::new(connect), state: Mutex::default() })
    }

    /// Whether there is a connection to use already.
    pub fn is_connected(&self) -> bool {
        self.state().current.as_ref().is_some_and(|current| current.is_usable())
    }

    /// The connection, or why there is none. It was not known to be closed
    /// when it was handed out.
    pub async fn connection(self: &Arc<Self>) -> Result<Arc<Connection>, String> {
        let coming = {
            let mut state = self.state();
            if let Some(current) = state.current.as_ref().filter(|current| current.is_usable()) {
                return Ok(Arc::clone(current));
            }
            state.current = None;
            match &state.coming {
                Some(coming) if coming.peek().is_none() => coming.clone(),
                _ => {
                    if let Some((_, why)) = state.failed.as_ref().filter(|(when, _)| when.elapsed() < PAUSE) {
                        return Err(why.clone());
                    }
                    state.coming.insert(self.begin()).clone()
                }
            }
        };
        coming.await
    }

    fn begin(self: &Arc<Self>) -> Coming {
        let link = Arc::clone(self);
        let task = tokio::spawn(async move {
            let connected = (link.connect)().await.map(Arc::new);
            let mut state = link.state();
            state.coming = None;
            state.current = connected.as_ref().ok().cloned();
            state.failed = connected.as_ref().err().map(|why| (Instant::now(), why.clone()));
            connected
        });
        let ended: BoxFuture<'static, _> =
            Box::pin(async move { task.await.unwrap_or_else(|error| Err(error.to_string())) });
        ended.shared()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
