//! What a URL says: where the servers are, how they stand to each other, and
//! how to log in.
//!
//! The forms are those of redis-cli and redis-py, and for several hosts those
//! of Flask-Limiter and its kin. An error quotes nothing of the URL but its
//! scheme: any other part may turn out to be a piece of the password.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// All that a URL says.
pub(super) struct Target {
    pub arrangement: Arrangement,
    pub login: Login,
    pub database: i64,
    /// If the connections are encrypted: what to check, and to show.
    pub tls: Option<TlsFiles>,
}

/// How the servers stand to each other.
pub(super) enum Arrangement {
    One(Address),
    /// Who is the master is to be asked of Sentinels.
    Sentinel {
        addresses: Vec<Address>,
        service: String,
        login: Login,
    },
    /// Some of the nodes.
    Cluster(Vec<Address>),
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Address {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

/// Who we are to a server. Never printed.
#[derive(Clone, Default)]
pub(super) struct Login {
    pub user: Option<String>,
    pub password: Option<Zeroizing<String>>,
}

/// Files in PEM; without an authority of our own, the system's are trusted.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(super) struct TlsFiles {
    pub authorities: Option<PathBuf>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

impl Address {
    /// Reads `host:port` as servers write it in their replies, where an IPv6
    /// address has no brackets.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some(Self::Tcp { host: host.to_owned(), port: port.parse().ok()? })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A URL in its parts, none of them decoded.
struct Parts<'u> {
    user: Option<&'u str>,
    hosts: &'u str,
    path: &'u str,
    query: Query<'u>,
}

impl Target {
    /// Reads `url`.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or("it is not of the form `redis://[user:password@]host[:port][/database]`: there is no `://` in it")?;
        let parts = Parts::of(rest)?;
        match scheme {
            "redis" | "rediss" => parts.one(scheme == "rediss"),
            "unix" | "redis+unix" => parts.socket(),
            "redis+sentinel" | "rediss+sentinel" => parts.sentinel(scheme == "rediss+sentinel"),
            "redis+cluster" | "rediss+cluster" => parts.cluster(scheme == "rediss+cluster"),
            _ => Err("its scheme is none of redis, rediss, unix, redis+sentinel, rediss+sentinel, redis+cluster, \
                      rediss+cluster"
                .into()),
        }
    }
}

impl<'u> Parts<'u> {
    fn of(rest: &'u str) -> Result<Self, String> {
        if rest.contains('#') {
            return Err("it has a `#`; in a password, write it as %23".into());
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if path.contains('@') || query.contains('@') {
            return Err("there is an `@` after the host; in a password, write `/` as %2F and `?` as %3F".into());
        }
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        Ok(Self { user, hosts, path, query: Query::of(query)? })
    }

    fn one(mut self, encrypted: bool) -> Result<Target, String> {
        let tls = self.query.tls(encrypted)?;
        if self.hosts.contains(',') {
            return Err("it names several hosts: begin it with `redis+sentinel://` or `redis+cluster://`".into());
        }
        let address = address(self.hosts, REDIS_PORT)?;
        let database = database(self.path.trim_matches('/'))?;
        self.target(Arrangement::One(address), database, tls)
    }

    fn socket(mut self) -> Result<Target, String> {
        if !self.hosts.is_empty() || self.path.len() < 2 {
            return Err("the path of the socket is not absolute: write `unix:///path`".into());
        }
        let database = database(&self.query.take("db").unwrap_or_default())?;
        let address = Address::Unix(decoded(self.path)?.into());
        self.target(Arrangement::One(address), database, None)
    }

    fn sentinel(mut self, encrypted: bool) -> Result<Target, String> {
        let tls = self.query.tls(encrypted)?;
        let addresses = self.addresses(SENTINEL_PORT)?;
        let path = self.path.trim_matches('/');
        let (service, number) = path.split_once('/').unwrap_or((path, ""));
        if service.is_empty() {
            return Err("it does not name the service that the Sentinels watch: end it with `/mymaster`, or \
                        whatever it is called"
                .into());
        }
        let login = Login {
            user: self.query.take("sentinel_username"),
            password: self.query.take("sentinel_password").map(Zeroizing::new),
        };
        let (service, database) = (decoded(service)?, database(number)?);
        self.target(Arrangement::Sentinel { addresses, service, login }, database, tls)
    }

    fn cluster(mut self, encrypted: bool) -> Result<Target, String> {
        let tls = self.query.tls(encrypted)?;
        let addresses = self.addresses(REDIS_PORT)?;
        if database(self.path.trim_matches('/'))? != 0 {
            return Err("a Cluster has no database but 0".into());
        }
        self.target(Arrangement::Cluster(addresses), 0, tls)
    }

    fn target(self, arrangement: Arrangement, database: i64, tls: Option<TlsFiles>) -> Result<Target, String> {
        self.query.is_empty()?;
        Ok(Target { arrangement, login: self.login()?, database, tls })
    }

    fn login(&self) -> Result<Login, String> {
        let Some(user) = self.user else { return Ok(Login::default()) };
        let (user, password) = user.split_once(':').ok_or(
            "there is a user without a password: write `user:password@`, or `:password@` for a password alone",
        )?;
        let user = decoded(user)?;
        let password = Zeroizing::new(decoded(password)?);
        Ok(Login { user: (!user.is_empty()).then_some(user), password: (!password.is_empty()).then_some(password) })
    }

    fn addresses(&self, port: u16) -> Result<Vec<Address>, String> {
        self.hosts.split(',').map(|host| address(host, port)).collect()
    }
}

/// A host as it is in a URL, with brackets around IPv6 addresses.
fn address(text: &str, port: u16) -> Result<Address, String> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, "")) => (host, Some(port)),
        Some((host, rest)) => (host, rest.strip_prefix(':').and_then(|port| port.parse().ok())),
        None => match text.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()),
            None => (text, Some(port)),
        },
    };
    if host.is_empty() {
        return Err("a host is missing".into());
    }
    let port = port.ok_or("a port is not a number below 65536")?;
    Ok(Address::Tcp { host: decoded(host)?, port })
}

