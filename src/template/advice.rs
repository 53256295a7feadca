//! What somebody wrote as in another language, written as in Handlebars.

use super::helpers::is_helper;

/// Operators of other languages, and the helper that does the same.
const HELPERS_FOR: [(&str, &str); 19] = [
    ("===", "eq"),
    ("!==", "ne"),
    ("==", "eq"),
    ("!=", "ne"),
    (">=", "gte"),
    ("<=", "lte"),
    ("&&", "and"),
    ("||", "or"),
    ("and", "and"),
    ("or", "or"),
    ("in", "in"),
    ("=", "eq"),
    (">", "gt"),
    ("<", "lt"),
    ("+", "add"),
    ("-", "sub"),
    ("*", "mul"),
    ("/", "div"),
    ("|", "|"),
];

/// What begins a tag with a value behind it that may be a call.
const HEADS: [&str; 5] = ["#if ", "#unless ", "else if ", "#with ", "#each "];

/// An operation, or a call without its parentheses, as the call of a helper: `a > b` as `(gt a b)`.
pub fn as_call(text: &str) -> Option<String> {
    let text = text.trim();
    let tokens = tokens(enclosed(text).unwrap_or(text))?;
    let helper_for =
        |operator: &str| HELPERS_FOR.iter().find(|(known, _)| *known == operator).map(|(_, helper)| *helper);
    match tokens.as_slice() {
        ["!", value] => Some(format!("(not {})", operand(value))),
        [left, operator, right] if let Some(helper) = helper_for(operator) => match helper {
            "|" => filter(left, right),
            helper => Some(format!("({helper} {} {})", operand(left), operand(right))),
        },
        [call] => written_call(call),
        [helper, values @ ..] if is_helper(helper) && values.iter().all(|value| helper_for(value).is_none()) => {
            Some(format!("({helper} {})", values.iter().map(|value| operand(value)).collect::<Vec<_>>().join(" ")))
        }
        _ => None,
    }
}

/// A tag, given without its braces, with what is in it as the call of a helper: `#if a > b` as
/// `{{#if (gt a b)}}`.
pub fn as_tag(inner: &str) -> Option<String> {
    let head = HEADS.iter().find(|head| inner.starts_with(**head)).copied().unwrap_or_default();
    let value = inner.strip_prefix(head)?;
    if let ("#each ", Some((item, list))) = (head, value.split_once(" in ")) {
        return Some(format!("{{{{#each {} as |{}|}}}}", list.trim(), item.trim()));
    }
    let call = as_call(value)?;
    match head {
        "" => Some(format!("{{{{{}}}}}", enclosed(&call)?)),
        head => Some(format!("{{{{{head}{call}}}}}")),
    }
}

/// Whether there is an operator between values.
pub fn has_operator(inner: &str) -> bool {
    let is_operator = |token: &&str| token.chars().all(|c| OPERATORS.contains(c));
    tokens(inner).is_none_or(|tokens| tokens.iter().any(is_operator))
}

const OPERATORS: &str = "=!<>&|+*-/?:";

/// What is between the parentheses around all of a text.
fn enclosed(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let mut depth = 0;
    for c in inner.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return None,
            ')' => depth -= 1,
            _ => {}
        }
    }
    Some(inner.trim())
}

/// The words and operators of a text; texts in quotes and what is in parentheses are words. `None` if one
/// of them does not end.
fn tokens(text: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        // A minus and a slash by themselves: both stand in names and paths, too.
        let is_alone = || rest.chars().nth(1).is_none_or(char::is_whitespace);
        let end = match first {
            '-' | '/' | '?' | ':' if is_alone() => 1,
            c if "=!<>&|+*".contains(c) => {
                let end = rest.find(|c| !"=!<>&|+*".contains(c)).unwrap_or(rest.len());
                // `!!x`, `==!x`
                if rest.starts_with('!') && !rest.starts_with("!=") { 1 } else { end }
            }
            _ => end_of_word(rest)?,
        };
        let (token, below) = rest.split_at_checked(end)?;
        tokens.push(token);
        rest = below.trim_start();
    }
    Some(tokens)
}

fn end_of_word(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.checked_sub(1)?,
            (None, c) if depth == 0 && (c.is_whitespace() || "=!<>&|+*".contains(c)) => return Some(at),
            _ => {}
        }
    }
    (depth == 0 && quote.is_none()).then_some(text.len())
}

/// A value of an operation: `list.length` and `len(list)` are calls, too.
fn operand(word: &str) -> String {
    let length = [".length", ".size"].iter().find_map(|end| word.strip_suffix(end));
    let length = length.map(|list| format!("(len {list})"));
    let inner = || enclosed(word).and_then(as_call);
    length.or_else(|| written_call(word)).or_else(inner).unwrap_or_else(|| word.to_owned())
}

/// `len(list)` as `(len list)`.
fn written_call(word: &str) -> Option<String> {
    let (helper, values) = word.split_once('(')?;
    let values = values.strip_suffix(')').filter(|_| is_helper(helper))?;
    Some(format!("({helper} {})", values.replace(',', " ").split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// `x | upper` as `(upper x)`, and `x | default("y")` as `(default x "y")`.
fn filter(value: &str, filter: &str) -> Option<String> {
    let (helper, more) = filter.split_once('(').unwrap_or((filter, ""));
    let more = more.strip_suffix(')').unwrap_or(more).trim();
    let more = if more.is_empty() { String::new() } else { format!(" {more}") };
    is_helper(helper).then(|| format!("({helper} {}{more})", operand(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_of_other_languages_become_calls_of_helpers() {
        for (written, call) in [
            ("a >= 3", "(gte a 3)"),
            ("(a > 3)", "(gt a 3)"),
            ("a=='x y'", "(eq a 'x y')"),
            ("a = 3", "(eq a 3)"),
            ("a and b", "(and a b)"),
            ("a.b || (c && d)", "(or a.b (and c d))"),
            ("!a", "(not a)"),
            ("a != b", "(ne a b)"),
            ("not a", "(not a)"),
            ("not (eq a b)", "(not (eq a b))"),
            ("list.length > 0", "(gt (len list) 0)"),
            ("len(list) > 0", "(gt (len list) 0)"),
            ("default(a, \"b\")", "(default a \"b\")"),
            ("a | default('b c')", "(default a 'b c')"),
            ("a - 1", "(sub a 1)"),
            ("\"x\" in a-b", "(in \"x\" a-b)"),
        ] {
            assert_eq!(as_call(written).as_deref(), Some(call), "{written}");
        }
        for other in ["", "a", "a b", "a ? b : c", "a == b and c", "a | shout", "(a", "a)", "'a", "x(a)", "é == ", "!"]
        {
            assert_eq!(as_call(other), None, "{other}");
        }
    }

    #[test]
    fn a_tag_keeps_what_it_begins_with() {
        for (inner, tag) in [
            ("#if a == \"x\"", "{{#if (eq a \"x\")}}"),
            ("#if not session.a", "{{#if (not session.a)}}"),
            ("else if a > 1", "{{else if (gt a 1)}}"),
            ("#each tea in teas", "{{#each teas as |tea|}}"),
            ("a + 1", "{{add a 1}}"),
        ] {
            assert_eq!(as_tag(inner).as_deref(), Some(tag));
        }
        assert_eq!(as_tag("#if a"), None);
    }
}
