//! `multipart/form-data` bodies to parameters (RFC 7578 in the framing of RFC 2046 section 5.1).

use serde_json::Value;

use crate::site::failure::Failure;
use crate::site::request::Form;

/// The longest boundary there may be (RFC 2046 section 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// The parameters of a form whose `Content-Type` is `content_type`, in order. An uploaded file is
/// no parameter: only its field's name is kept.
///
/// # Errors
///
/// 400 if the body is no such form, or if a name or a value is not UTF-8.
pub fn form(content_type: &str, body: &[u8]) -> Result<Form, Failure> {
    let boundary = parameter(content_type, "boundary").unwrap_or_default();
    if boundary.is_empty() || boundary.len() > MAX_BOUNDARY {
        return Err(broken());
    }
    let delimiter = format!("\r\n--{boundary}");
    let delimiter = delimiter.as_bytes();
    // The first delimiter may open the body; what else stands before it means nothing.
    let mut rest = match body.strip_prefix(&delimiter[2..]) {
        Some(rest) => rest,
        None => split(body, delimiter)?.1,
    };
    let mut form = Form::default();
    while !rest.starts_with(b"--") {
        let (padding, after) = split(rest, b"\r\n")?;
        if !padding.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            return Err(broken());
        }
        // The line end of the delimiter also ends a head that is empty.
        let head_start = rest.len() - after.len() - 2;
        let (head, after) = split(&rest[head_start..], b"\r\n\r\n")?;
        let (value, after) = split(after, delimiter)?;
        rest = after;
        match part(head, value)? {
            Part::Field(name, value) => form.fields.push((name, Value::from(value))),
            Part::File(name) => form.files.extend(name),
        }
    }
    Ok(form)
}

/// One part of a form.
enum Part<'b> {
    /// A parameter: its name and its value.
    Field(String, &'b str),
    /// A file, with the name of its field; without, if there is none or the visitor chose no file.
    File(Option<String>),
}

fn part<'b>(head: &[u8], value: &'b [u8]) -> Result<Part<'b>, Failure> {
    let head = std::str::from_utf8(head).map_err(|_| not_text())?;
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    });
    let disposition = disposition.ok_or_else(broken)?;
    let name = parameter(disposition, "name");
    if let Some(file) = parameter(disposition, "filename") {
        return Ok(Part::File(name.filter(|_| !file.is_empty() || !value.is_empty())));
    }
    let value = std::str::from_utf8(value).map_err(|_| not_text())?;
    Ok(Part::Field(name.ok_or_else(broken)?, value))
}

/// A parameter of a header such as `form-data; name="user"`: a token or a quoted string (RFC 9110
/// section 5.6.6).
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, value) = rest.split_once('=')?;
        let (value, after) = value_of(value.trim_start());
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after.split_once(';')?.1;
    }
}

/// The value that `text` starts with, and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        return (value.trim_end().to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

fn split<'b>(bytes: &'b [u8], at: &[u8]) -> Result<(&'b [u8], &'b [u8]), Failure> {
    let found = bytes.windows(at.len()).position(|window| window == at).ok_or_else(broken)?;
    Ok((&bytes[..found], &bytes[found + at.len()..]))
}

fn broken() -> Failure {
    Failure::bad_request("The body is not a multipart form.")
}

fn not_text() -> Failure {
    Failure::bad_request("The form is not UTF-8 text.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(kind: &str, body: &str) -> Result<String, u16> {
        let form = form(kind, body.as_bytes()).map_err(|failure| failure.status.as_u16())?;
        Ok(form.fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }

    const KIND: &str = "multipart/form-data; boundary=b";

    #[test]
    fn parts_become_parameters_in_order_with_repeats() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nZoë\r\n-- 😀\r\n\
                    --b \r\ncontent-disposition:form-data;name=a\r\nContent-Type: text/plain\r\n\r\n\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n2\r\n--b--\r\nepilogue";
        let read_so = Ok("user=\"Zoë\\r\\n-- 😀\" a=\"\" a=\"2\"".to_owned());
        assert_eq!(read(KIND, body), read_so);
        assert_eq!(read("multipart/form-data; charset=utf-8; Boundary=\"b\"", &format!("preamble\r\n{body}")), read_so);
        assert_eq!(read(KIND, "--b--"), Ok(String::new()));
    }

    #[test]
    fn a_file_is_no_parameter() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x; name=y\"\r\n\
                    Content-Type: image/png\r\n\r\nPNG\r\n--b\r\nContent-Disposition: form-data; name=\"q\\\"\\\\\"\r\n\r\n1\r\n--b--";
        assert_eq!(read(KIND, body), Ok("q\"\\=\"1\"".to_owned()));
        assert_eq!(form(KIND, body.as_bytes()).unwrap().files, ["f"]);
        let none = body.replace("x; name=y", "").replace("PNG", "");
        assert!(form(KIND, none.as_bytes()).unwrap().files.is_empty(), "no file was chosen");
    }

    #[test]
    fn what_is_no_multipart_form_is_a_bad_request() {
        let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1";
        for (kind, body) in [
            ("multipart/form-data", "--b--"),
            ("multipart/form-data; boundary=", "----"),
            (KIND, ""),
            (KIND, part),
            (KIND, "--bb\r\n\r\n--b--"),
            (KIND, "--b\r\n\r\n1\r\n--b--"),
            (KIND, "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--"),
        ] {
            assert_eq!(read(kind, body), Err(400), "{kind} {body:?}");
        }
        let not_text = [part.as_bytes(), b"\xff\r\n--b--"].concat();
        assert_eq!(form(KIND, &not_text).unwrap_err().status, 400);
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in "(--b|\r\n|-|:|;|name=|\"|\\\\|[a-zé]|Content-Disposition){0,40}") {
            let _ = read(KIND, &body);
            let _ = read(&body, &body);
        }

        #[test]
        fn any_value_comes_back(value in "[^\r]*") {
            let body = format!("--b\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n{value}\r\n--b--\r\n");
            prop_assert_eq!(form(KIND, body.as_bytes()).unwrap().fields, vec![("v".to_owned(), Value::from(value))]);
        }
    }
}
