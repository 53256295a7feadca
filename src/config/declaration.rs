//! What a site's file declares, each part with its place; nothing is resolved yet.

use std::path::PathBuf;
use std::sync::Arc;

use super::cache::CacheDeclaration;
use super::messages::Message;
use super::param::ParamDeclaration;
use super::tree::{Entry, Node};
use super::users::UsersDeclaration;
use crate::diagnostic::{At, Source, Written};

/// The declarations of one site folder.
#[derive(Debug)]
pub struct Declarations {
    /// Empty for the site that is served; for a mounted one the folder's name, which prefixes its
    /// names: its route `read` is `login/read` outside.
    pub name: String,
    /// The prefix of its paths, as in `at`; empty for the site that is served.
    pub prefix: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Its `config.toml`.
    pub source: Arc<Source>,
    /// `[templates]` and the files of the template directory.
    pub templates: Vec<TemplateDeclaration>,
    /// `[data]`.
    pub data: Vec<Entry>,
    /// The files that values of `data` are in, wherever they are named.
    pub data_files: Vec<At<PathBuf>>,
    /// `[routes]`, with `[defaults]` put in.
    pub routes: Vec<RouteDeclaration>,
    /// `[messages]`.
    pub messages: Vec<Message>,
    /// `[cache]`.
    pub cache: CacheDeclaration,
    /// `[errors]`.
    pub errors: Vec<ErrorDeclaration>,
    /// `[static]`.
    pub statics: Vec<StaticDeclaration>,
    /// `[users]`.
    pub users: Vec<UsersDeclaration>,
    /// `[[mount]]`, each with all that its folder declares.
    pub mounts: Vec<Declarations>,
    /// Whether a mount could not be read, so that the names in it are not known.
    pub unread_mounts: bool,
}

/// How requests that other sites send are told from the site's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CsrfCheck {
    /// `false`: they are not.
    Nothing,
    /// `"origin"`: by where they come from.
    Origin,
    /// `true`: by where they come from, and by the token that they bring.
    Token,
}

/// A named template.
#[derive(Debug)]
pub struct TemplateDeclaration {
    /// Its name, without the site's prefix.
    pub name: At<String>,
    /// Its key path; empty for a file.
    pub key: String,
    /// Its text; `None` if it could not be read.
    pub text: Option<Written>,
}

/// A `[routes.NAME]`.
#[derive(Clone, Debug)]
pub struct RouteDeclaration {
    /// NAME.
    pub name: At<String>,
    /// Its key path, `routes.NAME`.
    pub key: String,
    /// `path`; only `[defaults]` has none.
    pub path: Option<At<String>>,
    /// `methods`, if given.
    pub methods: Option<Vec<At<String>>>,
    /// `match`, if given.
    pub predicates: Option<Node>,
    /// `guards`, in order.
    pub guards: Option<Vec<Node>>,
    /// `params`, if given.
    pub params: Option<Vec<ParamDeclaration>>,
    /// `invalid`.
    pub invalid: Option<ResponseDeclaration>,
    /// `actions`, in order.
    pub actions: Option<Vec<Node>>,
    /// `data`.
    pub data: Vec<Entry>,
    /// The response, if one is declared.
    pub response: Option<ResponseDeclaration>,
    /// `status`, if given without a response of its own.
    pub status: Option<At<u16>>,
    /// `headers`.
    pub headers: Vec<Entry>,
    /// `cache`, if given.
    pub cache: Option<Node>,
    /// `csrf`, if given.
    pub csrf: Option<CsrfCheck>,
    /// `keepalive`.
    pub keepalive: Option<bool>,
}

/// A response: of a route, of an `invalid` or `or`, of an error.
#[derive(Clone, Debug)]
pub struct ResponseDeclaration {
    /// `template`, `html`, `text`, `json`, `redirect` or `file`.
    pub kind: At<&'static str>,
    /// What stands behind it.
    pub body: Node,
    /// `status`.
    pub status: Option<At<u16>>,
    /// `headers`.
    pub headers: Vec<Entry>,
}

/// One of `[static]`.
#[derive(Clone, Debug)]
pub struct StaticDeclaration {
    /// The path its files are below, without the prefix of a mount and without a slash at the end.
    pub at: At<String>,
    /// Its key path.
    pub key: String,
    /// The folder.
    pub directory: PathBuf,
    /// `cache_max_age`, in seconds.
    pub cache_max_age: Option<u64>,
}

/// One of `[errors]`.
#[derive(Debug)]
pub struct ErrorDeclaration {
    /// The statuses it answers.
    pub statuses: std::ops::RangeInclusive<u16>,
    /// Its key path.
    pub key: String,
    /// The page.
    pub response: ResponseDeclaration,
}
