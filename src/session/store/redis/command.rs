//! The commands of a store. Redis and Valkey both have them.

use redis::{Cmd, Value, cmd};
use sha1::{Digest, Sha1};

use super::super::{Entry, Found, StoreError};

/// What is in front of the bytes: their version.
pub(super) const VERSION_BYTES: usize = 8;
/// Later than this, Redis takes a time for a mistake.
const LAST_EXPIRY: u64 = 1 << 50;

/// Compares the version and writes, as one step. It touches one key, so it
/// runs on the node of a Cluster that has it, and it has one command that
/// writes: when that one fails, nothing has happened. An empty value is
/// nothing, as it is to `load`.
///
/// KEYS: the key. ARGV: the version seen or nothing, what to put down or
/// nothing, the second it expires or nothing.
const COMPARE_AND_SET: &str = "\
local seen = redis.call('GETRANGE', KEYS[1], 0, 7)
if seen ~= '' then seen = string.sub(seen .. string.rep('\\0', 8), 1, 8) end
if seen ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  if seen ~= '' then redis.call('DEL', KEYS[1]) end
elseif ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'EXAT', ARGV[3])
end
return 1";

/// What a store wants of the server that has a key.
pub(super) enum Command {
    Load { key: Vec<u8> },
    CompareAndSet { key: Vec<u8>, seen: Vec<u8>, next: Vec<u8>, expires: Option<u64> },
    Remove { key: Vec<u8> },
}

impl Command {
    pub fn compare_and_set(key: Vec<u8>, seen: Option<u64>, next: Option<Entry>) -> Result<Self, StoreError> {
        let seen = seen.map_or_else(Vec::new, |seen| seen.to_be_bytes().to_vec());
        let Some(entry) = next else { return Ok(Self::CompareAndSet { key, seen, next: Vec::new(), expires: None }) };
        let drawn = getrandom::u64();
        let version = drawn.map_err(|error| StoreError::Unavailable(format!("no random bytes: {error}")))?;
        let mut next = Vec::with_capacity(VERSION_BYTES + entry.bytes.len());
        next.extend_from_slice(&version.to_be_bytes());
        next.extend_from_slice(&entry.bytes);
        // Times that Redis would refuse: before the first second is the first, after the last is never.
        let expires = entry.expires.filter(|expires| *expires < LAST_EXPIRY).map(|expires| expires.max(1));
        Ok(Self::CompareAndSet { key, seen, next, expires })
    }

    pub fn key(&self) -> &[u8] {
        match self {
            Self::Load { key } | Self::CompareAndSet { key, .. } | Self::Remove { key } => key,
        }
    }

    /// Whether it changes something, and so must not be sent again unless the
    /// server said that it did nothing.
    pub fn writes(&self) -> bool {
        !matches!(self, Self::Load { .. })
    }

    /// As it is sent; the script by its name, or whole.
    pub fn pack(&self, whole_script: bool) -> Cmd {
        match self {
            Self::Load { key } => one("GET", key),
            Self::Remove { key } => one("DEL", key),
            Self::CompareAndSet { key, seen, next, expires } => {
                let mut command = if whole_script { cmd("EVAL") } else { cmd("EVALSHA") };
                if whole_script {
                    command.arg(COMPARE_AND_SET);
                } else {
                    command.arg(name_of_script());
                }
                command.arg(1).arg(key).arg(seen).arg(next);
                match expires {
                    Some(expires) => command.arg(*expires),
                    None => command.arg(""),
                };
                command
            }
        }
    }
}

fn one(name: &'static str, key: &[u8]) -> Cmd {
    let mut command = cmd(name);
    command.arg(key);
    command
}

/// The SHA-1 in hexadecimal, by which servers remember a script.
fn name_of_script() -> &'static str {
    static NAME: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let digest = Sha1::digest(COMPARE_AND_SET);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    });
    &NAME
}

/// What is in a value; nothing in an empty one, which we never write. One
/// that is too short has the version that the script sees as well.
pub(super) fn found(value: Value) -> Result<Option<Found>, StoreError> {
    let bytes = match value {
        Value::Nil => return Ok(None),
        Value::BulkString(bytes) if bytes.is_empty() => return Ok(None),
        Value::BulkString(bytes) => bytes,
        _ => return Err(StoreError::Unavailable("Redis answers with what is no value".into())),
    };
    let (version, rest) = bytes.split_at(bytes.len().min(VERSION_BYTES));
    let mut padded = [0; VERSION_BYTES];
    for (to, from) in padded.iter_mut().zip(version) {
        *to = *from;
    }
    Ok(Some(Found { version: u64::from_be_bytes(padded), bytes: rest.into() }))
}

/// The answer of a command that did something, or not.
pub(super) fn done(value: &Value) -> Result<bool, StoreError> {
    match value {
        Value::Int(0) => Ok(false),
        Value::Int(1) => Ok(true),
        _ => Err(StoreError::OutcomeUnknown("Redis answers with what is no yes and no no".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(entry: Option<Entry>) -> Command {
        Command::compare_and_set(b"k".to_vec(), Some(1), entry).expect("random bytes")
    }

    fn expires(at: Option<u64>) -> Option<u64> {
        match set(Some(Entry { expires: at, bytes: [].into() })) {
            Command::CompareAndSet { expires, .. } => expires,
            _ => None,
        }
    }

    #[test]
    fn the_bytes_come_after_the_version() {
        let found =
            found(Value::BulkString(b"\0\0\0\0\0\0\x01\x02bytes".to_vec())).expect("a value").expect("an entry");
        assert_eq!((found.version, &*found.bytes), (0x102, &b"bytes"[..]));
        assert_eq!(super::found(Value::Nil), Ok(None));
        assert_eq!(super::found(Value::BulkString(Vec::new())), Ok(None));
        assert!(super::found(Value::Int(1)).is_err());
    }

    #[test]
    fn a_value_that_is_too_short_has_a_version_and_no_bytes() {
        let found = found(Value::BulkString(b"\x01".to_vec())).expect("a value").expect("an entry");
        assert_eq!((found.version, &*found.bytes), (0x0100_0000_0000_0000, &b""[..]));
    }

    #[test]
    fn times_that_redis_would_refuse_are_not_sent() {
        assert_eq!(expires(None), None);
        assert_eq!(expires(Some(0)), Some(1));
        assert_eq!(expires(Some(2_000_000_000)), Some(2_000_000_000));
        assert_eq!(expires(Some(u64::MAX)), None);
    }

    #[test]
    fn the_script_goes_by_the_name_that_redis_gives_it() {
        let by_name = set(None).pack(false).get_packed_command();
        let whole = set(None).pack(true).get_packed_command();
        let text = String::from_utf8(whole).expect("text");
        assert!(text.contains(COMPARE_AND_SET) && text.contains("EVAL\r\n"));
        assert!(String::from_utf8(by_name).expect("text").contains(name_of_script()));
        assert_eq!(name_of_script().len(), 40);
    }

    #[test]
    fn every_write_draws_a_version() {
        let next = |command| match command {
            Command::CompareAndSet { next, .. } => next,
            _ => Vec::new(),
        };
        let entry = || Some(Entry { expires: None, bytes: [7].into() });
        let (first, second) = (next(set(entry())), next(set(entry())));
        assert_eq!((first.len(), first.last()), (9, Some(&7)));
        assert_ne!(first, second);
    }
}
