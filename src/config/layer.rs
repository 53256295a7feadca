//! The layers of the settings, put together by the `config` crate: the file, then
//! `config.local.toml`, then environment variables such as `SITEWRIGHT__SESSION__TIMEOUT=60`.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::{ConfigError, Map, Source as Layer, Value as Layered, ValueKind};
use serde::Deserialize;

use super::keys::{self, Key, Kind};
use super::settings::{CorsSettings, CsrfSettings, ServerSettings, SessionSettings, Settings};
use super::tree::{Node, Tree};
use super::{kind, variables};
use crate::diagnostic::{At, Diagnostic, Diagnostics, Place, Source};

/// What environment variables that override settings start with.
pub const PREFIX: &str = "SITEWRIGHT__";

/// Keys whose values may be tables, and are one thing all the same: who gives one of a group last
/// gives all of it.
const GROUPS: [&[&str]; 2] = [&["secret", "secrets"], &["url"]];

pub(super) const TABLES: [(&str, &[Key]); 4] =
    [("server", keys::SERVER), ("session", keys::SESSION), ("csrf", keys::CSRF), ("cors", keys::CORS)];

/// Lays the environment over `config.local.toml` over the file. A value that does not fit is
/// reported and left out.
///
/// `files` come lowest first. `environment` holds all variables; those that do not start with
/// [`PREFIX`] are not looked at.
pub fn layer(files: &[&Node], environment: &BTreeMap<String, String>, problems: &mut Diagnostics) -> Settings {
    let mut settings = Settings::default();
    let mut builder = config::Config::builder();
    settings.sources = files.iter().map(|file| Arc::clone(&file.place.source)).collect();
    for (i, file) in files.iter().enumerate() {
        let later = files.get(i + 1..).unwrap_or_default();
        let hidden = hidden_keys(later, environment);
        builder = builder.add_source(file_layer(file, &hidden, &mut settings, problems));
    }
    let variables = fitting_variables(environment, &mut settings, problems);
    builder = builder.add_source(
        config::Environment::with_prefix(PREFIX.trim_end_matches('_'))
            .prefix_separator("__")
            .separator("__")
            .source(Some(variables)),
    );
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct All {
        server: ServerSettings,
        session: SessionSettings,
        csrf: CsrfSettings,
        cors: CorsSettings,
    }
    match builder.build().and_then(config::Config::try_deserialize::<All>) {
        Ok(all) => {
            settings.server = all.server;
            settings.session = all.session;
            settings.csrf = all.csrf;
            settings.cors = all.cors;
        }
        Err(error) => problems.push(Diagnostic::nowhere(format!("the settings do not fit: {error}"))),
    }
    settings
}

/// One file's `[server]`, `[session]`, `[csrf]` and `[cors]`, as a layer for the `config` crate.
#[derive(Clone, Debug)]
struct FileLayer(Map<String, Layered>);

impl Layer for FileLayer {
    fn clone_into_box(&self) -> Box<dyn Layer + Send + Sync> {
        Box::new(self.clone())
    }
    fn collect(&self) -> Result<Map<String, Layered>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// The keys of the groups that a later file or the environment gives.
fn hidden_keys(later: &[&Node], environment: &BTreeMap<String, String>) -> Vec<&'static str> {
    let in_file = |file: &&Node, key: &str| {
        let session = file.get("session").map(|entry| &entry.node);
        session.is_some_and(|session| session.get(key).is_some())
    };
    let in_variable = |key: &str| {
        let whole = format!("{PREFIX}SESSION__{}", key.to_uppercase());
        environment.iter().any(|(variable, value)| {
            let rest = variable.to_uppercase().strip_prefix(&whole).map(str::to_owned);
            !value.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("__"))
        })
    };
    let given = |key: &str| later.iter().any(|file| in_file(file, key)) || in_variable(key);
    let groups = GROUPS.into_iter().filter(|group| group.iter().any(|key| given(key)));
    groups.flatten().copied().collect()
}

/// The values of one file that fit, but for those of `hidden` keys. Notes where each value is, even
/// one that does not fit: it was given.
fn file_layer(file: &Node, hidden: &[&str], settings: &mut Settings, problems: &mut Diagnostics) -> FileLayer {
    let mut layer = Map::new();
    for (table, list) in TABLES {
        let Some(entry) = file.get(table) else { continue };
        settings.has_session |= table == "session";
        if !matches!(entry.node.tree, Tree::Table(_)) {
            entry.node.expected::<()>("a table", problems);
            continue;
        }
        settings.places.insert(table.to_owned(), entry.name.place.clone());
        let names: Vec<_> = list.iter().map(|key| key.name).collect();
        let mut fitting = Map::new();
        for entry in entry.node.only(&names, problems).entries() {
            let Some(key) = list.iter().find(|key| key.name == *entry.name) else { continue };
            let value = kind::fit(key.kind, &entry.node, problems);
            if hidden.contains(&key.name) {
                continue;
            }
            note_places(&format!("{table}.{}", key.name), &entry.node, settings);
            if let Some(value) = value {
                fitting.insert(key.name.to_owned(), layered(&value));
            }
        }
        layer.insert(table.to_owned(), Layered::new(None, ValueKind::Table(fitting)));
    }
    FileLayer(layer)
}

fn note_places(key: &str, node: &Node, settings: &mut Settings) {
    settings.places.insert(key.to_owned(), node.place.clone());
    if let Tree::List(items) = &node.tree {
        for (i, item) in items.iter().enumerate() {
            note_places(&format!("{key}[{i}]"), item, settings);
        }
    }
}

