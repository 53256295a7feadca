//! `actions = [ … ]`: tables to compiled steps.

use std::borrow::Cow;

use serde_json::Value;

use super::names::{Names, meaning};
use super::response::Response;
use super::responses;
use super::session_keys::KeyUse;
use super::step::Step;
use super::terms::{expression, number, term, warn_of_paths, written};
use super::users;
use super::vocabulary::Vocabulary;
use crate::action::{Arg, Args, Effect, Operand, Opt, Takes, Verb};
use crate::config::route::response as read_response;
use crate::config::tree::{Entry, Node, Tree};
use crate::config::{foreign, keys};
use crate::diagnostic::{Diagnostic, did_you_mean, nearest, nearest_help};
use crate::template::expression::Term;
use crate::template::names::is_path;
use crate::template::render::Escaping;
use crate::template::writing::Writing;

/// The steps of a route, without the broken ones.
pub fn steps(given: &[Node], vocabulary: &Vocabulary, names: &mut Names, writing: &mut Writing<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut answered = false;
    for node in given {
        let Some(step) = step(node, vocabulary, names, writing) else { continue };
        let answers = vocabulary.verb(step.verb).filter(|verb| verb.operand == Operand::Response);
        if let (Some(verb), None, Some(entry)) = (answers, &step.condition, node.get(step.verb)) {
            if !answered {
                writing.problems.push(
                    Diagnostic::warning(
                        &entry.name.place,
                        format!("this `{}` always answers, and nothing after it runs", verb.name),
                    )
                    .key(&node.key)
                    .help("give it an `if`, or make it the route's own response"),
                );
            }
            answered = true;
        }
        steps.push(step);
    }
    steps
}

/// The guards of a route, without the broken ones. They run before the parameters are known to hold, and a
/// form that does not hold changes nothing: so they only read.
pub fn guards(given: &[Node], vocabulary: &Vocabulary, names: &mut Names, writing: &mut Writing<'_>) -> Vec<Step> {
    let mut guards = steps(given, vocabulary, names, writing);
    guards.retain(|step| {
        let reads_only = step.action.effects().iter().all(|effect| matches!(effect, Effect::Reads(_)));
        if !reads_only {
            let message = format!("a guard cannot change the session, as `{}` does", step.verb);
            writing.problems.push(
                Diagnostic::error(&step.place, message)
                    .key(&step.key)
                    .help("let it be one of `actions`, which run when the parameters hold"),
            );
        }
        reads_only
    });
    guards
}

/// Compiles one action; `None` if it is broken. Adds what it binds to `names`.
fn step(given: &Node, vocabulary: &Vocabulary, names: &mut Names, writing: &mut Writing<'_>) -> Option<Step> {
    let Some((verb, node)) = understand(given, vocabulary, writing) else {
        names.incomplete = true;
        return None;
    };
    let entry = node.get(verb.name)?;
    let mut args = Args::default();
    let mut good = operand(verb, &entry.node, &mut args, &names.users, writing);
    if verb.operand == Operand::Value {
        warn_of_paths(verb, verb.name, &entry.node, &node.key, writing);
    }
    let answer = (verb.operand == Operand::Response).then(|| answer(&entry.node, writing));
    for opt in verb.options {
        if let Some(given) = node.get(opt.name) {
            if opt.takes == Takes::Value {
                warn_of_paths(verb, opt.name, &given.node, &node.key, writing);
            }
            match option(opt, &given.node, writing) {
                Some(arg) => {
                    args.options.insert(opt.name, arg);
                }
                None => good = false,
            }
        }
    }
    let bind = bound_name(&node, verb, &args, writing);
    match &bind {
        Some(name) => names.provided.extend([name.clone()]),
        None => {
            good &= node.get("as").is_none();
            names.incomplete |= !good;
        }
    }
    let condition = node.get("if").map(|entry| expression(&entry.node, writing));
    let or = node.get("or");
    let otherwise = answer.or(or.map(|or| self::answer(&or.node, writing)));
    if !good || matches!(condition, Some(None)) || matches!(otherwise, Some(None)) {
        return None;
    }
    if matches!(node, Cow::Borrowed(_)) {
        check_or(&node, verb, or, writing);
    }
    match (verb.build)(args) {
        Ok(action) => {
            let has_default = otherwise.is_some() || node.get("default").is_some();
            for effect in action.effects() {
                let used = |path| KeyUse { path, place: entry.node.place.clone(), key: node.key.clone(), has_default };
                match effect {
                    Effect::Reads(path) | Effect::Takes(path) => names.reads.push(used(path)),
                    Effect::Flashes(path) => names.flashed.push(used(path)),
                    _ => {}
                }
            }
            Some(Step {
                verb: verb.name,
                place: entry.name.place.clone(),
                key: node.key.clone(),
                action,
                condition: condition.flatten(),
                otherwise: otherwise.flatten(),
                bind,
            })
        }
        Err(reason) => {
            let message = format!("this `{}` does not work: {reason}", verb.name);
            writing.problems.push(
                Diagnostic::error(&entry.name.place, message)
                    .key(&node.key)
                    .help(format!("for example: `{}`", verb.example)),
            );
            None
        }
    }
}

