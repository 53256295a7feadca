//! A TCP proxy that does to a connection what networks and dying servers do.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;

use super::{PATIENCE, Random};

/// What becomes of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// They go through.
    Fair,
    /// Connections are accepted, and nothing moves. What is under way arrives when the weather
    /// changes.
    Stalled,
    /// All connections are closed, and new ones refused.
    Cut,
    /// Every piece comes so much later.
    Slow(Duration),
    /// Requests arrive; their replies are held back until the weather changes.
    RepliesHeld,
    /// Requests arrive; their replies are lost, and so is all that comes later on such a
    /// connection.
    RepliesLost,
    /// The next reply arrives, and those after it are lost.
    OneReply,
    /// A connection breaks in the middle of its next reply.
    RepliesTorn,
    /// Each piece at random: it goes through, comes later, is torn or lost with its connection, or
    /// comes after this long.
    Wild(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Request,
    Reply,
}

/// A proxy before a server, with a port of its own.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    /// Has the port, also while nobody listens at it.
    _port: TcpSocket,
}

struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    weather: Weather,
    /// How often the weather has changed.
    changes: u64,
    /// How many replies have arrived in this weather.
    replies: u64,
    listening: bool,
    over: bool,
    random: Random,
    /// Both ends of every connection.
    open: Vec<Arc<[TcpStream; 2]>>,
    accepted: usize,
    /// The way the last bytes went, and how often a request has followed a reply.
    last: Way,
    exchanges: usize,
}

impl Proxy {
    /// A proxy before `server`, in fair weather. `seed` is what decides in wild weather.
    pub fn new(server: SocketAddr, seed: u64) -> Proxy {
        let port = TcpSocket::new_v4().unwrap();
        port.set_reuseaddr(true).unwrap();
        port.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = port.local_addr().unwrap();
        let state = State {
            weather: Weather::Fair,
            changes: 0,
            replies: 0,
            listening: true,
            over: false,
            random: Random(seed),
            open: Vec::new(),
            accepted: 0,
            last: Way::Reply,
            exchanges: 0,
        };
        let shared = Arc::new(Shared { server, state: Mutex::new(state), changed: Condvar::new() });
        let listener = TcpListener::bind(address).unwrap();
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(listener));
        Proxy { address, shared, _port: port }
    }

    /// From now on, this happens. When the call returns, it does.
    pub fn set(&self, weather: Weather) {
        let mut state = self.shared.lock();
        state.weather = weather;
        state.changes += 1;
        state.replies = 0;
        self.shared.changed.notify_all();
        if weather == Weather::Cut {
            state.close_all();
        }
        let listens = weather != Weather::Cut;
        while state.listening != listens {
            drop(state);
            // Wakes who waits for the next connection.
            let _ = TcpStream::connect(self.address);
            let waited = self.shared.changed.wait_timeout(self.shared.lock(), Duration::from_millis(5));
            state = waited.unwrap().0;
        }
    }

    /// A proxy before the server in a URL, and the URL that leads there by way of it.
    pub fn before(url: &str) -> (Proxy, String) {
        let start = url.find("://").map_or(0, |at| at + 3);
        let end = url[start..].find(['/', '?']).map_or(url.len(), |at| start + at);
        let start = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
        let proxy = Proxy::new(url[start..end].to_socket_addrs().unwrap().next().unwrap(), 1);
        let url = format!("{}{}{}", &url[..start], proxy.address, &url[end..]);
        (proxy, url)
    }

    /// How often the server was asked something and somebody waited for the reply, as long as one asks
    /// at a time.
    pub fn exchanges(&self) -> usize {
        self.shared.lock().exchanges
    }

    /// How many connections there have been.
    pub fn accepted(&self) -> usize {
        self.shared.lock().accepted
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.over = true;
        state.close_all();
        drop(state);
        self.shared.changed.notify_all();
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn close_all(&mut self) {
        for ends in self.open.drain(..) {
            close(&ends);
        }
    }
}

