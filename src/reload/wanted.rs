//! Which folders to listen in, and which of their entries matter.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{self, Component, Path, PathBuf};

use notify::{Event, EventKind};

use crate::config::read::Inputs;

/// How many links a path may lead over, as on Linux (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// The folders in which a change can mean another site, by their real paths.
///
/// A file is never watched itself: most editors put a new one in its place. Watched is the folder
/// it lies in, and every folder with a link that leads to it; where the way ends early, the folder
/// in which it would go on. Real paths, because the system knows a folder only once, under whatever
/// name. A folder moved away *above* all of these is not heard of.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wanted(BTreeMap<PathBuf, Entries>);

/// The entries of a folder that matter.
#[derive(Debug, PartialEq, Eq)]
enum Entries {
    All,
    Named(BTreeSet<OsString>),
}

/// What an event means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing here: somebody read, or wrote something else.
    Nothing,
    /// Something was perhaps saved.
    Save,
    /// A watched folder itself has come, gone or moved: what was listening there hears no more.
    Folder,
}

impl Wanted {
    /// What a site that was read from `inputs`, whose paths are found from `home`, needs.
    pub fn of(inputs: &Inputs, home: &Path) -> Self {
        let mut wanted = Self::default();
        for file in &inputs.files {
            wanted.trace(&home.join(file));
        }
        for folder in &inputs.folders {
            if let Some(folder) = wanted.trace(&home.join(folder)).filter(|folder| folder.is_dir()) {
                wanted.0.insert(folder, Entries::All);
            }
        }
        wanted
    }

    /// The folders.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// What an event in one of the folders means.
    pub fn meaning(&self, event: &Event) -> Meaning {
        if matches!(event.kind, EventKind::Access(_)) {
            // Our own reading among them.
            return Meaning::Nothing;
        }
        if event.paths.iter().any(|path| self.0.contains_key(path)) {
            return Meaning::Folder;
        }
        // Events without a path say that events were lost.
        let saved = event.paths.is_empty() || event.need_rescan() || event.paths.iter().any(|path| self.matters(path));
        if saved { Meaning::Save } else { Meaning::Nothing }
    }

    fn matters(&self, path: &Path) -> bool {
        match (path.parent().and_then(|folder| self.0.get(folder)), path.file_name()) {
            (Some(Entries::All), _) => true,
            (Some(Entries::Named(names)), Some(name)) => names.contains(name),
            _ => false,
        }
    }

