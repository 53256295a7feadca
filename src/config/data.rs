//! Values of `data` that have a file of their own: `teas = { file = "teas.csv" }`.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use serde_json::Value;
use toml::de::DeTable;

use super::read::{Inputs, reason};
use super::syntax;
use super::tree::{Entry, Node, Tree, join, read_below};
use crate::diagnostic::{At, Diagnostic, Diagnostics, Source, did_you_mean};

/// The largest data file, in MiB. Its values are kept in memory, and a reload reads them anew.
const LARGEST: u64 = 16;

/// How many mistakes of one file are worth telling.
const ENOUGH: usize = 20;

/// What a data file may be.
const SUFFIXES: [&str; 3] = ["toml", "json", "csv"];

/// Puts the values of data files where they are named: in `[data]`, and in the `data` of routes and of
/// `[defaults]`. Files are found from `folder`; which they are, and where they are named, comes back.
pub fn fetch(top: &mut Node, folder: &Path, inputs: &mut Inputs, problems: &mut Diagnostics) -> Vec<At<PathBuf>> {
    let mut found = Found { folder, inputs, problems, files: Vec::new() };
    for Entry { name, node } in entries(top) {
        match name.as_str() {
            "data" => found.values(node),
            "defaults" => found.data_of(node),
            "routes" => entries(node).iter_mut().for_each(|route| found.data_of(&mut route.node)),
            _ => {}
        }
    }
    found.files
}

fn entries(node: &mut Node) -> &mut [Entry] {
    match &mut node.tree {
        Tree::Table(entries) => entries,
        _ => &mut [],
    }
}

struct Found<'f> {
    folder: &'f Path,
    inputs: &'f mut Inputs,
    problems: &'f mut Diagnostics,
    files: Vec<At<PathBuf>>,
}

impl Found<'_> {
    fn data_of(&mut self, route: &mut Node) {
        for entry in entries(route).iter_mut().filter(|entry| entry.name.value == "data") {
            self.values(&mut entry.node);
        }
    }

    fn values(&mut self, data: &mut Node) {
        for Entry { node, .. } in entries(data) {
            let Some(file) = node.get("file").filter(|file| matches!(file.node.tree, Tree::Text(_))).cloned() else {
                continue;
            };
            if let Some(more) = node.entries().iter().find(|entry| entry.name.value != "file") {
                let help = format!(
                    "keep `file` alone; a value with an entry `file` of its own belongs into a data file, or one \
                     table further down: `{}`",
                    join(&node.key, "of")
                );
                self.problems.push(
                    Diagnostic::error(&more.name.place, format!("`{}` stands beside `file`", more.name.value))
                        .key(&node.key)
                        .help(help),
                );
            }
            node.tree = self.file(&file.node, &node.key).unwrap_or(Tree::Scalar(Value::Null));
        }
    }

    /// The value in the file that `named` names, under the key path `key`.
    fn file(&mut self, named: &Node, key: &str) -> Option<Tree> {
        let path = self.folder.join(named.text(self.problems)?.value);
        self.files.push(At::new(path.clone(), named.place.clone()));
        let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase()).unwrap_or_default();
        if !SUFFIXES.contains(&suffix.as_str()) {
            let help = did_you_mean(&suffix, SUFFIXES).unwrap_or_default();
            self.problems.push(
                named
                    .error(format!("`{}` cannot be read as data", path.display()))
                    .help(format!("the suffix says how: {help}")),
            );
            return None;
        }
        let text = match self.inputs.read_at_most(LARGEST, &path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("cannot read `{}`: {}", path.display(), reason(&error));
                let missing = error.kind() == std::io::ErrorKind::NotFound;
                let help = missing.then(|| "a data file is named relative to this file".to_owned());
                self.problems.push(named.error(message).maybe_help(help));
                return None;
            }
        };
        let source = Source::file(path.display().to_string(), text);
        let mut file = DataFile { source: &source, key, problems: self.problems };
        match suffix.as_str() {
            "toml" => file.toml(),
            "json" => file.json(),
            _ => file.csv(),
        }
    }
}

/// The text of a data file, and the key path of its value.
struct DataFile<'f> {
    source: &'f Arc<Source>,
    key: &'f str,
    problems: &'f mut Diagnostics,
}

