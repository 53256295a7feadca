//! Where values stand.

use crate::template::escape::html::{Html, Place, ReadAs};
use crate::template::escape::script::InScript;
use crate::template::escape::url::InUrl;
use crate::template::escape::{For, Made};

/// Where the values `@` stand; in every state there may be.
fn places(text: &str) -> Vec<Place> {
    let mut states = vec![Html::new()];
    let mut pieces = text.split('@');
    Html::read(&mut states, pieces.next().unwrap(), &mut |_| {});
    let mut found = Vec::new();
    for (number, piece) in pieces.enumerate() {
        for place in states.iter_mut().map(|html| html.put(number, Made::Value)).collect::<Vec<_>>() {
            if !found.last().is_some_and(|last| *last == place) {
                found.push(place);
            }
        }
        Html::read(&mut states, piece, &mut |_| {});
    }
    found
}

fn value(attribute: &str, quote: Option<char>, read_as: ReadAs) -> Place {
    Place::Value { attribute: attribute.to_owned(), quote, read_as }
}

fn url(attribute: &str, part: InUrl) -> Place {
    value(attribute, Some('"'), ReadAs::Url { part, leads: For::Link })
}

#[test]
fn text_is_told_from_tags_as_browsers_do() {
    for text in [
        "@",
        "<p>@</p>",
        "a < b @",
        "a <3 @",
        "a <> @",
        "</>@",
        "<!>@",
        "<!-->@",
        "<!--->@",
        "<!-- a --!>@",
        "<!-- <!-- --> @",
        "<!-- <p class= --> @",
        "<!foo>@",
        "<?xml version=\"1.0\"?>@",
        "</ p>@",
        "<![CDATA[ x > @",
        "<script>1</script>@",
        "<script><!-- </script>@",
        "<script><!-- <script> </script> --></script>@",
        "<script><!--<script</script>@",
        "<script><!-- <scripty> </script>@",
        "<STYLE>p{}</Style >@",
        "<style></styl></style/>@",
        "<script src=\"x\"></script><p>@",
        "<br/>@",
        "<p title=\">\">@",
        "<p title=a/>@",
        "<p =>@",
        "<p a=>@",
        "<p a=\"1\"b=\"2\"/c>@",
        "<!DOCTYPE html>@",
        "<img alt='\"' src=x>@",
        "<svg><path d=\"M0\"/></svg>@",
        "<svg><style>p{}</style></svg>@",
        "<svg><![CDATA[ <p a=' ]]></svg>@",
        "<noscript>@</noscript>@",
    ] {
        let found: Vec<_> = places(text).into_iter().filter(|place| *place != Place::Characters).collect();
        assert!(!found.is_empty() && found.iter().all(|place| *place == Place::Text), "{text}: {found:?}");
    }
}

#[test]
fn some_elements_have_nothing_but_text() {
    for text in [
        "<title>@",
        "<TITLE>a</titl>@",
        "<textarea><p class=@",
        "<textarea></textareas>@",
        "<textarea><!--</textarea x><xmp>@",
        "<iframe><a href=\"@",
        "<noembed>@",
        "<plaintext></plaintext>@",
    ] {
        assert_eq!(places(text), [Place::Characters], "{text}");
    }
    for text in ["<title></@", "<title></titl@", "<textarea><@"] {
        assert_eq!(places(text), [Place::Tag], "{text}: it could end the element");
    }
}

#[test]
fn comments_end_where_browsers_end_them() {
    for text in ["<!--@", "<!-- -- > @", "<!-- <p>@", "<!DOCTYPE @", "<?php @", "</ @", "<![CDATA[@", "<!---!>@"] {
        assert_eq!(places(text), [Place::Comment], "{text}");
    }
    assert_eq!(places("<!-- @ -->@"), [Place::Comment, Place::Text]);
    assert_eq!(places("<!--@-->@"), [Place::Comment, Place::Text], "what the value ends with does not matter here");
    assert_eq!(places("<!-- @> @").last(), Some(&Place::Comment));
    assert!(places("<!-- @> @").contains(&Place::Text), "the value may end with dashes");
    assert!(places("<svg><![CDATA[ @ ]]></svg>").contains(&Place::Text));
}