fn database(text: &str) -> Result<i64, String> {
    let number: u32 = if text.is_empty() { 0 } else { text.parse().map_err(|_| "the database is not a number")? };
    Ok(i64::from(number))
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| "a `%` in it is followed by what is not UTF-8".into())
}

/// What follows the `?`.
struct Query<'u>(Vec<(&'u str, String)>);

impl<'u> Query<'u> {
    fn of(text: &'u str) -> Result<Self, String> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((name, decoded(value)?))
        });
        Ok(Self(pairs.collect::<Result<_, String>>()?))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(found, _)| *found == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// The parameters of redis-py.
    fn tls(&mut self, encrypted: bool) -> Result<Option<TlsFiles>, String> {
        if !encrypted {
            return Ok(None);
        }
        let files = TlsFiles {
            authorities: self.take("ssl_ca_certs").map(PathBuf::from),
            certificate: self.take("ssl_certfile").map(PathBuf::from),
            key: self.take("ssl_keyfile").map(PathBuf::from),
        };
        if files.certificate.is_some() != files.key.is_some() {
            return Err("ssl_certfile and ssl_keyfile go together".into());
        }
        Ok(Some(files))
    }

    fn is_empty(&self) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err("it has a parameter that is unknown here: there are ssl_ca_certs, ssl_certfile and ssl_keyfile for \
             rediss, sentinel_username and sentinel_password for Sentinel, db for unix"
            .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp { host: host.into(), port }
    }

    fn parsed(url: &str) -> Target {
        Target::parse(url).unwrap_or_else(|why| panic!("{url}: {why}"))
    }

    fn addresses(target: &Target) -> &[Address] {
        match &target.arrangement {
            Arrangement::One(address) => std::slice::from_ref(address),
            Arrangement::Sentinel { addresses, .. } | Arrangement::Cluster(addresses) => addresses,
        }
    }

    fn login(target: &Target) -> (Option<&str>, Option<&str>) {
        (target.login.user.as_deref(), target.login.password.as_ref().map(|password| password.as_str()))
    }

    #[test]
    fn a_single_server() {
        let target = parsed("redis://localhost");
        assert_eq!((addresses(&target), target.database), (&[tcp("localhost", 6379)][..], 0));
        assert!(matches!(target.arrangement, Arrangement::One(_)) && target.tls.is_none());
        assert_eq!(login(&target), (None, None));

        let target = parsed("redis://user:p%40ss%2Fw%3Aord@[::1]:7000/3");
        assert_eq!((addresses(&target), target.database), (&[tcp("::1", 7000)][..], 3));
        assert_eq!(login(&target), (Some("user"), Some("p@ss/w:ord")));
        assert_eq!(login(&parsed("redis://:only@host/")), (None, Some("only")));
        assert_eq!(login(&parsed("redis://user:a@b:c@host/")), (Some("user"), Some("a@b:c")));
    }

    #[test]
    fn a_socket() {
        let target = parsed("unix:///run/redis.sock?db=2");
        assert_eq!((addresses(&target), target.database), (&[Address::Unix("/run/redis.sock".into())][..], 2));
        let target = parsed("redis+unix://user:word@/run/redis.sock");
        assert_eq!(login(&target), (Some("user"), Some("word")));
    }

    #[test]
    fn encryption_and_its_files() {
        assert_eq!(parsed("rediss://host").tls, Some(TlsFiles::default()));
        let files = parsed("rediss://host?ssl_ca_certs=/a%20b.pem&ssl_certfile=c.pem&ssl_keyfile=k.pem").tls;
        let path = |text: &str| Some(PathBuf::from(text));
        let wanted = TlsFiles { authorities: path("/a b.pem"), certificate: path("c.pem"), key: path("k.pem") };
        assert_eq!(files, Some(wanted));
    }

    #[test]
    fn sentinels_and_the_service_they_watch() {
        let target = parsed("redis+sentinel://u:p@one,two:5000/my%20master/4?sentinel_password=s");
        assert_eq!(addresses(&target), [tcp("one", 26379), tcp("two", 5000)]);
        assert_eq!((login(&target), target.database), ((Some("u"), Some("p")), 4));
        let Arrangement::Sentinel { service, login, .. } = target.arrangement else { panic!("not a Sentinel") };
        assert_eq!((service.as_str(), login.user), ("my master", None));
        assert_eq!(login.password.as_ref().map(|password| password.as_str()), Some("s"));
        assert!(parsed("rediss+sentinel://one/m").tls.is_some());
    }

    #[test]
    fn a_cluster() {
        let target = parsed("redis+cluster://:p@one:7000,[fe80::1]:7001,three/0");
        assert_eq!(addresses(&target), [tcp("one", 7000), tcp("fe80::1", 7001), tcp("three", 6379)]);
        assert!(matches!(target.arrangement, Arrangement::Cluster(_)));
        assert_eq!(login(&target), (None, Some("p")));
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting() {
        for (url, why) in [
            ("hunter2", "no `://`"),
            ("http://hunter2", "its scheme"),
            ("redis://", "host is missing"),
            ("redis://:hunter2@", "host is missing"),
            ("redis://hunter2@host", "user without a password"),
            ("redis://:hunter2@host:port", "port is not a number"),
            ("redis://:hunter2@host:70000", "port is not a number"),
            ("redis://:hunter2@host/x", "database is not a number"),
            ("redis://:hunter2@host/-1", "database is not a number"),
            ("redis://:hunter2@one,two", "several hosts"),
            ("redis://:hun/ter2@host", "%2F"),
            ("redis://:hun?ter2@host", "%3F"),
            ("redis://:hun#ter2@host", "%23"),
            ("redis://:hun%ffter2@host", "not UTF-8"),
            ("redis://:hunter2@host?timeout=3", "unknown here"),
            ("redis://:hunter2@host?ssl_ca_certs=x", "unknown here"),
            ("rediss://:hunter2@host?ssl_certfile=x", "go together"),
            ("unix://hunter2", "not absolute"),
            ("redis+sentinel://:hunter2@one,two", "does not name the service"),
            ("redis+cluster://:hunter2@one/1", "no database but 0"),
        ] {
            let error = Target::parse(url).err().unwrap_or_else(|| panic!("{url} is taken"));
            assert!(error.contains(why), "{url}: {error}");
            assert!(!error.contains("hun") && !error.contains("ter2"), "{url}: {error}");
        }
    }

    #[test]
    fn addresses_in_replies_are_read_back() {
        for address in [tcp("::1", 7000), tcp("10.0.0.1", 7000), tcp("name.example", 1), tcp("", 7000)] {
            assert_eq!(Address::parse(&address.to_string()), Some(address));
        }
        assert_eq!(Address::parse("fe80::1:7000"), Some(tcp("fe80::1", 7000)));
        assert_eq!(Address::parse("nowhere"), None);
    }
}
