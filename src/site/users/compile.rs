//! Declarations to [`Users`], and what keeps their passwords where they belong.

use std::collections::BTreeMap;
use std::path::Path;

use http::Method;
use serde_json::{Map, Value};

use super::hash::{Hash, Unfit};
use super::{User, Users, normalised, unfit_name};
use crate::config::declaration::Declarations;
use crate::config::tree::{Entry, Node, Tree};
use crate::config::users::UsersDeclaration;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, did_you_mean, nearest};
use crate::site::step::Steps;
use crate::template::library::{Library, qualify};
use crate::template::writing::Writing;

/// What a user cannot have of their own.
const OWN: [&str; 2] = ["password", "id"];

/// `[users]` of a part.
pub fn compile(part: &Declarations, problems: &mut Diagnostics) -> Vec<Users> {
    let compiled = part.users.iter().map(|declared| Users {
        name: qualify(&part.name, &declared.name),
        limits: declared.limits,
        users: users(declared, problems),
    });
    compiled.collect()
}

fn users(declared: &UsersDeclaration, problems: &mut Diagnostics) -> BTreeMap<String, User> {
    let mut users = BTreeMap::new();
    let mut places: BTreeMap<String, &Place> = BTreeMap::new();
    for entry in &declared.users {
        let name = normalised(&entry.name);
        if let Some(first) = places.get(&name) {
            let same = Diagnostic::error(&entry.name.place, "two users have the same name");
            let help = "large and small letters and blanks around a name make no difference; rename one of them";
            problems.push(same.key(&entry.node.key).related(first, "the first").help(help));
            continue;
        }
        places.insert(name.clone(), &entry.name.place);
        if let Some(why) = unfit_name(&entry.name) {
            let error = Diagnostic::error(&entry.name.place, "nobody can sign in with this name");
            problems.push(error.key(&entry.node.key).help(why));
            continue;
        }
        if let Some(user) = user(entry, declared, problems) {
            users.insert(name, user);
        }
    }
    users
}

fn user(entry: &Entry, declared: &UsersDeclaration, problems: &mut Diagnostics) -> Option<User> {
    let command = format!("`sitewright password --user {} {}`", entry.name.value, declared.file.display());
    let Tree::Table(fields) = &entry.node.tree else {
        let help = format!("a user is a table: `[{}]`, and below it `password = \"…\"`", entry.name.value);
        problems.push(entry.node.unlike("a table").help(help));
        return None;
    };
    let password = entry.node.get("password");
    let near = fields.iter().find(|field| password.is_none() && nearest(&field.name, ["password"]).is_some());
    for field in fields.iter().filter(|field| !OWN.contains(&field.name.as_str())) {
        if near.is_none_or(|near| near.name.value != field.name.value) {
            public(field, problems);
        }
    }
    if let Some(id) = entry.node.get("id") {
        let error = Diagnostic::error(&id.name.place, "`id` is the name that a user signs in with");
        problems.push(error.key(&id.node.key).help("call this something else"));
    }
    let Some(password) = password else {
        let place = near.map_or(&entry.name.place, |field| &field.name.place);
        let help = near.map_or(format!("{command} gives it one"), |_| "did you mean `password`?".to_owned());
        problems.push(Diagnostic::error(place, "this user has no `password`").key(&entry.node.key).help(help));
        return None;
    };
    let hash = hash(&password.node, &command, problems)?;
    let mut shown = Map::from_iter([("id".to_owned(), Value::from(entry.name.as_str()))]);
    let public = fields.iter().filter(|field| !OWN.contains(&field.name.as_str()));
    shown.extend(public.map(|field| (field.name.value.clone(), field.node.to_value())));
    Some(User { hash, shown: Value::Object(shown) })
}

/// Reports what pages must not be shown of a user.
fn public(field: &Entry, problems: &mut Diagnostics) {
    if holds_hash(&field.node) {
        let message = "this looks like the hash of a password, and pages could show it";
        let error = Diagnostic::error(&field.node.place, message);
        problems.push(error.key(&field.node.key).help("only `password` is kept from them"));
    }
}

