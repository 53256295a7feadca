use super::*;

/// The text that an error points at, its message and its help.
fn error(text: &str) -> (&str, String, String) {
    let error = Pattern::parse(text).expect_err(text);
    let place = text.get(error.span).expect("a span within the text");
    (place, error.message, error.help.unwrap_or_default())
}

fn place(text: &str) -> &str {
    error(text).0
}

fn names(text: &str) -> Vec<String> {
    let pattern = Pattern::parse(text).expect(text);
    pattern.names().map(str::to_owned).collect()
}

fn path(text: &str, values: &[(&str, &str)]) -> Result<String, BuildError> {
    let value = |name: &str| values.iter().find(|(own, _)| *own == name);
    let pattern = Pattern::parse(text).expect(text);
    pattern.path_for(|name| value(name).map(|(_, value)| (*value).to_owned()))
}

fn mounted(text: &str, prefix: &str) -> String {
    let pattern = Pattern::parse(text).expect(text);
    pattern.with_prefix(prefix).expect(prefix).text().to_owned()
}

fn does_not_match<T>(name: &str) -> Result<T, BuildError> {
    Err(BuildError::DoesNotMatch(name.to_owned()))
}

#[test]
fn the_leading_slash_is_optional() {
    for (text, full) in [("", "/"), ("/", "/"), ("howdy", "/howdy"), ("/howdy/", "/howdy/")] {
        assert_eq!(Pattern::parse(text).unwrap().text(), full);
    }
}

#[test]
fn names_come_from_left_to_right() {
    assert_eq!(names("/howdy"), [""; 0]);
    assert_eq!(names("/{a}/x{b:\\d{4}}-{c}/*d"), ["a", "b", "c", "d"]);
    assert_eq!(names("{_a1}/{b:.*}"), ["_a1", "b"]);
    assert_eq!(names("foo/{baz}/{bar}*fizzle"), ["baz", "bar", "fizzle"]);
}

#[test]
fn names_are_checked() {
    assert_eq!(place("/{}"), "{}");
    assert_eq!(place("/a/{:x}"), "{:x}");
    for name in ["0a", "a-b", "a b", "é", " a", "a{b}"] {
        assert_eq!(place(&format!("/x/{{{name}}}")), name);
    }
    assert_eq!(place("/é/{a-b:x}"), "a-b");
    assert_eq!(place("/*a-b"), "a-b");
    assert_eq!(place("/*"), "*");
    let repeated = Pattern::parse("/{a}/{b}/{a}").unwrap_err();
    assert_eq!((repeated.span, &*repeated.message), (10..11, "`a` is there twice"));
    assert_eq!(Pattern::parse("/{rest}/*rest").unwrap_err().span, 9..13);
}

#[test]
fn braces_are_balanced() {
    assert_eq!(Pattern::parse("/a/{b").unwrap_err().span, 3..4);
    assert_eq!(Pattern::parse("/{a:\\d{4}").unwrap_err().span, 1..2);
    assert_eq!(Pattern::parse("/a}/{b}").unwrap_err().span, 2..3);
    assert_eq!(Pattern::parse("/{a:x{{2}}}").unwrap_err().span, 6..7);
    assert!(Pattern::parse("/{a:x{2}y{3}}").is_ok());
}

#[test]
fn a_star_is_for_the_end() {
    for text in ["/a*b/c", "/*a/{b}", "/*a*b", "/*a/"] {
        assert_eq!(place(text), "*", "{text}");
    }
}

#[test]
fn what_no_path_holds_is_refused() {
    assert_eq!(Pattern::parse("//a").unwrap_err().span, 0..2);
    assert_eq!(Pattern::parse("/a//b").unwrap_err().span, 2..4);
    assert_eq!(place("http://a/b"), "//");
    assert_eq!(place("/a\nb"), "\n");
    assert_eq!(place("/{a:\u{85}}"), "\u{85}");
    assert_eq!(place("/a?b={b}"), "?");
    assert_eq!(place("/a#b"), "#");
    assert_eq!(place("/./a"), ".");
    assert_eq!(place("/a/.."), "..");
    assert!(Pattern::parse("/.../a.b").is_ok());
    assert_eq!(Pattern::parse(&"/a".repeat(65)).unwrap_err().span, 0..130);
    assert!(Pattern::parse(&"/a".repeat(64)).is_ok());
}

#[test]
fn habits_of_other_frameworks_get_advice() {
    let (place, message, help) = error("/user/:id");
    assert_eq!((place, &*message, &*help), (":id", "`:id` is no marker", "write `{id}`"));
    assert!(Pattern::parse("/a:b/:/:1").is_ok());
    let (place, _, help) = error("/a%20b");
    assert_eq!((place, &*help), ("%20", "write the character that `%20` stands for"));
    assert!(Pattern::parse("/100%/%zz").is_ok());
}

#[test]
fn a_regex_is_checked_where_it_stands() {
    assert_eq!(place("/{a:}"), "{a:}");
    let (place, message, help) = error("/é/{a:x(y}");
    assert_eq!((place, &*message), ("(", "unclosed group"));
    assert!(help.contains("look-around"));
    assert_eq!(error("/{a:[a-}").0, "[");
    assert_eq!(error("/{a:(?=x)y}").0, "(?=");
    assert_eq!(error("/{a:x\\}").0, "\\");
    assert_eq!(error("/{a:a)(?:b}").0, ")");
    assert_eq!(error("/{a:\\p{Nope}}").0, "\\p{Nope}");
    assert_eq!(error("/b/x{a:(?x)b#}/c").0, "x{a:(?x)b#}");
}