fn layered(node: &Node) -> Layered {
    let kind = match &node.tree {
        Tree::Text(text) => ValueKind::String(text.clone()),
        Tree::Scalar(serde_json::Value::Bool(boolean)) => ValueKind::Boolean(*boolean),
        Tree::Scalar(value) => match (value.as_i64(), value.as_f64()) {
            (Some(integer), _) => ValueKind::I64(integer),
            (None, Some(float)) => ValueKind::Float(float),
            (None, None) => ValueKind::Nil,
        },
        Tree::List(items) => ValueKind::Array(items.iter().map(layered).collect()),
        Tree::Table(entries) => {
            ValueKind::Table(entries.iter().map(|entry| (entry.name.value.clone(), layered(&entry.node))).collect())
        }
    };
    Layered::new(Some(&node.place.to_string()), kind)
}

/// The variables that set something that exists to a value that fits.
fn fitting_variables(
    environment: &BTreeMap<String, String>,
    settings: &mut Settings,
    problems: &mut Diagnostics,
) -> Map<String, String> {
    let mut fitting = Map::new();
    for (variable, value) in environment {
        let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
        if value.is_empty() {
            continue;
        }
        let place = Source::variable(variable).place(0..0);
        let rest = rest.to_lowercase();
        let mut parts = rest.splitn(3, "__");
        let (table, name, below) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
        let Some(key) = key_of(table, name).filter(|key| takes(key.kind, below)) else {
            problems.push(unknown_variable(&place, table, name));
            continue;
        };
        settings.has_session |= table == "session";
        settings.places.entry(table.to_owned()).or_insert_with(|| place.clone());
        let setting = format!("{table}.{name}");
        settings.places.insert(setting.clone(), place.clone());
        let setting = At::new(below.map_or(setting.clone(), |below| format!("{setting}.{below}")), place);
        if kind::fits_text(key.kind, &setting, below, value, problems) {
            fitting.insert(variable.clone(), value.clone());
        }
    }
    fitting
}

fn key_of(table: &str, name: &str) -> Option<&'static Key> {
    let (_, list) = TABLES.iter().find(|(known, _)| *known == table)?;
    list.iter().find(|key| key.name == name)
}

/// Whether a setting of this kind has an entry `below` it.
fn takes(kind: Kind, below: Option<&str>) -> bool {
    match below {
        None => true,
        Some("generate") => kind == Kind::Secret,
        Some(entry) => matches!(kind, Kind::Secret | Kind::Url) && matches!(entry, "env" | "file"),
    }
}

fn unknown_variable(place: &Place, table: &str, name: &str) -> Diagnostic {
    let meant = variables::meant(&format!("{table}_{name}")).map(|meant| format!("did you mean `{meant}`?"));
    let help = meant.unwrap_or_else(|| {
        format!(
            "a variable sets a key of `[server]`, `[session]`, `[csrf]` or `[cors]`, such as `{PREFIX}SESSION__TIMEOUT`"
        )
    });
    Diagnostic::error(place, "this variable sets nothing that exists").help(help)
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::super::settings::SecretSource;
    use super::super::tree;
    use super::*;

    fn session(files: &[&str], variables: &[(&str, &str)]) -> SessionSettings {
        let mut problems = Diagnostics::default();
        let read = |text: &&str| {
            let table = DeTable::parse(text).unwrap();
            tree::read(&table, &Source::file("config.toml", *text), &mut Diagnostics::default())
        };
        let files: Vec<Node> = files.iter().map(read).collect();
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = layer(&files.iter().collect::<Vec<_>>(), &environment, &mut problems);
        assert!(problems.is_empty() && settings.session.secrets.is_none(), "{problems:?}");
        settings.session
    }

    fn secret(files: &[&str], variables: &[(&str, &str)]) -> Option<SecretSource> {
        session(files, variables).secret
    }

    #[test]
    fn who_gives_a_secret_last_gives_all_of_it() {
        let variable = "[session]\nsecret = { env = \"NAME\" }";
        let list = "[session]\nsecrets = [\"new\", \"old\"]";
        let file = "[session]\nsecret = { file = \"local\" }";
        let from = |path: &str| Some(SecretSource::File { file: path.to_owned(), generate: false });
        assert_eq!(secret(&[variable, file], &[]), from("local"));
        assert_eq!(secret(&[list, file], &[]), from("local"));
        assert_eq!(secret(&[variable, list], &[("SITEWRIGHT__SESSION__SECRET__FILE", "x")]), from("x"));
        assert_eq!(secret(&[file], &[("SITEWRIGHT__SESSION__SECRET__FILE", "")]), from("local"));
    }
    #[test]
    fn who_gives_a_url_last_gives_all_of_it() {
        let text = "[session]\nurl = \"redis://one\"";
        let table = "[session]\nurl = { env = \"NAME\" }";
        let url = |files: &[&str], variables: &[(&str, &str)]| session(files, variables).url;
        let inline = |text: &str| Some(SecretSource::Inline(text.to_owned()));
        assert_eq!(url(&[table, text], &[]), inline("redis://one"));
        assert_eq!(url(&[text, table], &[("SITEWRIGHT__SESSION__URL", "redis://two")]), inline("redis://two"));
        let variable = SecretSource::Variable { env: "OTHER".to_owned() };
        assert_eq!(url(&[text], &[("SITEWRIGHT__SESSION__URL__ENV", "OTHER")]), Some(variable));
    }
}
