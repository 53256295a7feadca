//! What is applied, what is refused, and what is said of it.

use super::*;
use crate::site::factories::{FactoryKind, HeldBy, Opened, Opening};

fn changes(outcome: Outcome) -> Changes {
    match outcome {
        Outcome::Applied { changes, .. } => changes,
        other => panic!("{other:?}"),
    }
}

/// What a reload says when the file changes from `before` to `after`.
fn said(before: &str, after: &str) -> String {
    let folder = Folder::new(before);
    let mut reloader = folder.start();
    write(&folder.config(), after);
    changes(reloader.reload()).to_string()
}

const SECRET: &str = "9f86d081884c7d659a2feaa0c55ad015";

fn with_session(secret: &str, more: &str) -> String {
    format!("{}[session]\nfactory = \"signed-cookie\"\nsecret = {secret}\n{more}", showing("one"))
}

#[test]
fn the_same_bytes_change_nothing() {
    let folder = Folder::new(&showing("one"));
    let mut reloader = folder.start();
    assert!(matches!(reloader.reload(), Outcome::Unchanged));
}

#[test]
fn routes_that_come_change_and_go_are_named() {
    let route = |name: &str, text: &str| format!("[routes.{name}]\npath = \"/{name}\"\ntext = \"{text}\"\n");
    let before = route("a", "1") + &route("b", "1") + &route("c", "1");
    let after = route("d", "1") + &route("c", "1") + &route("b", "2");
    assert_eq!(said(&before, &after), "added `d`; changed `b`; removed `a`");
}

#[test]
fn what_is_moved_or_commented_is_as_it_was() {
    let page = "[templates]\np = \"x\"\n[routes.a]\npath = \"/a\"\ntemplate = \"p\"\n";
    let moved = "# More.\n\n[routes.a]\ntemplate = 'p'\npath   = \"/a\"\n\n[templates]\np = \"\"\"x\"\"\"\n";
    assert_eq!(said(page, moved), "every route is as it was");
}

#[test]
fn a_route_changes_with_its_defaults() {
    let routes =
        "[routes.a]\npath = \"/a\"\ntext = \"{{x}}\"\n[routes.b]\npath = \"/b\"\ntext = \"b\"\ndata = { x = 2 }\n";
    let defaults = |x| format!("[defaults]\ndata = {{ x = {x} }}\n");
    assert_eq!(said(&(defaults(1) + routes), &(defaults(3) + routes)), "changed `a`");
}

#[test]
fn a_route_changes_with_a_template_that_its_template_includes() {
    let site = |foot| {
        format!(
            "[templates]\na = \"{{{{> foot}}}}\"\nb = \"b\"\nfoot = \"{foot}\"\n[routes.a]\npath = \"/a\"\ntemplate = \"a\"\n[routes.b]\npath = \"/b\"\ntemplate = \"b\"\n"
        )
    };
    assert_eq!(said(&site("1"), &site("2")), "changed `a`");
}

#[test]
fn tables_that_belong_to_no_route_are_named() {
    let site = |x| {
        let routes = showing("one");
        format!("{routes}[server]\nmax_body = {x}\n[data]\nx = {x}\n[errors]\n404 = {{ text = \"{x}\" }}\n")
    };
    assert_eq!(said(&site(1), &site(2)), "changed [server], [data], [errors]");
}

#[test]
fn what_needs_a_restart_is_named_until_it_is_taken_back() {
    let site = |port: u16, text| format!("{}[server]\nlisten = \"127.0.0.1:{port}\"\n", showing(text));
    let folder = Folder::new(&site(6543, "one"));
    let mut reloader = folder.start();
    for (port, text, needs) in [(6544, "one", 1), (6544, "two", 1), (6543, "two", 0)] {
        write(&folder.config(), &site(port, text));
        assert_eq!(changes(reloader.reload()).needs_restart, ["server.listen"][..needs]);
    }
}

#[test]
fn a_broken_start_listens_where_its_settings_say_and_remembers_it() {
    let site = |listen: &str, text: &str| format!("{}[server]\nlisten = \"{listen}\"\n", showing(text));
    let broken = |listen: &str| site(listen, "").replace("text", "txet");
    for (listen, address) in [("127.0.0.1:7", "127.0.0.1:7"), ("nonsense", "127.0.0.1:6543")] {
        let folder = Folder::new(&broken(listen));
        let mut reloader = folder.start();
        assert_eq!(reloader.address(), address);
        write(&folder.config(), &site("127.0.0.1:8", "one"));
        assert_eq!(changes(reloader.reload()).needs_restart, ["server.listen"]);
        write(&folder.config(), &site(address, "one"));
        assert_eq!(changes(reloader.reload()).needs_restart, [""; 0]);
    }
    let folder = Folder::new(&broken("unix:site.sock"));
    assert_eq!(folder.start().address(), format!("unix:{}", folder.join("site.sock").display()));
}