impl DataFile<'_> {
    fn text(&self) -> &str {
        self.source.text().unwrap_or_default()
    }

    /// The text without the mark that spreadsheets put before it, and where that begins.
    fn unmarked(&self) -> (&str, usize) {
        match self.text().strip_prefix('\u{feff}') {
            Some(text) => (text, '\u{feff}'.len_utf8()),
            None => (self.text(), 0),
        }
    }

    fn error(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(&self.source.place(span), message).key(self.key)
    }

    fn toml(&mut self) -> Option<Tree> {
        let source = Arc::clone(self.source);
        let (table, errors) = DeTable::parse_recoverable(source.text().unwrap_or_default());
        if !errors.is_empty() {
            syntax::report(&errors[..errors.len().min(ENOUGH)], &source, self.problems);
            return None;
        }
        Some(read_below(self.key, &table, &source, self.problems).tree)
    }

    fn json(&mut self) -> Option<Tree> {
        let (text, start) = self.unmarked();
        match serde_json::from_str(text) {
            Ok(Value::Null) => {
                self.problems.push(self.error(start..start, "there is no value in this file, only `null`"));
                None
            }
            Ok(value) => Some(self.tree(value, self.key)),
            Err(error) => {
                let at = start + offset(text, error.line(), error.column());
                let end = at + self.text()[at..].chars().next().map_or(0, char::len_utf8);
                let why = error.to_string();
                let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
                self.problems.push(self.error(at..end, format!("this is not JSON: {why}")));
                None
            }
        }
    }

    /// A JSON value. Where its parts are written is not known.
    fn tree(&self, value: Value, key: &str) -> Tree {
        let place = self.source.place(0..0);
        let node = |key: String, value: Value| Node { place: place.clone(), tree: self.tree(value, &key), key };
        match value {
            Value::String(text) => Tree::Text(text),
            Value::Array(items) => {
                Tree::List(items.into_iter().enumerate().map(|(i, item)| node(format!("{key}[{i}]"), item)).collect())
            }
            Value::Object(map) => Tree::Table(
                map.into_iter()
                    .map(|(name, value)| Entry {
                        node: node(join(key, &name), value),
                        name: At::new(name, place.clone()),
                    })
                    .collect(),
            ),
            scalar => Tree::Scalar(scalar),
        }
    }

    /// A header line, then a map for every other (RFC 4180).
    fn csv(&mut self) -> Option<Tree> {
        let (text, start) = self.unmarked();
        let mut reader = ReaderBuilder::new().trim(Trim::Headers).from_reader(text.as_bytes());
        // The text is in memory and is UTF-8: there is always a header, if an empty one.
        let columns = reader.headers().cloned().unwrap_or_default();
        if let Some(problem) = self.unfit_header(&columns, start) {
            self.problems.push(problem);
            return None;
        }
        let mut rows = Vec::new();
        loop {
            let mut record = StringRecord::new();
            let before = reader.position().byte();
            let read = reader.read_record(&mut record);
            let span = line(text, before, reader.position().byte());
            let span = start + span.start..start + span.end;
            match read {
                Ok(false) => return Some(Tree::List(rows)),
                Ok(true) => rows.push(self.row(&columns, &record, span, rows.len())),
                Err(error) => {
                    let message = match error.kind() {
                        ErrorKind::UnequalLengths { expected_len, len, .. } => {
                            format!("this line has {len} values, and the header has {expected_len}")
                        }
                        _ => format!("this is not CSV: {error}"),
                    };
                    let help = "a value with a comma, a quote or a line end in it stands in quotes: `\"a, b\"`";
                    self.problems.push(self.error(span, message).help(help));
                    return None;
                }
            }
        }
    }

    fn row(&self, columns: &StringRecord, record: &StringRecord, span: Range<usize>, at: usize) -> Node {
        let place = self.source.place(span);
        let key = format!("{}[{at}]", self.key);
        let entries = columns.iter().zip(record).map(|(column, value)| Entry {
            name: At::new(column.to_owned(), place.clone()),
            node: Node { place: place.clone(), key: join(&key, column), tree: Tree::Text(value.to_owned()) },
        });
        Node { tree: Tree::Table(entries.collect()), place, key }
    }

    /// What is wrong with the first line, if anything is.
    fn unfit_header(&self, columns: &StringRecord, start: usize) -> Option<Diagnostic> {
        let end = start + self.text()[start..].lines().next().map_or(0, str::len);
        let error = |message: String| self.error(start..end, message);
        let names: Vec<&str> = columns.iter().collect();
        if names.is_empty() {
            return Some(error("this file is empty".to_owned()).help("its first line names the columns: `name,price`"));
        }
        if let [only] = names[..]
            && let Some((_, by)) = [(';', "semicolons"), ('\t', "tabs")].iter().find(|(by, _)| only.contains(*by))
        {
            let message = format!("the columns of this file are separated by {by}");
            return Some(error(message).help("save it with commas between them"));
        }
        let twice = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name));
        match twice {
            _ if names.contains(&"") => Some(error("a column has no name".to_owned())),
            Some((_, name)) => Some(error(format!("two columns are named `{name}`"))),
            None => None,
        }
    }
}

/// The byte at a line and column as `serde_json` counts them: from 1, the column in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The bytes between two places, without the line ends around them.
fn line(text: &str, from: u64, to: u64) -> Range<usize> {
    let bound = |at: u64| usize::try_from(at).map_or(text.len(), |at| at.min(text.len()));
    let (from, to) = (bound(from), bound(to));
    let all = text.get(from..to).unwrap_or_default();
    let blank = ['\r', '\n'];
    let begins = all.trim_start_matches(blank);
    let start = from + all.len() - begins.len();
    start..start + begins.trim_end_matches(blank).len()
}
