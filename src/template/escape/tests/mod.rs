mod places;

use std::collections::BTreeMap;

use handlebars::template::Template;

use super::*;

/// What can come of the values in the template `page`, as `written: danger`.
fn dangers(templates: &[(&str, &str)]) -> Vec<String> {
    let compiled: BTreeMap<&str, Template> =
        templates.iter().map(|(name, text)| (*name, Template::compile(text).unwrap())).collect();
    let shown = follow("page", &|name| compiled.get(name));
    let names = |shown: &Shown| shown.names.iter().cloned().collect::<Vec<_>>().join("+");
    let of_visitors = shown.iter().filter(|shown| !shown.names.is_empty() || shown.always().is_some());
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
        "<a href=\"{{url \"x\"}}{{#if a}}?a={{a}}{{/if}}#{{b}}\">",
        "<script src=\"//{{request.host}}/{{a}}\"></script>",
        "<form action=\"{{url \"x\"}}\"><p one=\"{{a}}\"></form>",
        "<link rel=\"stylesheet\" href=\"{{static_url \"/static/x.css\"}}\">",
        "<img src=\"{{static_url \"/static/\" a}}\">",
        "<script>let x = {{json a}}, y = [{{json b.c}}]; // {{json c}}</script>",
        "<script>fetch(\"{{url \"x\"}}\")</script>",
        "<div data-x='{{json a}}'>",
        "<pre>{{json a}}</pre>",
        "<a href=\"{{web_url a}}\">{{web_url a}}</a>",
        "<form>{{csrf_field}}<input name=\"csrf_token\" value=\"{{csrf_token}}\"></form>",
        "<article>{{markdown a}}</article>{{#each a}}{{markdown this}}{{/each}}",
        "{{> body text=(markdown a)}}",
        "<progress value={{len a}} max={{add a 1}}>{{b}}</progress>",
        "<progress value={{len a}} title=\"{{b}}\"><p id=\"{{add a 1}}\" title=\"{{b}}\">",
        "<p id={{add a 1}} title=\"b\" hidden><i title=\"{{b}}\">{{b}}",
        "{{#each a as |b|}}<b id=\"row-{{@index}}\" tabindex={{@index}}>{{b}}{{@key}}</b>{{else}}{{c}}{{/each}}",
        "{{#each a}}<p{{#if @first}} class=\"x\"{{/if}}>{{/each}}{{b}}",
        "<a href=\"/{{#each a}}{{#unless @first}}/{{/unless}}x{{/each}}\">{{b}}",
        "<textarea name=\"a\">{{a}}</textarea><title>{{b}}</title>",
        "{{! <p class={{a}}> }}{{!-- <script>{{a}} --}}{{a}}",
        "<svg><title>{{a}}</title><text x=\"{{b}}\">{{c}}</text></svg>{{d}}",
        "<svg><script>let x = {{json a}}; y = '{{len a}}'</script></svg><script>f(\"{{url \"x\"}}\")</script>",
        "<img srcset=\"{{static_url \"/a/\" a}} 1x, {{url \"x\" id=b}}, {{web_url c}} {{len a}}x\">",
        "<a ping=\"/x {{url \"x\" id=a}}\" hx-get=\"/x/{{a}}\" x=\"{{a}}\" data-x-y=\"{{a}}\">",
        "<div x-data='{ teas: {{json a}} }' :class='{{json b}}' @click=\"open = {{len a}}\">",
        "<a href=\"{{request.path}}?page={{a}}\"><form action='{{request.path}}'>",
        "<link rel=\"canonical\" href=\"{{request.scheme}}://{{request.host}}{{request.path}}\">",
        "<noscript><p title=\"{{a}}\">{{a}}</p></noscript>",
        "<style>p { width: {{len a}}px; height: {{add a 1}}px }</style>",
        "<script src=\"/{{len a}}/{{b}}.js\"></script><script src=\"/x{{add a 1}}/{{b}}.js\"></script>",
        "<script>let token = \"{{csrf_token}}\", nonce = '{{csp_nonce}}'</script>",
        "{{#with a as |b|}}<p class=\"{{b}}\">{{../c}}{{@root.d}}</p>{{/with}}",
    ] {
        assert_eq!(page(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_does_not_go_together_is_a_danger() {
    for (text, expected) in [
        ("<script>let x = \"{{a}}\"</script>", "a Quoted"),
        ("<script>let x = '{{{a}}}'</script>", "a Script"),
        ("<script>fetch(\"{{url \"x\" id=a}}\")</script>", "a Mangled"),
        ("<script>fetch(`{{static_url \"/x.json\"}}`)</script>", " Mangled"),
        ("<script>fetch('{{url \"x\" page=2}}')</script>", " Mangled"),
        ("<script>let x = {{a}}</script>", "a Script"),
        ("<script>let x = {{{a}}}</script>", "a Script"),
        ("<script>let x = \"{{json a}}\"</script>", "a JsonInQuotes"),
        ("<script>x = /{{json a}}/</script>", "a InsideScript"),
        ("<script>fetch({{url \"x\" id=a}})</script>", "a Script"),
        ("<style>p { color: {{a.b}} }</style>", "a Style"),
        ("<svg><script>let x = '{{url \"x\" id=a}}'</script></svg>", "a ForeignScript"),
        ("<svg><script>let x = '{{a}}'</script></svg>", "a ForeignScript"),
        ("<math><script>let x = '{{json a}}' // {{json b}}", "a ForeignScript|b ForeignScript"),
        ("<svg><script>let x = &quot;{{json a}}&quot;</script></svg>", "a ForeignScript"),
        ("<svg><script>let x = {{a}}</script></svg>", "a Script"),
        ("<svg><script><![CDATA[</script>{{a}}", "a ForeignScript"),
        ("<svg><style><![CDATA[</style>{{a}}", "a Style"),
        ("<svg><script>f(<b title=\"</script>\">{{json a}})</script></svg>", "a ForeignScript"),
        ("<p class={{a}}>", "a Unquoted(\"class\")"),
        ("<p id={{add a 0}} title=\"{{b}}\">", "b Behind(\"id\")"),
        ("<p id={{csrf_token}} title={{b}}>", "b Unquoted(\"title\")|b Behind(\"id\")"),
        ("<p {{a}}>", "a Tag"),
        ("<{{a}}>", "a Element"),
        ("<p onclick=\"f({{json a}})\">", "a Handler(\"onclick\")"),
        ("<p style=\"color: {{a}}\">", "a Style"),
        ("<div x-data=\"f('{{a}}')\">", "a Framework(\"x-data\")"),
        ("<div v-if='{{a}}'>", "a Framework(\"v-if\")"),
        ("<div ng-init='{{a}}'>", "a Framework(\"ng-init\")"),
        ("<div @click.away=\"{{url \"x\" id=a}}\">", "a Framework(\"@click.away\")"),
        ("<div :href=\"'{{a}}'\">", "a Framework(\":href\")"),
        ("<div hx-on:click=\"{{a}}\">", "a Framework(\"hx-on:click\")"),
        ("<div _=\"on click {{a}}\">", "a Framework(\"_\")"),
        ("<div x-data=\"{{json a}}\">", "a JsonInAttribute(\"x-data\")"),
        ("<div x-data={{a}}>", "a Unquoted(\"x-data\")"),
        ("<img srcset=\"{{a}} 2x\">", "a Host(\"srcset\", List)"),
        ("<img srcset=\"/x/{{a}}.png 2x\">", "a Host(\"srcset\", List)"),
        ("<a ping=\"/x //{{a}}\">", "a Host(\"ping\", List)"),
        ("<a href=\"{{a}}\">", "a Scheme(\"href\", Link)"),
        ("<a href=\"{{default a \"/\"}}\">", "a Scheme(\"href\", Link)"),
        ("<a href=\"{{concat a \"/\"}}\">", "a Scheme(\"href\", Link)"),
        ("<a href=\"{{#if b}}/x/{{/if}}{{a}}\">", "a Scheme(\"href\", Link)"),
        ("<a href=\"/{{a}}\">", "a Host(\"href\", Link)"),
        ("<script src=\"/{{a}}\"></script>", "a Host(\"src\", Part)"),
        ("<a href=\"{{base}}{{url \"x\" id=a}}\">", "base Scheme(\"href\", Link)"),
        ("<a href=\"/{{request.path}}\">", "request Host(\"href\", Link)"),
        ("<a href=\"{{request.path}}{{a}}\">", "a Host(\"href\", Link)"),
        ("<a href=\"{{base}}{{request.path}}\">", "base Scheme(\"href\", Link)|request Scheme(\"href\", Link)"),
        ("<a href={{request.path}}>", "request Unquoted(\"href\")"),
        ("<script>fetch('{{request.path}}')</script>", "request Quoted"),
        ("<a href=\"{{url \"x\"}}{{a}}\">", "a Host(\"href\", Link)"),
        ("<script src=\"{{concat (url \"x\") a}}\">", "a Host(\"src\", Part)"),
        ("<script src=\"{{static_url \"/s/\"}}{{a}}\">", "a Host(\"src\", Part)"),
        ("<script src=\"/{{url \"x\" id=a}}\">", "a Host(\"src\", Part)"),
        ("<script src=\"/{{add a 0}}/{{b}}.js\">", "b Host(\"src\", Part)"),
        ("<script src=\"/{{sum a}}/{{b}}.js\">", "b Host(\"src\", Part)"),
        ("<script src=\"/{{request.remote_addr}}/{{b}}.js\">", "b Host(\"src\", Part)"),
        ("<script src=\"/{{@index}}/{{b}}.js\">", "b Host(\"src\", Part)"),
        ("<script src=\"{{web_url a}}\">", "a Host(\"src\", Part)"),
        ("<link rel=stylesheet href='{{web_url a}}'>", "a Host(\"href\", Part)"),
        ("<form action=\"{{web_url a}}\">", "a Host(\"action\", Target)"),
        ("<button formaction=\"/{{a}}\">", "a Host(\"formaction\", Target)"),
        ("<meta content=\"0; url={{web_url a}}\" http-equiv=refresh>", "a Host(\"content\", Target)"),
        ("<script>import \"{{web_url a}}\"</script>", "a Quoted"),
        ("<p title={{request.host}}>", "request Unquoted(\"title\")"),
        ("<p title='{{{request.host}}}'>", "request Raw"),
        ("<p data-{{len b}}=\"x\" o{{len b}}=\"{{a}}\">", "a Attribute"),
        ("<select><xmp><p class={{a}}></xmp>", "a Unquoted(\"class\")"),
        ("{{> @partial-block}}", " NoBody"),
        ("<meta http-equiv=refresh content=\"0; url={{a}}\">", "a Scheme(\"content\", Target)"),
        ("<meta content=\"0; url={{a}}\" http-equiv=\"Refresh\">", "a Scheme(\"content\", Target)"),
        ("<meta content=\"{{a}}\" http-equiv=\"refresh\">", "a Scheme(\"content\", Target)"),
        ("<iframe srcdoc=\"{{a}}\">", "a Document"),
        ("<div data-x=\"{{json a}}\">", "a JsonInAttribute(\"data-x\")"),
        ("<div data-x={{json a}}>", "a JsonInAttribute(\"data-x\")"),
        ("<p>{{{a}}}</p>", "a Raw"),
        ("<p>{{&a}}</p>", "a Raw"),
        ("<p title=\"{{{a}}}\">", "a Raw"),
        ("{{{concat \"<b>\" a}}}", "a Raw"),
        ("<!-- {{a}} -->", "a Comment"),
        ("<!-- {{{a}}} -->", "a Raw"),
        ("<style>{{{a}}}</style>", "a Raw"),
        ("<title>{{&a}}</title>", "a Raw"),
        ("<p title=\"{{csrf_field}}\">", " Html"),
        ("<title>{{csrf_field}}", " Html"),
        ("<textarea>{{markdown a}}", "a Html"),
        ("<p title=\"{{markdown a}}\">", "a Html"),
        ("<script>{{markdown a}}", "a Html"),
        ("<script>{{concat (markdown a)}}", "a Script"),
        ("<li{{#if a}} class={{/if}}{{b}}>", "b Unquoted(\"class\")|b Element"),
        ("<p{{#each a as |b|}} {{b}}{{/each}}>", "a Tag"),
        ("{{#each a}}<p {{@key}}>{{/each}}", "a Tag"),
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
        (&[("page", "{{> row tag=\"h2\"}}"), ("row", "<{{tag}}>{{a}}</{{tag}}>")], &[]),
        (&[("page", "{{> row tag=\"script\"}}"), ("row", "<{{tag}}>{{a}}</{{tag}}>{{a}}")], &["a Script"]),
        (&[("page", "{{#> a}}x{{/a}}"), ("a", "{{> b}}"), ("b", "{{> @partial-block}}")], &[" NoBody"]),
        (&[("page", "{{#> @partial-block}}x{{/@partial-block}}")], &[]),
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
