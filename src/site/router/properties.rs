//! What holds for any routes and any path.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// A pattern; `N` stands where its names differ.
fn pattern_text() -> impl Strategy<Value = String> {
    let segment =
        select(vec!["a", "b", "a b", "é", "1", "{N}", "x{N}", "{N}.{N}", "{N:\\d+}", "{N:[ab]+}", "x{N:\\d*}"]);
    let end = select(vec!["", "/", "/*N", "*N", "/{N:.*}", "/{N:.+}"]);
    (vec(segment, 1..4), end).prop_map(|(segments, end)| {
        let text = format!("/{}{end}", segments.join("/"));
        let parts: Vec<_> = text.split('N').collect();
        let named = parts.iter().enumerate().map(|(at, part)| match at {
            0 => (*part).to_owned(),
            _ => format!("n{at}{part}"),
        });
        named.collect()
    })
}

/// A path that has a fair chance to match one.
fn raw_path() -> impl Strategy<Value = String> {
    let segment = select(vec!["a", "b", "ab", "a%20b", "%C3%A9", "1", "23", "x", "x1", "a.b", "1.2.3", "%2E", "", "+"]);
    vec(segment, 1..6).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn parsed(text: &str) -> Pattern {
    Pattern::parse(text).expect(text)
}

fn build(routes: &[(String, Method)]) -> Result<Router<String>, Vec<Clash>> {
    let route = |(text, method): &(String, Method)| (parsed(text), vec![method.clone()], text.clone());
    Router::build(routes.iter().map(route).collect())
}

/// Routes of any number, of which no two clash.
fn routes() -> impl Strategy<Value = Vec<(String, Method)>> {
    let method = select(vec![Method::GET, Method::POST, Method::HEAD]);
    vec((pattern_text(), method), 1..12).prop_map(|mut routes| {
        while let Err(clashes) = build(&routes) {
            routes.remove(clashes[0].second);
        }
        routes
    })
}

/// What `find` says, in a form that can be compared.
fn found(router: &Router<String>, method: &Method, path: &str) -> Result<(String, Vec<(String, Param)>), Miss> {
    let found = router.find(method, path)?;
    let params = found.params.into_iter();
    let params = params.map(|(name, value)| (name.to_owned(), value)).collect();
    Ok((found.route.clone(), params))
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), near in "[{}:*/a.+?\\\\\\[\\]()%^\u{e9}]{0,24}") {
        for text in [text, near] {
            match Pattern::parse(&text) {
                Ok(pattern) => prop_assert!(pattern.with_prefix("/x").is_ok()),
                Err(error) => prop_assert!(text.get(error.span).is_some()),
            }
        }
    }

    #[test]
    fn no_path_makes_the_router_panic(routes in routes(), text in any::<String>(), near in "[/a%2Fé.\u{1}1]{0,24}") {
        let router = build(&routes).unwrap();
        for raw in [format!("/{text}"), format!("/{near}"), text, near] {
            let miss = router.find(&Method::GET, &raw).err();
            let allowed = router.allowed(&raw);
            prop_assert_eq!(miss.is_none(), allowed.contains(&Method::GET));
        }
    }

    #[test]
    fn the_order_of_declaration_never_matters(
        (routes, shuffled) in routes().prop_flat_map(|routes| (Just(routes.clone()), Just(routes).prop_shuffle())),
        paths in vec(raw_path(), 1..8),
    ) {
        let (router, shuffled) = (build(&routes).unwrap(), build(&shuffled).unwrap());
        for path in paths {
            for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT] {
                prop_assert_eq!(found(&router, &method, &path), found(&shuffled, &method, &path));
            }
            prop_assert_eq!(router.allowed(&path), shuffled.allowed(&path));
        }
    }

    #[test]
    fn a_path_is_found_when_any_route_alone_matches_it(routes in routes(), path in raw_path()) {
        let router = build(&routes).unwrap();
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let alone = |route: &(String, Method)| {
                let router = build(std::slice::from_ref(route)).unwrap();
                found(&router, &method, &path).ok()
            };
            let candidates: Vec<_> = routes.iter().filter_map(alone).collect();
            match found(&router, &method, &path) {
                Ok(best) => prop_assert!(candidates.contains(&best)),
                Err(_) => prop_assert_eq!(candidates, vec![]),
            }
        }
    }

    #[test]
    fn a_match_builds_a_path_that_matches_alike(text in pattern_text(), path in raw_path()) {
        let router = build(&[(text.clone(), Method::GET)]).unwrap();
        if let Ok((_, params)) = found(&router, &Method::GET, &path) {
            let value = |name: &str| params.iter().find(|(own, _)| own == name);
            let built = parsed(&text).path_for(|name| value(name).map(|(_, value)| value.to_string()));
            let again = found(&router, &Method::GET, &built.unwrap());
            prop_assert_eq!(again, Ok((text, params)));
        }
    }

    #[test]
    fn a_built_path_gives_its_values_back(text in pattern_text(), values in vec("[0-9]{1,3}|[ab]{1,3}|[a./ %é\u{7}]{0,4}", 8)) {
        let pattern = parsed(&text);
        let value = |name: &str| {
            let at: usize = name.trim_start_matches('n').parse().ok()?;
            values.get(at).cloned()
        };
        if let Ok(path) = pattern.path_for(value) {
            let router = build(&[(text.clone(), Method::GET)]).unwrap();
            let (_, params) = found(&router, &Method::GET, &path).unwrap();
            for (name, param) in params {
                prop_assert_eq!(Some(param.to_string()), value(&name));
            }
        }
    }

    #[test]
    fn a_mounted_route_has_the_same_values(text in pattern_text(), path in raw_path()) {
        let alone = build(&[(text.clone(), Method::GET)]).unwrap();
        let mounted = parsed(&text).with_prefix("/at/a b").unwrap();
        let mounted = Router::build(vec![(mounted, vec![Method::GET], text)]).unwrap();
        let path_below = format!("/at/a%20b{path}");
        prop_assert_eq!(found(&alone, &Method::GET, &path), found(&mounted, &Method::GET, &path_below));
    }
}