/// The verb of an action, and the action with misspelt keys put right; `None` if there is no verb.
fn understand<'n>(
    node: &'n Node,
    vocabulary: &Vocabulary,
    writing: &mut Writing<'_>,
) -> Option<(&'static Verb, Cow<'n, Node>)> {
    if !matches!(node.tree, Tree::Table(_)) {
        writing.problems.push(node.unlike("an action").help("write `{ VERB = … }`, such as `{ read = \"user\" }`"));
        return None;
    }
    let verbs = vocabulary.verb_names();
    let mut found = node.entries().iter().filter(|entry| verbs.contains(&entry.name.as_str()));
    let (verb, node) = match (found.next(), found.next()) {
        (Some(first), Some(second)) => {
            writing.problems.push(
                Diagnostic::error(&second.name.place, "this action has two verbs")
                    .key(&node.key)
                    .related(&first.name.place, "the first")
                    .help("one action does one thing; write two actions"),
            );
            return None;
        }
        (Some(only), None) => (only.name.as_str(), Cow::Borrowed(node)),
        (None, _) => {
            let slip = misspelt_verb(node, &verbs, writing)?;
            let verb = meant(&slip.name, &verbs)?;
            let at = slip.name.place.clone();
            let mut entries = node.entries().to_vec();
            entries
                .iter_mut()
                .filter(|entry| entry.name.place == at)
                .for_each(|entry| verb.clone_into(&mut entry.name.value));
            (verb, Cow::Owned(Node { tree: Tree::Table(entries), ..node.clone() }))
        }
    };
    let verb = vocabulary.verb(verb)?;
    let options: Vec<&str> = verb.options.iter().map(|opt| opt.name).chain(keys::names(keys::ACTION)).collect();
    let valid = [options.as_slice(), &[verb.name]].concat();
    let corrected = node.corrected(&valid, &mut |entry| {
        writing.problems.push(
            Diagnostic::error(&entry.name.place, format!("`{}` has no option `{}`", verb.name, entry.name.value))
                .key(&node.key)
                .maybe_help(did_you_mean(&entry.name, options.iter().copied())),
        );
    });
    match corrected {
        Cow::Owned(corrected) => Some((verb, Cow::Owned(corrected))),
        Cow::Borrowed(_) => Some((verb, node)),
    }
}

/// Reports that an action has no verb, with the entry that was probably meant to be it.
fn misspelt_verb<'n>(node: &'n Node, verbs: &[&str], writing: &mut Writing<'_>) -> Option<&'n Entry> {
    let generic = keys::names(keys::ACTION);
    let mut entries = node.entries().iter().filter(|entry| !generic.contains(&entry.name.as_str()));
    // The likeliest slip is the key nearest to a verb, else the first.
    let is_near = |entry: &&Entry| meant(&entry.name, verbs).is_some();
    let slip = entries.clone().find(is_near).or_else(|| entries.next());
    let error = match slip {
        Some(entry) => Diagnostic::error(&entry.name.place, format!("unknown verb `{}`", entry.name.value)),
        None => node.error("this action has no verb"),
    };
    let name = slip.map_or("", |entry| entry.name.as_str());
    let help = foreign::verb(name).map(foreign::help).or_else(|| did_you_mean(name, verbs.iter().copied()));
    writing.problems.push(error.key(&node.key).maybe_help(help));
    slip
}

/// The verb that was probably meant.
fn meant<'v>(name: &str, verbs: &[&'v str]) -> Option<&'v str> {
    foreign::verb(name).or_else(|| nearest(name, verbs.iter().copied()))
}

fn operand(verb: &Verb, node: &Node, args: &mut Args, users: &[String], writing: &mut Writing<'_>) -> bool {
    match verb.operand {
        Operand::Key => {
            args.key = written(node, writing).and_then(|text| writing.key(&text, &node.key));
            args.key.is_some()
        }
        Operand::Param => {
            let Some(name) = node.text(writing.problems) else { return false };
            if name.is_empty() || name.contains("{{") {
                writing.problems.push(
                    node.error(format!("`{}` needs the name of a parameter", verb.name))
                        .help("the name is fixed: what a form calls the field, such as `user`"),
                );
                return false;
            }
            args.param = Some(name.value);
            true
        }
        Operand::Expression => {
            args.operand = expression(node, writing);
            args.operand.is_some()
        }
        Operand::Value => {
            args.given = term(node, writing).map(Term::fold);
            args.given.is_some()
        }
        // It is no argument of the action, but what answers for it.
        Operand::Response => true,
        Operand::Users => {
            args.users = users::named(node, users, writing);
            args.users.is_some()
        }
        Operand::Nothing => {
            let good = matches!(node.tree, Tree::Scalar(Value::Bool(true)));
            if !good {
                writing.problems.push(
                    node.error(format!("`{}` takes nothing but `true`", verb.name))
                        .help(format!("write `{}`", verb.example)),
                );
            }
            good
        }
    }
}

