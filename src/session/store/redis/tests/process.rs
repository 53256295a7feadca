//! Servers that a test may kill.

use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tokio::net::TcpListener;

use super::*;

/// A process of redis-server, until it is dropped.
pub(super) struct Server {
    pub address: Address,
    process: Child,
    _folder: TempDir,
}

impl Server {
    /// Starts one on a free port, and waits until it answers.
    pub async fn start(arguments: &[&str]) -> Self {
        Self::start_with("", arguments).await
    }

    /// The same with a file of settings, to which it may add.
    pub async fn start_with(settings: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("redis.conf");
        std::fs::write(&file, format!("save \"\"\nbind 127.0.0.1\n{settings}\n")).expect("a file");
        for _ in 0..5 {
            // Somebody else may take it before the server does, and answer there; then it ends, and
            // gets another.
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            drop(listener);
            let mut command = Command::new("redis-server");
            command.arg(&file).args(arguments).args(["--port", &port.to_string()]);
            let bus = (port ^ 1).to_string();
            if arguments.contains(&"--cluster-enabled") {
                command.args(["--cluster-port", &bus]);
            }
            command.current_dir(folder.path()).stdout(Stdio::null());
            let mut process = command.spawn().expect("redis-server, of the Debian package");
            let id = format!("process_id:{}\\r\\n", process.id());
            let address = Address::Tcp { host: "127.0.0.1".into(), port };
            let connector = Connector::new(&Default::default(), 0, None, Patience::default());
            while process.try_wait().expect("a process").is_none() {
                if let Ok(connection) = connector.connect(&address).await
                    && format!("{:?}", ask(&connection, &["INFO", "server"]).await).contains(&id)
                {
                    return Self { address, process, _folder: folder };
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        panic!("redis-server ends at once");
    }

    pub fn port(&self) -> String {
        self.address.to_string().rsplit_once(':').expect("a port").1.to_owned()
    }

    /// Where the nodes of a Cluster talk among themselves: by default at a
    /// number above it, which may be more than there are.
    pub fn bus(&self) -> String {
        (self.port().parse::<u16>().expect("a number") ^ 1).to_string()
    }

    pub async fn ask(&self, words: &[&str]) -> Value {
        ask(&connect("redis://unused", &self.address).await, words).await
    }

    /// Waits until the answer has `text` in it.
    pub async fn says(&self, text: &str, words: &[&str]) {
        let saying = async {
            while !format!("{:?}", self.ask(words).await).contains(text) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, saying).await.unwrap_or_else(|_| panic!("no `{text}` in {words:?}"));
    }

    /// Sends a signal, such as `KILL`.
    pub fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        // Every shell has a `kill` of its own; not every system has another.
        let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status();
        assert!(sent.expect("a shell").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Goes on until a write succeeds again, as visitors do, each of whom waits
/// for a moment. What fails meanwhile must say that it did.
pub(super) async fn writes_again(store: &RedisStore, key: &Key) {
    let trying = async {
        loop {
            let writing = async {
                let seen = store.load(key).await?.map(|found| found.version);
                store.compare_and_set(key, seen, entry(b"afterwards")).await
            };
            match timeout(Duration::from_millis(500), writing).await {
                Ok(Ok(true)) => return,
                Ok(Ok(false)) | Ok(Err(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_))) | Err(_) => {}
                Ok(Err(error)) => panic!("{error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, trying).await.expect("the store comes back by itself");
}
