//! Arguments to a command, or what is wrong with them.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};

use super::{Cli, Exit};

/// What these arguments ask for. Help that was asked for, and what is wrong, is printed.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Exit> {
    let mut command = Cli::command();
    let read = command.try_get_matches_from_mut(arguments).and_then(|matches| match misplaced(&command, &matches) {
        Some(message) => Err(command.error(ErrorKind::ArgumentConflict, message)),
        None => Cli::from_arg_matches(&matches),
    });
    read.map_err(|mut error| {
        let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        advise(&mut error);
        let _ = error.print();
        if asked { Exit::Fine } else { Exit::Usage }
    })
}

/// The complaint about an option before a command that is none of this command, such as `--reload check`.
fn misplaced(command: &Command, matches: &ArgMatches) -> Option<String> {
    let (name, below) = matches.subcommand()?;
    let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let mut own = command.get_arguments().filter(|argument| !argument.is_global_set());
    match own.find(|argument| is_given(argument.get_id().as_str())) {
        Some(argument) => Some(format!("`{argument}` is no option of `{name}`")),
        None => misplaced(command.find_subcommand(name)?, below),
    }
}

/// Says what a word that is no command may have been meant for.
fn advise(error: &mut Error) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return };
    if Path::new(word).exists() {
        let tip = format!("to serve the site that is there: 'sitewright --config {word}'");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
}
