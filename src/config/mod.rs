//! Text to declarations: reads `config.toml`, `config.local.toml`, the environment, template files
//! and mounted folders, and says of everything where it was written.
//!
//! The only folder that knows `toml` and `config`. It checks shapes (unknown keys, wrong types, two
//! responses); what the names *mean* is checked when `crate::site` is built.

pub mod cache;
mod data;
pub mod declaration;
pub mod foreign;
pub mod keys;
pub mod kind;
pub mod layer;
mod mask;
pub mod messages;
pub mod param;
pub mod read;
pub mod route;
mod setting_keys;
pub mod settings;
mod statics;
mod syntax;
pub mod tree;
pub mod users;
mod variables;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use crate::diagnostic::{At, Diagnostic, Diagnostics, Place, Source, Written};
use declaration::{Declarations, TemplateDeclaration};
use read::{Inputs, reason};
use settings::Settings;
use tree::{Entry, Node, Tree};

/// What the environment gives: variables by name.
pub type Environment = BTreeMap<String, String>;

/// The environment of this process. Variables that are not UTF-8 are left out.
pub fn process_environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Everything a site's files and the environment say.
#[derive(Debug)]
pub struct Loaded {
    /// The settings in force.
    pub settings: Settings,
    /// The declarations, mounts included; `None` when the file could not be read at all.
    pub declarations: Option<Declarations>,
    /// Whether nothing of the declarations was left out for a mistake.
    pub is_whole: bool,
    /// What was read.
    pub inputs: Inputs,
}

/// Reads the site whose file is at `path`. Problems are collected, never returned early.
pub fn load(path: &Path, environment: &Environment, problems: &mut Diagnostics) -> Loaded {
    let mut inputs = Inputs::default();
    let Some(file) = File::read(path, &mut inputs, problems, None) else {
        return Loaded { settings: Settings::default(), declarations: None, is_whole: false, inputs };
    };
    let mut mistakes = Diagnostics::default();
    let file = file.only_declarations(&mut mistakes);
    let local_path = path.with_extension("local.toml");
    let local = match std::fs::exists(&local_path) {
        Ok(true) => File::read(&local_path, &mut inputs, problems, None),
        _ => {
            inputs.files.insert(local_path);
            None
        }
    };
    let local = local.map(|local| local.only_settings(problems));
    let mut layers = vec![&file.node];
    layers.extend(local.as_ref().map(|local| &local.node));
    let settings = layer::layer(&layers, environment, problems);
    variables::check(environment, &layers, problems);
    let mut ancestors = vec![folder_of(path)];
    let declarations = declarations(file, String::new(), String::new(), &mut ancestors, &mut inputs, &mut mistakes);
    let is_whole = !mistakes.has_errors();
    problems.extend(mistakes);
    Loaded { settings, declarations: Some(declarations), is_whole, inputs }
}

/// One TOML file, read and parsed.
struct File {
    path: PathBuf,
    source: Arc<Source>,
    node: Node,
}

impl File {
    fn read(path: &Path, inputs: &mut Inputs, problems: &mut Diagnostics, wanted_by: Option<&Node>) -> Option<Self> {
        let name = path.display().to_string();
        let text = match inputs.read(path) {
            Ok(text) => text,
            Err(error) => {
                let why = reason(&error);
                problems.push(match wanted_by {
                    Some(node) => node
                        .error(format!("cannot read `{name}`: {why}"))
                        .help("`site` names a folder with a `config.toml`, relative to this file"),
                    None => {
                        let place = Source::opaque(name).place(0..0);
                        let unread = Diagnostic::error(&place, format!("cannot read this file: {why}"));
                        advice(error.kind()).iter().fold(unread, |unread, help| unread.help(*help))
                    }
                });
                return None;
            }
        };
        let (table, errors) = DeTable::parse_recoverable(&text);
        // Read twice: once to learn what must not be shown, then with places that may be.
        let draft = tree::read(&table, &Source::file(&name, ""), &mut Diagnostics::default());
        let source = Source::file(&name, mask::mask_secrets(&text, &draft, !errors.is_empty()));
        if !errors.is_empty() {
            // What is left of the text would be judged for what is missing.
            syntax::report(&errors, &source, problems);
            return None;
        }
        let node = tree::read(&table, &source, problems);
        Some(Self { path: path.to_owned(), source, node })
    }

