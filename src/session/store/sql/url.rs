//! What is wrong with the URL of a server, said without its password.

use crate::session::store::OpenError;

/// Checks the scheme of `url` and the names of its parameters. The error
/// shows no part of it: a password that is not escaped may be anywhere.
pub(super) fn check(url: &str, schemes: &[&str], known: &[&str]) -> Result<(), OpenError> {
    let rest = url.split_once("://").filter(|(scheme, _)| schemes.contains(scheme));
    let Some((_, rest)) = rest else {
        return Err(OpenError::of("url", format!("the `url` begins with {}://", schemes.join(":// or "))));
    };
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let mut names = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap_or(pair));
    if names.all(|name| known.contains(&name) || name.starts_with("options[") && known.contains(&"options")) {
        return Ok(());
    }
    let known = known.join(", ");
    Err(OpenError::of(
        "url",
        format!(
            "the `url` has a parameter that is not known; known are {known} (and a ? in a password is written %3F)"
        ),
    ))
}

/// What sqlx finds wrong with a URL.
pub(super) fn explain(error: &sqlx::Error) -> OpenError {
    let why = error.to_string();
    let why = why.trim_start_matches("error with configuration: ");
    let help = "in a name or password, @ is written %40, : is %3A, / is %2F";
    OpenError::of("url", format!("the `url` cannot be read: {why} ({help})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_and_parameters_are_checked_and_never_shown() {
        let check = |url| check(url, &["postgres", "postgresql"], &["sslmode", "options"]);
        for url in [
            "postgres://host/db",
            "postgresql://user:p%3Fw@host/db?sslmode=verify-full&options[search_path]=a",
            "postgres://host/db?",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for url in
            ["hunter2", "mysql://u:hunter2@host/db", "postgres://u:a?hunter2@host/db", "postgres://h/d?hunter2=1"]
        {
            let why = check(url).expect_err(url);
            assert!(!why.message.contains("hunter2"), "{why}");
        }
    }
}
