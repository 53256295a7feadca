//! `sitewright sessions show`: one session, with what it holds.

use std::io::Write;

use clap::Args;
use serde_json::Value;

use super::super::Exit;
use super::handle::Handle;
use super::row::Row;
use super::times::{age, ahead};
use super::{Format, Sessions, Stop, pretty};
use crate::snapshot::utc;

#[derive(Args, Debug)]
pub struct Options {
    /// The session's handle, or as much of its beginning as no other has
    handle: Handle,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub async fn run(options: &Options, sessions: &Sessions<'_>, out: &mut impl Write) -> Result<Exit, Stop> {
    let (key, found) = options.handle.find(sessions).await?;
    let row = Row::new(sessions, key, &found);
    if options.format == Format::Json {
        let mut fields = row.to_json();
        if let Ok(contents) = row.contents {
            fields.insert("state".to_owned(), Value::Object(contents.state));
        }
        writeln!(out, "{}", pretty(&Value::Object(fields)))?;
        return Ok(Exit::Fine);
    }
    let now = sessions.now;
    writeln!(out, "handle     {key}")?;
    match row.contents {
        Ok(contents) => {
            let ends = match (contents.ended, contents.ends) {
                (Some(why), _) => format!("ended: {why}"),
                (None, Some(ends)) => format!("{}, {}", utc(ends), ahead(ends, now)),
                (None, None) => "never".to_owned(),
            };
            writeln!(out, "created    {}, {}", utc(contents.created), age(contents.created, now))?;
            writeln!(out, "last used  {}, {}", utc(contents.used), age(contents.used, now))?;
            writeln!(out, "expires    {ends}")?;
            writeln!(out, "size       {} bytes", row.bytes)?;
            writeln!(out, "\n{}", pretty(&Value::Object(contents.state)))?;
        }
        Err(why) => {
            writeln!(out, "size       {} bytes", row.bytes)?;
            writeln!(out, "unreadable {why}")?;
        }
    }
    Ok(Exit::Fine)
}
