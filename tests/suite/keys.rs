//! Every key of every shipped site matters: misspelt by one letter, it is refused where it stands.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use sitewright::config::Environment;
use sitewright::diagnostic::{Diagnostics, Severity, print};
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;
use toml::de::{DeTable, DeValue};

#[test]
#[cfg_attr(not(feature = "default"), ignore = "needs every factory that there is by default")]
fn a_misspelt_key_is_refused_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new("config.toml"), &folder.path().join("config.toml"));
    copy(Path::new("sites"), &folder.path().join("sites"));
    let mut tried = 0;
    for site in sites(folder.path()) {
        let text = fs::read_to_string(&site).unwrap();
        let problems = load(&site);
        assert!(!problems.has_errors(), "{}", print::to_text(&problems, false));
        for key in keys(&text) {
            for slip in slips(&text[key.clone()]) {
                let mut broken = text.clone();
                broken.replace_range(key.clone(), &slip);
                fs::write(&site, &broken).unwrap();
                let spot = (line_of(&text, key.start), column_of(&text, key.start));
                let problems = load(&site);
                assert!(
                    is_refused(&problems, &site, spot),
                    "`{}` as `{slip}` at {spot:?} of {}:\n{}",
                    &text[key.clone()],
                    site.display(),
                    print::to_text(&problems, false)
                );
                tried += 1;
            }
        }
        fs::write(&site, &text).unwrap();
    }
    assert!(tried > 100, "only {tried} misspelt keys");
}

fn load(site: &Path) -> Diagnostics {
    let mut problems = Diagnostics::default();
    let _ = Serving::load(site, &Environment::new(), &Vocabulary::standard(), Secrets::LookOnly, &mut problems);
    problems
}

fn is_refused(problems: &Diagnostics, site: &Path, spot: (usize, usize)) -> bool {
    let errors = problems.sorted().into_iter().filter(|problem| problem.severity == Severity::Error);
    errors
        .filter_map(|error| error.place.as_ref())
        .any(|place| Path::new(place.source.name()) == site && place.line_and_column() == spot)
}

/// The same word with two letters swapped, without its last letter, with its first letter doubled.
fn slips(key: &str) -> Vec<String> {
    let letters: Vec<char> = key.chars().collect();
    let mut slips = Vec::new();
    if let Some(at) = (1..letters.len()).find(|at| letters[at - 1] != letters[*at]) {
        let mut swapped = letters.clone();
        swapped.swap(at - 1, at);
        slips.push(swapped.iter().collect());
    }
    if letters.len() > 1 {
        slips.push(letters[..letters.len() - 1].iter().collect());
    }
    slips.push(letters[..1].iter().chain(&letters).collect());
    slips
}

/// Where the keys of the language stand in a file; what authors choose is left out.
fn keys(text: &str) -> Vec<Range<usize>> {
    let mut keys = Vec::new();
    collect(DeTable::parse(text).unwrap().get_ref(), &mut Vec::new(), &mut keys);
    // The tree knows the first `[routes.…]` only; the others are keys as well.
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let name = line.trim_start_matches('[');
        if name.len() < line.len() {
            let at = start + line.len() - name.len();
            let len = name.find(['.', ']']).unwrap();
            keys.push(at..at + len);
        }
        start += line.len();
    }
    keys.sort_by_key(|key| key.start);
    keys.dedup();
    keys
}

fn collect(table: &DeTable<'_>, path: &mut Vec<String>, keys: &mut Vec<Range<usize>>) {
    for (name, value) in table {
        if !is_chosen(path) {
            keys.push(name.span());
        }
        path.push(name.get_ref().to_string());
        collect_value(value.get_ref(), path, keys);
        path.pop();
    }
}

fn collect_value(value: &DeValue<'_>, path: &mut Vec<String>, keys: &mut Vec<Range<usize>>) {
    match value {
        DeValue::Table(table) => collect(table, path, keys),
        DeValue::Array(items) => items.iter().for_each(|item| collect_value(item.get_ref(), path, keys)),
        _ => {}
    }
}

/// Whether the keys of the table at `path` are the author's own names, of which any is as good as
/// another: routes, templates, users, paths of static files, data, headers, JSON and session values, what links carry. The
/// statuses of `[errors]` are numbers: one digit off is another status.
fn is_chosen(path: &[String]) -> bool {
    let named = |name: &str| matches!(name, "data" | "headers" | "json" | "value" | "default" | "params" | "query");
    match path {
        [table] if matches!(table.as_str(), "routes" | "templates" | "errors" | "static" | "users") => true,
        // A route may be called anything.
        [routes, _, rest @ ..] if routes == "routes" => rest.iter().any(|name| named(name)),
        _ => path.iter().any(|name| named(name)),
    }
}

fn sites(folder: &Path) -> Vec<PathBuf> {
    let mounted = fs::read_dir(folder.join("sites")).unwrap().map(|entry| entry.unwrap().path().join("config.toml"));
    let mut sites: Vec<PathBuf> = mounted.chain([folder.join("config.toml")]).filter(|site| site.is_file()).collect();
    sites.sort();
    sites
}

fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        copy(&path, &to.join(path.file_name().unwrap()));
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn column_of(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..at].chars().count() + 1
}
