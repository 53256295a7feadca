//! Words of other frameworks for what has another name here: no slip of a finger, so no name is near.

/// Where a key may be written by somebody who knows it from elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Top,
    Server,
    Session,
    Route,
}

/// A key of other frameworks.
pub struct Foreign {
    table: Table,
    words: &'static [&'static str],
    /// The key that takes the same value here, if one does.
    pub ours: Option<&'static str>,
    /// What to write.
    pub help: &'static str,
}

const fn same(table: Table, words: &'static [&'static str], ours: &'static str, help: &'static str) -> Foreign {
    Foreign { table, words, ours: Some(ours), help }
}

const fn other(table: Table, words: &'static [&'static str], help: &'static str) -> Foreign {
    Foreign { table, words, ours: None, help }
}

const LISTEN: &[&str] = &["port", "host", "bind", "address"];
const VIEW: &[&str] = &["view", "view_func", "handler", "controller"];

const KEYS: &[Foreign] = &[
    same(Table::Route, &["pattern", "url", "uri", "rule"], "path", "it is called `path` here"),
    same(Table::Route, &["renderer"], "template", "it is called `template` here; JSON is `json = { … }`"),
    same(Table::Route, &["status_code"], "status", "it is called `status` here"),
    same(Table::Route, &["require_csrf"], "csrf", "it is called `csrf` here"),
    other(Table::Route, &["request_method"], "it is called `methods` here, and is a list: `methods = [\"POST\"]`"),
    other(Table::Route, &["request_param"], "it is a predicate: write `match = { param = … }`"),
    other(Table::Route, &["route_name", "endpoint"], "the name stands in the header: `[routes.NAME]`"),
    other(
        Table::Route,
        &["permission", "auth", "login_required"],
        "write a guard: `guards = [{ read = \"user\", or = { redirect = \"login\" } }]`",
    ),
    other(
        Table::Route,
        VIEW,
        "a route has no program: `actions` say what it does, `template`, `json` or `redirect` what it answers",
    ),
    other(Table::Route, &["body", "content", "response"], "write what it answers as `text`, `html` or `json`"),
    other(Table::Route, &["http_cache"], "for browsers, write `headers = { Cache-Control = \"max-age=60\" }`"),
    other(Table::Server, LISTEN, "address and port are one: `listen = \"127.0.0.1:8080\"`"),
    other(Table::Top, LISTEN, "write `listen = \"127.0.0.1:8080\"` below `[server]`"),
    same(Table::Session, &["secret_key"], "secret", "it is called `secret` here"),
    other(Table::Top, &["secret_key"], "it is called `secret` here, and stands below `[session]`"),
    same(Table::Session, &["key", "cookie", "name"], "cookie_name", "it is called `cookie_name` here"),
    same(Table::Session, &["data_dir"], "directory", "it is called `directory` here"),
    other(Table::Session, &["type", "backend", "engine", "store"], "it is called `factory` here"),
    other(Table::Session, &["ttl", "expires", "expire", "idle_timeout"], "it is called `timeout` here, in seconds"),
    other(Table::Top, &["session_factory"], "write `factory = \"signed-cookie\"` below `[session]`"),
    same(
        Table::Top,
        &["template_folder", "template_dir"],
        "template_directory",
        "it is called `template_directory` here",
    ),
];

/// What somebody means who writes the key `name` in the table `inside`.
pub fn key(name: &str, inside: &str) -> Option<&'static Foreign> {
    let table = match inside {
        "" => Table::Top,
        "server" => Table::Server,
        "session" => Table::Session,
        "defaults" => Table::Route,
        _ => inside.strip_prefix("routes.").filter(|name| !name.contains('.')).map(|_| Table::Route)?,
    };
    let name = name.to_lowercase();
    KEYS.iter().find(|foreign| foreign.table == table && foreign.words.contains(&name.as_str()))
}

const VERBS: &[(&str, &[&str])] = &[
    ("increment-counter", &["inc", "incr", "increment", "count", "counter"]),
    ("store-param", &["store", "save", "store-parameter"]),
    ("read", &["get", "load", "fetch"]),
    ("set", &["put", "assign"]),
    ("append", &["push", "add"]),
    ("delete", &["del", "unset"]),
    ("require", &["assert", "check", "guard"]),
    ("flash", &["message"]),
    ("verify-password", &["login", "authenticate", "check-password"]),
    ("renew", &["regenerate", "rotate"]),
    ("invalidate", &["logout", "destroy"]),
];

/// The verb that is meant by one of another framework.
pub fn verb(name: &str) -> Option<&'static str> {
    ours(VERBS, &name.replace('_', "-"))
}

const FACTORIES: &[(&str, &[&str])] = &[
    ("signed-cookie", &["signedcookiesessionfactory", "unencryptedcookiesessionfactoryconfig", "cookie", "cookies"]),
    ("encrypted-cookie", &["encryptedcookiesessionfactory", "encryptedcookie"]),
    ("file", &["filesystem", "files"]),
    ("postgres", &["postgresql"]),
    ("mysql", &["mariadb"]),
    ("redis", &["valkey"]),
];

/// The kind of session factory that is meant by one of another framework.
pub fn factory(name: &str) -> Option<&'static str> {
    ours(FACTORIES, name)
}

fn ours(list: &[(&'static str, &[&str])], name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    list.iter().find_map(|(ours, words)| words.contains(&name.as_str()).then_some(*ours))
}

/// The advice for a word that has another name here.
pub fn help(ours: &str) -> String {
    format!("it is called `{ours}` here")
}

#[cfg(test)]
mod tests {
    use super::super::keys;
    use super::*;

    #[test]
    fn no_word_of_other_frameworks_is_one_of_ours() {
        let route = [keys::names(keys::ROUTE), keys::names(keys::RESPONSE)].concat();
        let settings = |list: &[keys::Key]| list.iter().map(|key| key.name).collect::<Vec<_>>();
        for foreign in KEYS {
            let valid = match foreign.table {
                Table::Top => keys::names(keys::TOP),
                Table::Server => settings(keys::SERVER),
                Table::Session => settings(keys::SESSION),
                Table::Route => route.clone(),
            };
            assert!(foreign.ours.is_none_or(|ours| valid.contains(&ours)), "{:?}", foreign.ours);
            assert!(foreign.words.iter().all(|word| !valid.contains(word)), "{:?}", foreign.words);
        }
    }
}