#[test]
fn values_stand_in_attributes() {
    for (text, expected) in [
        ("<p title=\"@\">", value("title", Some('"'), ReadAs::Text)),
        ("<p title = '@'>", value("title", Some('\''), ReadAs::Text)),
        ("<p a=1 b='x' TITLE=\"a @", value("title", Some('"'), ReadAs::Text)),
        ("<p/title=\"@\">", value("title", Some('"'), ReadAs::Text)),
        ("<p a=\"b\"title=\"@\">", value("title", Some('"'), ReadAs::Text)),
        ("<p title=@>", value("title", None, ReadAs::Text)),
        ("<p title= @ >", value("title", None, ReadAs::Text)),
        ("<p title=a@>", value("title", None, ReadAs::Text)),
        ("<p title=a\"@\">", value("title", None, ReadAs::Text)),
        ("<p onclick=\"f('@')\">", value("onclick", Some('"'), ReadAs::Script)),
        ("<p OnClick=\"f('@')\">", value("onclick", Some('"'), ReadAs::Script)),
        ("<p style=\"color: @\">", value("style", Some('"'), ReadAs::Style)),
        ("<iframe srcdoc=\"@\">", value("srcdoc", Some('"'), ReadAs::Document)),
        ("<meta http-equiv=\"@\">", value("http-equiv", Some('"'), ReadAs::Semantics)),
        ("<set attributeName=\"@\">", value("attributename", Some('"'), ReadAs::Semantics)),
        ("<meta name=\"description\" content=\"@\">", value("content", Some('"'), ReadAs::Text)),
        ("<object data=\"/x/@\">", value("data", Some('"'), ReadAs::Url { part: InUrl::Further, leads: For::Part })),
        ("<p data=\"@\">", value("data", Some('"'), ReadAs::Text)),
        ("<script src=\"//@\">", value("src", Some('"'), ReadAs::Url { part: InUrl::Host, leads: For::Part })),
        ("<set to=\"@\">", value("to", Some('"'), ReadAs::Url { part: InUrl::Scheme, leads: For::Part })),
        ("<set values=\"#;@\">", value("values", Some('"'), ReadAs::Url { part: InUrl::Scheme, leads: For::Part })),
        ("<p one=\"@\">", value("one", Some('"'), ReadAs::Text)),
        ("<image xlink:href=\"#@\">", url("xlink:href", InUrl::Further)),
        ("<svg><title><a href=\"/@\"></title></svg>", url("href", InUrl::Host)),
    ] {
        let found: Vec<_> = places(text).into_iter().filter(|place| *place != Place::Characters).collect();
        assert_eq!(found, [expected], "{text}");
    }
    assert_eq!(
        places("<p title=@ class=\"@\">@"),
        [value("title", None, ReadAs::Text), value("class", Some('"'), ReadAs::Text), Place::Text]
    );
}

#[test]
fn values_stand_in_names_and_between_attributes() {
    for text in ["<@>", "</@>", "<scr@>", "<s@g>"] {
        assert_eq!(places(text), [Place::Element], "{text}");
    }
    for text in ["<!@>", "<h@>", "<p @>", "<p data-@=\"\">", "<p a @>", "<p a=\"\"@>", "<br/@>"] {
        assert_eq!(places(text), [Place::Tag], "{text}");
    }
}

#[test]
fn a_value_chooses_of_a_url_what_is_still_open() {
    for (url_so_far, part) in [
        ("", InUrl::Scheme),
        (" \n\t", InUrl::Scheme),
        ("java", InUrl::Scheme),
        ("JavaScript:", InUrl::Scheme),
        ("java\nscript:", InUrl::Scheme),
        ("&#106;", InUrl::Scheme),
        ("data:text/html,", InUrl::Scheme),
        ("my-app:", InUrl::Scheme),
        ("/", InUrl::Host),
        ("\\", InUrl::Host),
        ("//", InUrl::Host),
        ("/&", InUrl::Scheme),
        ("&unknown;", InUrl::Scheme),
        ("&#47;", InUrl::Host),
        ("/&sol;", InUrl::Host),
        ("https&colon;//", InUrl::Host),
        ("h", InUrl::Host),
        ("https:", InUrl::Host),
        ("https://", InUrl::Host),
        ("https://www.", InUrl::Host),
        ("//www.example", InUrl::Host),
        ("/path/", InUrl::Further),
        ("/p", InUrl::Further),
        ("&#x2F;p/", InUrl::Further),
        ("/p?a=1&b=", InUrl::Further),
        ("?q=", InUrl::Further),
        ("#", InUrl::Further),
        ("page-", InUrl::Further),
        ("teas/", InUrl::Further),
        ("mailto:", InUrl::Further),
        ("https://www.example/", InUrl::Further),
        ("https://www.example?", InUrl::Further),
    ] {
        assert_eq!(places(&format!("<a href=\"{url_so_far}@\">")), [url("href", part)], "{url_so_far}");
    }
    for (text, last) in [
        ("@@", InUrl::Scheme),
        ("@x@", InUrl::Scheme),
        ("@:x@", InUrl::Host),
        ("@/@", InUrl::Host),
        ("/@/@", InUrl::Host),
        ("//@/@", InUrl::Host),
        ("@/x/@", InUrl::Further),
        ("@?x=@", InUrl::Further),
        ("//www@/@", InUrl::Further),
    ] {
        assert_eq!(places(&format!("<a href=\"{text}\">")).last().unwrap(), &url("href", last), "{text}");
    }
}

