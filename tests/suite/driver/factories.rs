//! Where the sessions of a test site live.

use std::sync::atomic::{AtomicU32, Ordering};

use sitewright::site::Vocabulary;

use super::Site;

/// A factory, and what it needs beside a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factory {
    /// Its name in reports.
    pub name: &'static str,
    /// Its name in `[session]`.
    kind: &'static str,
    /// The environment variable with the URL of its server; `tests/servers` sets it.
    server: Option<&'static str>,
}

impl Factory {
    pub const SIGNED_COOKIE: Factory = Factory::here("signed-cookie");
    pub const ENCRYPTED_COOKIE: Factory = Factory::here("encrypted-cookie");
    pub const MEMORY: Factory = Factory::here("memory");
    pub const FILE: Factory = Factory::here("file");
    pub const SQLITE: Factory = Factory::here("sqlite");
    pub const POSTGRES: Factory = Factory::at("postgres", "postgres", "SITEWRIGHT_TEST_POSTGRES");
    pub const MYSQL: Factory = Factory::at("mysql", "mysql", "SITEWRIGHT_TEST_MYSQL");
    pub const REDIS: Factory = Factory::at("redis", "redis", "SITEWRIGHT_TEST_REDIS");
    pub const REDIS_TLS: Factory = Factory::at("redis tls", "redis", "SITEWRIGHT_TEST_REDIS_TLS");
    pub const SENTINEL: Factory = Factory::at("redis sentinel", "redis", "SITEWRIGHT_TEST_REDIS_SENTINEL");
    pub const CLUSTER: Factory = Factory::at("redis cluster", "redis", "SITEWRIGHT_TEST_REDIS_CLUSTER");
    pub const MEMCACHED: Factory = Factory::at("memcached", "memcached", "SITEWRIGHT_TEST_MEMCACHED");

    /// Those that keep sessions on the server.
    pub const STORES: [Factory; 9] = [
        Factory::MEMORY,
        Factory::FILE,
        Factory::SQLITE,
        Factory::POSTGRES,
        Factory::MYSQL,
        Factory::REDIS,
        Factory::SENTINEL,
        Factory::CLUSTER,
        Factory::MEMCACHED,
    ];

    /// Those that need a server, of kinds that the program was built with.
    pub fn on_servers() -> impl Iterator<Item = Factory> {
        let known = |factory: &Factory| Vocabulary::standard().factories().iter().any(|kind| kind.name == factory.kind);
        Factory::STORES.into_iter().filter(|factory| factory.server.is_some()).filter(known)
    }

    const fn here(kind: &'static str) -> Factory {
        Factory { name: kind, kind, server: None }
    }

    const fn at(name: &'static str, kind: &'static str, server: &'static str) -> Factory {
        Factory { name, kind, server: Some(server) }
    }

    /// Whether the browser is the store.
    pub fn is_cookie(self) -> bool {
        self.kind.ends_with("-cookie")
    }

    /// The URL of its server, if it needs one.
    pub fn url(self) -> Option<String> {
        let server = self.server?;
        Some(std::env::var(server).unwrap_or_else(|_| panic!("{server} is not set: run by tests/servers")))
    }

    /// The environment of a site that has a part of the server for itself.
    fn environment(self) -> Vec<(&'static str, String)> {
        static SITES: AtomicU32 = AtomicU32::new(0);
        let mut environment = vec![("SITEWRIGHT__SESSION__FACTORY", self.kind.to_owned())];
        if let Some(url) = self.url() {
            environment.push(("SITEWRIGHT__SESSION__URL", url));
            let own = format!("test_{}_{}", std::process::id(), SITES.fetch_add(1, Ordering::Relaxed));
            environment.push(match self.kind {
                "postgres" | "mysql" => ("SITEWRIGHT__SESSION__TABLE", own),
                _ => ("SITEWRIGHT__SESSION__KEY_PREFIX", format!("{own}:")),
            });
        }
        environment
    }
}

impl Site {
    /// With its sessions in this factory, and apart from those of every other site.
    pub fn sessions_in(self, factory: Factory) -> Site {
        let environment = factory.environment().into_iter();
        environment.fold(self, |site, (name, value)| site.env(name, &value))
    }
}

#[test]
fn every_server_that_a_factory_needs_can_be_started() {
    let script = std::fs::read_to_string("tests/servers").unwrap();
    for server in Factory::STORES.iter().filter_map(|factory| factory.server) {
        assert!(script.contains(&format!("#   {server} ")), "{server}");
    }
}
