//! The table of sessions: its name, and what is asked of it.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::session::store::OpenError;

/// The longest name: with the suffix of its index it is within the 63 bytes
/// of PostgreSQL.
const MAX_NAME: usize = 48;

/// The table unless told otherwise.
pub(super) const DEFAULT_TABLE: &str = "sitewright_sessions";

/// What is asked of the table, spelled alike in every database but for quotes
/// and places.
pub(super) struct Statements {
    pub create: SqlStr,
    pub load: SqlStr,
    pub insert: SqlStr,
    pub update: SqlStr,
    pub delete: SqlStr,
    pub remove: SqlStr,
    pub list: SqlStr,
    pub count: SqlStr,
}

impl Statements {
    /// `spell` makes a statement of its text; `create` makes the table, and
    /// `unless_there` ends an `INSERT` that is to do nothing if the key is taken.
    pub fn new(spell: impl Fn(&str) -> SqlStr, create: &str, unless_there: &str) -> Self {
        let insert = r#"INSERT INTO "{table}" (session, version, expires, record) VALUES ($1, $2, $3, $4)"#;
        Self {
            create: spell(create),
            load: spell(r#"SELECT version, record FROM "{table}" WHERE session = $1"#),
            insert: spell(&format!("{insert}{unless_there}")),
            update: spell(
                r#"UPDATE "{table}" SET version = $1, expires = $2, record = $3
                WHERE session = $4 AND version = $5"#,
            ),
            delete: spell(r#"DELETE FROM "{table}" WHERE session = $1 AND version = $2"#),
            remove: spell(r#"DELETE FROM "{table}" WHERE session = $1"#),
            list: spell(
                r#"SELECT session, version, record FROM "{table}"
                WHERE session > $1 ORDER BY session LIMIT $2"#,
            ),
            count: spell(r#"SELECT count(*) FROM "{table}""#),
        }
    }
}

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
