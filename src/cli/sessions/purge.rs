//! `sitewright sessions purge`: removes what has timed out, or everything.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;

use super::super::Exit;
use super::{PAGE, Place, Sessions, Stop, answer, counted, done};
use crate::session::store::StoreError;

#[derive(Args, Debug)]
pub struct Options {
    /// Remove the sessions that have timed out (the default); a server does so by itself
    #[arg(long, conflicts_with = "all")]
    expired: bool,
    /// Remove all sessions: every visitor is logged out
    #[arg(long)]
    all: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub async fn run(options: &Options, sessions: &Sessions<'_>, out: &mut impl Write) -> Result<Exit, Stop> {
    if options.all {
        return all(options.yes, sessions, out).await;
    }
    let removed = expired(sessions).await?;
    writeln!(out, "removed {} that had ended", counted(removed))?;
    Ok(Exit::Fine)
}

/// Removes what the store knows to be over, and then what is over by today's settings.
async fn expired(sessions: &Sessions<'_>) -> Result<u64, Stop> {
    let mut removed = 0;
    loop {
        let swept = done(sessions.store().sweep(sessions.now, PAGE)).await?;
        removed += swept.removed as u64;
        if !swept.more {
            break;
        }
    }
    let mut place = Place::Start;
    loop {
        let page = match sessions.page(&mut place, PAGE).await {
            Ok(Some(page)) => page,
            // A store that cannot say what it has forgets by itself.
            Ok(None) | Err(StoreError::Unsupported) => return Ok(removed),
            Err(error) => return Err(error.into()),
        };
        for (key, found) in &page.entries {
            let Ok(record) = sessions.stored.open(key, found) else { continue };
            if sessions.stored.ended(&record, sessions.now).is_some() {
                // Only as it was seen: its visitor may have come back.
                let gone = done(sessions.store().compare_and_set(key, Some(found.version), None)).await?;
                removed += u64::from(gone);
            }
        }
    }
}

async fn all(yes: bool, sessions: &Sessions<'_>, out: &mut impl Write) -> Result<Exit, Stop> {
    let many = match answer(sessions.store().count()).await {
        Ok(count) => counted(count),
        Err(error @ StoreError::Unsupported) => return Err(sessions.unlisted(error)),
        // There may be too many to be counted in time.
        Err(_) => "sessions".to_owned(),
    };
    if !yes && !confirmed(&format!("Remove all {many} in `{}`?", sessions.store().kind()))? {
        writeln!(out, "removed nothing")?;
        return Ok(Exit::Fine);
    }
    let mut removed = 0;
    let mut place = Place::Start;
    while let Some(page) = sessions.page(&mut place, PAGE).await.map_err(|error| sessions.unlisted(error))? {
        for (key, _) in &page.entries {
            removed += u64::from(sessions.remove(key).await?);
        }
    }
    writeln!(out, "removed {}", counted(removed))?;
    Ok(Exit::Fine)
}

/// Asks at the terminal.
fn confirmed(question: &str) -> Result<bool, Stop> {
    if !io::stdin().is_terminal() {
        let message = "`purge --all` ends every session and nobody is there to be asked; add `--yes`";
        return Err(Stop::Because(Exit::Usage, message.to_owned()));
    }
    let mut err = io::stderr();
    write!(err, "{question} Every visitor is logged out. [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
