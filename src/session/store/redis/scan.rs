//! Looking through all keys, for operators.

use std::collections::HashSet;

use redis::{Value, cmd};

use super::super::{Cursor, Key, StoreError};
use super::sentinel::text;
use super::servers::Servers;

/// Where a look through all servers goes on: a server, and its own cursor.
///
/// As bytes: the cursor in eight, then the name of the server.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Place {
    server: String,
    cursor: u64,
}

impl Place {
    /// Reads what [`cursor`](Self::cursor) writes; anything else is the start.
    pub fn of(cursor: &Cursor) -> Self {
        let read = cursor.0.split_first_chunk().and_then(|(number, server)| {
            Some(Self { cursor: u64::from_be_bytes(*number), server: std::str::from_utf8(server).ok()?.to_owned() })
        });
        read.unwrap_or_default()
    }

    pub fn cursor(&self) -> Cursor {
        Cursor(self.cursor.to_be_bytes().into_iter().chain(self.server.bytes()).collect())
    }
}

/// A step: the keys of sessions among some of the keys at `place`, and where
/// to go on.
///
/// Redis promises that a key that is there all the while is found at least
/// once.
pub(super) async fn step(
    servers: &Servers,
    prefix: &str,
    place: &Place,
    count: usize,
) -> Result<(HashSet<Key>, Option<Place>), StoreError> {
    let masters = servers.masters().await?;
    // A server that has gone since is passed over.
    let mut rest = masters.into_iter().skip_while(|(name, _)| *name < place.server);
    let Some((name, link)) = rest.next() else { return Ok((HashSet::new(), None)) };
    let cursor = if name == place.server { place.cursor } else { 0 };

    let connection = link.connection().await.map_err(StoreError::Unavailable)?;
    let mut command = cmd("SCAN");
    command.arg(cursor).arg("MATCH").arg(pattern(prefix)).arg("COUNT").arg(count);
    let reply = connection.ask(&command, false).await;
    let reply = reply.map_err(|failure| StoreError::Unavailable(failure.to_string()))?;
    let (cursor, keys) = found(&reply, prefix)
        .ok_or_else(|| StoreError::Unavailable("Redis answers SCAN with what is no list of keys".into()))?;
    let next = match cursor {
        0 => rest.next().map(|(server, _)| Place { server, cursor: 0 }),
        cursor => Some(Place { server: name, cursor }),
    };
    Ok((keys, next))
}

fn found(reply: &Value, prefix: &str) -> Option<(u64, HashSet<Key>)> {
    let Value::Array(parts) = reply else { return None };
    let [cursor, Value::Array(names)] = parts.as_slice() else { return None };
    let key = |name: &Value| Key::parse(text(name)?.strip_prefix(prefix)?);
    Some((text(cursor)?.parse().ok()?, names.iter().filter_map(key).collect()))
}

/// The pattern of names that begin with `prefix`, for Redis's own globbing.
fn pattern(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for c in prefix.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back() {
        for place in [Place::default(), Place { server: "[::1]:7000".into(), cursor: u64::MAX }] {
            assert_eq!(Place::of(&place.cursor()), place);
        }
        assert_eq!(Place::of(&Cursor(Box::from(&b"short"[..]))), Place::default());
    }

    #[test]
    fn a_prefix_matches_nothing_but_itself() {
        assert_eq!(pattern("sitewright:"), "sitewright:*");
        assert_eq!(pattern(r"a*b?[c]\"), r"a\*b\?\[c\]\\*");
    }

    #[test]
    fn keys_of_others_are_not_sessions() {
        let key = Key::of(b"id");
        let names = [format!("p:{key}"), "p:settings".into(), format!("q:{key}"), format!("p:{key}:lock")];
        let names = names.map(|name| Value::BulkString(name.into_bytes())).to_vec();
        let reply = Value::Array(vec![Value::BulkString(b"17".to_vec()), Value::Array(names)]);
        assert_eq!(found(&reply, "p:"), Some((17, HashSet::from([key]))));
        assert_eq!(found(&Value::Nil, "p:"), None);
    }
}
