//! Routes as a tree: one level for each segment, patterns that begin alike share a branch.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use http::Method;
use regex::Regex;

use super::Clash;
use crate::site::pattern::Pattern;
use crate::site::pattern::segment::{Mixed, Rank, Reach, Segment};
use crate::site::predicates::Predicates;

/// Of routes that have predicates, given by their place in the table, says which one answers a
/// request, if one does.
pub type Choose<'c> = dyn FnMut(&[usize]) -> Option<usize> + 'c;

/// Where the segments so far have led.
#[derive(Debug, Default)]
pub(super) struct Node {
    literals: HashMap<Box<str>, Node>,
    mixed: MixedEdges,
    marker: Option<Box<Node>>,
    /// The path ends here.
    end: Leaf,
    /// Whatever else the path has.
    rests: BTreeMap<Reach, Leaf>,
}

impl Node {
    /// The leaf of this pattern; patterns that cannot be told apart have the same one.
    pub(super) fn leaf(&mut self, pattern: &Pattern) -> &mut Leaf {
        let mut node = self;
        for segment in pattern.segments() {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Mixed(mixed) => node.mixed.node(mixed),
                Segment::Marker(_) => node.marker.get_or_insert_default(),
            };
        }
        match pattern.reach() {
            Some(reach) => node.rests.entry(reach).or_default(),
            None => &mut node.end,
        }
    }

    /// Calls `visit` with each leaf that matches the decoded path, most specific first, until it
    /// answers. A node is visited once at most, and the depth is that of the longest pattern.
    pub(super) fn leaves<R>(&self, path: &[Cow<'_, str>], visit: &mut impl FnMut(&Leaf) -> Option<R>) -> Option<R> {
        let answer = match path.split_first() {
            None => visit(&self.end),
            Some((segment, path)) => {
                let literal = self.literals.get(&**segment).into_iter();
                // No marker takes an empty segment: that is a trailing slash.
                let marker = self.marker.as_deref().filter(|_| !segment.is_empty());
                let next = literal.chain(self.mixed.matches(segment)).chain(marker);
                let mut answers = next.map(|node| node.leaves(path, visit));
                answers.find(Option::is_some).flatten()
            }
        };
        answer.or_else(|| {
            let mut within = self.rests.iter().filter(|(reach, _)| reach.contains(path));
            within.find_map(|(_, leaf)| visit(leaf))
        })
    }

    /// Every method that has an answer on this path, in alphabetical order.
    pub(super) fn methods(&self, path: &[Cow<'_, str>], choose: &mut Choose<'_>) -> Vec<Method> {
        let mut methods: Vec<Method> = Vec::new();
        self.leaves(path, &mut |leaf| {
            methods.extend(leaf.routes.iter().map(|(method, _)| method.clone()));
            let guarded = leaf.guarded.iter().filter(|(_, group)| choose(group).is_some());
            methods.extend(guarded.map(|(method, _)| method.clone()));
            None::<()>
        });
        if !methods.is_empty() {
            methods.push(Method::OPTIONS);
        }
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        methods.dedup();
        methods
    }
}

/// Branches that take a regex, by the text they start with, so that only those are tried that can
/// match: `/user-{id}` costs `/item-{id}` nothing.
#[derive(Debug, Default)]
struct MixedEdges {
    by_prefix: HashMap<Box<str>, BTreeMap<Rank, Edge>>,
    /// In bytes.
    prefix_lengths: BTreeSet<usize>,
}

#[derive(Debug)]
struct Edge {
    regex: Arc<Regex>,
    node: Node,
}

impl MixedEdges {
    fn node(&mut self, mixed: &Mixed) -> &mut Node {
        self.prefix_lengths.insert(mixed.prefix().len());
        let edges = self.by_prefix.entry(mixed.prefix().into()).or_default();
        let edge = edges.entry(mixed.rank().clone());
        let edge = edge.or_insert_with(|| Edge { regex: Arc::clone(mixed.regex()), node: Node::default() });
        &mut edge.node
    }

    /// The nodes behind the branches that match, most specific first.
    fn matches(&self, segment: &str) -> impl Iterator<Item = &Node> {
        let prefixes = self.prefix_lengths.iter();
        let prefixes = prefixes.filter_map(|&length| segment.get(..length));
        let edges = prefixes.filter_map(|prefix| self.by_prefix.get(prefix)).flatten();
        let matches = edges.filter(|(_, edge)| edge.regex.is_match(segment));
        let mut matches: Vec<_> = matches.collect();
        matches.sort_unstable_by_key(|&(rank, _)| rank);
        matches.into_iter().map(|(_, edge)| &edge.node)
    }
}

/// Where a pattern ends: for each method at most one route without predicates, and any number with.
#[derive(Debug, Default)]
pub(super) struct Leaf {
    routes: Vec<(Method, usize)>,
    guarded: Vec<(Method, Vec<usize>)>,
}

impl Leaf {
    /// Gives the methods that are still free to this route; answers the clashes over the others.
    /// `predicates` are those of all routes so far.
    pub(super) fn claim(&mut self, route: usize, methods: &[Method], predicates: &[Predicates]) -> Vec<Clash> {
        let mut clashes: BTreeMap<usize, Vec<Method>> = BTreeMap::new();
        let own = predicates.get(route).filter(|own| !own.is_empty());
        for method in methods {
            let rival = match own {
                None => self.route(method),
                Some(own) => {
                    let is_rival =
                        |other: &&usize| predicates.get(**other).is_some_and(|other| !own.tells_apart(other));
                    self.group(method).iter().find(is_rival).copied()
                }
            };
            match rival {
                None if own.is_some() => self.guard(method, route),
                None => self.routes.push((method.clone(), route)),
                Some(first) if first == route => {}
                Some(first) => {
                    let methods = clashes.entry(first).or_default();
                    if !methods.contains(method) {
                        methods.push(method.clone());
                    }
                }
            }
        }
        let clash = |(first, methods)| Clash { first, second: route, methods };
        clashes.into_iter().map(clash).collect()
    }

    /// The route that answers this method.
    pub(super) fn answer(&self, method: &Method, choose: &mut Choose<'_>) -> Option<usize> {
        let own = self.answer_as(method, choose);
        own.or_else(|| if method == Method::HEAD { self.answer_as(&Method::GET, choose) } else { None })
    }

    fn answer_as(&self, method: &Method, choose: &mut Choose<'_>) -> Option<usize> {
        if !self.guarded.is_empty()
            && let Some(route) = choose(self.group(method))
        {
            return Some(route);
        }
        self.route(method)
    }

    fn route(&self, method: &Method) -> Option<usize> {
        let mut routes = self.routes.iter();
        routes.find_map(|(own, route)| (own == method).then_some(*route))
    }

    /// The routes with predicates for this method.
    fn group(&self, method: &Method) -> &[usize] {
        let group = self.guarded.iter().find(|(own, _)| own == method);
        group.map_or(&[], |(_, routes)| routes)
    }

    fn guard(&mut self, method: &Method, route: usize) {
        match self.guarded.iter_mut().find(|(own, _)| own == method) {
            Some((_, group)) => group.push(route),
            None => self.guarded.push((method.clone(), vec![route])),
        }
    }
}
