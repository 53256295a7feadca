//! `{{markdown x}}`: text of a visitor's or an author's as HTML (CommonMark, tables and strikethrough).
//!
//! No sanitiser is needed behind it: the HTML is made of the elements that CommonMark has and of nothing
//! else. Tags in the text are shown as they are written.

use handlebars::{JsonRender, html_escape};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};
use serde_json::Value;

use super::urls::is_own_path;

/// The longest text that is read as Markdown, in bytes; a longer one is shown as it is.
const LONGEST: usize = 64 * 1024;

/// The text as HTML.
pub(super) fn markdown(text: &Value) -> String {
    let text = text.render();
    if text.len() > LONGEST {
        return format!("<pre>{}</pre>\n", html_escape(&text));
    }
    let mut page = String::with_capacity(text.len() * 3 / 2);
    let mut harmless = Harmless::default();
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let events = Parser::new_ext(&text, options).filter_map(|event| harmless.event(event));
    html::push_html(&mut page, events);
    page
}

/// What has been made of links and images that are open.
#[derive(Default)]
struct Harmless {
    /// For each image, whether it has become a link.
    images: Vec<Option<TagEnd>>,
    links: usize,
}

impl Harmless {
    /// What is shown for an event; nothing for some.
    fn event<'e>(&mut self, event: Event<'e>) -> Option<Event<'e>> {
        Some(match event {
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
            Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
            Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                self.links += 1;
                Event::Start(Tag::Link { link_type, dest_url: harmless(dest_url), title, id })
            }
            Event::End(TagEnd::Link) => {
                self.links -= 1;
                Event::End(TagEnd::Link)
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                // What is fetched from elsewhere tells others who reads the page.
                let is_beside = !dest_url.contains([':', '\\']) && !dest_url.starts_with('/');
                let is_own = is_beside || is_own_path(&dest_url);
                let becomes = match (is_own, self.links) {
                    (true, _) => Some(TagEnd::Image),
                    (false, 0) => Some(TagEnd::Link),
                    (false, _) => None,
                };
                self.images.push(becomes);
                match becomes? {
                    TagEnd::Image => Event::Start(Tag::Image { link_type, dest_url, title, id }),
                    _ => Event::Start(Tag::Link { link_type, dest_url: harmless(dest_url), title, id }),
                }
            }
            Event::End(TagEnd::Image) => Event::End(self.images.pop().flatten()?),
            event => event,
        })
    }
}