    fn only_declarations(mut self, problems: &mut Diagnostics) -> Self {
        self.node = self.node.only(&keys::names(keys::TOP), problems).into_owned();
        self
    }

    /// `config.local.toml` is for settings; declarations in two files would be hard to follow.
    fn only_settings(mut self, problems: &mut Diagnostics) -> Self {
        let settings = ["server", "session", "csrf", "cors"];
        let declared = |name: &str| keys::names(keys::TOP).contains(&name) && !settings.contains(&name);
        let (elsewhere, here): (Vec<_>, Vec<_>) =
            self.node.entries().iter().cloned().partition(|entry| declared(&entry.name));
        for entry in elsewhere {
            problems.push(
                Diagnostic::error(&entry.name.place, format!("`{}` cannot be declared here", entry.name.value))
                    .help("this file overrides `[server]`, `[session]`, `[csrf]` and `[cors]`; declare everything else in `config.toml`"),
            );
        }
        self.node.tree = Tree::Table(here);
        self.node = self.node.only(&settings, problems).into_owned();
        self
    }
}

/// What to do about a site's file that cannot be read.
fn advice(kind: ErrorKind) -> &'static [&'static str] {
    match kind {
        ErrorKind::NotFound => &[
            "run in the folder of a site, or name a site with `--config`",
            "`sitewright new NAME` makes a folder with a site to start from",
        ],
        ErrorKind::IsADirectory => &["a site is a file; give the folder it is in another name"],
        ErrorKind::InvalidData => &["let your editor save it as UTF-8"],
        _ => &[],
    }
}

fn declarations(
    mut file: File,
    name: String,
    prefix: String,
    ancestors: &mut Vec<PathBuf>,
    inputs: &mut Inputs,
    problems: &mut Diagnostics,
) -> Declarations {
    let folder = file.path.parent().unwrap_or(Path::new("")).to_owned();
    let data_files = data::fetch(&mut file.node, &folder, inputs, problems);
    let top = &file.node;
    let around = Around { folder: &folder, name: &name, prefix: &prefix };
    let mounts = mounts(top, &around, ancestors, inputs, problems);
    Declarations {
        templates: templates(top, &folder, inputs, problems),
        data_files,
        data: top.get("data").map_or_else(Vec::new, |data| data.node.table(problems).to_vec()),
        routes: route::routes(top, problems),
        messages: messages::messages(top, problems),
        cache: cache::cache(top, problems),
        errors: route::errors(top, problems),
        statics: statics::statics(top, &folder, problems),
        users: users::users(top, &folder, inputs, problems),
        unread_mounts: mounts.iter().any(Option::is_none),
        mounts: mounts.into_iter().flatten().collect(),
        name,
        prefix,
        folder,
        source: file.source,
    }
}

fn templates(top: &Node, folder: &Path, inputs: &mut Inputs, problems: &mut Diagnostics) -> Vec<TemplateDeclaration> {
    let mut templates: Vec<TemplateDeclaration> = Vec::new();
    for entry in top.get("templates").map_or(&[][..], |table| table.node.table(problems)) {
        let text = entry.node.text(problems).map(|text| Written::quoted(text.value, &text.place));
        templates.push(TemplateDeclaration { name: entry.name.clone(), key: entry.node.key.clone(), text });
    }
    let given = top.get("template_directory");
    let directory = match given.map(|entry| entry.node.text(problems)) {
        None => folder.join("templates"),
        Some(Some(named)) => folder.join(named.value),
        Some(None) => return templates,
    };
    let files = match inputs.list(&directory, ".hbs") {
        Ok(files) => files,
        Err(error) => {
            // Without a word about it, the folder need not be there.
            if let Some(entry) = given {
                let message = format!("cannot read the folder `{}`: {}", directory.display(), reason(&error));
                problems.push(entry.node.error(message));
            }
            return templates;
        }
    };
    for path in files {
        let name = path.strip_prefix(&directory).unwrap_or(&path).with_extension("");
        let name = name.to_string_lossy().replace('\\', "/");
        let shown = path.display().to_string();
        let (place, text) = match inputs.read(&path) {
            Ok(text) => {
                let source = Source::file(shown, text.clone());
                (source.place(0..0), Some(Written::file(&source, text)))
            }
            Err(error) => {
                let place = Source::opaque(shown).place(0..0);
                problems.push(Diagnostic::error(&place, format!("cannot read this file: {}", reason(&error))));
                (place, None)
            }
        };
        templates.push(TemplateDeclaration { name: At::new(name, place), key: String::new(), text });
    }
    templates
}

