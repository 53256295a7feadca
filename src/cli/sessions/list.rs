//! `sitewright sessions list`: which sessions there are.

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};

use super::super::{Exit, table};
use super::row::Row;
use super::{Format, PAGE, Place, Sessions, Stop, counted, pretty};
use crate::session::store::{Found, Key};

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
    let mut latest = Latest { most: options.limit, seen: Vec::new() };
    let (mut count, mut place) = (0_u64, Place::Start);
    while let Some(page) = sessions.page(&mut place, PAGE).await.map_err(|error| sessions.unlisted(error))? {
        count += page.entries.len() as u64;
        page.entries.into_iter().for_each(|(key, found)| latest.add(sessions, key, found));
    }
    let rows = latest.rows(sessions);
    if options.format == Format::Json {
        let rows: Vec<_> = rows.iter().map(|row| Value::Object(row.to_json())).collect();
        writeln!(out, "{}", pretty(&json!({ "sessions": rows, "count": count })))?;
        return Ok(Exit::Fine);
    }
    if !rows.is_empty() {
        print(&rows, sessions.now, out)?;
    }
    let shown = rows.len() as u64;
    if shown < count {
        writeln!(out, "{shown} of {}; `--limit` shows more", counted(count))?;
    } else if count == 0 {
        writeln!(out, "no sessions")?;
    } else {
        writeln!(out, "{}", counted(count))?;
    }
    Ok(Exit::Fine)
}

/// The sessions that were used last. Stores have an order of their own, so all
/// of them are looked at; no more than twice as many as are wanted are kept.
struct Latest {
    most: usize,
    /// When each was last stored, in no order.
    seen: Vec<(f64, Key, Found)>,
}

impl Latest {
    fn add(&mut self, sessions: &Sessions<'_>, key: Key, found: Found) {
        // What cannot be read comes last.
        let used = sessions.stored.open(&key, &found).map_or(f64::NEG_INFINITY, |record| record.renewed);
        self.seen.push((used, key, found));
        if self.seen.len() / 2 > self.most {
            self.trim();
        }
    }

    fn trim(&mut self) {
        self.seen.sort_by(|(used, key, _), (other_used, other, _)| other_used.total_cmp(used).then(key.cmp(other)));
        self.seen.dedup_by_key(|(_, key, _)| *key); // Redis may show one twice
        self.seen.truncate(self.most);
    }

    fn rows(mut self, sessions: &Sessions<'_>) -> Vec<Row> {
        self.trim();
        self.seen.iter().map(|(_, key, found)| Row::new(sessions, *key, found)).collect()
    }
}

fn print(rows: &[Row], now: f64, out: &mut impl Write) -> io::Result<()> {
    let mut lines = vec![["HANDLE", "CREATED", "LAST USED", "EXPIRES", "SIZE", "KEYS"].map(str::to_owned)];
    lines.extend(rows.iter().map(|row| row.cells(now)));
    table::print(&lines, out)?;
    writeln!(out)
}
