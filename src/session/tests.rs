use super::*;
use proptest::prelude::*;
use serde_json::json;

fn path(dotted: &str) -> Vec<String> {
    dotted.split('.').map(str::to_owned).collect()
}

fn session(state: &str) -> Session {
    Session::restore(5.0, state).expect(state)
}

#[test]
fn a_new_session_is_empty_and_new() {
    let session = Session::new(7.5);
    assert!(session.is_new() && session.is_empty() && !session.is_invalidated());
    assert_eq!(session.created(), 7.5);
    assert_eq!(session.to_state_text(), "{}");
}

#[test]
fn untouched_values_come_back_byte_for_byte() {
    let odd = format!(
        r#"{{ "big":1{}, "f": [1e+16,-0.0, NaN],"s" :"\uD800 \u00E9 é", "m":{{"z":1,"a" : {{}} }} }}"#,
        "0".repeat(400)
    );
    assert_eq!(session(&odd).to_state_text(), odd);

    let mut changed = session(&odd);
    changed.set(&path("m.new"), json!(2)).expect("a map");
    let expected = format!(
        r#"{{"big": 1{}, "f": [1e+16,-0.0, NaN], "s": "\uD800 \u00E9 é", "m": {{"z": 1, "a": {{}}, "new": 2}}}}"#,
        "0".repeat(400)
    );
    assert_eq!(changed.to_state_text(), expected);
}

