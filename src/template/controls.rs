//! The names under which a form sends what is entered.

use std::collections::BTreeSet;

use super::forms::{Tag, Tags, partials};

/// The names of the controls between the tags of a form, and those in the query of where it goes; `None` if
/// there may be others: in what it includes, elsewhere on the page, or under names that only the request
/// decides.
pub(super) fn controls(form: &Tag<'_>, inside: &str, page: &str) -> Option<BTreeSet<String>> {
    let is_open = inside.contains("{{{") || inside.contains("{{&") || partials(inside).next().is_some();
    let from_elsewhere = form.value("id").is_some() && Tags::of(page).any(|tag| tag.value("form").is_some());
    if is_open || from_elsewhere {
        return None;
    }
    let mut names = in_query(form.value("action").unwrap_or_default())?;
    for tag in Tags::of(inside) {
        match tag.value("name") {
            Some(name) if name.contains("{{") => return None,
            Some(name) => _ = names.insert(name.to_owned()),
            // Its name may be in one of its braces.
            None if is_entered(&tag) && inside.get(tag.span.clone()).is_some_and(|tag| tag.contains("{{")) => {
                return None;
            }
            None => {}
        }
        names.extend(in_query(tag.value("formaction").unwrap_or_default())?);
    }
    Some(names)
}

/// Whether a visitor enters something there.
fn is_entered(tag: &Tag<'_>) -> bool {
    let is_button = |kind: &str| matches!(kind, "submit" | "button" | "reset" | "image");
    match tag.name.as_str() {
        "input" => !tag.value("type").is_some_and(is_button),
        "select" | "textarea" => true,
        _ => false,
    }
}

/// What stands in front of the equals signs of a URL, or of a `url`.
fn in_query(action: &str) -> Option<BTreeSet<String>> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let (names, _) = action.rsplit_once('=').unwrap_or_default();
    let names = names.split('=').filter_map(|part| part.rsplit(|c| !is_name(c)).next()).filter(|name| !name.is_empty());
    (!action.contains("_query=")).then(|| names.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::super::forms::forms;

    fn names(form: &str) -> Option<Vec<String>> {
        let form = forms(&format!("{form}</form><p id=\"x\" name=\"outside\">")).into_iter().next().unwrap();
        form.controls.map(|names| names.into_iter().collect())
    }

    #[test]
    fn a_form_sends_its_controls_and_the_query_of_its_action() {
        for (form, sent) in [
            ("<form><p>Nothing</p>", &[][..]),
            ("<form><input name=a><select name='b'></select><textarea name=\"c\">", &["a", "b", "c"]),
            ("<form><button name=go value=1></button><input type=submit value=\"{{label}}\">", &["go"]),
            ("<form>{{#if x}}<input name=a>{{else}}<input name=b {{#if y}}checked{{/if}}>{{/if}}", &["a", "b"]),
            ("<form><!-- <input name=a> -->{{!-- <input name=b> --}}{{csrf_field}}", &[]),
            ("<form action=\"/x?a=1&b-c={{y}}\">", &["a", "b-c"]),
            ("<form action=\"{{url \"x\" sku=this page=2}}\"><input name=a>", &["a", "page", "sku"]),
            ("<form action=\"/x\"><button formaction='{{url 'x' n=1}}'>", &["n"]),
            ("<form id=f><input name=a>", &["a"]),
        ] {
            assert_eq!(
                names(form).as_deref(),
                Some(&sent.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()[..]),
                "{form}"
            );
        }
    }

    #[test]
    fn what_may_bring_others_is_left_open() {
        for open in [
            "<form>{{> field name=\"a\"}}",
            "<form>{{~#> box}}<input name=a>{{/box}}",
            "<form>{{> @partial-block}}",
            "<form><input name=\"{{this}}\">",
            "<form><input name=\"a[{{@index}}]\">",
            "<form><input {{attributes}}>",
            "<form>{{{field}}}",
            "<form action=\"{{url \"x\" _query=query}}\">",
            "<form id=f><input name=a></form><input form=f name=b><form>",
        ] {
            assert_eq!(names(open), None, "{open}");
        }
        assert_eq!(forms("<form><input name=a>")[0].controls, None, "it has no end");
    }
}
