//! Values of `data` in files of their own.

use std::collections::BTreeMap;
use std::fs::File;

use sitewright::diagnostic::{Diagnostics, print};
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;

use super::{SESSION, Site};

const TEAS: &str = "name,price\r\nAssam,4.50\r\n\"Sencha, fine\",5.20\r\n";

#[test]
fn a_value_may_be_in_a_file_of_any_kind() {
    let config = r#"
        [data]
        teas = { file = "teas.csv" }
        shop = { file = "more/shop.toml" }
        cups = { file = "cups.JSON" }
        [routes.home]
        path = "/"
        text = "{{#each teas}}{{name}} {{price}}; {{/each}}{{shop.name}} {{shop.open.monday}} {{cups.1}} {{cups.2}}"
        [routes.api]
        path = "/api"
        json = { teas = "teas", first = "teas.0.name", large = "cups.2", many = "(len teas)" }
    "#;
    let files = [
        ("teas.csv", TEAS),
        ("more/shop.toml", "name = \"Leaf\"\nopen = { monday = 2026-11-23 }\n"),
        ("cups.JSON", "[\"small\", \"large\", 123456789012345678901234567890]"),
    ];
    let mut site = Site::with_files(config, &files);
    let expected = "Assam 4.50; Sencha, fine 5.20; Leaf 2026-11-23 large 123456789012345678901234567890";
    assert_eq!(site.get("/").body(), expected);
    let api = site.get("/api");
    assert!(
        api.body().contains(r#""first":"Assam","large":123456789012345678901234567890,"many":2"#),
        "{}",
        api.body()
    );
    assert!(api.body().contains(r#"{"name":"Sencha, fine","price":"5.20"}"#), "{}", api.body());
}

#[test]
fn the_mark_a_spreadsheet_puts_before_a_text_is_no_part_of_it() {
    let config = r#"
        [data]
        teas = { file = "teas.csv" }
        cups = { file = "cups.json" }
        shop = { file = "shop.toml" }
        [routes.home]
        path = "/"
        text = "{{teas.0.name}} {{cups.small}} {{shop.name}}"
    "#;
    let files = [
        ("teas.csv", "\u{feff}name, price\nAssam,4.50\n"),
        ("cups.json", "\u{feff}{\"small\": 1}"),
        ("shop.toml", "\u{feff}name = \"Leaf\""),
    ];
    assert_eq!(Site::with_files(config, &files).get("/").body(), "Assam 1 Leaf");
}

#[test]
fn routes_and_defaults_and_mounts_have_files_of_their_own() {
    let child = format!(
        "{SESSION}{}",
        r#"
        [data]
        of_site = { file = "teas.csv" }
        [defaults]
        data = { of_defaults = { file = "sizes.json" } }
        [routes.home]
        path = "/"
        text = "{{of_site.0.name}} {{of_defaults.0}} {{of_route.cup}}"
        data = { of_route = { file = "cups.toml" } }
        "#
    );
    let parent = "[[mount]]\nsite = \"shop\"\nat = \"/shop\"\n";
    let files = [
        ("shop/config.toml", child.as_str()),
        ("shop/teas.csv", "name\nAssam\n"),
        ("shop/sizes.json", "[\"S\", \"M\"]"),
        ("shop/cups.toml", "cup = \"blue\""),
    ];
    assert_eq!(Site::with_files(parent, &files).get("/shop").body(), "Assam S blue");
}

#[test]
fn a_visitor_chooses_from_the_values_in_a_file() {
    let config = r#"
        [data]
        sizes = { file = "sizes.json" }
        [routes.home]
        path = "/"
        params = { size = { one_of = "sizes" } }
        text = "{{params.size}}"
    "#;
    let mut site = Site::with_files(config, &[("sizes.json", "[\"S\", \"M\"]")]);
    assert_eq!(site.get("/?size=M").body(), "M");
    assert_eq!(site.get("/?size=XL").status(), 400);
}

#[test]
fn a_visitor_chooses_from_a_column_of_a_table() {
    let config = r#"
        [data]
        products = { file = "products.csv" }
        teas = { assam = { grade = "FOP" }, sencha = { grade = "A" } }
        shop = { sizes = ["S", "M"] }
        [routes.home]
        path = "/"
        params.sku = { one_of = "products.sku" }
        params.cups = { type = "integer", one_of = "products.cups" }
        params.grade = { one_of = "teas.grade" }
        params.size = { one_of = "shop.sizes" }
        text = "{{params.sku}} {{params.cups}} {{params.grade}} {{params.size}}"
    "#;
    let mut site = Site::with_files(config, &[("products.csv", "sku,cups\nassam,1\nsencha,6\n")]);
    assert_eq!(site.get("/?sku=sencha&cups=06&grade=FOP&size=S").body(), "sencha 6 FOP S");
    for other in ["sku=mint", "cups=2", "grade=assam", "size=sizes"] {
        assert_eq!(site.get(&format!("/?{other}")).status(), 400, "{other}");
    }
}

#[test]
fn a_key_that_is_called_file_stands_one_table_further_down() {
    let config = r#"
        [data]
        price_list = { of = { file = "prices.pdf" } }
        scans = [{ file = "a.png" }, { file = "b.png" }]
        odd = { file = 3 }
        [routes.home]
        path = "/"
        text = "{{price_list.of.file}} {{scans.1.file}} {{odd.file}}"
    "#;
    assert_eq!(Site::new(config).get("/").body(), "prices.pdf b.png 3");
}

#[test]
fn a_file_that_is_too_large_is_refused_with_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let site = "[data]\nall = { file = \"all.csv\" }\n[routes.home]\npath = \"/\"\ntext = \"{{all.0.name}}\"\n";
    std::fs::write(&config, format!("{SESSION}{site}")).unwrap();
    let all = File::create(folder.path().join("all.csv")).unwrap();
    all.set_len((16 << 20) + 1).unwrap();
    let mut problems = Diagnostics::default();
    let loaded = Serving::load(&config, &BTreeMap::new(), &Vocabulary::standard(), Secrets::LookOnly, &mut problems);
    assert!(loaded.is_err());
    let shown = print::to_text(&problems, false);
    assert!(shown.contains("it has more than 16 MiB"), "{shown}");
    assert!(shown.ends_with("1 error"), "{shown}");
}
