//! What makes a cookie that browsers refuse or forget.

use super::{CookieOptions, SameSite, Secure};

/// A setting that makes no working cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieProblem {
    /// The setting at fault, by its name in the configuration.
    pub option: &'static str,
    /// What is wrong, in a sentence.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

impl CookieOptions {
    /// Everything that would keep browsers from keeping or returning the
    /// cookie. Empty: it works.
    #[must_use]
    pub fn problems(&self) -> Vec<CookieProblem> {
        let mut problems = Vec::new();
        let mut problem = |option, message: String, help: &str| {
            let help = help.to_owned();
            problems.push(CookieProblem { option, message, help });
        };
        let name = &self.name;
        if !is_token(name) {
            problem(
                "cookie_name",
                format!("`{}` cannot be the name of a cookie", name.escape_debug()),
                "use letters, digits and any of ! # $ % & ' * + - . ^ _ ` | ~ (RFC 6265 4.1.1)",
            );
        }
        if self.has_prefix("__Host-") {
            if self.domain.is_some() {
                problem(
                    "domain",
                    format!("`{name}` cannot have a domain: `__Host-` ties it to one host"),
                    "drop `domain`, or choose a name without the prefix",
                );
            }
            if self.path.as_deref() != Some("/") {
                problem(
                    "path",
                    format!("`{name}` needs the path `/`: browsers refuse it otherwise"),
                    "set `path = \"/\"`, or choose a name without the prefix",
                );
            }
        }
        if self.secure == Secure::Never && (self.has_prefix("__Host-") || self.has_prefix("__Secure-")) {
            problem(
                "secure",
                format!("`{name}` must be secure: browsers refuse it otherwise"),
                "set `secure = true`, or choose a name without the prefix",
            );
        }
        if self.same_site == Some(SameSite::None) && self.secure != Secure::Always {
            problem(
                "samesite",
                "browsers refuse `SameSite=None` without `secure`".to_owned(),
                "set `secure = true`, or `samesite = \"Lax\"`",
            );
        }
        if self.max_age == Some(0) {
            problem(
                "max_age",
                "with 0 seconds to live the cookie is deleted, not set".to_owned(),
                "leave `max_age` out for a cookie that lives until the browser closes",
            );
        }
        for (option, value) in [("path", &self.path), ("domain", &self.domain)] {
            let Some(value) = value else { continue };
            if !value.bytes().all(is_attribute_byte) {
                problem(
                    option,
                    format!("`{}` cannot stand in a cookie", value.escape_debug()),
                    "use printable ASCII without `;`; percent-encode the rest",
                );
            }
        }
        if self.path.as_deref().is_some_and(|path| !path.starts_with('/')) {
            problem("path", "browsers ignore a path that does not start with `/`".to_owned(), "start `path` with `/`");
        }
        if self.domain.as_deref().is_some_and(|domain| domain.is_empty() || domain.contains(' ')) {
            problem(
                "domain",
                "the domain is not the name of one".to_owned(),
                "drop `domain` for the host alone, or name a domain such as `example.com`",
            );
        }
        problems
    }
}

/// RFC 9110 5.6.2.
fn is_token(name: &str) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_char)
}

/// RFC 6265 4.1.1, `av-octet`.
fn is_attribute_byte(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b';'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(change: impl Fn(&mut CookieOptions)) -> Vec<&'static str> {
        let mut options = CookieOptions::default();
        change(&mut options);
        options.problems().iter().map(|problem| problem.option).collect()
    }

    #[test]
    fn names_must_be_tokens() {
        for name in ["", "a b", "a=b", "sé", "a;b", "a\n", "\"a\""] {
            assert_eq!(faults(|o| o.name = name.into()), ["cookie_name"], "{name}");
        }
        assert!(faults(|o| o.name = "beaker.session.id".into()).is_empty());
    }

    #[test]
    fn prefixes_promise_attributes() {
        let host = |o: &mut CookieOptions| o.name = "__Host-session".into();
        assert!(faults(host).is_empty());
        assert_eq!(
            faults(|o| {
                host(o);
                o.domain = Some("example.com".into());
                o.path = None;
                o.secure = Secure::Never;
            }),
            ["domain", "path", "secure"]
        );
        assert_eq!(
            faults(|o| {
                o.name = "__Secure-session".into();
                o.secure = Secure::Never;
            }),
            ["secure"]
        );
    }

    #[test]
    fn same_site_none_needs_secure() {
        assert_eq!(faults(|o| o.same_site = Some(SameSite::None)), ["samesite"]);
        assert!(
            faults(|o| {
                o.same_site = Some(SameSite::None);
                o.secure = Secure::Always;
            })
            .is_empty()
        );
    }

    #[test]
    fn attributes_cannot_smuggle_others() {
        for value in ["/;Domain=x", "/\r\nX: y", "/é", "/\u{7f}"] {
            assert_eq!(faults(|o| o.path = Some(value.into())), ["path"], "{value:?}");
        }
        assert_eq!(faults(|o| o.path = Some("app".into())), ["path"]);
        assert_eq!(faults(|o| o.domain = Some("a b".into())), ["domain"]);
        assert_eq!(faults(|o| o.domain = Some(String::new())), ["domain"]);
        assert_eq!(faults(|o| o.max_age = Some(0)), ["max_age"]);
    }
}
