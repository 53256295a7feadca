//! What a server says when it does not do what it was asked to.

use std::fmt;

use redis::ServerError;

use super::super::StoreError;
use super::url::Address;

/// A reply that is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The first word: `READONLY`.
    code: String,
    text: String,
    /// Who said so.
    by: Address,
}

/// What to make of a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Advice {
    /// The server does not know the script: send it whole.
    SendScript,
    /// The slot has moved to another node for good.
    Moved(Address),
    /// This once, another node has the key.
    Ask(Address),
    /// A slot is on its way between nodes: a moment later it is there.
    Wait,
    /// Not a server to talk to, at least not on this connection.
    Leave,
    GiveUp,
}

/// The codes that Redis and Valkey answer with *instead of* running a command
/// or a script's only write. A proxy may invent others, after it has passed
/// the command on; those tell nothing.
const NOT_RUN: [&str; 18] = [
    "ASK",
    "BUSY",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "DENIED",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOAUTH",
    "NOPERM",
    "NOREPLICAS",
    "NOSCRIPT",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "WRONGPASS",
    "WRONGTYPE",
];

impl Refusal {
    pub fn new(error: &ServerError, by: &Address) -> Self {
        let text = error.details().unwrap_or_default().to_owned();
        Self { code: error.code().to_owned(), text, by: by.clone() }
    }

    pub fn advice(&self) -> Advice {
        match self.code.as_str() {
            "NOSCRIPT" => Advice::SendScript,
            "MOVED" => self.redirection().map_or(Advice::GiveUp, Advice::Moved),
            "ASK" => self.redirection().map_or(Advice::GiveUp, Advice::Ask),
            "TRYAGAIN" => Advice::Wait,
            "READONLY" | "MASTERDOWN" | "LOADING" | "CLUSTERDOWN" | "NOAUTH" => Advice::Leave,
            _ => Advice::GiveUp,
        }
    }

    /// Whether it was the command that we may not use, not the server.
    pub fn is_of_permission(&self) -> bool {
        self.code == "NOPERM"
    }

    /// Whether the command has certainly not been carried out.
    fn tells_that_nothing_happened(&self) -> bool {
        // Before Redis 7, what a script's command says is a text of the script's.
        // Ours has one command that writes, and ends with it.
        let from_the_script = self.code == "ERR" && self.text.contains("@user_script");
        from_the_script || NOT_RUN.contains(&self.code.as_str())
    }

    /// The node in `MOVED 3999 127.0.0.1:6381`; without a host it is the one
    /// that was asked.
    fn redirection(&self) -> Option<Address> {
        match Address::parse(self.text.split(' ').nth(1)?)? {
            Address::Tcp { host, port } if host.is_empty() => match &self.by {
                Address::Tcp { host, .. } => Some(Address::Tcp { host: host.clone(), port }),
                Address::Unix(_) => None,
            },
            address => Some(address),
        }
    }

    /// What the refusal of a write is to the one who asked for it.
    pub fn of_write(self) -> StoreError {
        if self.tells_that_nothing_happened() {
            StoreError::Unavailable(self.to_string())
        } else {
            StoreError::OutcomeUnknown(self.to_string())
        }
    }

    /// What the refusal of a read is to the one who asked for it.
    pub fn of_read(self) -> StoreError {
        StoreError::Unavailable(self.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, text, by } = self;
        write!(f, "Redis at {by} answers {code} {text}")?;
        f.write_str(match code.as_str() {
            "MOVED" | "ASK" => " (it is part of a Cluster: let the URL begin with `redis+cluster://`)",
            "OOM" => " (its memory is full)",
            _ => "",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str, text: &str) -> Refusal {
        let by = Address::Tcp { host: "10.0.0.1".into(), port: 7000 };
        Refusal { code: code.into(), text: text.into(), by }
    }

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp { host: host.into(), port }
    }

    #[test]
    fn a_slot_is_followed_to_its_node() {
        assert_eq!(refusal("MOVED", "3999 10.0.0.2:6381").advice(), Advice::Moved(tcp("10.0.0.2", 6381)));
        assert_eq!(refusal("ASK", "3999 ::1:6381").advice(), Advice::Ask(tcp("::1", 6381)));
        assert_eq!(refusal("MOVED", "3999 :6381").advice(), Advice::Moved(tcp("10.0.0.1", 6381)));
        assert_eq!(refusal("MOVED", "3999").advice(), Advice::GiveUp);
    }

    #[test]
    fn a_write_that_was_refused_has_not_happened() {
        for code in NOT_RUN {
            assert!(matches!(refusal(code, "").of_write(), StoreError::Unavailable(_)), "{code}");
        }
        let before_redis_7 = "Error running script (call to f_0): @user_script:3: @user_script: 3: -OOM command not \
                              allowed when used memory > 'maxmemory'.";
        assert!(matches!(refusal("ERR", before_redis_7).of_write(), StoreError::Unavailable(_)));
    }

    #[test]
    fn an_error_that_a_proxy_may_have_made_tells_nothing() {
        for (code, text) in [("ERR", "server closed connection"), ("upstream", "failure")] {
            assert!(matches!(refusal(code, text).of_write(), StoreError::OutcomeUnknown(_)), "{code} {text}");
            assert!(matches!(refusal(code, text).of_read(), StoreError::Unavailable(_)), "{code} {text}");
        }
    }
}
