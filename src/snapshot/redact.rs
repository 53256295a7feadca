//! What changes by nature, or must not be read, is printed by its name.

/// A text and what it is called: `("9f86d0…", "csrf-token")`.
pub type Volatile = (String, &'static str);

/// A shorter value was never issued by a factory, and would be found where it is not meant.
const SHORTEST_SESSION: usize = 8;

/// The value of a session cookie as a volatile text, if it can be one.
pub fn session(value: &str) -> Option<Volatile> {
    let value = value.trim_matches('"');
    (value.len() >= SHORTEST_SESSION).then(|| (value.to_owned(), "session"))
}

/// Replaces volatile texts by their names in brackets.
#[derive(Clone, Debug)]
pub struct Redactor {
    words: Vec<Volatile>,
}

impl Redactor {
    /// Empty texts are passed over.
    pub fn new(words: impl IntoIterator<Item = Volatile>) -> Self {
        let mut words: Vec<Volatile> = words.into_iter().filter(|(text, _)| !text.is_empty()).collect();
        // The longest first: one text may hold another.
        words.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        words.dedup();
        Self { words }
    }

    /// The text without them.
    pub fn apply(&self, text: &str) -> String {
        let words = self.words.iter();
        words.fold(text.to_owned(), |text, (word, name)| text.replace(word, &format!("[{name}]")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_text_is_replaced_first() {
        let redactor = Redactor::new([("abc".into(), "short"), ("abcdef".into(), "long"), (String::new(), "none")]);
        assert_eq!(redactor.apply("abcdef abc ab"), "[long] [short] ab");
    }

    #[test]
    fn a_session_value_is_taken_without_quotes_and_only_when_it_can_be_one() {
        assert_eq!(session("\"0123456789\""), Some(("0123456789".into(), "session")));
        assert_eq!(session("x"), None);
    }
}