#[test]
fn a_regex_does_not_reach_across_slashes() {
    for text in ["/{a:x/y}", "/{a:[a/]}", "/{a:x\\/y}", "/{a:[]/]}", "/{a:[^a]/}"] {
        assert_eq!(place(text), "/", "{text}");
    }
    for text in ["/{a:[^/]+}", "/{a:[^a/]+x}", "/{a:[^]/]+}", "/{a:[^[:alpha:]/]+}", "/{a:\\[b]}"] {
        assert!(Pattern::parse(text).is_ok(), "{text}");
    }
    assert_eq!(place("/{a:.*}/edit"), ".*");
    assert_eq!(place("/{a:.+}.html"), ".+");
    assert_eq!(place("/{a:.*}*rest"), ".*");
}

#[test]
fn a_regex_that_compiles_to_too_much_is_refused() {
    let (place, message, _) = error("/b/{a:(\\w{99}){99}}/c");
    assert_eq!(place, "{a:(\\w{99}){99}}");
    assert_eq!(message, "compiled, this takes more than 4194304 bytes");
    assert_eq!(place_of_nesting(), "nested");
    assert!(Pattern::parse("/{a:[0-9a-f]{64}}").is_ok());
    assert!(Pattern::parse("/{a:[\\w-]{1,64}}").is_ok());
}

fn place_of_nesting() -> &'static str {
    let text = format!("/{{a:{}x{}}}", "(".repeat(99), ")".repeat(99));
    let error = Pattern::parse(&text).unwrap_err();
    if error.message.contains("nest") { "nested" } else { "something else" }
}

#[test]
fn a_mount_point_goes_before_the_path() {
    assert_eq!(mounted("/", "/login"), "/login");
    assert_eq!(mounted("", "login/"), "/login");
    assert_eq!(mounted("/{a}/b/", "/x/y/"), "/x/y/{a}/b/");
    assert_eq!(mounted("/{a}", ""), "/{a}");
    assert_eq!(mounted("/", "/"), "/");
    assert_eq!(mounted("/a*rest", "/x"), "/x/a*rest");
    assert_eq!(mounted("/*rest", "/x"), "/x*rest");
    assert_eq!(mounted("/{rest:.*}", "/x"), "/x/{rest:.*}");
}

#[test]
fn a_mount_point_is_literal_text() {
    let pattern = Pattern::parse("/a").unwrap();
    let span = |prefix: &str| pattern.with_prefix(prefix).expect_err(prefix).span;
    assert_eq!(span("/x{y}"), 2..3);
    assert_eq!(span("/x*"), 2..3);
    assert_eq!(span("/x//y"), 2..4);
    assert_eq!(span(&"/a".repeat(64)), 0..128);
}

#[test]
fn a_path_is_percent_encoded() {
    assert_eq!(path("/", &[]).unwrap(), "/");
    assert_eq!(path("/a b/é/", &[]).unwrap(), "/a%20b/%C3%A9/");
    assert_eq!(path("/x/{a}/y", &[("a", "b/c d?é")]).unwrap(), "/x/b%2Fc%20d%3F%C3%A9/y");
    assert_eq!(path("/{a}.{b}", &[("a", "x.y"), ("b", "z")]).unwrap(), "/x.y.z");
}

#[test]
fn a_remainder_keeps_its_slashes() {
    for text in ["/f/*a", "/f*a", "/f/{a:.*}", "/f/{a:.+}"] {
        assert_eq!(path(text, &[("a", "x y/z")]).unwrap(), "/f/x%20y/z", "{text}");
    }
    assert_eq!(path("/f/*a", &[("a", "")]).unwrap(), "/f/");
    assert_eq!(path("/f*a", &[("a", "")]).unwrap(), "/f");
    assert_eq!(path("/f/{a:.*}", &[("a", "")]).unwrap(), "/f/");
    assert_eq!(path("/f/{a:.*}", &[("a", "x/")]).unwrap(), "/f/x/");
    assert_eq!(path("/*a", &[("a", "x")]).unwrap(), "/x");
}

#[test]
fn a_path_needs_every_value() {
    let missing = Err(BuildError::Missing("b".to_owned()));
    assert_eq!(path("/{a}/x{b}", &[("a", "1")]), missing);
    assert_eq!(path("/*b", &[]), missing);
}

#[test]
fn a_value_that_would_not_come_back_is_refused() {
    for value in ["", ".", "..", "a\0b", "a\nb"] {
        assert_eq!(path("/{a}", &[("a", value)]), does_not_match("a"), "{value:?}");
    }
    assert_eq!(path("/{a:\\d+}", &[("a", "x")]), does_not_match("a"));
    assert_eq!(path("/{a}.{b}", &[("a", "x"), ("b", "y.z")]), does_not_match("a"));
    assert_eq!(path("/{a}{b}", &[("a", "."), ("b", ".")]), does_not_match("a"));
    assert_eq!(path("/x/{a:\\d*}/y", &[("a", "")]), does_not_match("a"));
    for value in ["/x", "x//y", "x/../y", "x/"] {
        assert_eq!(path("/f/*a", &[("a", value)]), does_not_match("a"), "{value:?}");
    }
    assert_eq!(path("/f/{a:.+}", &[("a", "")]), does_not_match("a"));
    assert_eq!(path("/f/{a:.*}", &[("a", "/x")]), does_not_match("a"));
}

#[test]
fn a_regex_may_want_an_empty_value() {
    assert_eq!(path("/f{a:[0-9]*}", &[("a", "")]).unwrap(), "/f");
    assert_eq!(path("/f/{a:[0-9]*}", &[("a", "")]).unwrap(), "/f/");
}
