use super::*;

#[test]
fn names_are_compared_as_people_read_them() {
    for same in ["Ada", " ada ", "ADA", "\u{ff21}da", "ad\u{61}"] {
        assert_eq!(normalised(same), "ada", "{same}");
    }
    assert_eq!(normalised("Zoe\u{308}"), normalised("ZO\u{cb}"));
    assert_ne!(normalised("ada"), normalised("adda"));
}
