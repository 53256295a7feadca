//! The keys of the tables of scalar settings: `[server]`, `[session]`, `[csrf]` and `[cors]`.

/// What a setting of one of these tables takes.
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

/// `[server]`: where the server listens; its limits and timeouts.
pub const SERVER: &[Key] = &[
    key(
        "listen",
        Kind::Text,
        "\"127.0.0.1:6543\"",
        "Where to listen: `ADDRESS:PORT`, `[IPv6]:PORT`, `NAME:PORT` or `unix:PATH`, relative to `config.toml`. A change needs a restart.",
    ),
    key(
        "public_origin",
        Kind::Text,
        "",
        "The origin visitors see, such as `https://example.org`: forms come from there. With `https` the session cookie is `Secure`.",
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
        "Addresses, and networks such as `10.0.0.0/8`, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed; `unix` is the proxy behind the Unix socket.",
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
    key(
        "max_connections",
        Kind::Count,
        "4096",
        "Connections at a time. One more closes the one that has been idle the longest; if all are busy, it waits.",
    ),
    key(
        "max_connections_per_address",
        Kind::Count,
        "64",
        "The same from one address, or one /64 of IPv6; if all are busy, one more is closed. `trusted_proxies` and this machine may have more.",
    ),
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

/// `[csrf]`: requests that other sites have a visitor's browser send.
pub const CSRF: &[Key] = &[
    key("enabled", Kind::Boolean, "true", "Whether routes refuse them, unless a route says otherwise."),
    key(
        "trusted_origins",
        Kind::Texts,
        "[]",
        "Hosts whose pages may send forms here, besides the site's own: `example.org:8443`, `.example.org` with all below it, `null`.",
    ),
];

/// `[cors]`: scripts of pages of other origins.
pub const CORS: &[Key] = &[
    key(
        "origins",
        Kind::Texts,
        "[]",
        "The origins whose scripts may read answers: `https://app.example.org`; `\"*\"` is every one.",
    ),
    key("credentials", Kind::Boolean, "false", "Whether they may bring the visitor's cookies, and so the session."),
    key(
        "headers",
        Kind::Texts,
        "[\"content-type\", \"x-csrf-token\"]",
        "The headers that they may send, beside those that every form sends.",
    ),
    key(
        "expose",
        Kind::Texts,
        "[]",
        "The headers of an answer that they may read, beside those that everyone may, such as `Content-Type`.",
    ),
    key("max_age", Kind::Seconds, "600", "How long a browser may remember what is allowed."),
];
