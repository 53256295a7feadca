//! The comments that steer a request: `# @at +30m`, `# @visitor bob`, `# @tamper`, `# @parallel 50`.

use super::clock;
use super::line::Line;
use crate::diagnostic::{Diagnostic, did_you_mean};

/// The visitor whose jar is used until a file names another.
pub const DEFAULT_VISITOR: &str = "visitor";

/// The most requests one `@parallel` sends.
const MAX_PARALLEL: usize = 1000;

/// Every directive: its name, how it is written, what it does.
pub const DIRECTIVES: [(&str, &str, &str); 6] = [
    (
        "at",
        "# @at +1h30m",
        "Moves the clock forward (`s`, `m`, `h`, `d`), or to a date: `# @at 2030-01-02T00:00:00Z`. Holds from here on.",
    ),
    ("visitor", "# @visitor bob", "Changes the cookie jar. Holds from here on."),
    (
        "tamper",
        "# @tamper",
        "Flips a bit in the middle of the session cookie that is sent, or at a character: `# @tamper 1`, `# @tamper -1`.",
    ),
    ("parallel", "# @parallel 50", "Sends the request so many times at once, at most 1000."),
    ("no-cookie-jar", "# @no-cookie-jar", "Neither sends cookies nor keeps them, as in both editors."),
    ("name", "# @name login", "Names the request, where `###` does not."),
];

/// Directives of the editors that ask for nothing here, or for what is done anyway.
const EDITORS_OWN: [&str; 6] = ["connection-timeout", "no-auto-encoding", "no-log", "no-redirect", "note", "timeout"];

/// What the directives above a request ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `@at`: the frozen clock, in seconds since the epoch. Stays for the requests after this one.
    pub now: f64,
    /// `@visitor`: whose jar. Stays for the requests after this one.
    pub visitor: String,
    /// `@name`: a name for the request, where `###` gives none.
    pub name: Option<String>,
    /// `@tamper`: flip a bit of the session cookie that is sent.
    pub tamper: Option<Tamper>,
    /// `@parallel`: send it this many times at once; 1 without the directive.
    pub parallel: usize,
    /// `@no-cookie-jar`: neither send the jar's cookies nor keep those that come back.
    pub no_cookie_jar: bool,
}

/// Which character of the session cookie loses a bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tamper {
    /// The one in the middle.
    Middle,
    /// Counted from 1; from the end when negative, -1 being the last.
    Character(isize),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            now: clock::START,
            visitor: DEFAULT_VISITOR.to_owned(),
            name: None,
            tamper: None,
            parallel: 1,
            no_cookie_jar: false,
        }
    }
}

impl Settings {
    /// What still holds for the next request: the clock and the visitor.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { now: self.now, visitor: self.visitor.clone(), ..Self::default() }
    }

    /// Takes one directive from a comment's text, `@visitor bob`; `line` is where it stands.
    pub fn apply(&mut self, line: Line<'_>, directive: &str) -> Result<(), Box<Diagnostic>> {
        let directive = directive.trim();
        let (written, argument) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
        let name = written.trim_start_matches('@');
        let argument = argument.trim();
        let refuse = |message: &str| Err(line.error(directive, message).into());
        match name {
            // JetBrains also writes `@name = login`.
            "name" => match argument.trim_start_matches('=').trim() {
                "" => return refuse("`@name` needs a name"),
                name => self.name = Some(name.to_owned()),
            },
            "at" => self.now = moment(line, directive, argument, self.now)?,
            "visitor" if argument.is_empty() || argument.contains(char::is_whitespace) => {
                return refuse("`@visitor` needs one word, as in `# @visitor bob`");
            }
            "visitor" => self.visitor = argument.to_owned(),
            "tamper" => match (argument, argument.parse()) {
                ("", _) => self.tamper = Some(Tamper::Middle),
                (_, Ok(position)) if position != 0 => self.tamper = Some(Tamper::Character(position)),
                _ => {
                    return refuse("`@tamper` takes the position of a character: 1 is the first, -1 the last");
                }
            },
            "parallel" => match argument.parse() {
                Ok(times) if (1..=MAX_PARALLEL).contains(&times) => self.parallel = times,
                _ => return refuse("`@parallel` takes a number from 1 to 1000"),
            },
            "no-cookie-jar" if argument.is_empty() => self.no_cookie_jar = true,
            "no-cookie-jar" => return refuse("`@no-cookie-jar` stands alone"),
            name if EDITORS_OWN.contains(&name) => {}
            _ => {
                let help = did_you_mean(name, DIRECTIVES.map(|(name, ..)| name));
                return Err(line.error(written, format!("unknown directive `{written}`")).maybe_help(help).into());
            }
        }
        Ok(())
    }

    /// The first directive here that means one request only, if any: it needs that request.
    pub fn waiting_for_request(&self) -> Option<&'static str> {
        [
            (self.name.is_some(), "@name"),
            (self.tamper.is_some(), "@tamper"),
            (self.parallel != 1, "@parallel"),
            (self.no_cookie_jar, "@no-cookie-jar"),
        ]
        .into_iter()
        .find_map(|(given, name)| given.then_some(name))
    }
}

