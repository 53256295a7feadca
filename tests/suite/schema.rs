//! `sitewright schema` agrees with the parser on what sites hold.

use std::fs;
use std::path::PathBuf;

use jsonschema::Validator;
use serde_json::Value;
use sitewright::cli::schema::schema;
use sitewright::config::tree;
use sitewright::diagnostic::{Diagnostics, Source};
use sitewright::site::Vocabulary;
use toml::de::DeTable;

use crate::driver::{Site, project};

fn validator() -> Validator {
    let schema = schema(&Vocabulary::standard());
    assert!(jsonschema::draft7::meta::is_valid(&schema), "{schema:#}");
    jsonschema::draft7::new(&schema).unwrap()
}

/// What the schema says against a site, if anything.
fn faults(validator: &Validator, site: &str) -> String {
    let table = DeTable::parse(site).unwrap();
    let tree = tree::read(&table, &Source::file("config.toml", site), &mut Diagnostics::default());
    let site = tree.to_value();
    let faults = validator.iter_errors(&site).map(|error| format!("{}: {error}\n", error.instance_path()));
    faults.collect()
}

fn files(folder: &str, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(project().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_str().unwrap().ends_with(suffix)).collect()
}

#[test]
fn every_shipped_site_and_every_whole_example_is_as_the_schema_says() {
    let validator = validator();
    let sites = files("sites", "").into_iter().map(|site| site.join("config.toml"));
    let alone = ["config.toml", "src/cli/new/starter/config.toml"].map(|file| project().join(file));
    for file in sites.chain(alone) {
        assert_eq!(faults(&validator, &fs::read_to_string(&file).unwrap()), "", "{}", file.display());
    }
    let mut examples = 0;
    for page in files("docs", ".md").into_iter().chain([project().join("README.md")]) {
        let text = fs::read_to_string(&page).unwrap();
        for block in text.split("\n```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("toml\n")) {
            assert_eq!(faults(&validator, block), "", "{}:\n{block}", page.display());
            examples += 1;
        }
    }
    assert!(examples > 30, "only {examples} examples");
}

#[test]
fn a_misspelt_key_is_not_as_the_schema_says() {
    let validator = validator();
    let misspelt = files("tests/broken", ".toml").into_iter().filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        ["key-", "foreign-route", "foreign-verbs", "action-misspelt", "param-key", "match-misspelt"]
            .iter()
            .any(|begin| name.starts_with(begin))
    });
    let misspelt: Vec<_> = misspelt.collect();
    assert!(misspelt.len() > 25, "{misspelt:?}");
    for file in misspelt {
        assert_ne!(faults(&validator, &fs::read_to_string(&file).unwrap()), "", "{}", file.display());
    }
}

#[test]
fn the_schema_is_printed_and_describes_every_key() {
    let printed = Site::new().run(&["schema"]);
    let printed: Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!(printed, schema(&Vocabulary::standard()));
    let mut undescribed = Vec::new();
    describe(&printed, "", &mut undescribed);
    // Where a secret comes from is said at the secret.
    undescribed.retain(|path| !["/env", "/file", "/generate"].iter().any(|end| path.ends_with(end)));
    assert_eq!(undescribed, Vec::<String>::new());
}

fn describe(schema: &Value, path: &str, undescribed: &mut Vec<String>) {
    match schema {
        Value::Object(entries) => {
            for (name, property) in entries.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if property.get("description").is_none() {
                    undescribed.push(format!("{path}/{name}"));
                }
            }
            entries.iter().for_each(|(name, below)| describe(below, &format!("{path}/{name}"), undescribed));
        }
        Value::Array(items) => items.iter().for_each(|item| describe(item, path, undescribed)),
        _ => {}
    }
}