/// The URL if it leads to a web page or a mailbox, or is a path; else `#`.
fn harmless(url: CowStr<'_>) -> CowStr<'_> {
    let scheme = url.split(['/', '?', '#']).next().and_then(|start| start.split_once(':')).map(|(scheme, _)| scheme);
    let allowed = ["http", "https", "mailto"];
    match scheme {
        Some(scheme) if !allowed.iter().any(|allowed| scheme.eq_ignore_ascii_case(allowed)) => "#".into(),
        _ => url,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scraper::{Html, Node};

    use super::*;

    fn shown(text: &str) -> String {
        markdown(&Value::from(text))
    }

    #[test]
    fn text_becomes_what_commonmark_says() {
        for (text, page) in [
            ("Hello *you* and **all**", "<p>Hello <em>you</em> and <strong>all</strong></p>\n"),
            ("# A\n\n- b\n- c\n", "<h1>A</h1>\n<ul>\n<li>b</li>\n<li>c</li>\n</ul>\n"),
            ("[tea](/tea?a=b&c=d)", "<p><a href=\"/tea?a=b&amp;c=d\">tea</a></p>\n"),
            ("<https://example.org>", "<p><a href=\"https://example.org\">https://example.org</a></p>\n"),
            ("`a < b`", "<p><code>a &lt; b</code></p>\n"),
            ("~~old~~", "<p><del>old</del></p>\n"),
            ("![a pot](/static/pot.jpg)", "<p><img src=\"/static/pot.jpg\" alt=\"a pot\" /></p>\n"),
            ("", ""),
        ] {
            assert_eq!(shown(text), page, "{text}");
        }
        assert_eq!(markdown(&Value::Null), "");
        assert_eq!(markdown(&Value::from(7)), "<p>7</p>\n");
    }

    #[test]
    fn tags_are_shown_as_they_are_written() {
        assert_eq!(shown("a <b>b</b>"), "<p>a &lt;b&gt;b&lt;/b&gt;</p>\n");
        assert_eq!(shown("<script>alert(1)</script>"), "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n");
        assert_eq!(shown("<!-- a -->\n"), "<p>&lt;!-- a --&gt;\n</p>\n");
    }

    #[test]
    fn links_lead_to_web_pages_and_mailboxes_only() {
        for url in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "<java\tscript:alert(1)>",
            "&#106;avascript:alert(1)",
            "java&#10;script:alert(1)",
            "&#1;javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
        ] {
            assert_eq!(shown(&format!("[x]({url})")), "<p><a href=\"#\">x</a></p>\n", "{url}");
            assert_eq!(shown(&format!("[x][y]\n\n[y]: {url}")), "<p><a href=\"#\">x</a></p>\n", "{url}");
        }
        assert_eq!(shown("<javascript:alert(1)>"), "<p><a href=\"#\">javascript:alert(1)</a></p>\n");
    }

    #[test]
    fn pictures_from_elsewhere_become_links() {
        assert_eq!(shown("![x](https://e.example/p)"), "<p><a href=\"https://e.example/p\">x</a></p>\n");
        assert_eq!(shown("![x](//e.example/p)"), "<p><a href=\"//e.example/p\">x</a></p>\n");
        assert_eq!(shown("![x](data:image/svg+xml,y)"), "<p><a href=\"#\">x</a></p>\n");
        assert_eq!(shown("[![x](https://e.example/p)](/y)"), "<p><a href=\"/y\">x</a></p>\n");
    }

    #[test]
    fn what_is_very_long_is_shown_as_it_is() {
        let long = shown(&"*a* <b>\n".repeat(LONGEST));
        assert!(long.starts_with("<pre>*a* &lt;b&gt;\n") && long.ends_with("</pre>\n"));
        assert!(shown(&"> ".repeat(LONGEST / 2)).len() < 100 * LONGEST);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_more_than_commonmark_has(
            text in "([<>\"'()\\[\\]!`*_#&;:/=~| \n\\\\-]|javascript:|<script>|<img src=x onerror=y>|http://e|&#106;|\\]\\(|a){0,40}"
        ) {
            const ELEMENTS: [&str; 32] = [
                "html", "head", "body", "p", "em", "strong", "del", "code", "pre", "a", "img", "ul", "ol", "li", "h1",
                "h2", "h3", "h4", "h5", "h6", "hr", "br", "blockquote", "table", "thead", "tbody", "tr", "th", "td",
                "div", "section", "sup",
            ];
            const ATTRIBUTES: [&str; 7] = ["href", "src", "alt", "title", "class", "start", "style"];
            for node in Html::parse_document(&shown(&text)).tree.root().descendants() {
                match node.value() {
                    Node::Element(element) => {
                        prop_assert!(ELEMENTS.contains(&element.name()), "{} in {text:?}", element.name());
                        for (name, value) in element.attrs() {
                            prop_assert!(ATTRIBUTES.contains(&name), "{name} in {text:?}");
                            let url: String = value.chars().filter(|c| !c.is_control() && *c != ' ').collect();
                            let is_script = url.to_lowercase().starts_with("javascript:");
                            prop_assert!(!(is_script && matches!(name, "href" | "src")), "{value} in {text:?}");
                        }
                    }
                    Node::Comment(comment) => prop_assert!(false, "{comment:?} in {text:?}"),
                    _ => {}
                }
            }
        }
    }
}
