//! `params` and `invalid`: what a form may hold, what is said when it does not, what becomes of it.

use serde_json::json;

use super::{Page, Site};
use crate::driver;

/// A form that says what is wrong with it, and what it stores when nothing is.
const GUEST: &str = r#"
    [templates]
    form = """
    <input name=user value="{{params.user}}">{{errors.user}}
    <input name=age value="{{params.age}}">{{errors.age}}
    """
    [data]
    sizes = ["S", "M"]
    teas = { assam = "Assam", sencha = "Sencha" }

    [routes.form]
    path = "/"
    template = "form"

    [routes.add]
    path = "/add"
    methods = ["POST"]
    invalid = { template = "form" }
    actions = [
      { store-param = "user" }, { store-param = "age" }, { store-param = "news" }, { store-param = "day" },
      { store-param = "size" }, { store-param = "teas" }, { store-param = "share" }, { store-param = "mail" },
      { increment-counter = "guests" },
    ]
    redirect = "form"

    [routes.add.params]
    user = { required = true, min_length = 2, max_length = 6 }
    age = { type = "integer", min = 0 }
    news = "boolean"
    day = { type = "date", min = 2026-01-01 }
    size = { one_of = "sizes", default = "M" }
    teas = { one_of = "teas", many = true, max_items = 2 }
    share = "number"
    mail = "email"
"#;

fn add(site: &mut Site, form: &str) -> Page {
    site.ask("POST", "/add", Some(form))
}

#[test]
fn what_holds_is_stored_as_what_it_means() {
    let mut site = Site::new(GUEST);
    let page = add(
        &mut site,
        "user=+Zo%C3%AB+&age=007&news=on&day=2026-11-21&size=S&teas=sencha&teas=assam&share=0.50&mail=z@example.org",
    );
    assert_eq!(page.status(), 303);
    let stored = json!({
        "user": "Zoë", "age": 7, "news": true, "day": "2026-11-21", "size": "S",
        "teas": ["sencha", "assam"], "share": 0.5, "mail": "z@example.org", "guests": 1,
    });
    assert_eq!(page.session(), stored);
}

#[test]
fn what_is_left_empty_is_its_default_or_nothing_of_its_type() {
    let nothing = json!({
        "user": "Zoë", "age": null, "news": false, "day": "", "size": "M",
        "teas": [], "share": null, "mail": "", "guests": 1,
    });
    for form in ["user=Zo%C3%AB", "user=Zo%C3%AB&age=+&news=&day=&size=&teas=&teas=+&share=&mail=+"] {
        let mut site = Site::new(GUEST);
        assert_eq!(add(&mut site, form).session(), nothing, "{form}");
    }
}