fn option(opt: &Opt, node: &Node, writing: &mut Writing<'_>) -> Option<Arg> {
    match opt.takes {
        Takes::Value => term(node, writing).map(Term::fold).map(Arg::Value),
        Takes::Expression => expression(node, writing).map(Arg::Expression),
        Takes::Key => {
            let text = written(node, writing)?;
            writing.key(&text, &node.key).map(Arg::Key)
        }
        Takes::Number => number(node, writing).map(Arg::Number),
        Takes::Boolean => node.boolean(writing.problems).map(Arg::Boolean),
        Takes::Name => {
            let name = node.text(writing.problems)?;
            if name.contains("{{") {
                writing.problems.push(
                    node.error(format!("`{}` is a name that is known before a request", opt.name))
                        .help("write it out: nothing is filled in here"),
                );
                return None;
            }
            Some(Arg::Word(name.value))
        }
        Takes::Text => {
            let text = written(node, writing)?;
            writing.text(&text, Escaping::Plain, &node.key).map(Arg::Text)
        }
        Takes::Word(words) => {
            let word = node.text(writing.problems)?;
            if !words.contains(&word.as_str()) {
                writing.problems.push(
                    node.error(format!("`{}` must be one of `{}`", opt.name, words.join("`, `")))
                        .maybe_help(nearest_help(&word, words.iter().copied())),
                );
                return None;
            }
            Some(Arg::Word(word.value))
        }
    }
}

/// A response that stands in an action.
fn answer(node: &Node, writing: &mut Writing<'_>) -> Option<Response> {
    let declared = read_response(node, "redirect", writing.problems)?;
    responses::response(&declared, writing)
}

/// `or` needs a reason to answer.
fn check_or(node: &Node, verb: &Verb, or: Option<&Entry>, writing: &mut Writing<'_>) {
    let default = node.get("default");
    match (or, verb.cannot, default) {
        (Some(or), _, Some(default)) => writing.problems.push(
            Diagnostic::error(&or.name.place, "`or` and `default` exclude each other")
                .key(&node.key)
                .related(&default.name.place, "with this, a missing key is no failure")
                .help("keep one of them"),
        ),
        (Some(or), None, None) => writing.problems.push(
            Diagnostic::warning(
                &or.name.place,
                format!("`{}` hardly ever fails, so this `or` will not answer", verb.name),
            )
            .key(&node.key)
            .help("leave it out"),
        ),
        (None, _, None) if verb.options.iter().any(|opt| opt.name == "default") => {
            if let Some(entry) = node.get(verb.name) {
                writing.problems.push(
                    Diagnostic::note(&entry.node.place, "without `default` or `or`, a missing key reads as nothing")
                        .key(&node.key),
                );
            }
        }
        _ => {}
    }
}

/// The name an action's value is bound under.
fn bound_name(node: &Node, verb: &Verb, args: &Args, writing: &mut Writing<'_>) -> Option<String> {
    let given = node.get("as");
    let Some(given) = given else {
        verb.yields?;
        let users = || args.users.as_deref().and_then(|users| users.rsplit('/').next());
        let own = args.key.as_ref().and_then(|key| key.last_name()).or(args.param.as_deref()).or_else(users)?;
        // A key may be called anything; only a plain word can be shown, and no reserved one.
        let usable = is_path(own) && !own.contains('.') && meaning(own).is_none();
        return usable.then(|| own.to_owned());
    };
    let name = given.node.text(writing.problems)?;
    let error = |message: String| given.node.error(message);
    let problem = if verb.yields.is_none() {
        error(format!("`{}` has no value to bind", verb.name)).help("leave `as` out")
    } else if let Some(meaning) = meaning(&name) {
        error(format!("`{}` already has a meaning in templates", name.value))
            .help(format!("it is {meaning}; choose another name"))
    } else if !is_path(&name) || name.contains('.') {
        error(format!("`{}` cannot be a name in templates", name.value))
            .help("use one word of letters, digits, `_` and `-`")
    } else {
        return Some(name.value);
    };
    writing.problems.push(problem);
    None
}
