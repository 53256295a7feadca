//! Which node of a Cluster has a key.
//!
//! The map of the slots is read at the first use, and again when a node sends
//! us elsewhere, or has to be connected to anew: then others may have taken
//! over what it had.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::cmd;
use tokio::time::{Instant, timeout};

use super::connection::Connector;
use super::link::Link;
use super::slots::{self, Range};
use super::url::Address;

/// A map that is in doubt is used for so long, lest every request reads it.
const DOUBTED_MAP_LASTS: Duration = Duration::from_millis(200);
/// The same before a node is connected to that we have no connection to.
const TRUSTED_MAP_LASTS: Duration = Duration::from_secs(1);

/// The nodes of a Cluster, as far as we know them.
pub(super) struct Cluster {
    seeds: Vec<Address>,
    connector: Arc<Connector>,
    map: Mutex<Map>,
    /// One reads the map; who comes meanwhile waits for it.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Map {
    ranges: Vec<Range>,
    /// What nodes told us since.
    moved: HashMap<u16, Address>,
    links: HashMap<Address, Arc<Link>>,
    read: Option<Instant>,
    doubted: bool,
}

impl Map {
    fn owner(&self, slot: u16) -> Option<Address> {
        let range = || self.ranges.iter().find(|range| range.slots.contains(&slot)).map(|range| &range.node);
        self.moved.get(&slot).or_else(range).cloned()
    }

    /// Whether it must be read again before the node at `address` is used.
    fn is_outdated_for(&self, address: &Address) -> bool {
        let age = self.read.map(|read| read.elapsed());
        let connected = self.links.get(address).is_some_and(|link| link.is_connected());
        let lasts = match (self.doubted, connected) {
            (true, _) => DOUBTED_MAP_LASTS,
            (false, true) => return false,
            (false, false) => TRUSTED_MAP_LASTS,
        };
        age.is_none_or(|age| age >= lasts)
    }
}

impl Cluster {
    pub fn new(seeds: Vec<Address>, connector: Connector) -> Self {
        let (connector, map) = (Arc::new(connector), Mutex::default());
        Self { seeds, connector, map, reading: tokio::sync::Mutex::default() }
    }

    /// The node that has `key`.
    pub async fn link_for(&self, key: &[u8]) -> Result<Arc<Link>, String> {
        let slot = slots::slot_of(key);
        let owner = self.map().owner(slot);
        let fresh = owner.filter(|address| !self.map().is_outdated_for(address));
        if let Some(address) = fresh {
            return Ok(self.link(&address));
        }
        self.read_map().await?;
        let owner = self.map().owner(slot);
        owner.map(|address| self.link(&address)).ok_or_else(|| format!("no node of the Cluster has slot {slot}"))
    }

    /// The link to the node at `address`.
    pub fn link(&self, address: &Address) -> Arc<Link> {
        let make = || Link::to(Arc::clone(&self.connector), address.clone());
        Arc::clone(self.map().links.entry(address.clone()).or_insert_with(make))
    }

    /// The nodes that have slots, in order.
    pub async fn masters(&self) -> Result<Vec<Address>, String> {
        self.read_map().await?;
        let mut masters: Vec<_> = self.map().ranges.iter().map(|range| range.node.clone()).collect();
        masters.sort();
        masters.dedup();
        Ok(masters)
    }

    /// A node said that `key` is at `address`.
    pub fn note_move(&self, key: &[u8], address: &Address) {
        let mut map = self.map();
        map.moved.insert(slots::slot_of(key), address.clone());
        map.doubted = true;
    }

    /// Something is not as the map says.
    pub fn doubt(&self) {
        self.map().doubted = true;
    }

    /// Asks all nodes for the map and takes the first answer. If none comes,
    /// the old map has to do.
    async fn read_map(&self) -> Result<(), String> {
        let asked = Instant::now();
        let _alone = self.reading.lock().await;
        if self.map().read.is_some_and(|read| read >= asked) {
            return Ok(());
        }
        let nodes: HashSet<Address> = self.map().ranges.iter().map(|range| range.node.clone()).collect();
        let nodes: HashSet<Address> = nodes.into_iter().chain(self.seeds.iter().cloned()).collect();
        let mut answers: FuturesUnordered<_> = nodes.iter().map(|node| self.map_of(node)).collect();
        let mut problems = Vec::new();
        let first = async {
            while let Some(answer) = answers.next().await {
                match answer {
                    Ok(ranges) => return Some(ranges),
                    Err(problem) => problems.push(problem),
                }
            }
            None
        };
        let ranges = timeout(self.connector.patience.to_connect(), first).await.unwrap_or_default();
        let mut map = self.map();
        map.read = Some(Instant::now());
        if let Some(ranges) = ranges {
            map.moved.clear();
            map.doubted = false;
            map.links.retain(|address, _| nodes.contains(address) || ranges.iter().any(|range| range.node == *address));
            map.ranges = ranges;
        } else if map.ranges.is_empty() {
            problems.sort();
            return Err(format!("no node of the Cluster tells where the sessions are: {}", problems.join("; ")));
        }
        Ok(())
    }

    async fn map_of(&self, node: &Address) -> Result<Vec<Range>, String> {
        let connection = self.link(node).connection().await?;
        let mut question = cmd("CLUSTER");
        question.arg("SLOTS");
        let reply = connection.ask(&question, false).await.map_err(|failure| failure.to_string())?;
        slots::ranges(&reply, node).ok_or_else(|| format!("Redis at {node} does not answer as a Cluster's node does"))
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
