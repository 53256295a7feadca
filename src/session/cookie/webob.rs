//! The `Cookie` request field, read as WebOb reads it for Pyramid.
//!
//! WebOb looks for `name=value` anywhere, with the regular expression
//! `([legal]+?)\s*=\s*("(?:\\"|.)*?"|(?:[legal]|\\(?:[0-3][0-7][0-7]|.))*)`,
//! so commas and blanks separate cookies too, values may be quoted, and
//! octal escapes count. (It also knows unquoted dates, which no session is.)

use std::borrow::Cow;

/// The values of every cookie called `name` in one `Cookie` field, in the
/// order sent, without quotes and escapes.
pub fn values_as_webob<'h>(header: &'h [u8], name: &'h str) -> impl Iterator<Item = Cow<'h, [u8]>> {
    Pairs(header).filter(move |&(key, _)| key == name.as_bytes()).map(|(_, value)| unquote(value))
}

/// What the expression matches in the bytes that are left, one after the other.
struct Pairs<'h>(&'h [u8]);

impl<'h> Iterator for Pairs<'h> {
    type Item = (&'h [u8], &'h [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.0.iter().position(|&byte| is_legal(byte))?;
            let rest = self.0.get(start..)?;
            // A name is as short as may be, but not empty: `=` is legal in it.
            let mut length = 1;
            while rest.get(length).is_some_and(|&byte| is_legal(byte) && byte != b'=') {
                length += 1;
            }
            let (key, after) = rest.split_at_checked(length)?;
            let Some(after) = skip_blanks(after).strip_prefix(b"=") else {
                self.0 = after;
                continue;
            };
            let after = skip_blanks(after);
            let length = quoted(after).unwrap_or_else(|| unquoted(after));
            let (value, rest) = after.split_at_checked(length)?;
            self.0 = rest;
            return Some((key, value));
        }
    }
}

/// The length of a quoted value, which is on one line. `\"` does not end it,
/// unless nothing else does.
fn quoted(text: &[u8]) -> Option<usize> {
    text.first().filter(|&&byte| byte == b'"')?;
    let mut last_escaped = None;
    let mut at = 1;
    loop {
        match text.get(at) {
            Some(b'"') => return Some(at + 1),
            Some(b'\\') if text.get(at + 1) == Some(&b'"') => {
                last_escaped = Some(at + 2);
                at += 2;
            }
            Some(b'\n') | None => return last_escaped,
            Some(_) => at += 1,
        }
    }
}

/// The length of a value without quotes.
fn unquoted(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        match escape(rest) {
            Some((_, length)) => at += length,
            None if is_legal(byte) => at += 1,
            None => break,
        }
    }
    at
}

fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let value = match value {
        [b'"', inside @ .., b'"'] => inside,
        _ => value,
    };
    if !value.contains(&b'\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, length) = escape(rest).unwrap_or((byte, 1));
        plain.push(byte);
        rest = rest.get(length..).unwrap_or(after);
    }
    Cow::Owned(plain)
}

/// The byte that the escape at the start of `text` stands for, and its length.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    match *text {
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
            Some(((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'), 4))
        }
        [b'\\', byte, ..] if byte != b'\n' => Some((byte, 2)),
        _ => None,
    }
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !blank(byte));
    text.get(start.unwrap_or(text.len())..).unwrap_or_default()
}

fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"~!@#$%^&*()_+=-`.?|:/(){}<>'".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_webob_reads() {
        for (header, expected) in [
            (&b"a=1; session=x; session=y"[..], &[&b"x"[..], b"y"][..]),
            (b"session = x , session=y z", &[b"x", b"y"]),
            (b"junk session=x", &[b"x"]),
            (b"junk; ;;=;session=x", &[b"x"]),
            (b"session=\"x; y\"; a=b", &[b"x; y"]),
            (br#"session="a\"b""#, &[br#"a"b"#]),
            (br#"session="a\"b"#, &[br"a\"]),
            (br"session=a\075\;b;c", &[b"a=;b"]),
            (br"session=\400", &[b"400"]),
            (b"session=\"a", &[b""]),
            (b"session=\"", &[b""]),
            (b"x=\"\xFF\"; session=ok", &[b"ok"]),
            (b"session=a\xFFb", &[b"a"]),
            (b"Session=x; xsession=y; =session=z", &[]),
            (b"session", &[]),
            (b"", &[]),
        ] {
            let read: Vec<_> = values_as_webob(header, "session").collect();
            assert_eq!(read, expected, "{}", header.escape_ascii());
        }
    }

    #[test]
    fn long_headers_take_linear_time() {
        let header = b"a ".repeat(500_000);
        assert_eq!(values_as_webob(&header, "session").count(), 0);
        let header = b"a".repeat(1_000_000);
        assert_eq!(values_as_webob(&header, "session").count(), 0);
        let header = b"a=\"b\"".repeat(200_000);
        assert_eq!(values_as_webob(&header, "session").count(), 0);
    }
}
