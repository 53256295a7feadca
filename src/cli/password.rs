//! `sitewright password`: a password to its hash, on its own or into a file of users.

use std::fs::{self, File};
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use clap::Args;
use toml_edit::{DocumentMut, Item, Table, value};
use zeroize::Zeroizing;

use super::{Exit, complain};
use crate::session::private::Draft;
use crate::session::secret::Secret;
use crate::site::users::hash::Hash;
use crate::site::users::{normalised, unfit_name};

/// Shorter passwords are worth a word (OWASP, Authentication: without a second factor).
const SHORT: usize = 15;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sitewright password                             ask for a password, print its hash
  sitewright password --user ada                  let ada sign in: into users.toml
  sitewright password --user ada sites/members/users.toml
  printf %s \"$PASSWORD\" | sitewright password     read it from standard input

The password is never an argument: other users of this machine could see it.")]
pub struct Options {
    /// Whose password it is: adds the user to FILE, or gives them this password
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The file of users; made, for its owner alone, if it is not there
    #[arg(value_name = "FILE", requires = "user", default_value = "users.toml")]
    file: PathBuf,
}

pub fn run(options: &Options, out: &mut impl Write) -> io::Result<Exit> {
    // Nobody should enter a password twice to learn that the name or the file is wrong.
    let edit = match options.user.as_deref().map(|user| Edit::begin(user, &options.file)).transpose() {
        Ok(edit) => edit,
        Err(message) => {
            complain(&message);
            return Ok(Exit::Problems);
        }
    };
    let hash = match ask(edit.as_ref()).and_then(|password| Hash::of(&password)) {
        Ok(hash) => hash,
        Err(message) => {
            complain(&format!("{message}; nothing was changed"));
            return Ok(Exit::Problems);
        }
    };
    let Some(edit) = edit else {
        writeln!(out, "{hash}")?;
        return Ok(Exit::Fine);
    };
    match edit.finish(&hash) {
        Ok(done) => writeln!(out, "{done}").map(|()| Exit::Fine),
        Err(message) => {
            complain(&message);
            Ok(Exit::Problems)
        }
    }
}

/// The password: asked for twice on a terminal, else the first line of standard input.
fn ask(edit: Option<&Edit>) -> Result<Secret, String> {
    let unreadable = |error: io::Error| format!("the password cannot be read: {error}");
    let password = if io::stdin().is_terminal() {
        let whose = edit.map_or_else(String::new, |edit| format!(" for {}", edit.name));
        let first = rpassword::prompt_password(format!("Password{whose} (it is not shown): "));
        let first = Zeroizing::new(first.map_err(unreadable)?);
        let again = rpassword::prompt_password("The same once more: ");
        if *first != *Zeroizing::new(again.map_err(unreadable)?) {
            return Err("the two are not the same".to_owned());
        }
        first
    } else {
        let mut line = Zeroizing::new(String::new());
        io::stdin().lock().read_line(&mut line).map_err(unreadable)?;
        Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned())
    };
    if password.is_empty() {
        return Err("the password is empty".to_owned());
    }
    if password.chars().any(char::is_control) {
        return Err("the password has a control character in it, which no form sends".to_owned());
    }
    let length = password.chars().count();
    if length < SHORT {
        let _ = writeln!(io::stderr(), "warning: {length} characters are few; {SHORT} or more are hard to guess");
    }
    Ok(Secret::new(password.to_string()))
}

/// A user on the way into a file of users.
struct Edit {
    /// The name, as the file has it or will have it.
    name: String,
    /// The file as it was named, and where it is.
    shown: String,
    path: PathBuf,
    document: DocumentMut,
    /// What the file was; `None` if it is not there yet.
    before: Option<fs::Metadata>,
}

impl Edit {
    /// Reads the file. No message quotes from it: there are hashes in it.
    fn begin(name: &str, path: &Path) -> Result<Self, String> {
        if let Some(why) = unfit_name(name) {
            return Err(format!("nobody can sign in with this name: {why}"));
        }
        let shown = path.display();
        let cannot = |error: io::Error| format!("cannot read `{shown}`: {error}");
        let (text, before) = match fs::read_to_string(path) {
            Ok(text) => (text, Some(fs::metadata(path).map_err(cannot)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
                    return Err(format!("there is no folder `{}`", folder.display()));
                }
                _ => (String::new(), None),
            },
            Err(error) => return Err(cannot(error)),
        };
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            format!("`{shown}` is not TOML: something is wrong in line {line}")
        })?;
        let same = document.iter().find(|(known, _)| normalised(known) == normalised(name));
        if same.is_some_and(|(_, user)| !user.is_table_like()) {
            return Err(format!("`{shown}` has a value of this name that is no user: a user is a table"));
        }
        let name = same.map_or(name.trim(), |(known, _)| known).to_owned();
        // A link goes on leading to the file.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Ok(Self { name, shown: shown.to_string(), path, document, before })
    }

    /// Writes the file, whole or not at all, and says what to do next.
    fn finish(mut self, hash: &str) -> Result<String, String> {
        let is_new = !self.document.contains_key(&self.name);
        let comments = self.document.trailing().as_str().filter(|_| self.document.is_empty()).map(str::to_owned);
        let user = self.document.entry(&self.name).or_insert_with(|| Item::Table(Table::new()));
        if let Some(user) = user.as_table_like_mut() {
            user.insert("password", value(hash));
        }
        if let (Some(comments), Some(user)) = (comments, user.as_table_mut()) {
            // They were all there was, and stay above the first user.
            user.decor_mut().set_prefix(comments);
            self.document.set_trailing("");
        }
        self.write().map_err(|error| format!("cannot write `{}`: {error}", self.shown))?;
        let (name, shown) = (&self.name, &self.shown);
        let file = self.path.file_name().unwrap_or_default().display();
        Ok(match (&self.before, is_new) {
            (None, _) => format!(
                "{name} is the first user in {shown}, which only you can read.\n\
                 A site uses it with `[users]` and `members = {{ file = \"{file}\" }}` in its config.toml."
            ),
            (Some(_), true) => format!("{name} is a new user in {shown}."),
            (Some(_), false) => format!("{name} has a new password in {shown}."),
        })
    }

    fn write(&self) -> io::Result<()> {
        let draft = Draft::new(&self.path, |file| {
            file.write_all(self.document.to_string().as_bytes())?;
            match &self.before {
                Some(before) => {
                    keep_owner(file, before);
                    file.set_permissions(before.permissions())
                }
                None => Ok(()),
            }
        });
        draft?.replace()
    }
}

/// Gives a file the owner that another had, if that is allowed: who serves the site goes on reading it.
fn keep_owner(file: &File, before: &fs::Metadata) {
    let _ = fchown(file, Some(before.uid()), Some(before.gid()));
}
