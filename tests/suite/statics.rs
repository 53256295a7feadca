//! `[static]`, with the real program.

use crate::driver::{SESSION, Server, Site};

const CONFIG: &str = r#"
[static]
"/static" = { directory = "static", cache_max_age = 60 }

[routes.home]
path = "/"
html = '<link href="{{static_url "/static/style.css"}}"><img src="{{static_url "/static/" request.query_string}}">'

[routes.special]
path = "/static/special"
text = "a route"
"#;

fn site() -> Site {
    Site::new()
        .config(CONFIG)
        .file("static/style.css", "body { color: red }")
        .file("static/docs/index.html", "<p>docs</p>")
        .file("static/.env", "SECRET")
        .file("secret.txt", "SECRET")
}

/// The `href` of the style sheet on the page.
fn style(server: &Server) -> String {
    let page = server.visitor().get("/").text().to_owned();
    let (_, rest) = page.split_once("href=\"").unwrap();
    rest.split('"').next().unwrap().replace("&#x3D;", "=")
}

#[test]
fn files_are_served_with_conditions_ranges_and_for_head() {
    let site = site();
    let server = site.serve();
    let mut visitor = server.visitor();
    let file = visitor.get("/static/style.css");
    assert_eq!((file.status, file.text()), (200, "body { color: red }"));
    assert_eq!(file.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert!(file.set_cookies().is_empty());
    let again = visitor.request("GET", "/static/style.css").header("If-None-Match", file.header("etag")).send();
    assert_eq!((again.status, again.text()), (304, ""));
    let part = visitor.request("GET", "/static/style.css").header("Range", "bytes=0-3").send();
    assert_eq!((part.status, part.text()), (206, "body"));
    let head = visitor.request("HEAD", "/static/style.css").send();
    assert_eq!((head.status, head.header("content-length"), head.text()), (200, "19", ""));
    assert_eq!(visitor.request("POST", "/static/style.css").send().status, 405);
    assert_eq!(visitor.get("/static/docs").header("location"), "./docs/");
    assert_eq!(visitor.get("/static/docs/").text(), "<p>docs</p>");
    assert_eq!(visitor.get("/static/special").text(), "a route");
    assert_eq!(visitor.connections(), 1, "every answer told its length");
}

#[test]
fn a_snapshot_names_what_changes_with_a_file() {
    let requests =
        "GET /\n###\nGET /static/style.css\n###\nGET /static/style.css?v={{$version}}\nIf-None-Match: \"{{$etag}}\"\n";
    let site = site().file("tests/style.http", requests);
    assert_eq!(site.run(&["test", "--update"]).code, 0);
    let snap = site.read("tests/style.snap");
    for named in [
        "<link href=\"/static/style.css?v&#x3D;[version]\">",
        "etag: \"[etag]\"\nlast-modified: [last-modified]\n",
        "GET /static/style.css?v=[version]\n\n304 Not Modified\ncache-control: public, max-age=31536000, immutable\n",
    ] {
        assert!(snap.contains(named), "no {named}:\n{snap}");
    }
    site.save("static/style.css", "body { color: tan }");
    let ran = site.run(&["test"]);
    let report = ran.out + &ran.err;
    assert!(report.contains("+body: body { color: tan }"), "{report}");
    assert!(report.contains("2 passed, 1 failed"), "{report}");
}

#[test]
fn a_large_file_arrives_whole_and_in_parts() {
    let large: String = (0..200_000).map(|line| format!("{line:09}\n")).collect();
    let site = site().file("static/large.txt", &large);
    let server = site.serve();
    let mut visitor = server.visitor();
    assert!(visitor.get("/static/large.txt").text() == large);
    let part = visitor.request("GET", "/static/large.txt").header("Range", "bytes=1000000-1000019").send();
    assert_eq!(part.text(), "000100000\n000100001\n");
}

#[test]
fn a_link_carries_the_version_of_the_file_and_the_file_is_kept_for_it() {
    let site = site();
    let server = site.serve_with(&["--reload"]);
    let mut visitor = server.visitor();
    let link = style(&server);
    let (path, version) = link.split_once("?v=").unwrap();
    assert_eq!((path, version.len()), ("/static/style.css", 10));
    assert_eq!(visitor.get(&link).header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(visitor.get("/static/style.css?v=0000000000").header("cache-control"), "public, max-age=60");
    assert!(visitor.get("/?a%20b.png").text().contains("src=\"/static/a%2520b.png\""), "a value is one part of a path");
    site.save("static/style.css", "body { color: blue }");
    server.wait_for_log("reloaded");
    assert_ne!(style(&server), link);
    assert_eq!(visitor.get(&link).header("cache-control"), "public, max-age=60", "the old version is no more");
}

#[test]
fn a_mounted_site_brings_its_files() {
    let site = Site::new()
        .config("[[mount]]\nsite = \"sites/shop\"\nat = \"/shop\"\n")
        .file("sites/shop/config.toml", CONFIG)
        .file("sites/shop/static/style.css", "body {}");
    let server = site.serve();
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/shop/static/style.css").text(), "body {}");
    assert!(visitor.get("/shop").text().contains("href=\"/shop/static/style.css?v"));
    assert_eq!(visitor.get("/static/style.css").status, 404);
}

/// Ways to write `..`, and what else strangers try.
fn hostile_paths(prefix: &str) -> Vec<String> {
    let ups = [
        "..",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "..%2f",
        "..%5c",
        "..\\",
        "%2e%2e%2f",
        "%252e%252e",
        "..%00",
        "..;",
        "...",
        "....//",
        "%c0%ae%c0%ae",
        "%uff0e%uff0e",
        ".",
        "%2e",
        "",
    ];
    let targets = [
        "secret.txt",
        "etc/passwd",
        ".env",
        "%2eenv",
        ".env%00.css",
        "config.toml",
        "style.css/..",
        "session.secret",
        "%2e%67it/config",
        "proc/self/environ",
    ];
    let mut paths = Vec::new();
    for up in ups {
        for times in [1, 2, 8] {
            for target in targets {
                paths.push(format!("{prefix}/static/{}{target}", format!("{up}/").repeat(times)));
            }
        }
    }
    let odd = [
        "/static",
        "/static/",
        "/static//",
        "/static/style.css%00",
        "/static/style.css%20",
        "/static/style.css.",
        "/static/style.css/",
        "/static/style.css/x",
        "/static/%",
        "/static/%zz",
        "/static/%ff",
        "/static/C:/windows",
        "/static/con",
        "/static/~root",
        "/static/style.css::$DATA",
        "/static/..%01",
        "/static/\u{7f}",
        "//static/../secret.txt",
        "/static?../secret.txt",
    ];
    paths.extend(odd.map(|path| format!("{prefix}{path}")));
    paths.push(format!("{prefix}/static/{}", "a".repeat(4000)));
    paths.push(format!("{prefix}/static/{}", "a/".repeat(2000)));
    paths
}

#[test]
fn five_hundred_hostile_paths_read_nothing_outside_and_break_nothing() {
    let site = site();
    reads_nothing_outside(&site.serve(), "");
}

#[test]
fn hostile_paths_below_a_mount_read_nothing_outside_either() {
    let site = Site::new()
        .config("[[mount]]\nsite = \"sites/shop\"\nat = \"/shop\"\n")
        .file("secret.txt", "SECRET")
        .file(".env", "SECRET")
        .file("static/style.css", "SECRET, as nobody serves it")
        .file("sites/secret.txt", "SECRET")
        .file("sites/shop/config.toml", CONFIG)
        .file("sites/shop/secret.txt", "SECRET")
        .file("sites/shop/static/.env", "SECRET")
        .file("sites/shop/static/style.css", "body { color: red }");
    reads_nothing_outside(&site.serve(), "/shop");
}

fn reads_nothing_outside(server: &Server, prefix: &str) {
    let paths = hostile_paths(prefix);
    assert!(paths.len() >= 500, "{}", paths.len());
    for path in paths {
        let answer = server.visitor().get(&path);
        assert!(answer.status < 500, "{path}: {}", answer.status);
        assert!(!answer.text().contains("SECRET") && !answer.text().contains("root:"), "{path}");
        assert!(answer.status != 200 || answer.text().contains("body {"), "{path}: {}", answer.text());
    }
}

#[test]
fn pages_beside_files_keep_their_sessions() {
    let config = format!(
        "{SESSION}{CONFIG}\n[routes.count]\npath = \"/count\"\nactions = [{{ increment-counter = \"n\" }}]\ntext = \"Count: {{{{n}}}}\"\n"
    );
    let site = site().config(&config);
    let server = site.serve();
    let mut visitor = server.visitor();
    assert_eq!(visitor.get("/count").count(), 1);
    assert!(visitor.get("/static/style.css").set_cookies().is_empty());
    assert_eq!(visitor.get("/count").count(), 2);
}

const DOWNLOADS: &str = r#"
[session]
factory = "memory"
secret = { file = "session.secret", generate = true }

[errors]
4xx = { html = "{{error.title}}" }

[routes.open]
path = "/open"
file = "files/list.csv"

[routes.join]
path = "/join"
methods = ["POST"]
csrf = false
actions = [{ increment-counter = "joined" }]
file = "files/welcome.html"

[routes.members]
path = "/members"
guards = [{ require = "session.joined", or = { file = "files/welcome.html", status = 403 } }]
file = "files/list.csv"
headers = { content-disposition = 'attachment; filename="list of {{session.joined}}.csv"', content-type = "text/x-list" }

[routes.kept]
path = "/kept"
actions = [{ require = "session.joined" }]
file = "files/list.csv"
headers = { cache-control = "private, max-age=60" }
"#;

fn downloads() -> Site {
    Site::new().config(DOWNLOADS).file("files/list.csv", "name\nAda\n").file("files/welcome.html", "<p>Welcome</p>")
}

#[test]
fn a_route_answers_with_a_file_as_a_folder_would() {
    let site = downloads();
    let server = site.serve();
    let mut visitor = server.visitor();
    let file = visitor.get("/open");
    assert_eq!((file.status, file.text()), (200, "name\nAda\n"));
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!((file.header("cache-control"), file.header("x-content-type-options")), ("no-cache", "nosniff"));
    assert_eq!(file.header("vary"), "");
    let again = visitor.request("GET", "/open").header("If-None-Match", file.header("etag")).send();
    assert_eq!((again.status, again.text()), (304, ""));
    let refused = visitor.request("GET", "/open").header("If-Match", "\"other\"").send();
    assert_eq!((refused.status, refused.text()), (412, "Precondition Failed"));
    let part = visitor.request("GET", "/open").header("Range", "bytes=5-").send();
    assert_eq!((part.status, part.text(), part.header("content-range")), (206, "Ada\n", "bytes 5-8/9"));
    let head = visitor.request("HEAD", "/open").send();
    assert_eq!((head.status, head.header("content-length"), head.text()), (200, "9", ""));
    assert_eq!(visitor.connections(), 1, "every answer told its length");
    // It is read when it is asked for; one that has gone is nobody's fault but the site's.
    site.save("files/list.csv", "name\n");
    assert_eq!(visitor.get("/open").text(), "name\n");
    std::fs::remove_file(site.path("files/list.csv")).unwrap();
    assert_eq!(visitor.get("/open").status, 500);
    server.wait_for_log("a file cannot be read");
}

#[test]
fn a_precompressed_copy_stands_in_for_the_file_of_a_route() {
    let site = downloads().file("files/list.csv.gz", "squeezed");
    let server = site.serve();
    let squeezed = server.visitor().request("GET", "/open").header("Accept-Encoding", "gzip").send();
    assert_eq!((squeezed.text(), squeezed.header("content-encoding")), ("squeezed", "gzip"));
    assert_eq!(squeezed.header("vary"), "Accept-Encoding");
    assert_eq!(server.visitor().get("/open").text(), "name\nAda\n");
}

#[test]
fn a_file_for_members_is_for_members_only_and_no_cache_keeps_it() {
    let site = downloads();
    let server = site.serve();
    let mut visitor = server.visitor();
    let welcome = |answer: crate::driver::Answer| (answer.status, answer.text().to_owned());
    let refused = visitor.request("GET", "/members").header("If-None-Match", "*").header("Range", "bytes=0-0").send();
    assert_eq!(refused.header("cache-control"), "no-store");
    assert_eq!(welcome(refused), (403, "<p>Welcome</p>".to_owned()), "conditions are for what succeeds");
    assert_eq!(visitor.get("/kept").status, 403);

    // A form does what it does, whatever its conditions.
    let joined = visitor.request("POST", "/join").header("If-None-Match", "*").send();
    assert_eq!((joined.status, joined.text(), joined.header("cache-control")), (200, "<p>Welcome</p>", "no-store"));
    let list = visitor.get("/members");
    assert_eq!((list.status, list.text(), list.header("cache-control")), (200, "name\nAda\n", "no-store"));
    assert_eq!((list.header("vary"), list.header("content-type")), ("Cookie", "text/x-list"));
    assert_eq!(list.header("content-disposition"), "attachment; filename=\"list of 1.csv\"");
    let again = visitor.request("GET", "/members").header("If-None-Match", list.header("etag")).send();
    assert_eq!((again.status, again.header("cache-control")), (304, "no-store"));
    assert_eq!(visitor.get("/kept").header("cache-control"), "private, max-age=60");
    assert_eq!(server.visitor().get("/kept").status, 403);
}