#[test]
fn code_is_told_from_what_is_in_quotes() {
    for (text, expected) in [
        ("let x = @", InScript::Code),
        ("let x = 'it\\'s' + @", InScript::Code),
        ("// it's\n@", InScript::Code),
        ("/* it's */ @", InScript::Code),
        ("x = a / b / @", InScript::Code),
        ("x = a[0] / 'b' / @", InScript::Code),
        ("x = /['\"/]/.test(y) ? @", InScript::Code),
        ("return /'/g.test(@", InScript::Code),
        ("x = `a ${ f({ b: '}' }) } ${@", InScript::Code),
        ("x = `a ${ `b ${c}` }` + @", InScript::Code),
        ("if (a < b) { x = @", InScript::Code),
        ("<!-- \n x = @", InScript::Code),
        ("x = 'unfinished\n@", InScript::Code),
        ("let x = \"@\"", InScript::Quoted('"')),
        ("let x = 'a \" @", InScript::Quoted('\'')),
        ("let x = \"\\\"@", InScript::Quoted('"')),
        ("let x = `a ${b} @", InScript::Quoted('`')),
        ("let x = `$@", InScript::Quoted('`')),
        ("let x = a / 2; let y = '@", InScript::Quoted('\'')),
        ("// @", InScript::Comment),
        ("/* @", InScript::Comment),
        ("i = j++ / 2; z = @; r = 1 / 2", InScript::Code),
        ("b = {} / 3, z = @", InScript::Code),
        ("if (true) /\"/.test(''); z = @", InScript::Code),
        ("x = (a + b) / 2, y = '/' + @", InScript::Code),
        ("x = 1. / 2; y = '@", InScript::Quoted('\'')),
        ("x = a.return / 2; y = '@", InScript::Quoted('\'')),
        ("if (a) /\"/.test(b) + \"@", InScript::Quoted('"')),
        ("a = {} / 3; s = \"/@", InScript::Quoted('"')),
        ("if (a) /@", InScript::Pattern),
        ("x = ++/@", InScript::Pattern),
        ("x = /@/", InScript::Pattern),
        ("x = /a[@", InScript::Pattern),
    ] {
        assert_eq!(places(&format!("<script>{text}")), [Place::Script(expected)], "{text}");
    }
    for text in ["<script>'</scrip>'; @", "<SCRIPT type=module>@"] {
        assert_eq!(places(text), [Place::Script(InScript::Code)], "{text}");
    }
    for text in ["function* g() { yield /@", "for await (x of y) /@", "if (a) {} /'/.test(@", "x = of / '/@"] {
        assert_ne!(places(&format!("<script>{text}")), [Place::Script(InScript::Code)], "{text}: it can be read so");
    }
    assert_eq!(places("<script>if (a) {}\nx = {}\n/ 2\nz = @"), [Place::Script(InScript::Code)]);
    assert!(places("<script><!-- /*\n x = '@").contains(&Place::Script(InScript::Quoted('\''))));
    let found = places("<script><!-- '<script> </script>' + @");
    assert_eq!(found, [Place::Script(InScript::Code), Place::Script(InScript::Comment)], "in a module, and elsewhere");
    assert_eq!(places("<svg><script>@</script></svg>"), [Place::Script(InScript::Code), Place::Text]);
    assert_eq!(places("<style>p { color: @ }"), [Place::Style]);
}
