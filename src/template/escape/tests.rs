use std::collections::BTreeMap;

use handlebars::template::Template;

use super::html::{Html, Place, ReadAs};
use super::script::InScript;
use super::url::InUrl;
use super::*;

/// Where the values `@` stand; in every state there may be.
fn places(text: &str) -> Vec<Place> {
    let mut states = vec![Html::new()];
    let mut pieces = text.split('@');
    Html::read(&mut states, pieces.next().unwrap(), &mut |_| {});
    let mut found = Vec::new();
    for (number, piece) in pieces.enumerate() {
        for place in states.iter_mut().map(|html| html.put(number)).collect::<Vec<_>>() {
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
    value(attribute, Some('"'), ReadAs::Url { part, embedded: false })
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
        ("<object data=\"/x/@\">", value("data", Some('"'), ReadAs::Url { part: InUrl::Further, embedded: true })),
        ("<p data=\"@\">", value("data", Some('"'), ReadAs::Text)),
        ("<script src=\"//@\">", value("src", Some('"'), ReadAs::Url { part: InUrl::Host, embedded: true })),
        ("<set to=\"@\">", url("to", InUrl::Scheme)),
        ("<use xlink:href=\"#@\">", url("xlink:href", InUrl::Further)),
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
    for text in ["<@>", "</@>", "<!@>", "<h@>", "<p @>", "<p data-@=\"\">", "<p a @>", "<p a=\"\"@>", "<br/@>"] {
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
        ("/&", InUrl::Host),
        ("https:", InUrl::Host),
        ("https://", InUrl::Host),
        ("https://www.", InUrl::Host),
        ("//www.example", InUrl::Host),
        ("/path/", InUrl::Further),
        ("/p", InUrl::Further),
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
    assert_eq!(places("<a href=\"@/@\">"), [url("href", InUrl::Scheme), url("href", InUrl::Further)]);
    assert_eq!(places("<a href=\"//@@/@\">").last().unwrap(), &url("href", InUrl::Further));
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
        ("x = /@/", InScript::Pattern),
        ("x = /a[@", InScript::Pattern),
    ] {
        assert_eq!(places(&format!("<script>{text}")), [Place::Script(expected)], "{text}");
    }
    for text in ["<script>'</scrip>'; @", "<SCRIPT type=module>@", "<script><!-- '<script> </script>' + @"] {
        assert_eq!(places(text), [Place::Script(InScript::Code)], "{text}");
    }
    assert_eq!(places("<svg><script>@</script></svg>"), [Place::Script(InScript::Code), Place::Text]);
    assert_eq!(places("<style>p { color: @ }"), [Place::Style]);
}

/// What can come of the values in the template `page`, as `written: danger`.
fn dangers(templates: &[(&str, &str)]) -> Vec<String> {
    let compiled: BTreeMap<&str, Template> =
        templates.iter().map(|(name, text)| (*name, Template::compile(text).unwrap())).collect();
    let shown = follow("page", &|name| compiled.get(name));
    let names = |shown: &Shown| shown.names.iter().cloned().collect::<Vec<_>>().join("+");
    let of_visitors = shown.iter().filter(|shown| !shown.names.is_empty() || shown.danger.is_always_wrong());
    of_visitors.map(|shown| format!("{} {:?}", names(shown), shown.danger)).collect()
}

fn page(text: &str) -> Vec<String> {
    dangers(&[("page", text)])
}

#[test]
fn what_goes_together_is_no_danger() {
    for text in [
        "<p title=\"{{a}}\">{{a}}</p>",
        "<li{{#if a}} class=\"b\"{{/if}}>{{a}}</li>",
        "<input {{#if a}}checked{{else}}value=\"{{b}}\"{{/if}}>{{c}}",
        "<a href=\"{{#if a}}/x/{{b}}{{else}}?q={{b}}{{/if}}\">",
        "<a href=\"{{url \"x\" id=a}}\">{{url \"x\" id=a}}</a>",
        "<a href={{url \"x\" id=a}}>",
        "<a href=\"{{url \"x\"}}?horn={{a}}\">",
        "<a href=\"{{concat \"/x/\" a}}\">",
        "<a href=\"{{request.scheme}}://{{request.host}}/{{a}}\">",
        "<a href=\"{{error.back}}\" class=e{{error.status}}>",
        "<link rel=\"stylesheet\" href=\"{{static_url \"/static/x.css\"}}\">",
        "<img src=\"{{static_url \"/static/\" a}}\">",
        "<script>let x = {{json a}}, y = [{{json b.c}}]; // {{json c}}</script>",
        "<script>fetch(\"{{url \"x\" id=a}}\")</script>",
        "<div data-x='{{json a}}'>",
        "<pre>{{json a}}</pre>",
        "<a href=\"{{web_url a}}\">{{web_url a}}</a>",
        "<form>{{csrf_field}}<input name=\"csrf_token\" value=\"{{csrf_token}}\"></form>",
        "<article>{{markdown a}}</article>{{#each a}}{{markdown this}}{{/each}}",
        "{{> body text=(markdown a)}}",
        "<progress value={{len a}} max={{add a 1}}>",
        "{{#each a as |b|}}<b id=\"row-{{@index}}\" tabindex={{@index}}>{{b}}{{@key}}</b>{{else}}{{c}}{{/each}}",
        "{{#each a}}<p{{#if @first}} class=\"x\"{{/if}}>{{/each}}{{b}}",
        "<a href=\"/{{#each a}}{{#unless @first}}/{{/unless}}x{{/each}}\">{{b}}",
        "<textarea name=\"a\">{{a}}</textarea><title>{{b}}</title>",
        "{{! <p class={{a}}> }}{{!-- <script>{{a}} --}}{{a}}",
        "<svg><title>{{a}}</title><text x=\"{{b}}\">{{c}}</text></svg>{{d}}",
        "<noscript><p title=\"{{a}}\">{{a}}</p></noscript>",
        "<style>p { width: {{len a}}px }</style>",
        "{{#with a as |b|}}<p class=\"{{b}}\">{{../c}}{{@root.d}}</p>{{/with}}",
    ] {
        assert_eq!(page(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_does_not_go_together_is_a_danger() {
    for (text, expected) in [
        ("<script>let x = \"{{a}}\"</script>", "a Script"),
        ("<script>let x = {{a}}</script>", "a Script"),
        ("<script>let x = {{{a}}}</script>", "a Script"),
        ("<script>let x = \"{{json a}}\"</script>", "a JsonInQuotes"),
        ("<script>x = /{{json a}}/</script>", "a InsideScript"),
        ("<script>fetch({{url \"x\" id=a}})</script>", "a Script"),
        ("<style>p { color: {{a.b}} }</style>", "a Style"),
        ("<p class={{a}}>", "a Unquoted(\"class\")"),
        ("<p {{a}}>", "a Tag"),
        ("<{{a}}>", "a Tag"),
        ("<p onclick=\"f({{json a}})\">", "a Handler(\"onclick\")"),
        ("<p style=\"color: {{a}}\">", "a Style"),
        ("<a href=\"{{a}}\">", "a Scheme(\"href\")"),
        ("<a href=\"{{default a \"/\"}}\">", "a Scheme(\"href\")"),
        ("<a href=\"{{concat a \"/\"}}\">", "a Scheme(\"href\")"),
        ("<a href=\"{{#if b}}/x/{{/if}}{{a}}\">", "a Scheme(\"href\")"),
        ("<a href=\"/{{a}}\">", "a Host(\"href\", false)"),
        ("<script src=\"/{{a}}\"></script>", "a Host(\"src\", true)"),
        ("<meta http-equiv=refresh content=\"0; url={{a}}\">", "a Scheme(\"content\")"),
        ("<meta content=\"0; url={{a}}\" http-equiv=\"Refresh\">", "a Scheme(\"content\")"),
        ("<meta content=\"{{a}}\" http-equiv=\"refresh\">", "a Scheme(\"content\")"),
        ("<iframe srcdoc=\"{{a}}\">", "a Document"),
        ("<div data-x=\"{{json a}}\">", "a JsonInAttribute(\"data-x\")"),
        ("<div data-x={{json a}}>", "a JsonInAttribute(\"data-x\")"),
        ("<p>{{{a}}}</p>", "a Raw"),
        ("<p>{{&a}}</p>", "a Raw"),
        ("<p title=\"{{{a}}}\">", "a Raw"),
        ("{{{concat \"<b>\" a}}}", "a Raw"),
        ("<!-- {{a}} -->", "a Comment"),
        ("<p title=\"{{csrf_field}}\">", " Html"),
        ("<title>{{csrf_field}}", " Html"),
        ("<textarea>{{markdown a}}", "a Html"),
        ("<p title=\"{{markdown a}}\">", "a Html"),
        ("<script>{{markdown a}}", "a Html"),
        ("<script>{{concat (markdown a)}}", "a Script"),
        ("<li{{#if a}} class={{/if}}{{b}}>", "b Unquoted(\"class\")|b Tag"),
        ("<p{{#each a as |b|}} {{b}}{{/each}}>", "a Tag"),
        ("{{#each a}}<p{{@key}}>{{/each}}", "a Tag"),
        ("{{#each a}}{{#with this}}<p class={{x}}>{{/with}}{{/each}}", "a Unquoted(\"class\")"),
        ("{{#with a}}<p class={{../b}}>{{/with}}", "b Unquoted(\"class\")"),
        ("{{#with a}}<p class={{@root.b}}>{{/with}}", "b Unquoted(\"class\")"),
        ("<p class={{lookup a b}}>", "a Unquoted(\"class\")"),
        ("{{#if a}}<script>{{/if}}{{b}}</script>", "b Script"),
        ("{{#each a}}<p>{{b}}<textarea>{{/each}}<script>{{c}}", "c Script"),
        ("<script>{{#if a}}'{{/if}}{{json b}}", "b JsonInQuotes"),
        ("<noscript><p title=\"</noscript>{{a}}<p class={{b}}>\">", "b Unquoted(\"class\")"),
    ] {
        let found = page(text);
        let expected: Vec<&str> = expected.split('|').collect();
        let all_there = expected.iter().all(|danger| found.iter().any(|found| found == danger));
        assert!(all_there, "{text}: {found:?}");
        assert!(expected.len() == found.len() || text.contains("{{#"), "{text}: {found:?}");
    }
}

#[test]
fn partials_are_followed_where_they_are_included() {
    type Templates = &'static [(&'static str, &'static str)];
    let cases: &[(Templates, &[&str])] = &[
        (&[("page", "<p>{{> row item=a}}</p>"), ("row", "<b>{{item}}</b>{{b}}")], &[]),
        (&[("page", "<p class={{> row item=a}}>"), ("row", "{{item}}")], &["a Unquoted(\"class\")"]),
        (&[("page", "<script>{{> row}}"), ("row", "{{json a}}{{b}}")], &["b Script"]),
        (&[("page", "<p class={{> row item=\"x\"}}>"), ("row", "{{item}}")], &[]),
        (&[("page", "<a href=\"{{> to link=(url \"x\" id=a)}}\">"), ("to", "{{link}}")], &[]),
        (&[("page", "{{> open}}{{a}}"), ("open", "<p class=")], &["a Unquoted(\"class\")"]),
        (&[("page", "{{#each a}}{{> row}}{{/each}}"), ("row", "<p class={{b}}>")], &["a Unquoted(\"class\")"]),
        (&[("page", "{{> row a}}"), ("row", "<p class={{b}}>")], &["a Unquoted(\"class\")"]),
        (
            &[("page", "{{#> layout}}<p>{{a}}</p>{{/layout}}"), ("layout", "<main>{{> @partial-block}}</main>{{b}}")],
            &[],
        ),
        (&[("page", "{{#> layout}}{{a}}{{/layout}}"), ("layout", "<style>{{> @partial-block}}")], &["a Style"]),
        (
            &[
                ("page", "{{#> layout}}{{#*inline \"head\"}}{{a}}{{/inline}}{{b}}{{/layout}}"),
                ("layout", "<style>{{#> head}}{{/head}}</style>{{> @partial-block}}"),
            ],
            &["a Style"],
        ),
        (
            &[("page", "{{#> layout title=a}}<p class={{title}}>{{/layout}}"), ("layout", "{{> @partial-block}}")],
            &["a Unquoted(\"class\")"],
        ),
        (
            &[
                ("page", "{{#> inner}}{{a}}{{/inner}}"),
                ("inner", "{{#> outer}}<b class={{> @partial-block}}></b>{{/outer}}"),
                ("outer", "<p>{{> @partial-block}}</p>"),
            ],
            &["a Unquoted(\"class\")"],
        ),
        (&[("page", "{{#> nav}}<p class={{a}}>{{/nav}}")], &["a Unquoted(\"class\")"]),
        (&[("page", "{{#> nav}}<p class={{a}}>{{/nav}}"), ("nav", "x")], &[]),
        (
            &[("page", "{{#if a}}{{#*inline \"x\"}}<p class={{/inline}}{{/if}}{{#> x}}{{/x}}{{b}}")],
            &["b Unquoted(\"class\")"],
        ),
    ];
    for (templates, expected) in cases {
        assert_eq!(dangers(templates), *expected, "{templates:?}");
    }
}

#[test]
fn what_cannot_be_told_is_a_danger_itself() {
    let branches: String = (0..80).map(|n| format!("{{{{#if a}}}}<p x{n}=\"{{{{/if}}}}")).collect();
    assert!(page(&branches).contains(&"this Unclear".to_owned()));
    assert!(page("<a href=\"{{#each a}}x{{/each}}\">{{b}}").is_empty());
    assert!(page("<{{#each a}}x{{/each}} class={{b}}>").contains(&"b Unquoted(\"class\")".to_owned()));
}
