use super::*;

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).expect(text)
}

/// A router whose routes are their own patterns: `GET,POST /path`, or GET alone.
fn router<'t>(routes: &[&'t str]) -> Router<&'t str> {
    let routes = routes.iter().map(|route| {
        let declared = route.split_once(' ');
        let declared = declared.filter(|(methods, _)| !methods.starts_with('/'));
        let (methods, path) = declared.unwrap_or(("GET", route));
        let methods = methods.split(',').map(|method| method.parse().unwrap());
        (pattern(path), methods.collect(), path)
    });
    Router::build(routes.collect()).expect("no clash")
}

fn clashes(routes: &[(&str, &[Method])]) -> Vec<Clash> {
    let routes = routes.iter().map(|(path, methods)| (pattern(path), methods.to_vec(), ()));
    Router::build(routes.collect()).expect_err("a clash")
}

fn get<'r>(router: &'r Router<&'r str>, path: &str) -> &'r str {
    router.find(&Method::GET, path).map_or("", |found| found.route)
}

/// The values for a GET of the path, lists joined with `|`.
fn values(text: &str, path: &str) -> Option<Vec<String>> {
    let router = router(&[text]);
    let found = router.find(&Method::GET, path).ok()?;
    let values = found.params.into_iter().map(|(_, value)| match value {
        Param::One(value) => value,
        Param::Rest(parts) => format!("[{}]", parts.join("|")),
    });
    Some(values.collect())
}

#[track_caller]
fn assert_values(text: &str, path: &str, expected: &[&str]) {
    assert_eq!(values(text, path).expect(path), expected, "{text} on {path}");
}

#[track_caller]
fn assert_no_match(text: &str, paths: &[&str]) {
    for path in paths {
        assert_eq!(values(text, path), None, "{text} on {path}");
    }
}

#[test]
fn a_literal_path_is_compared_decoded() {
    assert_values("/", "/", &[]);
    assert_values("", "", &[]);
    assert_values("/howdy", "/%68owdy", &[]);
    assert_values("/a b/é", "/a%20b/%c3%a9", &[]);
    assert_values("/a b/é", "/a b/é", &[]);
    assert_no_match("/howdy", &["/Howdy", "/howdy/", "//howdy", "/./howdy", "howdy", "*", "/"]);
    assert_no_match("/howdy/", &["/howdy", "/howdy//"]);
    assert_no_match("/a/b", &["/a%2Fb", "/a"]);
}

#[test]
fn a_marker_takes_one_segment() {
    assert_values("/{a}/x/{b}", "/1/x/caf%C3%A9", &["1", "café"]);
    assert_values("/{a}", "/b%2Fc", &["b/c"]);
    assert_values("/{a}", "/...", &["..."]);
    assert_no_match("/{a}", &["/", "/b/", "/b/c", "/.", "/%2e%2e"]);
    let router = router(&["/{year}-{month}/*rest"]);
    let found = router.find(&Method::GET, "/2026-11/x").unwrap();
    let names: Vec<_> = found.params.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["year", "month", "rest"]);
}

#[test]
fn markers_share_a_segment_greedily() {
    assert_values("/{name}.{ext}", "/a.b.c", &["a.b", "c"]);
    assert_values("/{a}{b}", "/xyz", &["xy", "z"]);
    assert_values("/v{n}+", "/v1+", &["1"]);
    assert_no_match("/{name}.{ext}", &["/a", "/a.", "/.a"]);
    assert_values("/{name}.{ext}", "/a%2Fb.c", &["a/b", "c"]);
}

#[test]
fn a_regex_is_anchored_and_sees_the_decoded_segment() {
    assert_values("/{y:\\d{4}}", "/20%326", &["2026"]);
    assert_no_match("/{y:\\d{4}}", &["/202", "/20261", "/x2026", "/2026x"]);
    assert_values("/{a:x|yz}", "/yz", &["yz"]);
    assert_values("/{a:(x)(y)}-{b:(z)?}{c}", "/xy-w", &["xy", "", "w"]);
    assert_values("/{a:(?i)x}y", "/Xy", &["X"]);
    assert_no_match("/{a:(?i)x}y", &["/xY"]);
    assert_no_match("/{a:[^/]+}", &["/x%2Fy"]);
    assert_values("/x/{a:\\d*}", "/x/", &[""]);
}