#[test]
fn every_fault_is_told_at_once_and_what_was_typed_comes_back_escaped() {
    let mut site = Site::new(GUEST);
    let page = add(&mut site, "user=%3Cb%3E+too+long&age=+-1");
    assert_eq!(page.status(), 400);
    let shown = page.body();
    assert!(shown.contains(r#"value="&lt;b&gt; too long">Please enter 2 to 6 characters."#), "{shown}");
    assert!(shown.contains(r#"value=" -1">Please enter a whole number of at least 0."#), "{shown}");
    let shown = add(&mut site, "user=++&age=x").body().to_owned();
    assert!(shown.contains(r#"value="  ">Please fill in this field."#), "{shown}");
    assert_eq!(site.cookie, None, "nothing ran, so nothing was stored");
    let form = site.get("/");
    assert_eq!(form.status(), 200);
    assert!(!form.body().contains("Please"), "{}", form.body());
}

#[test]
fn a_fault_leaves_the_session_as_it_was() {
    let mut site = Site::new(GUEST);
    let before = add(&mut site, "user=Zo%C3%AB").session();
    let cookie = site.cookie.clone();
    let page = add(&mut site, "user=");
    assert_eq!((page.status().as_u16(), page.session()), (400, before));
    assert_eq!(site.cookie, cookie);
}

#[test]
fn a_visitor_who_mends_a_form_for_long_keeps_the_session() {
    let mut site = Site::new(GUEST);
    let before = add(&mut site, "user=Zo%C3%AB").session();
    for _ in 0..3 {
        site.now += 1000.0;
        assert_eq!(add(&mut site, "user=").session(), before);
    }
}

#[test]
fn each_rule_has_a_sentence_of_its_own() {
    let mut site = Site::new(&GUEST.replace("invalid = { template = \"form\" }", "invalid = { json = \"errors\" }"));
    let errors =
        add(&mut site, "user=Zo%C3%AB&age=x&news=perhaps&day=2025-12-31&size=XL&teas=rum&share=1e999&mail=zoe");
    let expected = json!({
        "age": "Please enter a whole number of at least 0.",
        "news": "Please answer yes or no.",
        "day": "Please enter a date, 2026-01-01 or later.",
        "size": "Please choose one of the options.",
        "teas": "Please choose one of the options.",
        "share": "Please enter a number.",
        "mail": "Please enter an e-mail address, such as ada@example.org.",
    });
    assert_eq!(errors.json(), expected);
    let errors = add(&mut site, "user=Z&teas=assam&teas=sencha&teas=assam");
    let expected = json!({"user": "Please enter 2 to 6 characters.", "teas": "Please choose at most 2."});
    assert_eq!(errors.json(), expected);
}

#[test]
fn a_site_says_it_in_its_own_words() {
    let mut site = Site::new(
        r#"
        [routes.home]
        path = "/"
        params.age = { type = "integer", required = true, max = 120, message = { required = "Wie alt?", max = "So alt?" } }
        params.name = { pattern = "[a-z]+", message = "Klein, bitte." }
        params.terms = { type = "boolean", required = true }
        invalid = { json = "errors" }
        text = "{{params.age}}"
        "#,
    );
    let terms = "Please tick this box.";
    assert_eq!(site.get("/?name=abc").json(), json!({"age": "Wie alt?", "terms": terms}));
    assert_eq!(
        site.get("/?age=121&name=abC").json(),
        json!({"age": "So alt?", "name": "Klein, bitte.", "terms": terms})
    );
    let age = "Please enter a whole number of at most 120.";
    assert_eq!(site.get("/?age=x&terms=off").json(), json!({"age": age, "terms": terms}));
    assert_eq!(site.get("/?age=120&terms=on").body(), "120");
}

#[test]
fn without_invalid_the_plain_page_lists_the_faults_as_the_client_likes_it() {
    let mut site = Site::new(
        r#"
        [routes.home]
        path = "/"
        params = { "<age>" = { type = "integer", required = true } }
        text = "ok"
        "#,
    );
    let page = site.get("/");
    assert_eq!((page.status().as_u16(), page.header("content-type")), (400, Some("text/html; charset=utf-8")));
    assert!(page.body().contains("<li>&lt;age&gt;: Please fill in this field.</li>"), "{}", page.body());
    let json = site.send("GET", "/?%3Cage%3E=x", &[("accept", "application/json")], "").json();
    let expected = json!({
        "status": 400, "title": "Bad Request", "message": "Some of what was entered cannot be used.",
        "errors": {"<age>": "Please enter a whole number."},
    });
    assert_eq!(json, expected);
    let plain = site.send("GET", "/", &[("accept", "text/plain")], "");
    assert_eq!(
        plain.body(),
        "400 Bad Request\n\nSome of what was entered cannot be used.\n<age>: Please fill in this field.\n"
    );
}

#[test]
fn an_own_error_page_sees_the_faults_too() {
    let mut site = Site::new(
        r#"
        [errors]
        400 = { html = "{{#each error.errors}}{{@key}}: {{this}}{{/each}}" }
        [routes.home]
        path = "/"
        params = { age = { required = true } }
        text = "ok"
        "#,
    );
    let page = site.get("/");
    assert_eq!((page.status().as_u16(), page.body()), (400, "age: Please fill in this field."));
}

#[test]
fn invalid_may_redirect_or_read_the_session() {
    let mut site = Site::new(
        r#"
        [routes.set]
        path = "/set"
        actions = [{ set = "user", value = "Zoë" }]
        text = "ok"
        [routes.back]
        path = "/back"
        params = { q = { required = true } }
        invalid = { redirect = { route = "set", query = { q = "{{params.q}}" } } }
        text = "ok"
        [routes.hello]
        path = "/hello"
        params = { q = { required = true } }
        invalid = { text = "What, {{session.user}}?", status = 422 }
        text = "{{params.q}}"
        "#,
    );
    let page = site.get("/back?q=+");
    assert_eq!((page.status().as_u16(), page.header("location")), (303, Some("/set?q=%20")));
    site.get("/set");
    let page = site.get("/hello");
    assert_eq!((page.status().as_u16(), page.body()), (422, "What, Zoë?"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[test]
fn a_json_body_is_checked_by_its_own_types() {
    let mut site = Site::new(&GUEST.replace("invalid = { template = \"form\" }", "invalid = { json = \"errors\" }"));
    let json = [("content-type", "application/json")];
    let body = r#"{"user": "Zoë", "age": 7, "news": false, "teas": ["assam"], "share": 2.0, "size": null}"#;
    let stored = site.send("POST", "/add", &json, body).session();
    assert_eq!(stored["age"], 7);
    assert_eq!((&stored["news"], &stored["share"], &stored["size"]), (&json!(false), &json!(2), &json!("M")));
    assert_eq!(stored["teas"], json!(["assam"]));
    let body = r#"{"user": 5, "age": 7.5, "news": [true], "teas": [["assam"]], "share": {}}"#;
    let expected = json!({
        "user": "Please enter plain text.",
        "age": "Please enter a whole number of at least 0.",
        "news": "Please answer yes or no.",
        "teas": "Please enter plain text.",
        "share": "Please enter a number.",
    });
    assert_eq!(site.send("POST", "/add", &json, body).json(), expected);
}

#[test]
fn a_file_is_no_value_of_a_parameter() {
    let mut site = Site::new(
        r#"
        [routes.up]
        path = "/"
        methods = ["POST"]
        params = { note = {}, user = {} }
        invalid = { json = "errors" }
        json = "params"
        "#,
    );
    let kind = [("content-type", "multipart/form-data; boundary=b")];
    let part = |name: &str, file: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name={name}{file}\r\n\r\n{value}\r\n")
    };
    let body = part("user", "", " Zoë ") + &part("other", "; filename=x", "1") + &part("note", "; filename=\"\"", "");
    assert_eq!(site.send("POST", "/", &kind, &(body + "--b--")).json(), json!({"note": "", "user": "Zoë"}));
    let body = part("note", "; filename=x.txt", "hello") + "--b--";
    assert_eq!(site.send("POST", "/", &kind, &body).json(), json!({"note": "Please enter plain text."}));
}

#[test]
fn the_query_wins_over_the_form_and_what_is_not_declared_stays_as_it_was_sent() {
    let mut site = Site::new(
        r#"
        [routes.up]
        path = "/"
        methods = ["POST"]
        params = { n = "integer", all = { type = "integer", many = true } }
        json = { params = "params", n = "(eq params.n 2)", form = "form" }
        "#,
    );
    let page = site.ask("POST", "/?n=1&n=2&all=1&all=2", Some("n=3&all=3&other=+x"));
    let expected = json!({
        "params": {"n": 2, "all": [1, 2], "other": " x"}, "n": true,
        "form": {"n": "3", "all": "3", "other": " x"},
    });
    assert_eq!(page.json(), expected);
}

#[test]
fn a_list_comes_back_as_a_list_when_something_else_is_wrong() {
    let mut site = Site::new(
        r#"
        [routes.pick]
        path = "/"
        params = { tea = { many = true }, n = "integer" }
        invalid = { json = "params" }
        text = "ok"
        "#,
    );
    assert_eq!(site.get("/?tea=a&tea=+b&n=x").json(), json!({"tea": ["a", " b"], "n": "x"}));
}

#[test]
fn defaults_declare_for_every_route() {
    let mut site = Site::new(
        r#"
        [defaults]
        params = { page = { type = "integer", min = 1, default = 1 } }
        invalid = { text = "no such page" }
        json = "params"
        [routes.one]
        path = "/one"
        [routes.two]
        path = "/two"
        params = { other = { default = "x" } }
        "#,
    );
    assert_eq!(site.get("/one").json(), json!({"page": 1}));
    assert_eq!(site.get("/one?page=0").body(), "no such page");
    assert_eq!(site.get("/two").json(), json!({"other": "x"}));
}

#[test]
fn whatever_a_served_form_is_sent_is_stored_as_its_type_or_refused_with_the_form() {
    let server = driver::Site::new().without_csrf().with_session(GUEST).serve();
    let odd = [
        "%00",
        "%F0%9F%98%80",
        "%3Cscript%3E",
        "-",
        "1e3",
        "0x1",
        "%2B1",
        "NaN",
        "2026-02-30",
        "a%0D%0Ab",
        "{{user}}",
        "..",
        "9223372036854775808",
        "%E2%80%AE",
        "null",
        "[]",
        "true",
        "a@",
        "%20",
    ];
    let names = ["user", "age", "news", "day", "size", "teas", "share", "mail"];
    for (name, value) in names.iter().flat_map(|name| odd.iter().map(move |value| (name, value))) {
        let mut visitor = server.visitor();
        // The last of two users counts.
        let answer = visitor.post("/add", &format!("user=Zo%C3%AB&{name}={value}"));
        match answer.status {
            303 => assert_eq!(visitor.session()["guests"], 1, "{name}={value}"),
            400 => {
                assert!(!answer.text().contains("<script>"), "{name}={value}: {}", answer.text());
                assert!(answer.text().contains("name=user"), "{name}={value}: {}", answer.text());
                assert_eq!(visitor.cookie(), None, "{name}={value}");
            }
            other => panic!("{name}={value}: {other}"),
        }
    }
    let not_text = server.visitor().post("/add", "user=%ff");
    assert_eq!(not_text.status, 400);
    assert!(not_text.text().contains("not UTF-8"), "{}", not_text.text());
}

#[test]
fn a_site_has_its_own_sentences_and_a_parameter_those_before() {
    let mut site = Site::new(
        r#"
        [messages]
        required = "{{ label }} fehlt."
        type = "{{label}} stimmt nicht."
        email = "{{label}} ist keine Adresse."
        min = "{{label}}: ab {{min}}."
        max = "{{label}}: bis {{max}}."
        max_length = "{{label}}: bis {{max_length}} Zeichen."
        max_items = "{{label}}: bis {{max_items}}."

        [routes.form]
        path = "/"
        text = "ok"
        invalid = { json = "errors" }

        [routes.form.params]
        name = { required = true, max_length = 3, label = "Name" }
        mail = { type = "email", label = "Post" }
        age = { type = "integer", min = 18 }
        day = { type = "date", max = "2030-05-19", label = "Tag" }
        tea = { many = true, max_items = 2, one_of = ["a", "b", "c"], label = "Tee" }
        own = { required = true, message = "Mine." }
        two = { type = "integer", max = 2, message = { type = "No." } }
        "#,
    );
    let said = site.get("/?mail=x&age=7&day=2030-05-20&tea=a&tea=b&tea=c&two=3").json();
    let expected = json!({
        "name": "Name fehlt.", "mail": "Post ist keine Adresse.", "age": "age: ab 18.", "day": "Tag: bis 2030-05-19.",
        "tea": "Tee: bis 2.", "own": "Mine.", "two": "two: bis 2.",
    });
    assert_eq!(said, expected);
    let said = site.get("/?name=Zo%C3%ABs&age=x&day=x&tea=d&own=1&two=x").json();
    let expected = json!({
        "name": "Name: bis 3 Zeichen.", "age": "age stimmt nicht.", "day": "Tag stimmt nicht.",
        "tea": "Please choose one of the options.", "two": "No.",
    });
    assert_eq!(said, expected);
}

#[test]
fn a_mounted_site_speaks_for_itself() {
    let form = "[routes.form]\npath = \"/form\"\ntext = \"ok\"\nparams = { name = { required = true } }\n\
                invalid = { text = \"{{errors.name}}\" }\n";
    let parent = format!(
        "[messages]\nrequired = \"Fehlt.\"\n{form}[[mount]]\nsite = \"own\"\nat = \"/own\"\n\
         [[mount]]\nsite = \"none\"\nat = \"/none\"\n"
    );
    let own = format!("[messages]\nrequired = \"Manque.\"\n{form}");
    let mut site = Site::with_files(&parent, &[("own/config.toml", &own), ("none/config.toml", form)]);
    let said: Vec<String> = ["/form", "/own/form", "/none/form"].map(|path| site.get(path).body().to_owned()).to_vec();
    assert_eq!(said, ["Fehlt.", "Manque.", "Please fill in this field."]);
}

/// A form with rules across fields.
const BOOKING: &str = r#"
    [templates]
    form = "{{params.first}} {{params.last}}|{{errors.last}}|{{errors.again}}"

    [routes.book]
    path = "/book"
    methods = ["POST"]
    invalid = { template = "form" }
    actions = [
      { require = "(eq params.mail params.again)", field = "again", message = "Not {{params.mail}}.", or = { template = "form", status = 400 } },
      { require = "(gte params.last params.first)", field = "last", message = "Too early." },
      { store-param = "first" },
    ]
    text = "Booked."

    [routes.book.params]
    mail = { type = "email", required = true }
    again = "email"
    first = "date"
    last = "date"
"#;

#[test]
fn a_rule_across_fields_says_which_of_them_is_wrong() {
    let mut site = Site::new(BOOKING);
    let mut book = |form: &str| site.ask("POST", "/book", Some(form));
    let page = book("mail=a@b&again=c@d&first=2030-05-17&last=2030-05-16");
    assert_eq!((page.status().as_u16(), page.body()), (400, "2030-05-17 2030-05-16||Not a@b."));
    assert_eq!(page.session(), json!({}));
    let page = book("mail=a@b&again=a@b&first=2030-05-17&last=2030-05-16");
    assert_eq!(page.status(), 403);
    assert!(page.body().contains("Too early."), "{}", page.body());
    assert_eq!(book("mail=a@b&again=a@b&first=2030-05-17&last=2030-05-17").body(), "Booked.");
}

#[test]
fn a_day_is_held_against_that_of_the_request() {
    let mut site = Site::new(
        r#"
        [routes.book]
        path = "/book"
        invalid = { json = "errors" }
        params = { from = { type = "date", min = "today" }, born = { type = "date", max = "today" } }
        text = "{{date request.time}}"
        "#,
    );
    assert_eq!(site.get("/book?from=2030-03-17&born=2030-03-17").body(), "2030-03-17");
    let errors = json!({
        "from": "Please enter a date, today or later.",
        "born": "Please enter a date, today or earlier.",
    });
    assert_eq!(site.get("/book?from=2030-03-16&born=2030-03-18").json(), errors);
    site.now += 86_400.0;
    assert_eq!(site.get("/book?from=2030-03-17").status(), 400);
    assert_eq!(site.get("/book?from=2030-03-18&born=2030-03-18").body(), "2030-03-18");
}

#[test]
fn the_digits_of_a_pattern_are_those_of_browsers() {
    let mut site = Site::new(
        r#"
        [routes.zip]
        path = "/zip/{any:\\d+}"
        params = { zip = { pattern = "\\d{5}" }, word = { pattern = "[\\w-]+" } }
        text = "{{params.zip}}{{params.word}}"
        "#,
    );
    assert_eq!(site.get("/zip/1?zip=12345&word=a-b").body(), "12345a-b");
    assert_eq!(site.get("/zip/%D9%A1").status(), 200, "a path takes those of every script, as Pyramid does");
    for other in ["zip=%D9%A1%D9%A2%D9%A3%D9%A4%D9%A5", "word=%C3%A9"] {
        assert_eq!(site.get(&format!("/zip/1?{other}")).status(), 400, "{other}");
    }
}
