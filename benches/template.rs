//! Rendering the tutorial's page.
#![allow(clippy::expect_used, reason = "a benchmark may stop at its own mistakes")]

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Map, Value};
use sitewright::diagnostic::{Diagnostics, Source, Written};
use sitewright::template::blocks::SiteNames;
use sitewright::template::library::{Home, Library};
use sitewright::template::links::Links;
use sitewright::template::render::{Escaping, Scope, Templates};

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
    <title>Quick Tutorial: {{name}}</title>
</head>
<body>
<h1>Hi {{name}}</h1>
<p>Count: {{counter}}</p>
</body>
</html>
"#;

struct NoLinks;

impl Links for NoLinks {
    fn path(&self, _: &str, _: &mut dyn FnMut(&str) -> Option<String>) -> Result<String, String> {
        Err("there are no routes".to_owned())
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn markers(&self, _: &str) -> Option<Vec<&str>> {
        None
    }
}

struct View;

impl Scope for View {
    fn get(&self, name: &str, _: Option<&BTreeSet<String>>) -> Option<Cow<'_, Value>> {
        match name {
            "name" => Some(Cow::Owned("Home View".into())),
            "counter" => Some(Cow::Owned(2.into())),
            _ => None,
        }
    }
}

fn templates() -> Templates {
    let mut library = Library::new(Arc::new(NoLinks), BTreeSet::from(["home".to_owned()]), SiteNames::default());
    let source = Source::file("home.hbs", PAGE);
    let home = Home { site: "", prefix: "", data: &Map::new() };
    let mut problems = Diagnostics::default();
    library.add("home", home, &Written::file(&source, PAGE.to_owned()), None, "templates.home", &mut problems);
    assert!(problems.is_empty(), "a good template");
    library.finish(Default::default())
}

fn render(criterion: &mut Criterion) {
    let templates = templates();
    criterion.bench_function("template/tutorial", |bencher| {
        bencher.iter(|| templates.render(black_box("home"), Escaping::Html, &View).expect("a page"));
    });
}

criterion_group!(benches, render);
criterion_main!(benches);
