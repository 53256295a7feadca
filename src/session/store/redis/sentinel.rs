//! Finding the master that Sentinels watch.
//!
//! Every Sentinel is asked at once, so that one that hangs costs no time, and
//! whom they name must say itself that it is the master: a Sentinel may not
//! have heard of the last failover yet. When a master becomes a replica,
//! Sentinel closes its connections, and we come here again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::{Cmd, Value, cmd};
use tokio::time::timeout;

use super::connection::{Connection, Connector};
use super::url::Address;

/// Where to ask, and for what.
pub(super) struct Sentinels {
    pub addresses: Vec<Address>,
    pub service: String,
    /// How to connect to a Sentinel.
    pub to_sentinel: Connector,
    /// How to connect to the servers that they watch.
    pub to_server: Connector,
}

impl Sentinels {
    /// A connection to the master.
    pub async fn connect(self: Arc<Self>) -> Result<Connection, String> {
        let tried = Mutex::default();
        let mut ways: FuturesUnordered<_> =
            self.addresses.iter().map(|sentinel| self.master_according_to(sentinel, &tried)).collect();
        let mut problems = Vec::new();
        let first = async {
            while let Some(found) = ways.next().await {
                match found {
                    Ok(connection) => return Some(connection),
                    Err(problem) => problems.extend(problem),
                }
            }
            None
        };
        let at_most = self.to_server.patience.to_connect();
        let found = timeout(at_most, first).await.unwrap_or_default();
        let service = &self.service;
        found.ok_or_else(|| match problems.is_empty() {
            true => format!("no master of `{service}` was found within {at_most:?}"),
            false => format!("no master of `{service}`: {}", problems.join("; ")),
        })
    }

    /// The connection to whom one Sentinel names, or the problem; none if it
    /// names the same as another before.
    async fn master_according_to(
        &self,
        sentinel: &Address,
        tried: &Mutex<HashSet<Address>>,
    ) -> Result<Connection, Option<String>> {
        let reply = self.to_sentinel.greet(sentinel, &self.question()).await?.1;
        let address = match reply.as_ref().map(named) {
            Some(Named::Master(address)) => address,
            Some(Named::Nobody) => {
                return Err(Some(format!("the Sentinel at {sentinel} does not watch that service")));
            }
            Some(Named::Nonsense) | None => return Err(Some(format!("{sentinel} does not answer as a Sentinel does"))),
        };
        let is_new = tried.lock().unwrap_or_else(PoisonError::into_inner).insert(address.clone());
        if !is_new {
            return Err(None);
        }
        let (connection, role) = self.to_server.greet(&address, &cmd("ROLE")).await?;
        // A user who may not ask for the role has to believe the Sentinel.
        if role.is_none_or(|role| is_master(&role)) {
            Ok(connection)
        } else {
            Err(Some(format!("Redis at {address} is no longer the master, and no other is elected yet")))
        }
    }

    fn question(&self) -> Cmd {
        let mut command = cmd("SENTINEL");
        command.arg("get-master-addr-by-name").arg(&self.service);
        command
    }
}

enum Named {
    Master(Address),
    Nobody,
    Nonsense,
}

/// Whom a Sentinel names: a host and a port.
fn named(reply: &Value) -> Named {
    match reply {
        Value::Nil => Named::Nobody,
        Value::Array(parts) => match parts.as_slice() {
            [host, port] => match (text(host), text(port).and_then(|port| port.parse().ok())) {
                (Some(host), Some(port)) => Named::Master(Address::Tcp { host: host.to_owned(), port }),
                _ => Named::Nonsense,
            },
            _ => Named::Nonsense,
        },
        _ => Named::Nonsense,
    }
}

fn is_master(role: &Value) -> bool {
    matches!(role, Value::Array(parts) if parts.first().and_then(text) == Some("master"))
}

/// A value that is text.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}
