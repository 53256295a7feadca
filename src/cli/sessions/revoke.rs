//! `sitewright sessions revoke`: ends sessions.

use std::io::Write;

use clap::Args;

use super::super::{Exit, complain};
use super::handle::Handle;
use super::{Sessions, Stop};

#[derive(Args, Debug)]
pub struct Options {
    /// The sessions' handles, or as much of the beginning of each as no other has
    #[arg(required = true, value_name = "HANDLE")]
    handles: Vec<Handle>,
}

pub async fn run(options: &Options, sessions: &Sessions<'_>, out: &mut impl Write) -> Result<Exit, Stop> {
    let mut exit = Exit::Fine;
    for handle in &options.handles {
        match handle.find(sessions).await {
            Ok((key, _)) => {
                // If it ended by itself just now, that is as good.
                sessions.remove(&key).await?;
                writeln!(out, "revoked {key}")?;
            }
            // One that is wrong is no reason to let the others live.
            Err(Stop::Because(Exit::Problems, message)) => {
                complain(&message);
                exit = Exit::Problems;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(exit)
}