fn moment(line: Line<'_>, directive: &str, argument: &str, now: f64) -> Result<f64, Box<Diagnostic>> {
    let then = match argument.strip_prefix('+') {
        Some(duration) => seconds(duration).map(|seconds| now + seconds),
        None => clock::parse(argument),
    };
    let problem = match then {
        None => line
            .error(directive, "`@at` takes a duration or a date")
            .help("write `# @at +1h30m` (units s, m, h, d) or `# @at 2030-01-01T00:00:00Z`"),
        Some(then) if then < now => {
            let shows = clock::format(now);
            line.error(directive, format!("the clock only moves forward, and it shows {shows}"))
        }
        Some(then) if then >= clock::END => line.error(directive, "the clock ends with the year 9999"),
        Some(then) => return Ok(then),
    };
    Err(problem.into())
}

/// `90s`, `30m`, `1h30m`, `2d`.
fn seconds(mut text: &str) -> Option<f64> {
    let mut total: u64 = 0;
    loop {
        let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
        let mut rest = rest.chars();
        let unit = match rest.next()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        text = rest.as_str();
        if text.is_empty() {
            return Some(total as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    fn apply(settings: &mut Settings, directive: &str) -> Result<(), Box<Diagnostic>> {
        let source = Source::file("a.http", directive);
        let line = Line::all(&source).next().unwrap();
        settings.apply(line, directive)
    }

    fn after(directives: &[&str]) -> Settings {
        let mut settings = Settings::default();
        for directive in directives {
            apply(&mut settings, directive).unwrap();
        }
        settings
    }

    fn message(directive: &str) -> String {
        apply(&mut Settings::default(), directive).unwrap_err().message
    }

    #[test]
    fn the_clock_moves_by_durations_and_to_dates() {
        assert_eq!(after(&["@at +30m"]).now, clock::START + 1800.0);
        assert_eq!(after(&["@at +1h30m", "@at +2d"]).now, clock::START + 5400.0 + 172_800.0);
        assert_eq!(after(&["@at 2030-01-02T00:00:00Z"]).now, clock::START + 86_400.0);
    }

    #[test]
    fn the_clock_refuses_what_it_cannot_show() {
        for directive in ["@at", "@at soon", "@at +", "@at +5", "@at +m", "@at +5w", "@at +99999999999999999999s"] {
            assert_eq!(message(directive), "`@at` takes a duration or a date", "{directive}");
        }
        assert_eq!(
            message("@at 2029-01-01T00:00:00Z"),
            "the clock only moves forward, and it shows 2030-01-01T00:00:00Z"
        );
        assert_eq!(message("@at +99999999d"), "the clock ends with the year 9999");
    }

    #[test]
    fn clock_and_visitor_stay_and_the_rest_does_not() {
        let settings =
            after(&["@visitor bob", "@at +1s", "@name = x y", "@tamper -1", "@parallel 50", "@no-cookie-jar"]);
        assert_eq!(settings.name.as_deref(), Some("x y"));
        assert_eq!(settings.tamper, Some(Tamper::Character(-1)));
        assert_eq!((settings.parallel, settings.no_cookie_jar), (50, true));
        assert_eq!(settings.next(), after(&["@visitor bob", "@at +1s"]));
        assert_eq!(settings.waiting_for_request(), Some("@name"));
        assert_eq!(settings.next().waiting_for_request(), None);
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for directive in [
            "@name",
            "@name =",
            "@visitor",
            "@visitor a b",
            "@tamper 0",
            "@tamper x",
            "@parallel 0",
            "@parallel",
            "@parallel 1001",
            "@no-cookie-jar yes",
        ] {
            assert!(apply(&mut Settings::default(), directive).is_err(), "{directive}");
        }
    }

    #[test]
    fn an_unknown_directive_is_met_with_the_nearest_name() {
        let problem = apply(&mut Settings::default(), "@vistor bob").unwrap_err();
        assert_eq!(problem.message, "unknown directive `@vistor`");
        assert_eq!(problem.help, ["did you mean `visitor`?"]);
        assert_eq!(problem.place.unwrap().span, 0..7);
    }

    #[test]
    fn directives_of_the_editors_are_passed_over() {
        assert_eq!(after(&["@no-redirect", "@note", "@timeout 5"]), Settings::default());
    }
}