#[test]
fn a_broken_edit_changes_nothing_and_taking_it_back_is_news() {
    let folder = Folder::new(&showing("one"));
    let mut reloader = folder.start();
    write(&folder.config(), "[routes.home\n");
    assert!(matches!(reloader.reload(), Outcome::Rejected(problems) if problems.has_errors()));
    assert!(matches!(reloader.reload(), Outcome::Rejected(_)));
    assert_eq!(page(&reloader.live()), "one");
    write(&folder.config(), &showing("one"));
    assert_eq!(changes(reloader.reload()), Changes::default());
    assert!(matches!(reloader.reload(), Outcome::Unchanged));
}

#[test]
fn a_broken_start_is_an_error_unless_it_is_to_be_served() {
    let folder = Folder::new("[routes.home]\n");
    let start = |serve| Reloader::start(folder.config(), Environment::new(), Vocabulary::standard(), serve);
    assert!(start(false).unwrap_err().has_errors());
    let (mut reloader, problems) = start(true).unwrap();
    assert!(problems.has_errors());
    let first = |live: &Live| match &*live.now() {
        State::Broken(problems) => problems.sorted().first().map(|problem| problem.message.clone()),
        State::Serving(_) => None,
    };
    let before = first(&reloader.live());
    write(&folder.config(), "routes = 1\n");
    assert!(matches!(reloader.reload(), Outcome::Rejected(_)));
    // Visitors see what is wrong now.
    assert_ne!(first(&reloader.live()), before);
    write(&folder.config(), &showing("one"));
    assert_eq!(changes(reloader.reload()).to_string(), "added `home`");
    assert_eq!(page(&reloader.live()), "one");
}

#[test]
fn sessions_live_on_unless_they_are_declared_otherwise() {
    let inline = format!("\"{SECRET}\"");
    let folder = Folder::new(&with_session(&inline, ""));
    let mut reloader = folder.start();
    let factory = |reloader: &Reloader| serving(&reloader.live()).sessions.clone().unwrap();
    let first = factory(&reloader);
    write(&folder.config(), &(with_session(&inline, "") + "[data]\nx = 1\n"));
    assert_eq!(changes(reloader.reload()).to_string(), "changed [data]");
    assert!(Arc::ptr_eq(&first, &factory(&reloader)));
    let (other, named) = (format!("\"{SECRET}0\""), "timeout = 60\ncookie_name = \"other\"\n");
    for (site, lost) in [
        (with_session(&inline, "timeout = 60\n"), false),
        (with_session(&other, "timeout = 60\n"), true),
        (with_session(&other, named), true),
        (with_session(&other, named).replace("signed-cookie", "memory"), true),
    ] {
        let before = factory(&reloader);
        write(&folder.config(), &site);
        let changes = changes(reloader.reload());
        assert_eq!((changes.tables.contains(&"[session]"), changes.loses_sessions), (true, lost), "{site}");
        assert!(!Arc::ptr_eq(&before, &factory(&reloader)));
    }
}

#[test]
fn a_panic_while_building_is_a_rejection() {
    fn open(opening: Opening<'_>) -> Opened {
        panic!("no {}", opening.settings.cookie_name)
    }
    static MINE: FactoryKind = FactoryKind {
        name: "mine",
        summary: "",
        guarantee: "",
        held_by: HeldBy::Process,
        options: &[],
        url: None,
        open,
    };
    let folder = Folder::new(&showing("one"));
    let vocabulary = Vocabulary::standard().with_factory(&MINE);
    let (mut reloader, _) = Reloader::start(folder.config(), Environment::new(), vocabulary, false).unwrap();
    let mine =
        format!("{}[session]\nfactory = \"mine\"\nsecret = \"{SECRET}\"\ncookie_name = \"cake\"\n", showing("two"));
    write(&folder.config(), &mine);
    let Outcome::Rejected(problems) = reloader.reload() else { panic!("not rejected") };
    let text = crate::diagnostic::print::to_text(&problems, false);
    assert!(text.contains("no cake"), "{text}");
    assert_eq!(page(&reloader.live()), "one");
    write(&folder.config(), &showing("three"));
    changes(reloader.reload());
    assert_eq!(page(&reloader.live()), "three");
}

#[test]
fn an_emptied_file_is_taken_for_a_half_written_one() {
    let folder = Folder::new(&showing("one"));
    let mut reloader = folder.start();
    write(&folder.config(), "");
    assert!(matches!(reloader.reload(), Outcome::Rejected(_)));
    assert_eq!(page(&reloader.live()), "one");
}

#[tokio::test]
async fn a_broken_edit_is_told_and_its_mend_is_heard() {
    let folder = Folder::new(&showing("one"));
    let mut site = folder.watch().await;
    write(&folder.config(), "[routes.home]\npaht = \"/\"\n");
    assert!(site.rejected().await.has_errors());
    assert_eq!(site.page(), "one");
    write(&folder.config(), &showing("two"));
    assert_eq!(site.applied().await.changed, ["home"]);
    assert_eq!(site.page(), "two");
}