/// The site in which mounts are declared.
struct Around<'a> {
    folder: &'a Path,
    name: &'a str,
    prefix: &'a str,
}

/// Every `[[mount]]`; `None` for one that could not be read.
fn mounts(
    top: &Node,
    around: &Around<'_>,
    ancestors: &mut Vec<PathBuf>,
    inputs: &mut Inputs,
    problems: &mut Diagnostics,
) -> Vec<Option<Declarations>> {
    let Some(declared) = top.get("mount") else { return Vec::new() };
    let Tree::List(list) = &declared.node.tree else {
        problems.push(declared.node.unlike("an array of tables").help("write `[[mount]]`, with two brackets"));
        return vec![None];
    };
    let mut names = BTreeMap::new();
    list.iter().map(|node| mount(node, around, &mut names, ancestors, inputs, problems)).collect()
}

fn mount(
    node: &Node,
    around: &Around<'_>,
    names: &mut BTreeMap<String, Place>,
    ancestors: &mut Vec<PathBuf>,
    inputs: &mut Inputs,
    problems: &mut Diagnostics,
) -> Option<Declarations> {
    let node = node.only(&keys::names(keys::MOUNT), problems);
    let (site, at) = (required(&node, "site", problems), required(&node, "at", problems));
    let at = at.and_then(|at| mount_point(at, problems));
    let (site, at) = (site?, at?);
    let path = around.folder.join(site.to_value().as_str().unwrap_or_default()).join("config.toml");
    let here = folder_of(&path);
    if ancestors.contains(&here) {
        let itself = ancestors.last() == Some(&here);
        let message = if itself { "a site cannot mount itself" } else { "a site cannot mount one that mounts it" };
        problems.push(site.error(message).help("this would recurse forever; drop this mount"));
        return None;
    }
    let short = here.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    if let Some(first) = names.get(&short) {
        problems.push(
            site.error(format!("two mounts are named `{short}`"))
                .related(first, "the first")
                .help("a mount is named after its folder; rename one of the two folders"),
        );
        return None;
    }
    names.insert(short.clone(), site.place.clone());
    let file = File::read(&path, inputs, problems, Some(site))?.only_declarations(problems);
    // Checked as when it runs alone, then left aside.
    layer::layer(&[&file.node], &Environment::new(), problems);
    let full = if around.name.is_empty() { short } else { format!("{}/{short}", around.name) };
    ancestors.push(here);
    let child = declarations(file, full, format!("{}{at}", around.prefix), ancestors, inputs, problems);
    ancestors.pop();
    Some(child)
}

fn required<'a>(node: &'a Node, name: &str, problems: &mut Diagnostics) -> Option<&'a Node> {
    if !matches!(node.tree, Tree::Table(_)) {
        return None;
    }
    let Some(Entry { node: value, .. }) = node.get(name) else {
        problems.push(
            node.error(format!("this mount has no `{name}`"))
                .key(&node.key)
                .help("a mount is `site = \"sites/NAME\"` and `at = \"/PREFIX\"`"),
        );
        return None;
    };
    value.text(problems).map(|_| value)
}

/// A prefix such as `/login`: it starts with a slash and does not end with one.
fn mount_point(node: &Node, problems: &mut Diagnostics) -> Option<String> {
    let at = node.text(problems)?.value;
    if !fixed_path(&at) {
        problems.push(
            node.error(format!("`{at}` is not a prefix to mount at"))
                .help("a prefix is a fixed path that does not end with a slash, such as `/login`"),
        );
        return None;
    }
    Some(at)
}

fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// Whether this is a path without markers that does not end with a slash.
fn fixed_path(path: &str) -> bool {
    let is_name = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && !segment.starts_with(':')
            && !segment.contains(['{', '}', '*', '?', '#', '%'])
    };
    let good = path.strip_prefix('/').is_some_and(|segments| segments.split('/').all(is_name));
    good && !path.contains(char::is_control)
}
