//! What is shown of a session: everything but what it holds.

use serde_json::{Map, Value, json};

use super::Sessions;
use super::times::{age, ahead};
use crate::session::Session;
use crate::session::store::{Found, Key};

/// How much of a handle a table shows: enough to be the only one among billions.
pub const SHORT: usize = 12;

/// One session.
pub struct Row {
    pub key: Key,
    /// Bytes in the store.
    pub bytes: usize,
    /// Its times and its data, or why it cannot be read.
    pub contents: Result<Contents, String>,
}

pub struct Contents {
    pub created: f64,
    /// When it was last stored: at a visit at most `reissue_time` before the last one.
    pub used: f64,
    /// When it ends, unless its visitor comes before.
    pub ends: Option<f64>,
    /// Why it is no session any more, though it is still there.
    pub ended: Option<String>,
    pub state: Map<String, Value>,
}

impl Row {
    pub fn new(sessions: &Sessions<'_>, key: Key, found: &Found) -> Self {
        Self { key, bytes: found.bytes.len(), contents: Contents::read(sessions, &key, found) }
    }

    /// The cells of a table.
    pub fn cells(&self, now: f64) -> [String; 6] {
        let handle: String = self.key.to_string().chars().take(SHORT).collect();
        let size = format!("{} B", self.bytes);
        match &self.contents {
            Ok(contents) => {
                let ends = match (&contents.ended, contents.ends) {
                    (Some(_), _) => "ended".to_owned(),
                    (None, Some(ends)) => ahead(ends, now),
                    (None, None) => "never".to_owned(),
                };
                let keys = contents.state.len().to_string();
                [handle, age(contents.created, now), age(contents.used, now), ends, size, keys]
            }
            Err(_) => [&*handle, "unreadable", "", "", &*size, ""].map(str::to_owned),
        }
    }

    /// For scripts. Times are in Unix seconds.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("handle", json!(self.key.to_string()));
        put("bytes", json!(self.bytes));
        match &self.contents {
            Ok(contents) => {
                put("created", json!(contents.created));
                put("used", json!(contents.used));
                put("expires", json!(contents.ends));
                put("ended", json!(contents.ended));
                put("keys", json!(contents.state.len()));
            }
            Err(why) => _ = put("unreadable", json!(why)),
        }
        fields
    }
}

impl Contents {
    fn read(sessions: &Sessions<'_>, key: &Key, found: &Found) -> Result<Self, String> {
        let record = sessions.stored.open(key, found).map_err(|damage| damage.to_string())?;
        let session = Session::restore(record.created, record.state).map_err(|error| error.to_string())?;
        let state = match session.to_value() {
            Value::Object(state) => state,
            _ => Map::new(),
        };
        Ok(Self {
            created: record.created,
            used: record.renewed,
            ends: sessions.stored.ends(&record),
            ended: sessions.stored.ended(&record, sessions.now).map(|refusal| refusal.to_string()),
            state,
        })
    }
}
