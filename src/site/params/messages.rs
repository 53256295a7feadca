//! A site's own sentences, put together for one parameter: all that they show is known by then.

use super::rules::{RULES, Rule, Rules};
use super::sentence::plain;
use crate::config::messages::{Message, Part};

/// What a site says about a parameter, for each rule that it has a sentence for.
pub fn of_site(site: &[Message], label: &str, rules: &Rules, items: Option<usize>) -> Vec<(Rule, String)> {
    let about = |name: &str| site.iter().find(|message| message.about == name);
    let message = |(name, rule): &(&str, Rule)| {
        let of_type = if *rule == Rule::Type { about(rules.kind.name()) } else { None };
        Some((*rule, filled(of_type.or_else(|| about(name))?, label, rules, items)?))
    };
    RULES.iter().filter_map(message).collect()
}

/// The sentence; `None` if it is about a rule that the parameter does not have.
fn filled(message: &Message, label: &str, rules: &Rules, items: Option<usize>) -> Option<String> {
    let mut text = String::new();
    for part in &message.parts {
        text += &match part {
            Part::Text(text) => text.clone(),
            Part::Name("min") => plain(rules.min.as_ref()?),
            Part::Name("max") => plain(rules.max.as_ref()?),
            Part::Name("min_length") => rules.min_length?.to_string(),
            Part::Name("max_length") => rules.max_length?.to_string(),
            Part::Name("max_items") => items?.to_string(),
            Part::Name(_) => label.to_owned(),
        };
    }
    Some(text)
}