    /// Notes every entry where a change would have `path` lead elsewhere: the links on the way and
    /// its end. Returns the real path, if there is one.
    fn trace(&mut self, path: &Path) -> Option<PathBuf> {
        let path = path::absolute(path).ok()?;
        let mut links = 0;
        let mut here = PathBuf::new();
        let mut ahead = reversed(&path);
        while let Some(part) = ahead.pop() {
            match Path::new(&part).components().next() {
                Some(Component::CurDir) | None => {}
                Some(Component::ParentDir) => {
                    here.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => here.push(&part),
                Some(Component::Normal(name)) => {
                    let there = here.join(name);
                    match fs::symlink_metadata(&there) {
                        Ok(found) if found.is_symlink() => {
                            self.note(&here, name);
                            links += 1;
                            if links > MOST_LINKS {
                                return None;
                            }
                            ahead.extend(reversed(&fs::read_link(&there).ok()?));
                        }
                        Ok(found) if found.is_dir() && !ahead.is_empty() => here = there,
                        Ok(_) if ahead.is_empty() => {
                            self.note(&here, name);
                            here = there;
                        }
                        Ok(_) | Err(_) => {
                            self.note(&here, name);
                            return None;
                        }
                    }
                }
            }
        }
        Some(here)
    }

    fn note(&mut self, folder: &Path, name: &OsStr) {
        let entries = self.0.entry(folder.to_owned()).or_insert_with(|| Entries::Named(BTreeSet::new()));
        if let Entries::Named(names) = entries {
            names.insert(name.to_owned());
        }
    }
}

/// The parts of a path, the first one last: to be taken off a stack.
fn reversed(path: &Path) -> Vec<OsString> {
    path.components().rev().map(|part| part.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use notify::event::{AccessKind, DataChange, ModifyKind};

    use super::*;

    fn wanted(files: &[&Path], folders: &[&Path]) -> Wanted {
        let owned = |paths: &[&Path]| paths.iter().map(|path| path.to_path_buf()).collect();
        Wanted::of(&Inputs { files: owned(files), folders: owned(folders), fingerprint: 0 }, Path::new("/"))
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let real = temp.path().canonicalize().unwrap();
        (temp, real)
    }

    fn named(wanted: &Wanted, folder: &Path) -> Vec<String> {
        match wanted.0.get(folder) {
            Some(Entries::Named(names)) => names.iter().map(|name| name.to_string_lossy().into_owned()).collect(),
            Some(Entries::All) => vec!["*".to_owned()],
            None => Vec::new(),
        }
    }

    fn save(path: &Path) -> Event {
        Event::new(EventKind::Modify(ModifyKind::Data(DataChange::Any))).add_path(path.to_owned())
    }

    #[test]
    fn a_file_is_heard_of_in_its_folder_there_or_not() {
        let (_temp, real) = folder();
        fs::write(real.join("config.toml"), "").unwrap();
        let wanted = wanted(&[&real.join("config.toml"), &real.join("config.local.toml")], &[]);
        assert_eq!(wanted.folders().collect::<Vec<_>>(), [real.as_path()]);
        assert_eq!(named(&wanted, &real), ["config.local.toml", "config.toml"]);
    }

    #[test]
    fn in_a_folder_of_templates_everything_matters() {
        let (_temp, real) = folder();
        fs::create_dir(real.join("templates")).unwrap();
        let wanted = wanted(&[&real.join("templates/a.hbs")], &[&real.join("templates")]);
        assert_eq!(named(&wanted, &real.join("templates")), ["*"]);
        assert_eq!(named(&wanted, &real), ["templates"]);
    }

    #[test]
    fn where_the_way_ends_early_the_next_step_is_awaited() {
        let (_temp, real) = folder();
        fs::write(real.join("file"), "").unwrap();
        let wanted = wanted(&[&real.join("sites/login/config.toml"), &real.join("file/config.toml")], &[]);
        assert_eq!(wanted.folders().collect::<Vec<_>>(), [real.as_path()]);
        assert_eq!(named(&wanted, &real), ["file", "sites"]);
    }

    #[test]
    fn every_link_on_the_way_matters() {
        let (_temp, real) = folder();
        fs::create_dir(real.join("..2026")).unwrap();
        fs::write(real.join("..2026/config.toml"), "").unwrap();
        symlink("..2026", real.join("..data")).unwrap();
        fs::create_dir(real.join("mount")).unwrap();
        symlink("../..data/./config.toml", real.join("mount/config.toml")).unwrap();
        let wanted = wanted(&[&real.join("mount/config.toml")], &[]);
        assert_eq!(named(&wanted, &real.join("mount")), ["config.toml"]);
        assert_eq!(named(&wanted, &real), ["..data"]);
        assert_eq!(named(&wanted, &real.join("..2026")), ["config.toml"]);
    }

    #[test]
    fn links_in_a_circle_end() {
        let (_temp, real) = folder();
        symlink("b", real.join("a")).unwrap();
        symlink("a", real.join("b")).unwrap();
        assert_eq!(named(&wanted(&[&real.join("a/config.toml")], &[]), &real), ["a", "b"]);
    }

    #[test]
    fn other_files_and_readers_mean_nothing() {
        let (_temp, real) = folder();
        let config = real.join("config.toml");
        fs::write(&config, "").unwrap();
        let wanted = wanted(&[&config], &[]);
        assert_eq!(wanted.meaning(&save(&config)), Meaning::Save);
        assert_eq!(wanted.meaning(&save(&real.join("access.log"))), Meaning::Nothing);
        let read = Event::new(EventKind::Access(AccessKind::Read)).add_path(config);
        assert_eq!(wanted.meaning(&read), Meaning::Nothing);
        assert_eq!(wanted.meaning(&save(&real)), Meaning::Folder);
        assert_eq!(wanted.meaning(&Event::new(EventKind::Other)), Meaning::Save);
    }
}
