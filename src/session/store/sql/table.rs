//! The table of sessions: its name, and what is asked of it.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::session::store::OpenError;

/// The longest name: with the suffix of its index it is within the 63 bytes
/// of PostgreSQL.
const MAX_NAME: usize = 48;

/// The table unless told otherwise.
pub(super) const DEFAULT_TABLE: &str = "sitewright_sessions";

/// A statement over the table. `{table}` in `text` is its name, which is safe
/// within quotes.
pub(super) fn statement(table: &str, text: &str) -> SqlStr {
    AssertSqlSafe(text.replace("{table}", table)).into_sql_str()
}

/// Whether `name` may be the name of a table: no quotes, no surprises.
pub(super) fn check_name(name: &str) -> Result<(), OpenError> {
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if begins_well && name.len() <= MAX_NAME && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    Err(OpenError::of(
        "table",
        format!(
            "`{name}` is no name for a table: at most {MAX_NAME} letters, digits and _, not beginning with a digit"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_letters_digits_and_underscores() {
        for name in [DEFAULT_TABLE, "a", "_", "S2", &"x".repeat(MAX_NAME)] {
            assert_eq!(check_name(name), Ok(()));
        }
        for name in ["", "2s", "a b", "a\"", "a`", "a;b", "a.b", "é", "a\0", &"x".repeat(MAX_NAME + 1)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_statement_names_the_table_everywhere() {
        let sql = statement("t", r#"SELECT 1 FROM "{table}" JOIN "{table}""#);
        assert_eq!(sql.as_str(), r#"SELECT 1 FROM "t" JOIN "t""#);
    }
}
