//! Query strings and bodies to parameters.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use percent_encoding::percent_decode;
use serde_json::Value;

use super::multipart;
use crate::site::failure::Failure;
use crate::site::request::{Fields, Form};

/// The parameters of a query string or an urlencoded form: `+` is a blank, names may repeat.
///
/// # Errors
///
/// 400 if a name or a value is not UTF-8; `what` names the place.
pub fn urlencoded(text: &[u8], what: &str) -> Result<Fields, Failure> {
    let mut fields = Fields::new();
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let split = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = match split {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        let name = decode(name, what)?;
        fields.push((name, Value::String(decode(value, what)?)));
    }
    Ok(fields)
}

fn decode(text: &[u8], what: &str) -> Result<String, Failure> {
    let blanks: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded: Vec<u8> = percent_decode(&blanks).collect();
    String::from_utf8(decoded).map_err(|_| Failure::bad_request(format!("The {what} is not UTF-8 text.")))
}

/// The parameters in a body: an urlencoded or multipart form, or the entries of a JSON object. A
/// body of another type has none.
///
/// # Errors
///
/// 400 if the body is not what its `Content-Type` says.
pub fn form(headers: &HeaderMap, body: &[u8]) -> Result<Form, Failure> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return urlencoded(body, "form").map(Form::from);
    }
    if kind.eq_ignore_ascii_case("multipart/form-data") && !body.is_empty() {
        return multipart::form(content_type, body);
    }
    if kind.eq_ignore_ascii_case("application/json") && !body.is_empty() {
        return match serde_json::from_slice(body) {
            Ok(Value::Object(entries)) => Ok(entries.into_iter().collect::<Fields>().into()),
            Ok(_) => Err(Failure::bad_request("The JSON in the body is not an object.")),
            Err(error) => Err(Failure::bad_request("The body is not JSON.").because(error.to_string())),
        };
    }
    Ok(Form::default())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn text(fields: &Fields) -> String {
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        fields.join(" ")
    }

    #[test]
    fn a_query_is_decoded_once_in_order_with_repeats() {
        let fields = urlencoded(b"user=Zo%C3%AB+%F0%9F%98%80&a=1&a=2&empty=&none&&x=%2541", "query").unwrap();
        assert_eq!(text(&fields), "user=\"Zoë 😀\" a=\"1\" a=\"2\" empty=\"\" none=\"\" x=\"%41\"");
    }

    #[test]
    fn what_is_not_utf_8_is_a_bad_request() {
        assert_eq!(urlencoded(b"user=%ff", "query").unwrap_err().status, 400);
        assert_eq!(urlencoded(b"%ff=1", "query").unwrap_err().status, 400);
    }

    #[test]
    fn a_json_object_counts_as_a_form() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        let fields = form(&headers, br#"{"user": "json", "n": 18446744073709551616}"#).unwrap().fields;
        assert_eq!(text(&fields), "user=\"json\" n=18446744073709551616");
        assert_eq!(form(&headers, b"[1]").unwrap_err().status, 400);
        assert_eq!(form(&headers, b"{").unwrap_err().status, 400);
        assert!(form(&HeaderMap::new(), b"user=x").unwrap().fields.is_empty());
    }
}
