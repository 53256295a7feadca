//! A disk that is full, and one that does not keep what it is given.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use sitewright::site::Vocabulary;

use super::{Counting, Fate, fate, lines, others_are_served, site};
use crate::driver::{Server, Site, project};

/// A store on disk.
struct OnDisk {
    factory: &'static str,
    /// The setting that puts it into the folder `disk`.
    setting: (&'static str, &'static str),
    /// How it says that the disk is full, and that it fails.
    full: &'static str,
    failing: &'static str,
    /// What becomes of a write that the disk does not confirm: of a file, of a folder.
    unconfirmed: [Fate; 2],
}

const STORES: [OnDisk; 2] = [
    OnDisk {
        factory: "file",
        setting: ("SITEWRIGHT__SESSION__DIRECTORY", "disk"),
        full: "No space left on device",
        failing: "Input/output error",
        // Without its folder the record is in place, but may not be after a power failure.
        unconfirmed: [Fate::Failed, Fate::Unknown],
    },
    OnDisk {
        factory: "sqlite",
        setting: ("SITEWRIGHT__SESSION__DATABASE", "disk/sessions.sqlite"),
        full: "database or disk is full",
        failing: "disk I/O error",
        // Once there is the file, its folder does not change any more.
        unconfirmed: [Fate::Unknown, Fate::Stored],
    },
];

/// Those that this build has: features leave out some.
fn stores() -> impl Iterator<Item = &'static OnDisk> {
    let vocabulary = Vocabulary::standard();
    STORES.iter().filter(move |store| vocabulary.factories().iter().any(|kind| kind.name == store.factory))
}

/// A site where every look at the session is due to be written down.
fn site_on_disk(store: &OnDisk) -> Site {
    let site = site(store.factory).env(store.setting.0, store.setting.1);
    let site = site.env("SITEWRIGHT__SESSION__REISSUE_TIME", "0");
    fs::create_dir(site.path("disk")).unwrap();
    site
}

/// What makes a mount namespace of one's own: as root, or for anybody where the system permits it.
fn unshare(folder: &Path) -> &'static [&'static str] {
    const WAYS: [&[&str]; 2] = [&["unshare", "--mount"], &["unshare", "--user", "--map-root-user", "--mount"]];
    let works = |way: &&&[&str]| {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).args(["mount", "-t", "tmpfs", "tmpfs"]).arg(folder);
        command.output().is_ok_and(|done| done.status.success())
    };
    WAYS.iter().find(works).expect("a small disk can be mounted neither as root nor in a user namespace")
}

/// With a disk of its own of this size in the folder `disk`. It is there for the program alone, and
/// goes with it.
fn on_small_disk(site: Site, size: &str) -> Site {
    let folder = site.path("disk");
    let mount = format!("mount -t tmpfs -o size={size},mode=700 tmpfs \"$0\" && exec \"$@\"");
    let starter = [unshare(&folder), &["sh", "-c", &mount, folder.to_str().unwrap()]].concat();
    site.started_by(&starter)
}

/// A folder as a server sees it.
fn seen_by(server: &Server, folder: &Path) -> PathBuf {
    Path::new("/proc").join(server.id().to_string()).join("root").join(folder.strip_prefix("/").unwrap())
}

/// Writes a file until nothing more fits.
fn fill(file: &Path) {
    let mut filler = File::create(file).unwrap();
    for size in [4096, 1] {
        loop {
            match filler.write(&vec![0; size]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(files(&path));
        } else {
            names.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    names
}

/// No record was left halfway.
fn nothing_is_left_over(disk: &Path) {
    let left: Vec<_> = files(disk).into_iter().filter(|name| name.ends_with(".new")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
#[ignore = "needs a mount namespace: run by tests/run"]
fn on_a_full_disk_the_old_records_stay_whole_and_all_is_well_when_there_is_space_again() {
    for store in stores() {
        let factory = store.factory;
        let site = on_small_disk(site_on_disk(store), "2m");
        let server = site.serve();
        let disk = seen_by(&server, &site.path("disk"));
        let mut known = Counting::new(&server, "known");
        let mut reader = Counting::new(&server, "reader");
        assert_eq!((0..5).filter(|_| known.count() == Fate::Stored).count(), 5, "{factory}");
        fill(&disk.join("filler"));

        let mut refused = 0;
        for _ in 0..2000 {
            refused += u32::from(known.count() != Fate::Stored);
            if refused == 20 {
                break;
            }
        }
        assert_eq!(refused, 20, "{factory} stores what the disk cannot hold");
        assert_eq!(known.look(), Fate::Stored, "{factory}");
        assert_eq!(reader.look(), Fate::Stored, "{factory}");
        let stranger = server.visitor().get("/");
        assert_eq!(fate(&stranger), Fate::Failed, "{factory}");
        assert!(!stranger.text().contains("space") && !stranger.text().contains("full"), "{}", stranger.text());
        others_are_served(&server);
        nothing_is_left_over(&disk);
        let errors = lines(&server, "ERROR");
        assert!(
            matches!(&errors[..], [line] if line.contains("the session store is unavailable") && line.contains(store.full)),
            "{factory}: {errors:?}"
        );

        fs::remove_file(disk.join("filler")).unwrap();
        known.until_it_counts();
        assert_eq!(server.visitor().get("/").count(), 1, "{factory}");
        known.until_the_log_says_so(&server);
        assert_eq!((known.look(), reader.look()), (Fate::Stored, Fate::Stored), "{factory}");
        assert_eq!(lines(&server, "ERROR").len(), 1, "{factory}");
        nothing_is_left_over(&disk);
    }
}

/// With a disk that fails while there is a file `trigger`.
fn on_failing_disk(site: Site) -> Site {
    let library = site.path("failing_fsync.so");
    let source = project().join("tests/suite/outages/failing_fsync.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status().unwrap();
    assert!(compiled.success());
    let trigger = site.path("trigger");
    site.env("LD_PRELOAD", library.to_str().unwrap()).env("FAILING_FSYNC", trigger.to_str().unwrap())
}

#[test]
fn a_disk_that_does_not_keep_what_it_is_given_leaves_old_records_or_new_ones() {
    for store in stores() {
        let factory = store.factory;
        let site = on_failing_disk(site_on_disk(store));
        let server = site.serve();
        let mut known = Counting::new(&server, "known");
        for (what, expected) in ["f", "d"].into_iter().zip(store.unconfirmed) {
            site.save("trigger", what);
            let fates: Vec<_> = (0..10).map(|_| known.count()).collect();
            assert_eq!(fates, [expected; 10], "{factory}, {what}");
            assert_eq!(known.look(), Fate::Stored, "{factory}, {what}");
            if expected != Fate::Stored {
                assert_eq!(fate(&server.visitor().get("/")), Fate::Failed, "{factory}, {what}: nobody has its name");
            }
            others_are_served(&server);
            fs::remove_file(site.path("trigger")).unwrap();
            known.until_it_counts();
            assert_eq!(server.visitor().get("/").count(), 1, "{factory}, {what}");
        }
        let errors = lines(&server, "ERROR");
        assert!(!errors.is_empty() && errors.len() <= 2, "{factory}: {errors:?}");
        assert!(errors[0].contains(store.failing), "{factory}: {errors:?}");
        nothing_is_left_over(&site.path("disk"));
        // Another process finds the same.
        drop(server);
        let server = site.serve();
        known.visitor.moves_to(&server);
        assert_eq!(known.look(), Fate::Stored, "{factory}");
    }
}
