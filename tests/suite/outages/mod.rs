//! What becomes of visitors and their sessions when a store fails, with the real program.

#[cfg(target_os = "linux")]
mod disk;
mod servers;

use std::thread;
use std::time::{Duration, Instant};

use crate::driver::{Answer, PATIENCE, Server, Site, Visitor};

/// Generous for an answer that must not wait for anything but the store's deadline.
const SOON: Duration = Duration::from_secs(20);

/// A site that counts, and puts down names.
fn site(factory: &str) -> Site {
    let site = Site::new().without_csrf().config(
        r#"
        [server]
        # No 503 comes from here.
        handler_timeout = 600

        [session]
        secret = { file = "session.secret", generate = true }

        [routes.plain]
        path = "/plain"
        text = "no session"

        [routes.count]
        path = "/"
        actions = [{ increment-counter = "counter" }, { read = "name", default = "nobody" }]
        text = "{{name}}, Count: {{counter}}"

        [routes.look]
        path = "/look"
        actions = [{ read = "counter", default = 0 }, { read = "name", default = "nobody" }]
        text = "{{name}}, Count: {{counter}}"

        [routes.name]
        path = "/name"
        methods = ["POST"]
        actions = [{ store-param = "name" }]
        text = "{{name}}"
        "#,
    );
    site.env("SITEWRIGHT__SESSION__FACTORY", factory).env("SITEWRIGHT__SESSION__STORE_TIMEOUT", "1")
}

/// What a request means for the session it was to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It was stored.
    Stored,
    /// It was not, and may be tried again at once.
    Failed,
    /// That is not known.
    Unknown,
}

/// The fate that an answer tells of. There are only these three, and whoever was not served gets no
/// cookie.
fn fate(answer: &Answer) -> Fate {
    if answer.status == 200 {
        return Fate::Stored;
    }
    let text = answer.text();
    assert_eq!(answer.status, 503, "{text}");
    assert!(answer.set_cookies().is_empty(), "{answer:?}");
    match answer.header("retry-after") {
        "1" => {
            assert!(text.contains("Your session cannot be reached just now."), "{text}");
            Fate::Failed
        }
        "" => {
            assert!(text.contains("It is not certain whether this was saved."), "{text}");
            Fate::Unknown
        }
        other => panic!("Retry-After: {other}"),
    }
}

/// A visitor who knows what was confirmed.
struct Counting {
    visitor: Visitor,
    name: String,
    acked: u64,
    unknown: u64,
}

impl Counting {
    /// Somebody with a session.
    fn new(server: &Server, name: &str) -> Counting {
        let mut visitor = server.visitor();
        assert_eq!(visitor.post("/name", &format!("name={name}")).status, 200);
        Counting { visitor, name: name.to_owned(), acked: 0, unknown: 0 }
    }

    fn count(&mut self) -> Fate {
        let answer = self.visitor.get("/");
        let fate = fate(&answer);
        match fate {
            Fate::Stored => {
                self.acked += 1;
                self.check(&answer);
            }
            Fate::Failed => {}
            Fate::Unknown => self.unknown += 1,
        }
        fate
    }

    /// Looks at the count without changing it.
    fn look(&mut self) -> Fate {
        let answer = self.visitor.get("/look");
        let fate = fate(&answer);
        assert_ne!(fate, Fate::Unknown, "nothing was to change");
        if fate == Fate::Stored {
            self.check(&answer);
        }
        fate
    }

    /// It is this visitor's page. All that was confirmed is counted, and nothing but what may have
    /// been stored beside it.
    fn check(&self, answer: &Answer) {
        let text = answer.text();
        assert!(text.starts_with(&format!("{}, ", self.name)), "{} sees {text}", self.name);
        let (acked, counted) = (self.acked, answer.count());
        assert!(
            acked <= counted && counted <= acked + self.unknown,
            "{}: {acked} confirmed, {} unknown, {counted} counted",
            self.name,
            self.unknown
        );
    }

    /// Counts until that works again; how long it took.
    fn until_it_counts(&mut self) -> Duration {
        let begun = Instant::now();
        while self.count() != Fate::Stored {
            assert!(begun.elapsed() < PATIENCE, "the store does not come back");
            thread::sleep(Duration::from_millis(10));
        }
        begun.elapsed()
    }

    /// Counts until the log says that the outage is over.
    fn until_the_log_says_so(&mut self, server: &Server) {
        let begun = Instant::now();
        while !server.log().contains("sessions can be had again") {
            assert!(begun.elapsed() < PATIENCE, "no end of the outage in the log:\n{}", server.log());
            self.count();
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Whoever needs no session notices nothing.
fn others_are_served(server: &Server) {
    let begun = Instant::now();
    let answer = server.visitor().get("/plain");
    assert_eq!((answer.status, answer.text()), (200, "no session"));
    // Nobody has a session without a cookie.
    assert_eq!(server.visitor().get("/look").text(), "nobody, Count: 0");
    assert!(begun.elapsed() < SOON);
}

/// The lines of the log at this level.
fn lines(server: &Server, level: &str) -> Vec<String> {
    server.log().lines().filter(|line| line.contains(&format!(" {level} "))).map(str::to_owned).collect()
}
