//! What docs/scaling.md shows, run: three processes behind HAProxy, one of which is killed.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::driver::{Process, project};

use super::*;

const VISITORS: usize = 24;
const VISITS: usize = 100;

#[test]
#[ignore = "needs HAProxy and Redis: run by tests/run"]
fn a_killed_process_costs_no_session_on_redis() {
    a_killed_process_costs_no_session(Factory::REDIS);
}

#[test]
#[ignore = "needs HAProxy and PostgreSQL: run by tests/run"]
fn a_killed_process_costs_no_session_on_postgres() {
    a_killed_process_costs_no_session(Factory::POSTGRES);
}

fn a_killed_process_costs_no_session(factory: Factory) {
    let site = documented_site(factory);
    let mut servers = serve(&site, factory, 3);
    let proxy = HaProxy::start(&site, &servers);
    let acknowledged = AtomicU64::new(0);
    let common = begin(&mut Visitor::new(proxy.address), "/");
    let mut visitors: Vec<_> = (0..VISITORS).map(|_| Visitor::new(proxy.address)).collect();
    let own: Vec<_> = visitors.iter_mut().map(|visitor| begin(visitor, "/")).collect();
    let tallies: Vec<_> = thread::scope(|scope| {
        let visiting = scope.spawn(|| {
            all_at_once(&mut visitors, |at, visitor| {
                let mut tallies = [Tally::default(); 2];
                for _ in 0..VISITS {
                    for (tally, cookie) in tallies.iter_mut().zip([&own[at], &common]) {
                        let answer = ask(visitor, "/", cookie);
                        tally.add(answer.as_ref().is_ok_and(|answer| answer.status == 200));
                        acknowledged.fetch_add(u64::from(answer.is_ok()), Ordering::Relaxed);
                    }
                }
                tallies
            })
        });
        // In the midst of it.
        while acknowledged.load(Ordering::Relaxed) < (VISITORS * VISITS * 2 / 3) as u64 {
            assert!(!visiting.is_finished(), "the visitors are stopped by something else");
            thread::sleep(Duration::from_millis(1));
        }
        servers.remove(0).kill();
        visiting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    let mut late = Visitor::new(proxy.address);
    let mut counted = |cookie: &str| ask(&mut late, "/", cookie).unwrap().count() - 2;
    let mut own_counted = 0;
    for (cookie, [tally, _]) in own.iter().zip(&tallies) {
        let count = counted(cookie);
        own_counted += count;
        assert!((tally.acknowledged..=tally.asked).contains(&count), "{tally:?}, but {count}");
    }
    let counted = counted(&common);
    let of = |which: usize| tallies.iter().map(|tallies: &[Tally; 2]| tallies[which]).sum::<Tally>();
    report("HAProxy, one of 3 killed, one session", factory, 3, of(1), counted);
    report("HAProxy, one of 3 killed, own sessions", factory, 3, of(0), own_counted);
    assert!((of(1).acknowledged..=of(1).asked).contains(&counted), "{:?}, but {counted}", of(1));
    let answered = of(0).acknowledged + of(1).acknowledged;
    assert!(answered > (VISITORS * VISITS) as u64, "the others go on: {answered}");
}

/// The site of the page, in this factory.
fn documented_site(factory: Factory) -> Site {
    let site = Site::new().config(&block("toml", &format!("\"{}\"", factory.name))).sessions_in(factory);
    let (_, url) = site.environment().iter().find(|(name, _)| name.ends_with("__URL")).unwrap().clone();
    let site = site.env("SITEWRIGHT__SESSION__STORE_TIMEOUT", "10");
    site.env("SESSION_STORE", &url).env("SESSION_SECRET", "t8Wq2ZrN5vXk0LbHf3JcYd7MsPgAu1Ei")
}

/// The block of this kind that has this text.
fn block(kind: &str, text: &str) -> String {
    let page = fs::read_to_string(project().join("docs/scaling.md")).unwrap();
    let blocks = page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    let mut found = blocks.filter(|(found, block)| *found == kind && block.contains(text));
    found.next().unwrap_or_else(|| panic!("no `{kind}` with {text} in docs/scaling.md")).1.to_owned() + "\n"
}

/// HAProxy as the page sets it up, in front of these servers.
struct HaProxy {
    address: SocketAddr,
    log: PathBuf,
    _process: Process,
}

/// What it has to say is wanted when a test fails.
impl Drop for HaProxy {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("HAProxy:\n{}", fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

impl HaProxy {
    fn start(site: &Site, servers: &[Server]) -> HaProxy {
        let mut config = block("haproxy", "backend sitewright");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // The port is bound here, and handed on as standard input.
        let mut replace = |from: &str, to: &str| {
            assert!(config.contains(from), "no {from:?} in the page");
            config = config.replace(from, to);
        };
        replace("bind :80\n", "bind fd@0\n");
        for (port, server) in (6543..).zip(servers) {
            replace(&format!("127.0.0.1:{port}\n"), &format!("{}\n", server.address));
        }
        let path = site.path("haproxy.cfg");
        fs::write(&path, config).unwrap();
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
        let mut command = Command::new("haproxy");
        command.env("PATH", path).args(["-db", "-f"]).arg(site.path("haproxy.cfg"));
        let log = site.path("haproxy.log");
        command.stdin(Stdio::from(OwnedFd::from(listener))).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let process = command.spawn();
        HaProxy { address, log, _process: Process(process.expect("haproxy is not installed")) }
    }
}
