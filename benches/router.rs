//! Finding a route must cost the same among 10 routes and among 10,000.
#![allow(clippy::expect_used, reason = "a benchmark may stop at its own mistakes")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::Method;
use sitewright::site::pattern::Pattern;
use sitewright::site::router::Router;

/// What a table is full of, and the path that is asked for; `N` is the number of the route.
const SHAPES: [(&str, &str, &str); 6] = [
    ("literal", "/section/page-N", "/section/page-7"),
    ("literal, encoded", "/section/page-N", "/section/p%61ge-7"),
    ("one marker", "/items-N/{id}", "/items-7/42"),
    ("two levels", "/shops-N/{shop}/orders/{order}", "/shops-7/12/orders/34"),
    ("marker in a segment", "/user-N-{id}", "/user-7-42"),
    ("no such path", "/section/page-N", "/section/none"),
];

fn find(criterion: &mut Criterion) {
    for (shape, text, path) in SHAPES {
        let mut group = criterion.benchmark_group(format!("find, {shape}"));
        for routes in [10, 10_000] {
            let table = (0..routes).map(|n| {
                let pattern = Pattern::parse(&text.replace('N', &n.to_string()));
                (pattern.expect("a good pattern"), vec![Method::GET], n)
            });
            let router = Router::build(table.collect()).expect("no clash");
            group.bench_function(BenchmarkId::from_parameter(routes), |bencher| {
                bencher.iter(|| black_box(router.find(&Method::GET, black_box(path))).is_ok());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, find);
criterion_main!(benches);
