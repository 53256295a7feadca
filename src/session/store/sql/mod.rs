//! Sessions in a table of a database.
//!
//! ```text
//! sqlite, postgres, mysql   a store each, and all the SQL there is
//!   operations              what all of them do with their table
//!   connections             a few, kept open; which may be used again, and when
//!   table                   the name of the table, and statements over it
//!   row                     between entries and columns
//!   url                     what is wrong with one, without showing it
//! ```
//!
//! The table, in every database:
//!
//! | Column | |
//! |---|---|
//! | `session` | the [`Key`](super::Key), 32 bytes; the primary key |
//! | `version` | a random 64-bit integer, drawn anew by every write |
//! | `expires` | Unix time in seconds, or `NULL` for never; indexed |
//! | `record` | the bytes |
//!
//! A step is a single statement: `INSERT` where there was nothing, `UPDATE` or
//! `DELETE` where the version still is the one that was seen. How many rows it
//! changed tells whether it was done. So there is no transaction to be left
//! open, and a step is one round trip.
//!
//! The table is made with the first session, so a user without the right to
//! make tables needs it made beforehand, and nothing else.

mod connections;
#[cfg(feature = "mysql")]
mod mysql;
mod operations;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod table;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod url;

#[cfg(feature = "mysql")]
pub use mysql::{MysqlOptions, MysqlStore};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};

/// The connections of a store unless told otherwise.
const DEFAULT_CONNECTIONS: usize = 8;

#[cfg(test)]
mod tests;