#[test]
fn a_list_takes_the_remaining_segments() {
    assert_values("/f/*rest", "/f/", &["[]"]);
    assert_values("/f/*rest", "/f/a/b%2Fc", &["[a|b/c]"]);
    assert_values("/f/*rest", "/f/a/", &["[a]"]);
    assert_no_match("/f/*rest", &["/f", "/f/a//b", "/f/a/../b", "/fx"]);
    assert_values("/f*rest", "/f", &["[]"]);
    assert_values("/f*rest", "/f/", &["[]"]);
    assert_values("/f*rest", "/f/a/b", &["[a|b]"]);
    assert_no_match("/f*rest", &["/fx", "/"]);
    assert_values("/foo/{baz}/{bar}*fizzle", "/foo/abc/def/a/b/c", &["abc", "def", "[a|b|c]"]);
    assert_values("*rest", "/", &["[]"]);
}

#[test]
fn a_string_takes_the_remainder_with_its_slashes() {
    assert_values("/f/{p:.*}", "/f/", &[""]);
    assert_values("/f/{p:.*}", "/f/a/b%20c/", &["a/b c/"]);
    assert_values("/f/{p:.+}", "/f/a/b", &["a/b"]);
    assert_no_match("/f/{p:.+}", &["/f", "/f/"]);
    assert_no_match("/f/{p:.*}", &["/f", "/f//a", "/f/./a", "/f/%2E%2E/a"]);
}

#[test]
fn a_mounted_root_has_no_trailing_slash() {
    let mount = |text: &str| {
        let pattern = pattern(text).with_prefix("/login").unwrap();
        Router::build(vec![(pattern, vec![Method::GET], ())]).unwrap()
    };
    let matches = |text: &str, path: &str| mount(text).find(&Method::GET, path).is_ok();
    assert!(matches("/", "/login") && !matches("/", "/login/"));
    assert!(matches("/a", "/login/a"));
    for rest in ["/*rest", "/{rest:.*}"] {
        assert!(matches(rest, "/login") && matches(rest, "/login/a/b") && !matches(rest, "/loginx"));
    }
    assert!(!matches("/{rest:.+}", "/login"));
}

#[test]
fn the_most_specific_route_answers() {
    let mut routes = [
        "/x*rest",
        "/x/*rest",
        "/x/{p:.+}",
        "/x/{a}",
        "/x/{a}-{b}",
        "/x/{a}-{b:\\d+}",
        "/x/p-{b}",
        "/x/p-{b:\\d+}",
        "/x/p-1",
        "/x/{a}/y",
        "/x/z/*rest",
        "/x",
        "/x/",
        "/{a}/q/r",
    ];
    for _ in 0..routes.len() {
        routes.rotate_left(1);
        let router = router(&routes);
        for (path, route) in [
            ("/x", "/x"),
            ("/x/", "/x/"),
            ("/x/a", "/x/{a}"),
            ("/x/a-b", "/x/{a}-{b}"),
            ("/x/a-1", "/x/{a}-{b:\\d+}"),
            ("/x/p-b", "/x/p-{b}"),
            ("/x/p-2", "/x/p-{b:\\d+}"),
            ("/x/p-1", "/x/p-1"),
            ("/x/a/", "/x/{p:.+}"),
            ("/x/a/y", "/x/{a}/y"),
            ("/x/z/y", "/x/z/*rest"),
            ("/x/z", "/x/{a}"),
            ("/x/q/r", "/x/{p:.+}"),
            ("/w/q/r", "/{a}/q/r"),
            ("/w", ""),
        ] {
            assert_eq!(get(&router, path), route, "{path}");
        }
    }
}

#[test]
fn a_branch_without_an_end_is_left_again() {
    let router = router(&["/a/b/c", "/a/{x}/d", "/{y}/b/e", "/*rest"]);
    assert_eq!(get(&router, "/a/b/d"), "/a/{x}/d");
    assert_eq!(get(&router, "/a/b/e"), "/{y}/b/e");
    assert_eq!(get(&router, "/a/b/f"), "/*rest");
}

#[test]
fn the_next_best_route_with_the_method_answers() {
    let router = router(&["/a/b", "POST /a/{x}", "DELETE /*rest"]);
    let route = |method| router.find(&method, "/a/b").unwrap().route;
    assert_eq!(*route(Method::GET), "/a/b");
    assert_eq!(*route(Method::POST), "/a/{x}");
    assert_eq!(*route(Method::DELETE), "/*rest");
}

#[test]
fn head_is_answered_by_get_unless_declared() {
    let router = router(&["/a", "HEAD /{x}", "/b", "HEAD /b", "POST /c"]);
    let head = |path| router.find(&Method::HEAD, path).map(|found| *found.route);
    assert_eq!(head("/a"), Ok("/a"));
    assert_eq!(head("/c"), Ok("/{x}"));
    let routes = [Method::GET, Method::HEAD].map(|method| (pattern("/b"), vec![method.clone()], method));
    let declared = Router::build(routes.into()).unwrap();
    assert_eq!(declared.find(&Method::HEAD, "/b").unwrap().route, Method::HEAD);
}

