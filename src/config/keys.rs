//! Every table and key of the language, in one place: the parser refuses what is not here, and the
//! reference page is generated from it.

pub use super::setting_keys::{CORS, CSRF, Key, Kind, SERVER, SESSION};

/// A key of a table of declarations: name, what it takes, what it means.
pub type Declared = (&'static str, &'static str, &'static str);

/// The top level of the file.
pub const TOP: &[Declared] = &[
    ("server", "table", "Where the server listens; its limits and timeouts."),
    ("session", "table", "The session factory, its secret, its cookie."),
    ("csrf", "table", "Which other sites may send forms here."),
    ("cors", "table", "Which other origins' scripts may read answers; see *Scripts of other origins*."),
    ("templates", "table of strings", "Named inline templates."),
    (
        "template_directory",
        "string",
        "Where `*.hbs` files are; default `templates`, beside the file. They join under their relative path without the suffix.",
    ),
    ("data", "table", "Values every template sees; one may be in a file: `{ file = \"teas.csv\" }`."),
    ("defaults", "table", "What every route starts from (Pyramid's `view_defaults`): any key of a route but `path`."),
    ("routes", "table of routes", "The routes; the name is what links and redirects use."),
    (
        "static",
        "table",
        "Folders whose files are served as they are, by the path they are below: `\"/static\" = \"static\"`.",
    ),
    ("users", "table", "Who may sign in, each in a file: `members = { file = \"users.toml\" }`; see *Users*."),
    ("cache", "table", "Lifetimes by name, for replies that are kept; see *Caching*."),
    ("errors", "table of responses", "Own pages by status (`404`) or class (`4xx`, `5xx`)."),
    ("messages", "table of strings", "What visitors are told of parameters that do not hold; see *Messages*."),
    ("mount", "array of tables", "Other site folders under a prefix."),
];

/// An entry of `[static]`.
pub const STATIC: &[Declared] = &[
    (
        "directory",
        "string",
        "The folder, relative to this file. Files and folders that start with a dot are not served.",
    ),
    (
        "cache_max_age",
        "whole number",
        "Seconds for which a browser may keep a file without asking again; without it, it asks every time.",
    ),
];

/// An entry of `[users]`.
pub const USERS: &[Declared] = &[
    ("file", "string", "The users: a TOML file, relative to this one; see *Users*."),
    ("max_failures", "whole number", "Wrong passwords for one name from one address; default 5."),
    ("max_failures_per_address", "whole number", "Wrong passwords from one address, whatever the name; default 50."),
    (
        "max_failures_per_user",
        "whole number",
        "Wrong passwords for one name from all addresses that it has not signed in from; default 100.",
    ),
    ("failure_window", "whole number", "Seconds in which so many are allowed; default 900."),
];

/// A `[routes.NAME]`, without its response.
pub const ROUTE: &[Declared] = &[
    ("path", "string", "Pyramid's pattern: `{name}`, `{name:regex}`, `*rest` at the end."),
    (
        "methods",
        "array of strings",
        "Default `[\"GET\"]`. HEAD is answered by GET, OPTIONS by the table, anything else is 405.",
    ),
    ("match", "table of predicates", "What else must hold of a request; see *Predicates*."),
    (
        "guards",
        "array of actions",
        "Run before `params` is looked at, and answer instead if their work cannot be done; they only read the session.",
    ),
    ("params", "table of parameters", "What the query and the form may hold; see *Parameters*."),
    ("invalid", "response", "Answers when `params` does not hold; its default status is 400."),
    ("actions", "array of actions", "Run in order."),
    ("data", "table", "Values the route's template sees; they may be in files, as in `[data]`."),
    (
        "cache",
        "string or table",
        "The region of `[cache.regions]` that its replies are kept in, or `{ region, vary }`; `false` for none.",
    ),
    (
        "csrf",
        "boolean or `\"origin\"`",
        "Whether requests with an unsafe method must come from the site itself, with a token, or without one for `\"origin\"`; default `csrf.enabled`, if the route uses the session.",
    ),
    ("keepalive", "boolean", "Whether a request counts as activity of its session; default true."),
];

/// `[cache]`.
pub const CACHE: &[Declared] = &[
    ("regions", "table of seconds", "How long a reply is kept, by the name that routes use: `short_term = 60`."),
    ("max_entries", "whole number", "The most replies that are kept at a time; default 1000."),
    ("max_bytes", "whole number", "The most bytes they take together; default 16777216."),
];

/// A `cache = { … }` of a route.
pub const ROUTE_CACHE: &[Declared] = &[
    ("region", "string", "The name of one of `[cache.regions]`."),
    ("vary", "array of strings", "What else tells its pages apart: `session.user`, `query.page`, `request.host`."),
];

/// A `match = { … }`.
pub const MATCH: &[Declared] = &[
    (
        "header",
        "string or array",
        "`\"X-Api\"`: the header is there. `\"X-Api:2\"`: its value begins as this regular expression says. All of several.",
    ),
    ("param", "string or array", "`\"q\"`: the query has the parameter. `\"q=tea\"`: with this value. All of several."),
    (
        "accept",
        "string or array",
        "A media type that the client takes, such as `\"application/json\"`. One of several.",
    ),
    ("xhr", "boolean", "Whether the request says `X-Requested-With: XMLHttpRequest`, as many scripts do."),
    ("host", "string or array", "The host without its port; a leading dot allows all below it, too. One of several."),
];

/// A parameter of `params = { NAME = { … } }`.
pub const PARAM: &[Declared] = &[
    ("type", "string", "`string` (the default), `integer`, `number`, `boolean`, `date`, `time`, `email` or `url`."),
    ("required", "boolean", "Whether it must be given, and not left empty; a `boolean` must be true. Default false."),
    ("default", "value", "What it is when it is not given or left empty."),
    ("trim", "boolean", "Whether blanks around a `string` are taken off, before anything else; default true."),
    ("min_length", "integer", "The fewest characters of a `string`, `email` or `url`. A line end is one character."),
    ("max_length", "integer", "The most characters of a `string`, `email` or `url`."),
    (
        "min",
        "number, date or time",
        "The least an `integer`, `number`, `date` or `time` may be. Of a date, `\"today\"` is the day of the request, in UTC.",
    ),
    ("max", "number, date or time", "The most it may be."),
    ("pattern", "string", "A regular expression that the whole of a `string`, `email` or `url` matches."),
    (
        "one_of",
        "array, or string",
        "The values there are to choose from, or the name of a list or table of `data`: of a table, its keys. `\"products.sku\"` is a column of a spreadsheet, or of any list of tables.",
    ),
    (
        "many",
        "boolean",
        "Whether several values of the name make a list; otherwise the last one counts. Default false.",
    ),
    ("max_items", "integer", "The most items of such a list; default 100."),
    ("label", "string", "What `[messages]` call it; default: its name."),
    ("message", "string or table", "Own sentences instead of ours: one for all, or by the key that does not hold."),
];

/// `[messages]`: what each is about, what it may show beside `label`, and when it is shown.
pub const MESSAGES: &[(&str, &[&str], &str)] = &[
    ("required", &[], "It is not given, or left empty."),
    ("type", &[], "It is not of its type, and the type has no message of its own."),
    ("integer", &[], "It is not a whole number."),
    ("number", &[], "It is not a number."),
    ("boolean", &[], "It is neither yes nor no."),
    ("date", &[], "It is not a date."),
    ("time", &[], "It is not a time of day."),
    ("email", &[], "It is not an e-mail address."),
    ("url", &[], "It is not an address of the web."),
    ("min_length", &["min_length"], "It has too few characters."),
    ("max_length", &["max_length"], "It has too many characters."),
    ("min", &["min"], "It is too little, or too early."),
    ("max", &["max"], "It is too much, or too late."),
    ("pattern", &[], "It does not match its pattern."),
    ("one_of", &[], "It is not one of those to choose from."),
    ("max_items", &["max_items"], "There are too many of it."),
];

/// A response: exactly one of the first six, and what goes with it.
pub const RESPONSE: &[Declared] = &[
    ("template", "string", "A template, by name."),
    ("html", "string", "An inline template, answered as HTML."),
    ("text", "string", "An inline template, answered as plain text; nothing is escaped."),
    (
        "json",
        "table, array or string",
        "JSON. Each string is an expression: a dotted path, a sub-expression in parentheses, or text in quotes: `\"'ready'\"`.",
    ),
    (
        "redirect",
        "string or table",
        "A route name, a path, or `{ route, params, query, path, external, status }`. Default status 303.",
    ),
    ("file", "string", "A file, relative to this one, sent as it is; see *Files*."),
    ("status", "integer", "The status code; default 200."),
    ("headers", "table of strings", "Further headers; the values are inline templates."),
];

/// The six kinds of response.
pub const RESPONSE_KINDS: &[&str] = &["template", "html", "text", "json", "redirect", "file"];

/// A `redirect = { … }`.
pub const REDIRECT: &[Declared] = &[
    ("route", "string", "The name of a route."),
    ("params", "table", "Values for the markers of the route's path; the values are inline templates."),
    ("query", "table", "Query parameters; the values are inline templates."),
    ("path", "string", "A path of this site, instead of a route; an inline template."),
    ("external", "boolean", "Whether `path` may be a URL of another site."),
    ("status", "integer", "301, 302, 303, 307 or 308; default 303."),
];

/// A `[[mount]]`.
pub const MOUNT: &[Declared] = &[
    ("site", "string", "A folder with a `config.toml` of the same language, relative to this file."),
    ("at", "string", "The prefix its paths get."),
];

/// What every action takes beside its verb and the verb's own options.
pub const ACTION: &[Declared] = &[
    (
        "as",
        "string",
        "The name its value is bound to for templates; default: the last part of its key, or the name of its parameter or users.",
    ),
    ("if", "string", "An expression; the action is skipped unless it holds."),
    ("or", "response", "Answers instead when the action cannot do its work."),
];

/// The names of a list of declared keys.
pub fn names(list: &[Declared]) -> Vec<&'static str> {
    list.iter().map(|(name, ..)| *name).collect()
}