#[tokio::test]
async fn a_site_that_is_not_there_at_first_is_served_when_it_comes() {
    let folder = Folder::new("");
    fs::remove_dir_all(&folder.path).unwrap();
    let mut site = folder.watch().await;
    assert_eq!(site.page(), "broken");
    write(&folder.config(), &showing("one"));
    site.shows("one").await;
}

#[tokio::test]
async fn templates_are_part_of_the_site() {
    let folder = Folder::new("[routes.home]\npath = \"/\"\ntemplate = \"home\"\n");
    write(&folder.join("templates/home.hbs"), "one");
    let mut site = folder.watch().await;
    write(&folder.join("templates/home.hbs"), "two");
    assert_eq!(site.applied().await.changed, ["home"]);
    assert_eq!(site.page(), "two");
    // A page that includes what is not there yet, in a folder that is not there either.
    write(&folder.join("templates/home.hbs"), "{{> parts/foot}}");
    site.rejected().await;
    write(&folder.join("templates/parts/foot.hbs"), "three");
    site.shows("three").await;
    write(&folder.join("templates/parts/foot.hbs"), "four");
    site.shows("four").await;
}

#[tokio::test]
async fn data_files_are_part_of_the_site() {
    let folder = Folder::new(
        "[data]\nteas = { file = \"more/teas.csv\" }\n[routes.home]\npath = \"/\"\ntext = \"{{teas.0.name}}\"\n",
    );
    write(&folder.join("more/teas.csv"), "name\nAssam\n");
    let mut site = folder.watch().await;
    assert_eq!(site.page(), "Assam");
    write(&folder.join("more/teas.csv"), "name\nSencha\n");
    assert_eq!(site.applied().await.to_string(), "changed [data]");
    assert_eq!(site.page(), "Sencha");
    write(&folder.join("more/teas.csv"), "name\nSencha,1\n");
    site.rejected().await;
    assert_eq!(site.page(), "Sencha");
    // One that has gone is awaited, in its folder and with it.
    fs::remove_dir_all(folder.join("more")).unwrap();
    site.rejected().await;
    write(&folder.join("more/teas.csv"), "name\nMate\n");
    site.shows("Mate").await;
}

#[tokio::test]
async fn mounted_sites_are_part_of_the_site() {
    let mount = "[[mount]]\nsite = \"sites/login\"\nat = \"/login\"\n";
    let folder = Folder::new(&(showing("one") + mount));
    write(&folder.join("sites/login/config.toml"), &showing("in"));
    let mut site = folder.watch().await;
    write(&folder.join("sites/login/config.toml"), &showing("out"));
    assert_eq!(site.applied().await.to_string(), "changed `login/home`");
}

#[tokio::test]
async fn local_settings_count_as_soon_as_they_are_there() {
    let folder = Folder::new(&showing("one"));
    let mut site = folder.watch().await;
    for max_body in [1, 2] {
        write(&folder.join("config.local.toml"), &format!("[server]\nmax_body = {max_body}\n"));
        assert_eq!(site.applied().await.tables, ["[server]"]);
        assert_eq!(serving(&site.live).site.settings.server.max_body, max_body);
    }
}

#[tokio::test]
async fn a_secret_in_a_file_is_rotated_by_writing_the_file() {
    let folder = Folder::new(&with_session("{ file = \"session.secret\", generate = true }", ""));
    let mut site = folder.watch().await;
    assert!(folder.join("session.secret").exists());
    write(&folder.join("session.secret"), SECRET);
    assert_eq!(site.applied().await.tables, ["[session]"]);
}

#[tokio::test]
async fn who_asks_is_answered_whether_or_not_files_are_watched() {
    let folder = Folder::new(&showing("one"));
    let mut site = Followed::new(folder.start(), None::<Listening<RecommendedWatcher>>);
    site.asking.send(()).unwrap();
    assert!(matches!(site.outcome().await, (Cause::Asked, Outcome::Unchanged)));
    write(&folder.config(), &showing("two"));
    site.asking.send(()).unwrap();
    assert!(matches!(site.outcome().await, (Cause::Asked, Outcome::Applied { .. })));
    assert_eq!(site.page(), "two");
    write(&folder.config(), "?");
    site.asking.send(()).unwrap();
    assert!(matches!(site.outcome().await, (Cause::Asked, Outcome::Rejected(_))));
}

#[tokio::test]
async fn the_loop_ends_with_the_server() {
    let folder = Folder::new(&showing("one"));
    tokio::time::timeout(DEADLINE, watch(folder.start(), true, |_, _| {}, std::future::ready(()))).await.unwrap();
}