#[test]
fn a_known_path_without_the_method_names_the_others() {
    let router = router(&["/a", "POST,PUT /{x}", "PURGE /b"]);
    let allowed = |path| {
        let methods = router.allowed(path);
        let names: Vec<_> = methods.iter().map(Method::as_str).collect();
        names.join(" ")
    };
    assert_eq!(allowed("/a"), "GET HEAD OPTIONS POST PUT");
    assert_eq!(allowed("/b"), "OPTIONS POST PURGE PUT");
    for path in ["/", "/a/b", "//", "/%zz", "*"] {
        assert_eq!(allowed(path), "", "{path}");
    }
    for method in [Method::DELETE, Method::OPTIONS] {
        let miss = router.find(&method, "/a").unwrap_err();
        assert_eq!(miss, Miss::MethodNotAllowed(router.allowed("/a")));
    }
    assert_eq!(router.find(&Method::DELETE, "/a/b").unwrap_err(), Miss::NotFound);
}

#[test]
fn a_declared_options_is_found_and_named_once() {
    let router = router(&["OPTIONS,GET,HEAD /a"]);
    assert!(router.find(&Method::OPTIONS, "/a").is_ok());
    assert_eq!(router.allowed("/a"), [Method::GET, Method::HEAD, Method::OPTIONS]);
}

#[test]
fn a_malformed_path_is_no_miss() {
    let router = router(&["/*rest", "/%zz"]);
    let miss = |path| router.find(&Method::GET, path).unwrap_err();
    assert_eq!(miss("/%zz"), Miss::Malformed(Malformed::Escape));
    assert_eq!(miss("/%ff"), Miss::Malformed(Malformed::Utf8));
    assert_eq!(miss("/howdy%0A"), Miss::Malformed(Malformed::Control));
    assert_eq!(get(&router, "/%25zz"), "/%zz");
}

#[test]
fn routes_that_cannot_be_told_apart_clash() {
    use Method as M;
    let found = clashes(&[
        ("/{a}", &[M::GET, M::PUT]),
        ("/{b}", &[M::POST]),
        ("/{c}", &[M::GET, M::POST, M::PUT, M::GET]),
        ("/x-{a:\\d+}/*r", &[M::GET]),
        ("/x-{b:\\d+}/{s:.*}", &[M::GET]),
        ("/", &[M::GET]),
        ("", &[M::GET]),
        ("/y", &[M::GET]),
        ("/y", &[M::HEAD]),
        ("/y", &[M::GET]),
    ]);
    let found = found.iter().map(|clash| (clash.first, clash.second, &*clash.methods));
    let expected: [(_, _, &[Method]); 5] =
        [(0, 2, &[M::GET, M::PUT]), (1, 2, &[M::POST]), (3, 4, &[M::GET]), (5, 6, &[M::GET]), (7, 9, &[M::GET])];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn routes_that_differ_in_shape_do_not_clash() {
    let shapes = ["/{a}", "/{a:\\d+}", "/{a:[0-9]+}", "/{a}/", "/x{a}", "/{a}x", "/*a", "/{a:.+}", "/x*a", "/x/*a"];
    assert_eq!(router(&shapes).routes.len(), shapes.len());
    let repeated = Router::build(vec![(pattern("/"), vec![Method::GET, Method::GET], ())]);
    assert!(repeated.is_ok());
}

#[test]
fn ten_thousand_routes_are_not_looked_at() {
    let routes = (0..2_500).flat_map(|n| {
        ["/page-N", "/item-N/{id}", "/user-N-{id}", "/N/{a}/N"].map(|text| text.replace('N', &n.to_string()))
    });
    let routes = routes.map(|text| (pattern(&text), vec![Method::GET], text));
    let router = Router::build(routes.collect()).unwrap();
    for path in ["/page-7", "/item-7/x", "/user-7-x", "/7/x/7"] {
        let decoded = path::decode(path).unwrap().unwrap();
        let mut visited = 0;
        router.root.leaves(&decoded, &mut |_| {
            visited += 1;
            None::<()>
        });
        assert!(visited <= 2, "{path}: {visited} leaves");
        let route = router.find(&Method::GET, path).unwrap().route;
        assert_eq!(route.replace("{id}", "x").replace("{a}", "x"), path);
    }
}
