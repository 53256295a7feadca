//! `sitewright new`: a folder with a site to start from.

mod sites;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Exit, FILE, complain};
pub use sites::{SITES, STARTER};

/// What of a site stays out of version control.
const IGNORED: &str = "session.secret\nsessions.sqlite*\nconfig.local.toml\n";

/// What `new` takes.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sitewright new shop              a page, a form and a test, with comments
  sitewright new shop --from cart  a copy of a site that comes with Sitewright")]
pub struct Options {
    /// The folder to make
    #[arg(value_name = "NAME")]
    folder: PathBuf,
    /// The site to start from
    #[arg(long, value_name = "SITE", default_value = STARTER, value_parser = PossibleValuesParser::new(SITES.iter().map(|(name, _)| *name)))]
    from: String,
}

/// Makes the folder.
pub fn run(options: &Options, out: &mut impl Write) -> io::Result<Exit> {
    let folder = &options.folder;
    if let Err(why) = write_all(folder, &options.from) {
        complain(&format!("cannot make `{}`: {why}", folder.display()));
        return Ok(Exit::Problems);
    }
    let shown = folder.display();
    writeln!(out, "{shown} is a site now: {}.\n", folder.join(FILE).display())?;
    writeln!(out, "  sitewright --config {shown} --reload   serve it, and anew at every save")?;
    writeln!(out, "  sitewright --config {shown} test       run its tests")?;
    Ok(Exit::Fine)
}

/// Writes the files of a site into a folder that is not there yet, or is empty.
fn write_all(folder: &Path, site: &str) -> Result<(), String> {
    match fs::read_dir(folder).map(|mut entries| entries.next()) {
        Ok(None) => {}
        Ok(Some(_)) => return Err("there is something in it already".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.to_string()),
    }
    let files = SITES.iter().find(|(name, _)| *name == site).map(|(_, files)| *files).unwrap_or_default();
    let own = [(".gitignore", IGNORED.as_bytes())];
    files.iter().chain(&own).try_for_each(|(name, content)| {
        let path = folder.join(name);
        write(&path, content).map_err(|error| format!("{}: {error}", path.display()))
    })
}

/// Writes one file, and overwrites none.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(content)
}