/// Where a key belongs that is not valid in the table `inside`, if it stands there by mistake.
pub fn elsewhere(name: &str, inside: &str) -> Option<String> {
    let declared = |lists: &[&[Declared]]| lists.iter().any(|list| names(list).contains(&name));
    let setting = |list: &[Key]| list.iter().any(|key| key.name == name);
    let below_a_header =
        inside.starts_with("routes.") || matches!(inside, "server" | "session" | "csrf" | "cors" | "defaults");
    if inside.starts_with("routes.") && !inside.ends_with(".match") && names(MATCH).contains(&name) {
        Some(format!("`{name}` is a predicate: write `match = {{ {name} = … }}`"))
    } else if inside.contains(".params.") && declared(&[ROUTE, RESPONSE]) {
        Some(format!("`{name}` belongs to the route: write it above `[{inside}]`"))
    } else if inside.is_empty() && declared(&[ROUTE, RESPONSE]) {
        Some(format!("`{name}` belongs to a route: write it below `[routes.NAME]`"))
    } else if setting(SERVER) && (inside.is_empty() || below_a_header) {
        Some(format!("`{name}` belongs in `[server]`"))
    } else if setting(SESSION) && (inside.is_empty() || below_a_header) {
        Some(format!("`{name}` belongs in `[session]`"))
    } else if setting(CSRF) && (inside.is_empty() || below_a_header) {
        Some(format!("`{name}` belongs in `[csrf]`"))
    } else if setting(CORS) && (inside.is_empty() || below_a_header) {
        Some(format!("`{name}` belongs in `[cors]`"))
    } else if below_a_header && declared(&[TOP]) {
        Some(format!("`{name}` belongs at the top of the file, above the first `[table]`"))
    } else {
        None
    }
}
