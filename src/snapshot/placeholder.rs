//! `{{name}}`: file variables, put in while a file is read, and `{{$name}}`: what a visitor was shown,
//! put in when the request is sent.

/// Replaces every `{{name}}` by what `value` says for it; stops at its first error. Braces that are
/// never closed are plain text.
pub fn fill<E>(text: &str, mut value: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, opened)) = rest.split_once("{{")
        && let Some((name, after)) = opened.split_once("}}")
    {
        filled += before;
        filled += &value(name.trim())?;
        rest = after;
    }
    filled += rest;
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_and_open_braces_stay() {
        let filled = fill("{{host}}/a?b={{ b }}{{c", |name| Ok::<_, ()>(format!("<{name}>")));
        assert_eq!(filled, Ok("<host>/a?b=<b>{{c".to_owned()));
    }

    #[test]
    fn a_value_is_not_searched_again() {
        assert_eq!(fill("{{a}}", |_| Ok::<_, ()>("{{a}}".to_owned())), Ok("{{a}}".to_owned()));
    }

    #[test]
    fn the_first_error_is_returned() {
        assert_eq!(fill("{{a}}{{b}}", |name| Err::<String, _>(name.to_owned())), Err("a".to_owned()));
    }
}