#[test]
fn paths_lead_through_maps_and_lists() {
    let mut session = session(r#"{"cart": {"items": [{"n": 1}, {"n": 2}]}, "k\u00e9y": 3}"#);
    assert_eq!(session.get(&path("cart.items.1.n")), Some(json!(2)));
    assert_eq!(session.get(&path("kéy")), Some(json!(3)));
    assert_eq!(session.get(&path("cart.items.2")), None);
    session.set(&path("cart.items.0.n"), json!(9)).expect("a place");
    assert_eq!(session.remove(&path("cart.items.1")), Some(json!({"n": 2})));
    assert_eq!(session.remove(&path("cart.items.0.gone")), None);
    session.set(&path("kéy"), json!(4)).expect("a place");
    assert_eq!(session.to_state_text(), r#"{"cart": {"items": [{"n": 9}]}, "k\u00e9y": 4}"#);
}

#[test]
fn an_item_is_added_to_a_list_and_the_others_keep_their_spelling() {
    let mut session = session(r#"{"l":[1.0,NaN, "\u00e9" ], "m": {"l": [[]]}, "n": 1}"#);
    session.push(&path("l"), json!({"a": 1}));
    session.push(&path("m.l.0"), json!(2));
    for no_list in ["m", "n", "nothing", "l.0", "m.l.7"] {
        session.push(&path(no_list), json!("lost"));
    }
    session.push(&[], json!("lost"));
    assert_eq!(session.to_state_text(), r#"{"l": [1.0, NaN, "\u00e9", {"a": 1}], "m": {"l": [[2]]}, "n": 1}"#);
}

#[test]
fn a_part_with_dots_and_quotes_stays_one_part() {
    let mut session = Session::new(0.0);
    let odd = vec!["cart".to_owned(), "a.\"b\"\\".to_owned()];
    session.set(&odd, json!(1)).expect("a map");
    assert_eq!(session.to_value(), json!({"cart": {"a.\"b\"\\": 1}}));
    assert!(session.contains(&odd) && !session.contains(&path("cart.a")));
    assert_eq!(session.remove(&odd), Some(json!(1)));
    assert_eq!(session.to_state_text(), r#"{"cart": {}}"#);
}

#[test]
fn what_is_in_the_way_is_named_and_nothing_changes() {
    let mut session = session(r#"{"a":{"b":5,"l":[1],"n":null}}"#);
    for (to, key) in [("a.b.c", "a.b"), ("a.b.c.d", "a.b"), ("a.l.1", "a.l"), ("a.l.x.y", "a.l"), ("a.n.c", "a.n")] {
        let refused = session.set(&path(to), json!(1));
        assert_eq!(refused, Err(NotAMap { key: key.into() }), "{to}");
    }
    assert!(session.set(&[], json!({})).is_err());
    assert_eq!(session.to_state_text(), r#"{"a":{"b":5,"l":[1],"n":null}}"#);
}

#[test]
fn of_equal_keys_the_last_counts_at_the_place_of_the_first() {
    let session = session(r#"{"a": 1, "b": 2, "\u0061": 3}"#);
    assert_eq!(session.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(session.to_state_text(), r#"{"a": 3, "b": 2}"#);
}

#[test]
fn changed_means_different() {
    let before = session(r#"{"a": 1, "b": [1e16]}"#);
    let mut after = before.clone();
    after.set(&path("c"), json!(1)).expect("a map");
    assert!(after.differs_from(&before));
    after.remove(&path("c"));
    after.remove(&path("a"));
    after.set(&path("a"), json!(1)).expect("a map");
    after.set(&path("b.0"), before.get(&path("b.0")).expect("there")).expect("a place");
    assert!(!after.differs_from(&before));
    assert_eq!(after.to_state_text(), r#"{"b": [1e+16], "a": 1}"#);
}

#[test]
fn invalidate_ends_the_session_and_begins_another() {
    let mut session = session(r#"{"user": "Admin"}"#);
    session.invalidate(9.0);
    assert!(session.is_empty() && session.is_invalidated() && session.is_new());
    assert_eq!(session.created(), 9.0);
    session.set(&path("bye"), json!(true)).expect("a map");
    session.renew();
    assert!(session.is_invalidated() && !session.is_renewed());
}

#[test]
fn clear_and_renew_keep_the_session() {
    let mut session = session(r#"{"user": "Admin"}"#);
    session.renew();
    session.clear();
    assert!(session.is_renewed() && session.is_empty() && !session.is_new());
    assert_eq!(session.created(), 5.0);
}

#[test]
fn only_objects_are_a_state() {
    for text in ["[]", "1", "", "{} {}", "{\"a\"}", "null"] {
        assert!(Session::restore(0.0, text).is_err(), "{text}");
    }
}

#[test]
fn depth_and_sizes_are_known_before_a_commit() {
    let mut session = session(r#"{"small": 1, "large": [1, 2, 3]}"#);
    assert_eq!(session.largest(1), [("large".to_owned(), 18)]);
    let deep = vec!["d".to_owned(); MAX_DEPTH];
    session.set(&deep, json!(1)).expect("maps");
    assert!(!session.is_too_deep());
    session.set(&deep, json!([[]])).expect("maps");
    assert!(session.is_too_deep());
    let before = session.clone();
    session.set(&[deep, vec!["0".into()]].concat(), json!(1)).expect("a place");
    assert!(session.differs_from(&before), "what is too deep is not lost");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_state_round_trips(values in prop::collection::vec((any::<String>(), any_json()), 0..6)) {
        let mut written = Session::new(0.0);
        for (key, value) in values {
            written.set(&[key], value).expect("a map");
        }
        let text = written.to_state_text();
        prop_assert!(text.is_ascii());
        let read = session(&text);
        prop_assert_eq!(&read.to_state_text(), &text);
        prop_assert!(!read.differs_from(&written));
        let mut respelled = Session::new(0.0);
        for key in read.keys() {
            let key = [key.to_owned()];
            respelled.set(&key, read.get(&key).expect("there")).expect("a map");
        }
        prop_assert_eq!(respelled.to_state_text(), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}\":,0-9a-fu\\\\ eE.+-]{0,40}", part in "[a-f0-9]{0,2}") {
        if let Ok(mut session) = Session::restore(0.0, &text) {
            let _ = session.to_value();
            let _ = session.set(&[part.clone(), part.clone()], Value::Null);
            let _ = session.remove(&[part]);
            prop_assert!(Session::restore(0.0, &session.to_state_text()).is_ok());
        }
    }
}
