//! For tests: a way to a server, with connections that break or fall silent.
#![allow(clippy::expect_used, reason = "a test may fail loudly")]

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to the connections that there are. New ones work.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Cut,
    Silence,
}

/// Passes on what comes in to a server, and what that answers.
pub struct Relay {
    pub address: SocketAddr,
    fates: watch::Sender<Option<Fate>>,
    asked: watch::Sender<usize>,
}

impl Relay {
    /// In front of the server at `server`, which is a host and a port.
    pub async fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let relay = Self { address, fates: watch::Sender::new(None), asked: watch::Sender::new(0) };
        let (fates, asked) = (relay.fates.clone(), relay.asked.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, server.clone(), fates.subscribe(), asked.clone()));
            }
        });
        relay
    }

    /// Closes all connections.
    pub fn cut(&self) {
        self.fates.send_replace(Some(Fate::Cut));
    }

    /// Lets nothing pass any more on the connections there are, and tells nobody: as a firewall does that
    /// has forgotten them.
    pub fn fall_silent(&self) {
        self.fates.send_replace(Some(Fate::Silence));
    }

    /// On how many silent connections something was asked.
    pub fn asked_in_silence(&self) -> usize {
        *self.asked.borrow()
    }

    /// Waits until something was asked on so many.
    pub async fn until_asked_in_silence(&self, connections: usize) {
        let mut asked = self.asked.subscribe();
        let _ = asked.wait_for(|asked| *asked >= connections).await;
    }
}

async fn pass_on(
    mut client: TcpStream,
    server: String,
    mut fates: watch::Receiver<Option<Fate>>,
    asked: watch::Sender<usize>,
) {
    let mut server = TcpStream::connect(server).await.expect("a server");
    tokio::select! {
        biased; // its fate comes before what arrives after it
        _ = fates.changed() => {}
        _ = copy_bidirectional(&mut client, &mut server) => return,
    }
    let fate = *fates.borrow();
    if let Some(Fate::Silence) = fate {
        if client.read(&mut [0]).await.is_ok_and(|length| length > 0) {
            asked.send_modify(|asked| *asked += 1);
        }
        std::future::pending::<()>().await; // both ends stay open
    }
}
