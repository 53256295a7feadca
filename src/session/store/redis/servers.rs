//! Getting a command carried out, once.

use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::time::{Instant, timeout_at};

use super::super::StoreError;
use super::super::patience::Patience;
use super::cluster::Cluster;
use super::command::Command;
use super::connection::{Connector, Failure};
use super::link::Link;
use super::refusal::Advice;
use super::sentinel::Sentinels;
use super::url::{Address, Arrangement, Target};

/// Replies that send a command elsewhere, before it is given up.
const MOST_STEPS: usize = 8;
/// How long a slot on its way is waited for, each time.
const MOMENT: Duration = Duration::from_millis(25);

/// The servers of a store.
pub(super) struct Servers {
    pub(super) arrangement: Arranged,
    patience: Patience,
}

/// How they stand to each other.
pub(super) enum Arranged {
    /// One at a time: the server, or whoever is the master.
    One(Arc<Link>),
    Cluster(Box<Cluster>),
}

impl Servers {
    /// Connects to nothing yet.
    pub fn new(target: Target) -> Self {
        let Target { arrangement, login, database, tls } = target;
        let patience = Patience::default();
        let to_server = Connector::new(&login, database, tls.clone(), patience.clone());
        let arrangement = match arrangement {
            Arrangement::One(address) => Arranged::One(Link::to(Arc::new(to_server), address)),
            Arrangement::Sentinel { addresses, service, login } => {
                let to_sentinel = Connector::new(&login, 0, tls, patience.clone());
                let sentinels = Arc::new(Sentinels { addresses, service, to_sentinel, to_server });
                Arranged::One(Link::new(move || Box::pin(Arc::clone(&sentinels).connect())))
            }
            Arrangement::Cluster(nodes) => Arranged::Cluster(Box::new(Cluster::new(nodes, to_server))),
        };
        Self { arrangement, patience }
    }

    /// Whoever asks waits for so long from now on.
    pub fn answer_within(&self, deadline: Duration) {
        self.patience.set(deadline);
    }

    /// Has `command` carried out by the server that has its key.
    ///
    /// It is sent again after a reply that says it was not carried out, and
    /// a load also when the connection turned out to be dead. If there is no
    /// connection to send it on in good time, that is told while there is time.
    pub async fn run(&self, command: &Command) -> Result<Value, StoreError> {
        let by = Instant::now() + self.patience.to_begin();
        let mut link = self.link_for(command.key(), by).await?;
        let (mut whole_script, mut asking, mut left, mut lost) = (false, false, false, false);
        let mut last = StoreError::Unavailable("the nodes of the Cluster send us from one to the other".into());
        for _ in 0..MOST_STEPS {
            let connection = match self.in_time(by, link.connection()).await? {
                Ok(connection) => connection,
                Err(why) => {
                    let other = self.in_time(by, self.instead_of(&link, command.key())).await?;
                    let Some(other) = other else { return Err(StoreError::Unavailable(why)) };
                    (link, asking) = (other, false);
                    continue;
                }
            };
            let refusal = match connection.ask(&command.pack(whole_script), asking).await {
                Ok(value) => return Ok(value),
                Err(Failure::Lost(_)) if !command.writes() && !lost => {
                    lost = true;
                    continue;
                }
                Err(Failure::Refused(refusal)) => refusal,
                Err(failure) if command.writes() => return Err(StoreError::OutcomeUnknown(failure.to_string())),
                Err(failure) => return Err(StoreError::Unavailable(failure.to_string())),
            };
            let advice = refusal.advice();
            last = if command.writes() { refusal.of_write() } else { refusal.of_read() };
            match (advice, &self.arrangement) {
                (Advice::SendScript, _) if !whole_script => whole_script = true,
                (Advice::Moved(address), Arranged::Cluster(cluster)) => {
                    cluster.note_move(command.key(), &address);
                    (link, asking) = (cluster.link(&address), false);
                }
                (Advice::Ask(address), Arranged::Cluster(cluster)) => (link, asking) = (cluster.link(&address), true),
                (Advice::Wait, Arranged::Cluster(_)) => tokio::time::sleep(MOMENT).await,
                (Advice::Leave, _) if !left => {
                    left = true;
                    connection.retire();
                    if let Arranged::Cluster(cluster) = &self.arrangement {
                        cluster.doubt();
                    }
                    (link, asking) = (self.link_for(command.key(), by).await?, false);
                }
                _ => return Err(last),
            }
        }
        Err(last)
    }

    async fn link_for(&self, key: &[u8], by: Instant) -> Result<Arc<Link>, StoreError> {
        match &self.arrangement {
            Arranged::One(link) => Ok(Arc::clone(link)),
            Arranged::Cluster(cluster) => {
                self.in_time(by, cluster.link_for(key)).await?.map_err(StoreError::Unavailable)
            }
        }
    }

    /// What comes of a step that is to be over by then: nothing is sent yet.
    async fn in_time<T>(&self, by: Instant, step: impl Future<Output = T>) -> Result<T, StoreError> {
        let late = |_| StoreError::Unavailable(format!("no connection to Redis within {:?}", self.patience.to_begin()));
        timeout_at(by, step).await.map_err(late)
    }

    /// Another node that has `key` by now, since the one behind `link` cannot
    /// be reached.
    async fn instead_of(&self, link: &Arc<Link>, key: &[u8]) -> Option<Arc<Link>> {
        let Arranged::Cluster(cluster) = &self.arrangement else { return None };
        cluster.doubt();
        cluster.link_for(key).await.ok().filter(|other| !Arc::ptr_eq(other, link))
    }

    /// The servers that have sessions, by name and in order.
    pub async fn masters(&self) -> Result<Vec<(String, Arc<Link>)>, StoreError> {
        match &self.arrangement {
            Arranged::One(link) => Ok(vec![(String::new(), Arc::clone(link))]),
            Arranged::Cluster(cluster) => {
                let masters = cluster.masters().await.map_err(StoreError::Unavailable)?;
                let named = |address: Address| (address.to_string(), cluster.link(&address));
                Ok(masters.into_iter().map(named).collect())
            }
        }
    }
}
