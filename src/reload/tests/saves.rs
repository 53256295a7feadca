//! Every way in which files are saved is heard of, the second time as well as the first.

use std::os::unix::fs::{PermissionsExt, symlink};

use notify::{Config, ErrorKind, EventHandler, RecursiveMode, WatcherKind};

use super::*;

async fn twice(save: impl Fn(&Path, &str)) {
    let folder = Folder::new(&showing("one"));
    let mut site = folder.watch().await;
    for text in ["two", "three"] {
        save(&folder.config(), &showing(text));
        site.shows(text).await;
    }
}

#[tokio::test]
async fn truncate_and_write() {
    twice(|path, text| fs::write(path, text).unwrap()).await;
}

#[tokio::test]
async fn write_and_rename() {
    twice(|path, text| {
        let draft = path.with_extension("new");
        fs::write(&draft, text).unwrap();
        fs::rename(draft, path).unwrap();
    })
    .await;
}

#[tokio::test]
async fn backup_and_create() {
    twice(|path, text| {
        fs::rename(path, path.with_extension("toml~")).unwrap();
        fs::write(path, text).unwrap();
        fs::remove_file(path.with_extension("toml~")).unwrap();
    })
    .await;
}

#[tokio::test]
async fn delete_and_create_later() {
    let folder = Folder::new(&showing("one"));
    let mut site = folder.watch().await;
    for (before, after) in [("one", "two"), ("two", "three")] {
        fs::remove_file(folder.config()).unwrap();
        site.rejected().await;
        assert_eq!(site.page(), before);
        fs::write(folder.config(), showing(after)).unwrap();
        site.shows(after).await;
    }
}

#[tokio::test]
async fn a_swapped_link_as_kubernetes_mounts_files() {
    let folder = Folder::new("");
    let generation = |name: &str| {
        write(&folder.join(&format!("..{name}/config.toml")), &showing(name));
        symlink(format!("..{name}"), folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    };
    generation("one");
    fs::remove_file(folder.config()).unwrap();
    symlink("..data/config.toml", folder.config()).unwrap();
    let mut site = folder.watch().await;
    assert_eq!(site.page(), "one");
    for (before, after) in [("one", "two"), ("two", "three")] {
        generation(after);
        fs::remove_dir_all(folder.join(&format!("..{before}"))).unwrap();
        site.shows(after).await;
    }
    fs::write(folder.join("..three/config.toml"), showing("four")).unwrap();
    site.shows("four").await;
}

#[tokio::test]
async fn the_whole_folder_deleted_and_made_again() {
    let folder = Folder::new(&showing("one"));
    let mut site = folder.watch().await;
    for text in ["two", "three"] {
        fs::remove_dir_all(&folder.path).unwrap();
        site.rejected().await;
        write(&folder.config(), &showing(text));
        site.shows(text).await;
    }
    fs::remove_dir_all(&folder.path).unwrap();
    write(&folder.config(), &showing("at once"));
    site.shows("at once").await;
    fs::write(folder.config(), showing("and once more")).unwrap();
    site.shows("and once more").await;
}

#[tokio::test]
async fn the_folder_swapped_for_another() {
    let folder = Folder::new(&showing("one"));
    let mut site = folder.watch().await;
    for text in ["two", "three"] {
        let next = folder.path.with_file_name("next");
        write(&next.join("config.toml"), &showing(text));
        fs::rename(&folder.path, folder.path.with_file_name(format!("before {text}"))).unwrap();
        fs::rename(&next, &folder.path).unwrap();
        site.shows(text).await;
    }
}

#[tokio::test]
async fn a_folder_of_templates_that_comes_and_goes() {
    let folder = Folder::new("[routes.home]\npath = \"/\"\ntemplate = \"home\"\n");
    let mut site = folder.watch().await;
    assert_eq!(site.page(), "broken");
    for text in ["one", "two"] {
        write(&folder.join("templates/home.hbs"), text);
        site.shows(text).await;
        fs::remove_dir_all(folder.join("templates")).unwrap();
        site.rejected().await;
    }
}

#[tokio::test]
async fn the_same_bytes_and_other_permissions_reload_nothing() {
    let folder = Folder::new(&showing("one"));
    let mut site = folder.watch().await;
    let before = serving(&site.live);
    fs::set_permissions(folder.config(), fs::Permissions::from_mode(0o600)).unwrap();
    site.unchanged().await;
    fs::write(folder.config(), showing("one")).unwrap();
    site.unchanged().await;
    assert!(Arc::ptr_eq(&before, &serving(&site.live)));
}

#[tokio::test]
async fn saves_that_never_pause_are_applied_all_the_same() {
    let folder = Folder::new(&showing("0"));
    let mut site = folder.watch().await;
    let config = folder.config();
    let saving = tokio::spawn(async move {
        for n in 1.. {
            fs::write(&config, showing(&n.to_string())).unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    site.applied().await;
    site.applied().await;
    saving.abort();
}

#[tokio::test]
async fn many_saves_end_with_the_last() {
    let folder = Folder::new(&showing("0"));
    let mut site = folder.watch().await;
    for n in 1..=200 {
        fs::write(folder.config(), showing(&n.to_string())).unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    site.shows("200").await;
}

/// A system without room for one more watch.
#[derive(Debug)]
struct Full;

impl Watcher for Full {
    fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Self> {
        Ok(Self)
    }
    fn watch(&mut self, _: &Path, _: RecursiveMode) -> notify::Result<()> {
        Err(notify::Error::new(ErrorKind::MaxFilesWatch))
    }
    fn unwatch(&mut self, _: &Path) -> notify::Result<()> {
        Ok(())
    }
    fn kind() -> WatcherKind {
        WatcherKind::NullWatcher
    }
}

#[tokio::test(start_paused = true)]
async fn without_notifications_the_files_are_polled() {
    let folder = Folder::new(&showing("one"));
    let mut site = Followed::new(folder.start(), Some(Listening::<Full>::new()));
    for text in ["two", "three"] {
        fs::write(folder.config(), showing(text)).unwrap();
        site.shows(text).await;
    }
}
