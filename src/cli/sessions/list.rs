//! `sitewright sessions list`: which sessions there are.

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};

use super::super::{Exit, table};
use super::row::Row;
use super::{Format, PAGE, Place, Sessions, Stop, counted, pretty};
use crate::session::store::Page;

#[derive(Args, Debug)]
#[group(id = "list")] // it stands in the options of `sessions` too
pub struct Options {
    /// The most sessions to list
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub async fn run(options: &Options, sessions: &Sessions<'_>, out: &mut impl Write) -> Result<Exit, Stop> {
    let mut rows = Vec::new();
    let mut place = Place::Start;
    while rows.len() < options.limit
        && let Some(page) = next(sessions, &mut place, options.limit - rows.len()).await?
    {
        rows.extend(page.entries.iter().map(|(key, found)| Row::new(sessions, *key, found)));
    }
    rows.truncate(options.limit);
    rows.sort_by(|one, other| other.used().total_cmp(&one.used()));
    let count = sessions.count().await?;
    if options.format == Format::Json {
        let rows: Vec<_> = rows.iter().map(|row| Value::Object(row.to_json())).collect();
        writeln!(out, "{}", pretty(&json!({ "sessions": rows, "count": count })))?;
        return Ok(Exit::Fine);
    }
    if !rows.is_empty() {
        print(&rows, sessions.now, out)?;
    }
    let shown = rows.len() as u64;
    match count {
        Some(count) if shown < count => writeln!(out, "{shown} of {}; `--limit` shows more", counted(count))?,
        None if !matches!(place, Place::End) => {
            writeln!(out, "{} and perhaps more; `--limit` shows more", counted(shown))?;
        }
        _ if shown == 0 => writeln!(out, "no sessions")?,
        _ => writeln!(out, "{}", counted(shown))?,
    }
    Ok(Exit::Fine)
}

async fn next(sessions: &Sessions<'_>, place: &mut Place, at_most: usize) -> Result<Option<Page>, Stop> {
    let page = sessions.page(place, PAGE.min(at_most)).await;
    page.map_err(|error| sessions.unlisted(error))
}

fn print(rows: &[Row], now: f64, out: &mut impl Write) -> io::Result<()> {
    let mut lines = vec![["HANDLE", "CREATED", "LAST USED", "EXPIRES", "SIZE", "KEYS"].map(str::to_owned)];
    lines.extend(rows.iter().map(|row| row.cells(now)));
    table::print(&lines, out)?;
    writeln!(out)
}