fn close(ends: &[TcpStream; 2]) {
    for end in ends {
        let _ = end.shutdown(Shutdown::Both);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits while `wait` holds, or the proxy is gone.
    fn wait_while(&self, mut wait: impl FnMut(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while !state.over && wait(&state) {
            state = self.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        state
    }

    fn accept(self: &Arc<Self>, mut listener: TcpListener) {
        loop {
            let accepted = listener.accept();
            let mut state = self.lock();
            if state.over {
                return;
            }
            if state.weather == Weather::Cut {
                drop(listener);
                state.listening = false;
                drop(state);
                self.changed.notify_all();
                drop(self.wait_while(|state| state.weather == Weather::Cut));
                let address = match &accepted {
                    Ok((client, _)) => client.local_addr(),
                    Err(_) => return,
                };
                listener = TcpListener::bind(address.unwrap()).unwrap();
                self.lock().listening = true;
                self.changed.notify_all();
                continue;
            }
            if let Ok((client, _)) = accepted {
                state.accepted += 1;
                let shared = Arc::clone(self);
                thread::spawn(move || shared.connect(client));
            }
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        drop(self.wait_while(|state| state.weather == Weather::Stalled));
        let Ok(server) = TcpStream::connect(self.server) else { return };
        for end in [&client, &server] {
            end.set_nodelay(true).unwrap();
            end.set_write_timeout(Some(PATIENCE)).unwrap();
        }
        let ends = Arc::new([client, server]);
        let mut state = self.lock();
        if state.over || state.weather == Weather::Cut {
            return close(&ends);
        }
        state.open.push(Arc::clone(&ends));
        drop(state);
        let (shared, replies) = (Arc::clone(self), Arc::clone(&ends));
        thread::spawn(move || shared.pump(&replies, Way::Reply));
        self.pump(&ends, Way::Request);
        self.lock().open.retain(|open| !Arc::ptr_eq(open, &ends));
    }

    /// Carries bytes one way until an end closes, then closes the other.
    fn pump(&self, ends: &[TcpStream; 2], way: Way) {
        let [client, server] = ends;
        let (mut from, to) = if way == Way::Request { (client, server) } else { (server, client) };
        let mut bytes = [0; 16 * 1024];
        let mut mute = false;
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            let carried = self.carry(&bytes[..length], to, way, &mut mute);
            if carried.is_err() {
                break;
            }
        }
        close(ends);
    }

    fn carry(&self, bytes: &[u8], mut to: &TcpStream, way: Way, mute: &mut bool) -> io::Result<()> {
        let torn = |mut to: &TcpStream| {
            to.write_all(&bytes[..bytes.len() / 2])?;
            Err(io::ErrorKind::ConnectionAborted.into())
        };
        if *mute {
            return Ok(());
        }
        let held = |weather| match weather {
            Weather::Stalled => true,
            Weather::RepliesHeld => way == Way::Reply,
            _ => false,
        };
        let mut state = self.wait_while(|state| held(state.weather));
        state.exchanges += usize::from((state.last, way) == (Way::Reply, Way::Request));
        state.last = way;
        match state.weather {
            Weather::Slow(time) => {
                drop(state);
                thread::sleep(time);
            }
            Weather::OneReply if way == Way::Reply && state.replies == 0 => {
                state.replies = 1;
                drop(state);
            }
            Weather::RepliesLost | Weather::OneReply if way == Way::Reply => {
                *mute = true;
                return Ok(());
            }
            Weather::RepliesTorn if way == Way::Reply => {
                drop(state);
                return torn(to);
            }
            Weather::Wild(long) => {
                let (dice, time) = (state.random.below(100), state.random.below(50));
                let deadline = Instant::now() + long;
                let changes = state.changes;
                drop(state);
                match dice {
                    0 => return torn(to),
                    1 => return Err(io::ErrorKind::ConnectionAborted.into()),
                    2 => {
                        *mute = true;
                        return Ok(());
                    }
                    3 => self.sleep_until(deadline, changes),
                    4..20 => thread::sleep(Duration::from_millis(time)),
                    _ => {}
                }
            }
            _ => drop(state),
        }
        to.write_all(bytes)
    }

    /// Sleeps, but not longer than the weather lasts.
    fn sleep_until(&self, deadline: Instant, changes: u64) {
        let mut state = self.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.over || state.changes != changes {
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
    }
}

/// A server that answers every byte with the next one.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            thread::spawn(move || {
                let mut byte = [0];
                while client.read_exact(&mut byte).is_ok() {
                    let _ = client.write_all(&[byte[0] + 1, 0]);
                }
            });
        }
    });
    address
}

#[test]
fn the_proxy_makes_the_weather_it_is_told() {
    let proxy = Proxy::new(echo(), 1);
    let connect = || {
        let stream = TcpStream::connect(proxy.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok::<_, io::Error>(stream)
    };
    let ask = |mut stream: &TcpStream, byte: u8| {
        let mut reply = [0; 2];
        stream.write_all(&[byte])?;
        stream.read_exact(&mut reply)?;
        Ok::<_, io::Error>(reply[0])
    };
    // Nothing comes; a signal to the tests may end the waiting early.
    let stays_silent = |mut stream: &TcpStream, why: &str| {
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let read = loop {
            let read = stream.read(&mut [0]).map_err(|error| error.kind());
            if read != Err(io::ErrorKind::Interrupted) {
                break read;
            }
        };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(read, Err(io::ErrorKind::WouldBlock), "{why}");
    };
    let old = connect().unwrap();
    for exchanges in 1..5 {
        assert_eq!((ask(&old, 1).unwrap(), proxy.exchanges()), (2, exchanges));
    }
    for weather in [Weather::Stalled, Weather::RepliesHeld] {
        proxy.set(weather);
        let new = connect().unwrap();
        for mut stream in [&old, &new] {
            stream.write_all(&[1]).unwrap();
            stays_silent(stream, &format!("{weather:?}"));
        }
        proxy.set(Weather::Fair);
        for mut stream in [&old, &new] {
            let mut late = [0; 2];
            stream.read_exact(&mut late).unwrap();
            assert_eq!((late[0], ask(stream, 3).unwrap()), (2, 4), "{weather:?}");
        }
    }
    proxy.set(Weather::RepliesLost);
    (&old).write_all(&[1]).unwrap();
    stays_silent(&old, "lost");
    proxy.set(Weather::Fair);
    (&old).write_all(&[1]).unwrap();
    stays_silent(&old, "it stays lost");
    let other = connect().unwrap();
    proxy.set(Weather::OneReply);
    assert_eq!(ask(&other, 1).unwrap(), 2);
    (&other).write_all(&[1]).unwrap();
    stays_silent(&other, "one reply");
    proxy.set(Weather::Fair);
    let other = connect().unwrap();
    assert_eq!(ask(&other, 1).unwrap(), 2);
    proxy.set(Weather::RepliesTorn);
    assert!(ask(&other, 1).is_err());
    proxy.set(Weather::Slow(Duration::from_millis(1)));
    let other = connect().unwrap();
    assert_eq!(ask(&other, 1).unwrap(), 2);
    proxy.set(Weather::Cut);
    assert!(ask(&other, 1).is_err() && ask(&old, 1).is_err());
    assert_eq!(connect().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    proxy.set(Weather::Fair);
    assert_eq!(ask(&connect().unwrap(), 1).unwrap(), 2);
}
