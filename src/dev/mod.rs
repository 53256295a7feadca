//! What the browser of someone who edits a site learns of the edits, under `--reload` alone: pages get a
//! script that shows them anew when the site has changed, and what is wrong with an edit that is broken.
//!
//! The script listens to server-sent events (HTML standard, section 9.2). Each answer has one event and
//! ends, or ends without one after a while; the browser asks again by itself. So no answer outlasts the
//! deadlines of the server.

use std::fmt::Write;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Where the script is.
pub const SCRIPT_PATH: &str = "/_sitewright/live.js";
/// Where it listens.
pub const EVENTS_PATH: &str = "/_sitewright/events";
/// The script.
pub const SCRIPT: &str = include_str!("live.js");

/// How long the browser waits before it asks again, in milliseconds.
const SOON: u32 = 100;
/// The same while the server is stopping or starting.
const LATER: u32 = 1000;

/// What there is to tell browsers.
#[derive(Debug)]
pub struct Dev {
    /// Tells the pages of this run of the program from those of another.
    run: u32,
    news: watch::Sender<News>,
}

#[derive(Debug, Default)]
struct News {
    /// How often a good site was swapped in.
    site: u64,
    /// How often there was anything to tell.
    number: u64,
    /// What is wrong with the files as they are.
    problems: Option<String>,
    stopping: bool,
}

impl Default for Dev {
    fn default() -> Self {
        Self { run: getrandom::u32().unwrap_or_default(), news: watch::Sender::default() }
    }
}

impl Dev {
    /// The site has changed, or an edit that was broken is mended.
    pub fn changed(&self) {
        self.tell(|news| {
            news.site += 1;
            news.problems = None;
        });
    }

    /// An edit is broken. What browsers know already they are not told again.
    pub fn broken(&self, problems: String) {
        if self.news.borrow().problems.as_ref() != Some(&problems) {
            self.tell(|news| news.problems = Some(problems));
        }
    }

    /// Nobody is to wait any longer.
    pub fn stop(&self) {
        self.tell(|news| news.stopping = true);
    }

    fn tell(&self, change: impl FnOnce(&mut News)) {
        self.news.send_modify(|news| {
            news.number += 1;
            change(news);
        });
    }

    /// Which site is served, as its pages name it. Take it before the site itself: a page that is
    /// newer than it says is shown once too often, one that is older never again.
    pub fn page(&self) -> String {
        self.name(&self.news.borrow())
    }

    /// The answer to a browser with this page open that has been told of the event `seen`: the next event,
    /// or none when there was nothing for so long.
    pub async fn event(&self, page: &str, seen: Option<u64>, patience: Duration) -> String {
        let mut news = self.news.subscribe();
        let is_new = |news: &News| {
            news.stopping || self.name(news) != page || (news.problems.is_some() && seen != Some(news.number))
        };
        match timeout(patience, news.wait_for(is_new)).await {
            Ok(Ok(news)) => self.written(&news, page),
            _ => format!("retry: {SOON}\n\n"),
        }
    }

    fn written(&self, news: &News, page: &str) -> String {
        let number = news.number;
        match &news.problems {
            _ if news.stopping => format!("retry: {LATER}\n\n"),
            Some(problems) if self.name(news) == page => {
                let mut event = format!("retry: {SOON}\nid: {number}\nevent: problems\n");
                for line in problems.lines() {
                    // Writing to a String cannot fail.
                    let _ = writeln!(event, "data: {line}");
                }
                event + "\n"
            }
            _ => format!("retry: {SOON}\nid: {number}\nevent: changed\ndata: {}\n\n", news.site),
        }
    }

    fn name(&self, news: &News) -> String {
        format!("{:08x}.{}", self.run, news.site)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_page_hears_of_what_has_happened_since_it_was_made() {
        let dev = Dev::default();
        let open = dev.page();
        assert_eq!(dev.event(&open, None, LONG).await, "retry: 100\n\n", "nothing yet");
        dev.broken("one\n two".to_owned());
        let event = dev.event(&open, None, LONG).await;
        assert_eq!(event, "retry: 100\nid: 1\nevent: problems\ndata: one\ndata:  two\n\n");
        dev.broken("one\n two".to_owned());
        assert_eq!(dev.event(&open, Some(1), LONG).await, "retry: 100\n\n", "it knows that");
        dev.broken("three".to_owned());
        assert!(dev.event(&open, Some(1), LONG).await.contains("\ndata: three\n"));
        dev.changed();
        assert!(dev.event(&open, Some(2), LONG).await.contains("\nevent: changed\n"));
        assert_eq!(dev.event(&dev.page(), None, LONG).await, "retry: 100\n\n", "the new page is up to date");
        dev.broken("four".to_owned());
        assert!(dev.event(&open, None, LONG).await.contains("\nevent: changed\n"), "first the page it is about");
        assert!(Dev::default().event(&open, None, LONG).await.contains("\nevent: changed\n"), "of another run");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_told_at_once_and_let_go_at_the_end() {
        let dev = Dev::default();
        let open = dev.page();
        for (tell, told) in [(Dev::stop as fn(&Dev), "retry: 1000\n\n"), (Dev::changed, "retry: 1000\n\n")] {
            let (event, ()) = tokio::join!(dev.event(&open, None, LONG), async {
                tokio::task::yield_now().await;
                tell(&dev);
            });
            assert_eq!(event, told);
        }
    }
}
