//! Every table and key of the language, in one place: the parser refuses what is not here, and the
//! reference page is generated from it.

/// What a setting of `[server]` or `[session]` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number of seconds.
    Seconds,
    /// A whole number of seconds, or `"never"`.
    SecondsOrNever,
    /// A whole number of bytes or of things.
    Count,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// `true`, `false` or `"auto"`.
    BooleanOrAuto,
    /// An array of strings; in an environment variable, separated by commas.
    Texts,
    /// A secret: a string, `{ env = "NAME" }` or `{ file = "PATH", generate = true }`.
    Secret,
    /// An array of secrets.
    Secrets,
    /// A URL that may have a password in it: a string, `{ env = "NAME" }` or `{ file = "PATH" }`.
    Url,
}

/// One key of a table, as the reference page shows it.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What holds when it is not given; empty when there is nothing to say.
    pub default: &'static str,
    /// What it means, in one or two sentences.
    pub summary: &'static str,
}

const fn key(name: &'static str, kind: Kind, default: &'static str, summary: &'static str) -> Key {
    Key { name, kind, default, summary }
}

/// `[server]`: how the process listens and what it puts up with.
pub const SERVER: &[Key] = &[
    key(
        "listen",
        Kind::Text,
        "\"127.0.0.1:6543\"",
        "Where to listen: `ADDRESS:PORT`, `[IPv6]:PORT`, `NAME:PORT` or `unix:PATH`. A change needs a restart.",
    ),
    key(
        "public_origin",
        Kind::Text,
        "",
        "The origin visitors see, such as `https://example.org`. With `https` the session cookie is `Secure`.",
    ),
    key(
        "allowed_hosts",
        Kind::Texts,
        "any",
        "Host names this site answers to, without port; a leading dot allows subdomains. Others get 421.",
    ),
    key(
        "trusted_proxies",
        Kind::Texts,
        "none",
        "Addresses whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    ),
    key(
        "append_slash",
        Kind::Boolean,
        "false",
        "Whether a path that leads nowhere is redirected to the route that has it with a slash at the end.",
    ),
    key("access_log", Kind::Boolean, "true", "One line per request on standard error."),
    key("first_byte_timeout", Kind::Seconds, "10", "How long a new connection may stay silent."),
    key(
        "header_timeout",
        Kind::Seconds,
        "10",
        "How long a request line and its headers may take from their first byte: then 408.",
    ),
    key("body_timeout", Kind::Seconds, "30", "How long a request body may take: then 408."),
    key("keep_alive_timeout", Kind::Seconds, "75", "How long a connection may stay open between two requests."),
    key("write_timeout", Kind::Seconds, "30", "How long a client may take to accept more of an answer."),
    key("handler_timeout", Kind::Seconds, "15", "How long a route may take, session store included: then 503."),
    key(
        "shutdown_timeout",
        Kind::Seconds,
        "10",
        "How long running requests may take to finish after SIGTERM or SIGINT.",
    ),
    key("max_request_line", Kind::Count, "16384", "Bytes of a request line: then 414."),
    key(
        "max_header_bytes",
        Kind::Count,
        "32768",
        "Bytes of a request line and its headers together: then 431. Less than 8192 counts as 8192.",
    ),
    key("max_headers", Kind::Count, "100", "Headers of a request: then 431."),
    key("max_body", Kind::Count, "65536", "Bytes of a request body, chunked or not: then 413."),
    key("max_connections", Kind::Count, "4096", "Connections at a time; the next one waits."),
];

/// `[session]`: which factory, under which secret, in which cookie.
pub const SESSION: &[Key] = &[
    key("factory", Kind::Text, "", "The kind of session factory; see *Session factories*."),
    key(
        "secret",
        Kind::Secret,
        "",
        "What signs the cookie: `{ file = \"session.secret\", generate = true }` (made once, mode 0600), `{ env = \"NAME\" }`, or a string.",
    ),
    key(
        "secrets",
        Kind::Secrets,
        "",
        "Several secrets for rotation: the first signs, all verify, and a cookie under an old one is issued anew.",
    ),
    key("cookie_name", Kind::Text, "\"session\"", "The cookie's name (RFC 6265 token)."),
    key(
        "max_age",
        Kind::SecondsOrNever,
        "\"never\"",
        "`Max-Age` of the cookie; `\"never\"` makes a cookie that ends with the browser.",
    ),
    key("path", Kind::Text, "\"/\"", "`Path` of the cookie."),
    key("domain", Kind::Text, "", "`Domain` of the cookie; without it only the host that set it gets it back."),
    key("secure", Kind::BooleanOrAuto, "\"auto\"", "`Secure`: `\"auto\"` sets it on requests that came by HTTPS."),
    key("httponly", Kind::Boolean, "true", "`HttpOnly`: scripts cannot read the cookie."),
    key(
        "samesite",
        Kind::OneOf(&["Lax", "Strict", "None"]),
        "\"Lax\"",
        "`SameSite`; `\"None\"` needs `secure = true`.",
    ),
    key("timeout", Kind::SecondsOrNever, "1200", "Seconds without a request after which a session has ended."),
    key(
        "reissue_time",
        Kind::SecondsOrNever,
        "a tenth of `timeout`",
        "Seconds after which a request that only reads renews the cookie.",
    ),
    key(
        "lifetime",
        Kind::SecondsOrNever,
        "\"never\"",
        "Seconds after its creation at which a session ends, used or not.",
    ),
    key(
        "set_on_exception",
        Kind::Boolean,
        "false",
        "Whether changes made before a failure are kept. Pyramid's default is true; here a failed request changes nothing.",
    ),
    key("hashalg", Kind::Text, "\"sha512\"", "The HMAC's hash, by its name in Python's `hashlib`."),
    key("salt", Kind::Text, "\"pyramid.session.\"", "Put before the secret; sites that share a cookie share it."),
    key(
        "cookie_reading",
        Kind::OneOf(&["strict", "compatible"]),
        "\"strict\"",
        "`\"strict\"` refuses odd and malleable cookies, `\"compatible\"` accepts whatever Pyramid would.",
    ),
    key(
        "directory",
        Kind::Text,
        "\"sessions\"",
        "Where `file` keeps its sessions, relative to `config.toml`; made with the first one, for its owner alone.",
    ),
    key(
        "database",
        Kind::Text,
        "\"sessions.sqlite\"",
        "The file `sqlite` keeps its sessions in, relative to `config.toml`; made with the first one, for its owner alone.",
    ),
    key(
        "url",
        Kind::Url,
        "",
        "Where the server with the sessions is: a string, `{ env = \"NAME\" }` or `{ file = \"PATH\" }`. Passwords in it are never shown.",
    ),
    key(
        "table",
        Kind::Text,
        "\"sitewright_sessions\"",
        "The table of a database that the sessions are in; made with the first one.",
    ),
    key(
        "key_prefix",
        Kind::Text,
        "\"sitewright:\"",
        "What the keys of sessions begin with on a server that has other keys too.",
    ),
    key("connections", Kind::Count, "8", "The most connections to the server at a time."),
    key("store_timeout", Kind::Count, "2", "How many seconds the store may take to answer: then 503."),
    key("max_record", Kind::Count, "65536", "Bytes of a session on the server; one that is larger is not stored."),
];

/// A key of a table of declarations: name, what it takes, what it means.
pub type Declared = (&'static str, &'static str, &'static str);

/// The top level of the file.
pub const TOP: &[Declared] = &[
    ("server", "table", "How the process listens and what it puts up with."),
    ("session", "table", "The session factory, its secret, its cookie."),
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
    ("cache", "table", "Lifetimes by name, for replies that are kept; see *Caching*."),
    ("errors", "table of responses", "Own pages by status (`404`) or class (`4xx`, `5xx`)."),
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
    ("type", "string", "`string` (the default), `integer`, `number`, `boolean`, `date` or `email`."),
    ("required", "boolean", "Whether it must be given, and not left empty; a `boolean` must be true. Default false."),
    ("default", "value", "What it is when it is not given or left empty."),
    ("trim", "boolean", "Whether blanks around a `string` are taken off, before anything else; default true."),
    ("min_length", "integer", "The fewest characters of a `string` or `email`. A line end is one character."),
    ("max_length", "integer", "The most characters of a `string` or `email`."),
    ("min", "number or date", "The least an `integer`, `number` or `date` may be."),
    ("max", "number or date", "The most it may be."),
    ("pattern", "string", "A regular expression that the whole of a `string` or `email` matches."),
    (
        "one_of",
        "array, or string",
        "The values there are to choose from, or the name of a list or table of `data`: of a table, its keys.",
    ),
    (
        "many",
        "boolean",
        "Whether several values of the name make a list; otherwise the last one counts. Default false.",
    ),
    ("max_items", "integer", "The most items of such a list; default 100."),
    ("message", "string or table", "Own sentences instead of ours: one for all, or by the key that does not hold."),
];

/// A response: exactly one of the first five, and what goes with it.
pub const RESPONSE: &[Declared] = &[
    ("template", "string", "A template, by name."),
    ("html", "string", "An inline template, answered as HTML."),
    ("text", "string", "An inline template, answered as plain text; nothing is escaped."),
    (
        "json",
        "table, array or string",
        "JSON. Each string is an expression: a dotted path or a sub-expression in parentheses.",
    ),
    (
        "redirect",
        "string or table",
        "A route name, a path, or `{ route, params, query, path, external, status }`. Default status 303.",
    ),
    ("status", "integer", "The status code; default 200."),
    ("headers", "table of strings", "Further headers; the values are inline templates."),
];

/// The five kinds of response.
pub const RESPONSE_KINDS: &[&str] = &["template", "html", "text", "json", "redirect"];

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
    ("as", "string", "The name its value is bound to for templates; default: the last part of the operand."),
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
    let below_a_header = inside.starts_with("routes.") || matches!(inside, "server" | "session" | "defaults");
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
    } else if below_a_header && declared(&[TOP]) {
        Some(format!("`{name}` belongs at the top of the file, above the first `[table]`"))
    } else {
        None
    }
}
