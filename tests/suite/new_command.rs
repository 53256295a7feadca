//! `sitewright new`: sites to start from.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sitewright::cli::new::{SITES, STARTER};

use crate::driver::{Ran, Site, project};

#[test]
fn a_new_site_passes_its_check_and_its_tests() {
    let folder = Site::new();
    let Ran { code, out, err } = folder.run(&["new", "hello"]);
    assert_eq!((code, &*err), (0, ""));
    assert!(out.starts_with("hello is a site now: hello/config.toml.\n"), "{out}");
    assert!(out.contains("sitewright --config hello --reload"), "{out}");
    for (site, _) in SITES {
        let made = folder.run(&["new", &format!("from/{site}"), "--from", site]);
        assert_eq!(made.code, 0, "{site}: {}", made.err);
    }
    let made = SITES.iter().map(|(site, _)| format!("from/{site}")).chain(["hello".to_owned()]);
    for site in made {
        let checked = folder.run(&["check", "--deny-warnings", &site]);
        assert_eq!(checked.code, 0, "{site}: {}", checked.out);
        let tested = folder.run(&["test", &site]);
        assert_eq!(tested.code, 0, "{site}: {}{}", tested.out, tested.err);
    }
}

#[test]
fn a_new_site_is_what_the_repository_has() {
    for (site, embedded) in SITES {
        let home = if *site == STARTER { "src/cli/new/starter".to_owned() } else { format!("sites/{site}") };
        let home = project().join(home);
        let there = files(&home, &home);
        let listed: BTreeSet<String> = embedded.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(listed, there, "{site}");
        for (name, content) in *embedded {
            assert_eq!(fs::read(home.join(name)).unwrap(), *content, "{site}: {name}");
        }
    }
}

/// The files below a folder, without what a site that was served leaves there.
fn files(folder: &Path, home: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(home).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(files(&path, home));
        } else if !name.starts_with("session") && name != "config.local.toml" {
            found.insert(name);
        }
    }
    found
}

#[test]
fn nothing_is_overwritten() {
    let folder = Site::new().file("shop/notes.txt", "mine").file("taken", "");
    for name in ["shop", "taken"] {
        let Ran { code, out, err } = folder.run(&["new", name]);
        assert_eq!((code, &*out), (1, ""), "{name}");
        assert!(err.starts_with(&format!("error: cannot make `{name}`: ")), "{err}");
    }
    assert_eq!(fs::read_dir(folder.path("shop")).unwrap().count(), 1);
    fs::create_dir(folder.path("empty")).unwrap();
    assert_eq!(folder.run(&["new", "empty"]).code, 0);
    assert_eq!(folder.run(&["new", "empty"]).code, 1, "the second time it is there");
    let unknown = folder.run(&["new", "other", "--from", "carts"]);
    assert!(unknown.code == 2 && unknown.err.contains("'cart'"), "{}", unknown.err);
}

#[test]
fn whoever_has_no_site_yet_is_told_how_to_begin_and_whoever_has_a_broken_file_is_not() {
    let help = "`sitewright new NAME` makes a folder with a site to start from";
    let none = Site::new().run(&["check"]);
    assert!(none.out.contains("cannot read this file: it is not there") && none.out.contains(help), "{}", none.out);

    let folder = Site::new();
    fs::create_dir(folder.path("config.toml")).unwrap();
    let other = Site::new();
    fs::write(other.path("config.toml"), b"# caf\xe9\n").unwrap();
    for (site, why, advice) in [
        (&folder, "it is a folder", "a site is a file; give the folder it is in another name"),
        (&other, "line 1 is not UTF-8", "let your editor save it as UTF-8"),
    ] {
        let told = site.run(&["check"]).out;
        assert!(told.contains(why) && told.contains(advice) && !told.contains(help), "{told}");
    }
}
