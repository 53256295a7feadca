//! A small site for the tests of the runner: sessions in memory, one counter, one form.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response, header};
use serde_json::{Value, json};

use super::{Exchange, Moment, Target};

const SESSION_LIFETIME: f64 = 1200.0;

/// Session value -> data and time of last use.
#[derive(Default)]
pub struct Fake {
    sessions: Mutex<HashMap<String, (Value, f64)>>,
}

impl Target for Fake {
    fn send<'a>(
        &'a self,
        request: Request<Bytes>,
        moment: Moment,
    ) -> Pin<Box<dyn Future<Output = Exchange> + Send + 'a>> {
        Box::pin(async move {
            // Lets the requests of one `@parallel` meet.
            tokio::task::yield_now().await;
            self.answer(&request, moment)
        })
    }

    fn cookie_name(&self) -> &str {
        "session"
    }

    fn reset<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Box::pin(std::future::ready(()))
    }
}

impl Fake {
    fn answer(&self, request: &Request<Bytes>, moment: Moment) -> Exchange {
        let header = |name| request.headers().get(name).map_or("", |value| value.to_str().unwrap());
        let body = std::str::from_utf8(request.body()).unwrap();
        match request.uri().path() {
            "/count" => self.visit(header(header::COOKIE), "", 1, moment),
            "/count-for-a-day" => self.visit(header(header::COOKIE), "; Max-Age=86400", 1, moment),
            "/look" => self.visit(header(header::COOKIE), "", 0, moment),
            "/form" if request.method() == "POST" => {
                let is_good = body == "token=token-7f3a";
                let because = (!is_good).then(|| "the token is not token-7f3a".to_owned());
                let answer = if is_good { "welcome" } else { "forged" };
                Exchange { because, ..untouched(Response::new(answer.into())) }
            }
            "/form" => Exchange {
                volatile: vec![("token-7f3a".into(), "csrf-token")],
                ..untouched(Response::new("<input value=\"token-7f3a\">\n".into()))
            },
            "/big" => {
                let cookie = format!("session={}; Path=/", "x".repeat(5000));
                untouched(Response::builder().header("set-cookie", cookie).body(Bytes::new()).unwrap())
            }
            "/binary" => untouched(Response::new(Bytes::from_static(&[0xff, 0x00]))),
            _ => {
                let echo = format!(
                    "{} {}\nhost: {}\ncookie: {}\nlength: {}\nclock: {}\nseed: {}\n{body}",
                    request.method(),
                    request.uri(),
                    header(header::HOST),
                    header(header::COOKIE),
                    header(header::CONTENT_LENGTH),
                    moment.now,
                    moment.seed,
                );
                untouched(Response::new(echo.into()))
            }
        }
    }

    fn visit(&self, cookie: &str, lifetime: &str, by: u64, moment: Moment) -> Exchange {
        let mut sessions = self.sessions.lock().unwrap();
        let sent = cookie.strip_prefix("session=").unwrap_or_default().to_owned();
        let known = sessions.get(&sent).filter(|(_, used)| moment.now - used < SESSION_LIFETIME).cloned();
        let same_session = known.is_some();
        let (value, before) = match known {
            Some((data, _)) => (sent, data),
            None => (format!("identity{:08}", moment.seed), json!({})),
        };
        let count = before["counter"].as_u64().unwrap_or(0) + by;
        let after = json!({ "counter": count });
        sessions.insert(value.clone(), (after.clone(), moment.now));
        let response = Response::builder()
            .header("date", "now")
            .header("x-b", "2")
            .header("set-cookie", format!("session={value}; Path=/; HttpOnly{lifetime}"))
            .header("set-cookie", "theme=dark; Path=/other")
            .header("content-type", "text/html")
            .body(Bytes::from(format!("<p>Count: {count}</p>\n")))
            .unwrap();
        let refreshed = same_session && by == 0;
        Exchange {
            response,
            before: Some(before),
            after: Some(after),
            same_session,
            refreshed,
            because: None,
            volatile: Vec::new(),
        }
    }
}

fn untouched(response: Response<Bytes>) -> Exchange {
    Exchange {
        response,
        before: None,
        after: None,
        same_session: false,
        refreshed: false,
        because: None,
        volatile: Vec::new(),
    }
}
