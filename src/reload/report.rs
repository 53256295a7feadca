//! What a person at the terminal learns of a reload.

use std::io::Write;

use super::{Cause, Outcome};
use crate::diagnostic::{Diagnostics, print};

/// Tells what came of each reload: what changed goes to the log, problems are printed as
/// `check` prints them, the same ones only once.
#[derive(Debug)]
pub struct Report<O> {
    out: O,
    color: bool,
    shown: Option<String>,
}

impl<O: Write> Report<O> {
    /// To `out`, coloured if it is a terminal. `known` are problems that were shown already.
    pub fn new(out: O, color: bool, known: &Diagnostics) -> Self {
        Self { out, color, shown: text(known, color) }
    }

    /// Tells what came of a reload.
    pub fn tell(&mut self, cause: Cause, outcome: &Outcome) {
        match outcome {
            // A save that changes nothing is nobody's news; somebody who asks gets an answer.
            Outcome::Unchanged if cause == Cause::Asked => tracing::info!("nothing to reload: no file has changed"),
            Outcome::Unchanged => {}
            Outcome::Applied { changes, took, warnings } => {
                self.show(warnings, false);
                tracing::info!("reloaded in {:.1} ms: {changes}", took.as_secs_f64() * 1000.0);
                if changes.loses_sessions {
                    tracing::warn!(
                        "visitors lose the sessions they have: `[session]` has another factory, place, secret or cookie"
                    );
                }
                for setting in &changes.needs_restart {
                    tracing::warn!("`{setting}` has changed, which needs a restart");
                }
            }
            Outcome::Rejected(problems) => {
                if self.show(problems, cause == Cause::Asked) {
                    tracing::error!("not reloaded; what was served before still is");
                }
            }
        }
    }

    /// Prints problems, if they are not those that stand there already or `again` says so.
    fn show(&mut self, problems: &Diagnostics, again: bool) -> bool {
        let Some(text) = text(problems, self.color) else {
            self.shown = None;
            return false;
        };
        if !again && self.shown.as_ref() == Some(&text) {
            return false;
        }
        // Without a terminal there is nobody to tell.
        let _ = self.out.write_all(format!("{text}\n").as_bytes());
        self.shown = Some(text);
        true
    }
}

/// What is said of these problems, if anything.
fn text(problems: &Diagnostics, color: bool) -> Option<String> {
    let problems = problems.without_notes();
    (!problems.is_empty()).then(|| print::to_text(&problems, color))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Changes;
    use super::*;
    use crate::diagnostic::{Diagnostic, Source};

    fn rejected(message: &str) -> Outcome {
        Outcome::Rejected(Diagnostic::nowhere(message).into())
    }

    fn applied(warnings: impl Into<Diagnostics>) -> Outcome {
        Outcome::Applied { changes: Changes::default(), took: Duration::ZERO, warnings: warnings.into() }
    }

    fn told(outcomes: &[(Cause, Outcome)], known: &Diagnostics) -> String {
        let mut report = Report::new(Vec::new(), false, known);
        outcomes.iter().for_each(|(cause, outcome)| report.tell(*cause, outcome));
        String::from_utf8(report.out).unwrap()
    }

    #[test]
    fn the_same_problems_are_shown_once() {
        let text = told(
            &[
                (Cause::Saved, rejected("one")),
                (Cause::Saved, rejected("one")),
                (Cause::Saved, rejected("two")),
                (Cause::Saved, rejected("one")),
            ],
            &Diagnostics::default(),
        );
        assert_eq!(text.matches("error: one").count(), 2, "{text}");
        assert_eq!(text.matches("error: two").count(), 1, "{text}");
    }

    #[test]
    fn problems_that_were_mended_and_come_back_are_shown_again() {
        let outcomes = [
            (Cause::Saved, rejected("one")),
            (Cause::Saved, applied(Diagnostics::default())),
            (Cause::Saved, rejected("one")),
        ];
        assert_eq!(told(&outcomes, &Diagnostics::default()).matches("error: one").count(), 2);
    }

    #[test]
    fn who_asks_is_always_answered() {
        let known = Diagnostic::nowhere("one").into();
        assert_eq!(told(&[(Cause::Saved, rejected("one"))], &known), "");
        assert!(told(&[(Cause::Asked, rejected("one"))], &known).contains("error: one"));
    }

    #[test]
    fn warnings_are_shown_and_notes_are_not() {
        let place = Source::file("config.toml", "a = 1").place(0..1);
        let warned = told(&[(Cause::Saved, applied(Diagnostic::warning(&place, "odd")))], &Diagnostics::default());
        assert!(warned.contains("warning: odd"), "{warned}");
        let noted = told(&[(Cause::Saved, applied(Diagnostic::note(&place, "so")))], &Diagnostics::default());
        assert_eq!(noted, "");
        let mut both = Diagnostics::from(Diagnostic::nowhere("bad"));
        both.push(Diagnostic::note(&place, "so"));
        let told = told(&[(Cause::Saved, Outcome::Rejected(both))], &Diagnostics::default());
        assert!(told.contains("bad") && !told.contains("note"), "{told}");
    }
}