/// Whether there is something like `$argon2id$…` or `$2b$…` in a value.
fn holds_hash(node: &Node) -> bool {
    match &node.tree {
        Tree::Text(text) => text.split_whitespace().any(|word| word.starts_with('$') && word.matches('$').count() > 2),
        Tree::Scalar(_) => false,
        Tree::List(items) => items.iter().any(holds_hash),
        Tree::Table(entries) => entries.iter().any(|entry| holds_hash(&entry.node)),
    }
}

fn hash(node: &Node, command: &str, problems: &mut Diagnostics) -> Option<Hash> {
    let text = node.text(problems)?;
    match Hash::read(&text) {
        Ok(hash) => {
            if hash.is_cheap() {
                let warning = Diagnostic::warning(&node.place, "this hash is cheaper to guess at than OWASP advises");
                problems.push(warning.key(&node.key).help(format!("{command} makes another")));
            }
            Some(hash)
        }
        Err(unfit) => {
            let message = match unfit {
                Unfit::NotAHash => "this is not the hash of a password, as it must be".to_owned(),
                Unfit::Algorithm(name) => format!("this hash is one of {name}, and must be one of argon2id"),
                Unfit::TooDear => "this hash would take more than 1 GiB of memory for each who signs in".to_owned(),
                Unfit::Broken => "this hash is not whole".to_owned(),
            };
            problems.push(node.error(message).help(format!("{command} asks for the password and writes it here")));
            None
        }
    }
}

/// The full name of the users that an action means, if they are among those declared.
pub fn named(node: &Node, declared: &[String], writing: &mut Writing<'_>) -> Option<String> {
    let name = node.text(writing.problems)?;
    if declared.contains(&name.value) {
        return Some(writing.home.qualify(&name));
    }
    let help = match declared {
        [] => Some("declare them: `[users]` with `members = { file = \"users.toml\" }`".to_owned()),
        _ => did_you_mean(&name, declared.iter().map(String::as_str)),
    };
    writing.problems.push(node.error(format!("there are no users `{}`", name.value)).maybe_help(help));
    None
}

/// Reports files of users that are named as data too. See also `secrecy`.
pub fn check_secrecy(parts: &[&Declarations], problems: &mut Diagnostics) {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    for declared in parts.iter().flat_map(|part| &part.users) {
        let path = whole(&declared.file);
        if let Some(file) = parts.iter().flat_map(|part| &part.data_files).find(|file| whole(&file.value) == path) {
            let error = Diagnostic::error(&file.place, "this file has users in it, and `data` is for everybody to see");
            problems.push(error.related(&declared.file.place, "named as users here").help("name another file"));
        }
    }
}

/// The fields of a form that the steps of a route take passwords from. Reports a route that never gets
/// one, and templates of it that would show one.
pub fn passwords(
    methods: &[Method],
    steps: &Steps,
    shown: &[String],
    library: &Library,
    problems: &mut Diagnostics,
) -> Vec<String> {
    let has_body = |method: &Method| !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let gets_none = !methods.iter().any(has_body);
    let mut fields = Vec::new();
    for step in steps.iter() {
        let Some(field) = step.action.password() else { continue };
        if !fields.iter().any(|known| known == field) {
            fields.push(field.to_owned());
        }
        if gets_none {
            problems.push(
                Diagnostic::error(&step.place, format!("`{}` never gets a password here", step.verb))
                    .key(&step.key)
                    .help("it comes in a form, not in a query, which others may see: `methods = [\"POST\"]`"),
            );
        }
    }
    for variable in shown.iter().flat_map(|template| library.variables(template)) {
        let [name, field, ..] = variable.path.as_slice() else { continue };
        if matches!(name.as_str(), "params" | "form" | "query") && fields.contains(field) {
            let place = variable.entry.as_ref().unwrap_or(&variable.place);
            let error = Diagnostic::error(place, format!("`{field}` is a password, which nothing can show"));
            problems.push(error.key(&variable.key).help("let it be entered again"));
        }
    }
    fields
}
