use super::process::{Server, writes_again};
use super::slots::{ranges, slot_of};
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs Redis Cluster: run by tests/run"]
async fn two_processes_keep_the_contract_on_a_cluster() {
    two_processes_keep_the_contract(&url("SITEWRIGHT_TEST_REDIS_CLUSTER")).await;
}

#[tokio::test]
#[ignore = "needs Redis Cluster: run by tests/run"]
async fn sessions_are_spread_over_the_nodes_and_listed_from_all() {
    let [store] = stores(&url("SITEWRIGHT_TEST_REDIS_CLUSTER"), &prefix());
    let mut keys = HashSet::new();
    for number in 0..200_u8 {
        let key = Key::of(&[number]);
        assert_eq!(store.compare_and_set(&key, None, entry(&[number])).await, Ok(true));
        keys.insert(key);
    }
    assert_eq!(store.count().await, Ok(200));
    let (mut listed, mut from) = (HashSet::new(), None);
    loop {
        let page = store.list(from, 10).await.expect("a page");
        listed.extend(page.entries.into_iter().map(|(key, _)| key));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(listed, keys);
    clean(&store).await;
}

#[tokio::test]
#[ignore = "needs Redis Cluster: run by tests/run"]
async fn a_single_server_s_url_for_a_node_is_noticed() {
    let url = url("SITEWRIGHT_TEST_REDIS_CLUSTER");
    let (nodes, _) = url.split_once(',').expect("several nodes");
    let [store] = stores(&nodes.replace("redis+cluster", "redis"), &prefix());
    let loads = (0..64_u8).map(|number| Key::of(&[number]));
    let mut told = false;
    for key in loads {
        told |= matches!(store.load(&key).await, Err(StoreError::Unavailable(why)) if why.contains("redis+cluster://"));
    }
    assert!(told);
}

/// A slot goes from one node to another while its sessions are in use.
#[tokio::test]
#[ignore = "needs Redis Cluster: run by tests/run"]
async fn sessions_are_found_while_their_slot_moves_and_afterwards() {
    let url = url("SITEWRIGHT_TEST_REDIS_CLUSTER");
    let prefix = format!("{{{}}}", prefix());
    let [store, another] = stores(&url, &prefix);
    let slot = slot_of(prefix.as_bytes());
    let old = [Key::of(b"first"), Key::of(b"second")];
    for key in &old {
        assert_eq!(store.compare_and_set(key, None, entry(b"old")).await, Ok(true));
    }

    let Arrangement::Cluster(seeds) = Target::parse(&url).expect("a URL").arrangement else { panic!("no Cluster") };
    let map = ask(&connect(&url, &seeds[0]).await, &["CLUSTER", "SLOTS"]).await;
    let nodes = ranges(&map, &seeds[0]).expect("a map");
    let from = nodes.iter().find(|range| range.slots.contains(&slot)).expect("a node").node.clone();
    let to = nodes.iter().find(|range| range.node != from).expect("another node").node.clone();
    let (source, target) = (connect(&url, &from).await, connect(&url, &to).await);
    let id = async |node| match ask(node, &["CLUSTER", "MYID"]).await {
        Value::BulkString(id) => String::from_utf8(id).expect("hexadecimal"),
        other => panic!("{other:?}"),
    };
    let (source_id, target_id, number) = (id(&source).await, id(&target).await, slot.to_string());

    ask(&target, &["CLUSTER", "SETSLOT", &number, "IMPORTING", &source_id]).await;
    ask(&source, &["CLUSTER", "SETSLOT", &number, "MIGRATING", &target_id]).await;
    let new = Key::of(b"new"); // goes to the new node at once
    assert_eq!(store.compare_and_set(&new, None, entry(b"new")).await, Ok(true));
    assert_eq!(store.compare_and_set(&new, None, entry(b"again")).await, Ok(false));
    let migrate = async |key: &Key| {
        let (host, port) =
            to.to_string().rsplit_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).expect("an address");
        ask(&source, &["MIGRATE", &host, &port, &format!("{prefix}{key}"), "0", "5000"]).await
    };
    migrate(&old[0]).await;
    for key in &old {
        let found = another.load(key).await.expect("an answer").expect("an entry");
        assert_eq!(another.compare_and_set(key, Some(found.version), entry(b"halfway")).await, Ok(true));
    }
    migrate(&old[1]).await;
    for node in [&target, &source] {
        ask(node, &["CLUSTER", "SETSLOT", &number, "NODE", &target_id]).await;
    }
    for (store, key) in [(&store, &old[0]), (&another, &old[1])] {
        let found = store.load(key).await.expect("an answer").expect("an entry");
        assert_eq!(*found.bytes, *b"halfway");
        assert_eq!(store.compare_and_set(key, Some(found.version), entry(b"afterwards")).await, Ok(true));
    }
    assert_eq!(bytes(store.load(&new).await.expect("an answer")), Some(b"new".to_vec()));
    clean(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis Cluster: run by tests/run"]
async fn sessions_go_on_when_a_node_is_killed() {
    sessions_go_on_after("KILL").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis Cluster: run by tests/run"]
async fn sessions_go_on_when_a_node_hangs() {
    sessions_go_on_after("STOP").await;
}

/// Three masters and a replica of the first, which gets the signal.
async fn sessions_go_on_after(signal: &str) {
    let mut nodes = Vec::new();
    for _ in 0..4 {
        let node = Server::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]).await;
        nodes.push(node);
    }
    for (at, (first, last)) in [("0", "5460"), ("5461", "10922"), ("10923", "16383")].into_iter().enumerate() {
        nodes[at].ask(&["CLUSTER", "ADDSLOTSRANGE", first, last]).await;
        nodes[at].ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]).await;
    }
    for node in &nodes[1..] {
        nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &node.port(), &node.bus()]).await;
    }
    for node in &nodes {
        node.says("cluster_known_nodes:4", &["CLUSTER", "INFO"]).await;
        node.says("cluster_state:ok", &["CLUSTER", "INFO"]).await;
    }
    let Value::BulkString(id) = nodes[0].ask(&["CLUSTER", "MYID"]).await else { panic!("no id") };
    nodes[3].ask(&["CLUSTER", "REPLICATE", std::str::from_utf8(&id).expect("hexadecimal")]).await;
    nodes[0].says("state=online", &["INFO", "replication"]).await;
    for node in &nodes[1..3] {
        node.says("slave", &["CLUSTER", "NODES"]).await;
    }

    let [store] = stores(&format!("redis+cluster://{},{}", nodes[0].address, nodes[1].address), "x:");
    let keys: Vec<Key> = (0..200_u8).map(|number| Key::of(&[number])).collect();
    for key in &keys {
        assert_eq!(store.compare_and_set(key, None, entry(key.as_bytes())).await, Ok(true));
    }
    let on_first = |key: &&Key| slot_of(format!("x:{key}").as_bytes()) <= 5460;
    let count = keys.iter().filter(on_first).count();
    nodes[3].says(&format!("int({count})"), &["DBSIZE"]).await; // what has not arrived may be lost
    nodes[0].signal(signal);
    let new = (0..).map(|number: u32| Key::of(&number.to_be_bytes())).find(|key| on_first(&key)).expect("a key");
    writes_again(&store, &new).await;
    for node in &nodes[1..] {
        node.says("cluster_state:ok", &["CLUSTER", "INFO"]).await;
    }
    for key in &keys {
        let found = store.load(key).await.expect("an answer");
        assert_eq!(bytes(found), Some(key.as_bytes().to_vec()));
    }
}
