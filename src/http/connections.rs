//! The open connections: how many there may be, and which one has to go for another.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Duration, Instant};

use super::Limits;
use super::activity::Activity;

/// How often the log tells of refused connections.
const OFTEN: Duration = Duration::from_secs(60);

/// The connections that are open, each with its task.
#[derive(Debug, Default)]
pub(super) struct Connections {
    tasks: JoinSet<()>,
    open: HashMap<Id, Open>,
    per_network: HashMap<Network, usize>,
    refused: Refused,
}

#[derive(Debug)]
struct Open {
    network: Option<Network>,
    activity: Arc<Activity>,
    task: AbortHandle,
}

/// What connections are counted by: an address, or the network of IPv6 that one customer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Network(IpAddr);

impl Network {
    /// That of a peer; `None` for this machine, on which a proxy may be.
    pub fn of(peer: IpAddr) -> Option<Self> {
        match peer.to_canonical() {
            address if address.is_loopback() => None,
            IpAddr::V6(address) => Some(Self(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into())),
            address => Some(Self(address)),
        }
    }
}

/// What becomes of one more connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is room, by now.
    Admit,
    /// Every connection has a request in progress.
    Wait,
    /// So has every one from this network.
    Refuse,
}

impl Connections {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Makes room for one more; `network` counts it.
    pub fn make_room(&mut self, network: Option<Network>, limits: &Limits) -> Verdict {
        if let Some(network) = network
            && self.per_network.get(&network).is_some_and(|count| *count >= limits.max_connections_per_address.max(1))
            && !self.close_idle(|open| open.network == Some(network))
        {
            self.refused.note(network, limits.max_connections_per_address);
            return Verdict::Refuse;
        }
        let full = self.len() >= limits.max_connections.max(1);
        if full && !self.close_idle(|_| true) { Verdict::Wait } else { Verdict::Admit }
    }

    /// Opens one.
    pub fn open(
        &mut self,
        network: Option<Network>,
        activity: Arc<Activity>,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = self.tasks.spawn(task);
        network.into_iter().for_each(|network| *self.per_network.entry(network).or_default() += 1);
        self.open.insert(task.id(), Open { network, activity, task });
    }

    /// Waits for the next one to end; `None` if there is none.
    pub async fn ended(&mut self) -> Option<()> {
        let id = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => id,
            Err(error) => {
                report(&error);
                error.id()
            }
        };
        self.forget(id);
        Some(())
    }

    /// Cuts all of them off.
    pub async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }

    /// Closes the connection that has been idle the longest.
    fn close_idle(&mut self, of: impl Fn(&Open) -> bool) -> bool {
        let idle = self.open.iter().filter(|(_, open)| of(open) && !open.activity.is_busy());
        let Some(longest) = idle.min_by_key(|(_, open)| open.activity.last_progress()).map(|(id, _)| *id) else {
            return false;
        };
        if let Some(open) = self.forget(longest) {
            open.task.abort();
        }
        true
    }

    fn forget(&mut self, id: Id) -> Option<Open> {
        let open = self.open.remove(&id)?;
        if let Some(network) = open.network
            && let Some(count) = self.per_network.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                self.per_network.remove(&network);
            }
        }
        Some(open)
    }
}

fn report(error: &JoinError) {
    // One that had to go was cancelled.
    if error.is_panic() {
        tracing::error!(%error, "a connection's task failed");
    }
}

/// Tells the log of refused connections, now and then.
#[derive(Debug, Default)]
struct Refused {
    count: u64,
    told: Option<Instant>,
}

impl Refused {
    fn note(&mut self, network: Network, most: usize) {
        self.count += 1;
        if self.told.is_none_or(|told| told.elapsed() >= OFTEN) {
            let address = network.0;
            let refused = std::mem::take(&mut self.count);
            tracing::warn!(%address, refused, "connections refused: {most} from one address are busy");
            self.told = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::advance;

    use super::*;

    fn network(address: &str) -> Option<Network> {
        Network::of(address.parse().unwrap())
    }

    fn limits(max_connections: usize, max_connections_per_address: usize) -> Limits {
        Limits { max_connections, max_connections_per_address, ..Limits::default() }
    }

    fn open(connections: &mut Connections, network: Option<Network>) -> Arc<Activity> {
        let activity = Arc::new(Activity::default());
        connections.open(network, Arc::clone(&activity), pending());
        activity
    }

    #[test]
    fn an_address_counts_for_itself_and_one_of_ipv6_for_its_network() {
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff::2"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        for own in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(network(own), None, "{own}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_has_been_idle_the_longest_goes_first() {
        let mut connections = Connections::default();
        let limits = limits(3, 9);
        let first = open(&mut connections, None);
        advance(Duration::from_secs(1)).await;
        let second = open(&mut connections, None);
        let third = open(&mut connections, None);
        advance(Duration::from_secs(1)).await;
        let busy = third.begin();
        drop(first.begin());
        assert_eq!(connections.make_room(None, &limits), Verdict::Admit);
        connections.ended().await.unwrap();
        assert_eq!((connections.len(), Arc::strong_count(&second), Arc::strong_count(&first)), (2, 1, 2));
        open(&mut connections, None);
        assert_eq!(connections.make_room(None, &limits), Verdict::Admit);
        assert_eq!(Arc::strong_count(&third), 3, "it has a request in progress");
        drop(busy);
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_are_busy_one_more_waits() {
        let mut connections = Connections::default();
        let busy = open(&mut connections, None).begin();
        assert_eq!(connections.make_room(None, &limits(1, 9)), Verdict::Wait);
        assert_eq!(connections.make_room(None, &limits(2, 9)), Verdict::Admit, "a reload may raise the limit");
        drop(busy);
        assert_eq!(connections.make_room(None, &limits(1, 9)), Verdict::Admit);
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_takes_no_room_from_others() {
        let mut connections = Connections::default();
        let (one, other) = (network("192.0.2.1"), network("192.0.2.2"));
        let limits = limits(9, 2);
        let others = open(&mut connections, other);
        let busy = [open(&mut connections, one), open(&mut connections, one)].map(|activity| activity.begin());
        assert_eq!(connections.make_room(one, &limits), Verdict::Refuse);
        assert_eq!(connections.make_room(other, &limits), Verdict::Admit);
        assert_eq!(connections.make_room(None, &limits), Verdict::Admit);
        drop(busy);
        assert_eq!(connections.make_room(one, &limits), Verdict::Admit, "one of its own makes room");
        assert_eq!((connections.len(), Arc::strong_count(&others)), (2, 2));
        connections.shutdown().await;
        while connections.ended().await.is_some() {}
    }
}
