//! The `Cookie` request field, read as RFC 6265 4.2 writes it.

/// The values of every cookie called `name` in one `Cookie` field, in the
/// order sent, exactly as sent: quotes and all. Blanks around name and value
/// do not belong to them. The bytes need not be UTF-8.
pub fn values<'h>(header: &'h [u8], name: &str) -> impl Iterator<Item = &'h [u8]> {
    header.split(|&byte| byte == b';').filter_map(move |pair| {
        let equals = pair.iter().position(|&byte| byte == b'=')?;
        let (key, rest) = pair.split_at_checked(equals)?;
        let value = rest.strip_prefix(b"=")?;
        (key.trim_ascii() == name.as_bytes()).then(|| value.trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &[u8]) -> Vec<&[u8]> {
        values(header, "session").collect()
    }

    #[test]
    fn every_cookie_of_the_name_is_found_in_order() {
        assert_eq!(read(b"a=1; session=x;session=y; Session=n; sessions=n; session=z"), [b"x", b"y", b"z"]);
    }

    #[test]
    fn blanks_around_name_and_value_do_not_count() {
        assert_eq!(read(b" session \t= x ;a=b"), [b"x"]);
    }

    #[test]
    fn values_are_as_sent() {
        assert_eq!(read(b"session=\"x=1\""), [b"\"x=1\""]);
        assert_eq!(read(b"session=; session"), [b""]);
        assert_eq!(read(b"\xFF=\xFE; session=\xFF"), [b"\xFF"]);
        assert!(read(b"").is_empty());
    }
}
