//! Passwords are verified beside the threads that answer: each takes milliseconds and megabytes.

use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::attempts::{Attempts, Who};
use super::{Users, normalised};
use crate::action::Verdict;
use crate::session::secret::Secret;
use crate::site::failure::Failure;

/// How long a password waits for those before it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Verifies passwords, a few at a time and first come, first served; and not for those who have been
/// wrong too often. What it knows outlives a reload.
#[derive(Debug)]
pub struct Verifier {
    attempts: Attempts,
    room: Arc<Semaphore>,
    verified: AtomicU64,
}

impl Default for Verifier {
    /// One at a time on each processor but one.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self::with_room(processors.saturating_sub(1).max(1))
    }
}

impl Verifier {
    /// So many at a time.
    pub fn with_room(room: usize) -> Self {
        Self { attempts: Attempts::default(), room: Arc::new(Semaphore::new(room)), verified: AtomicU64::new(0) }
    }

    /// Whether this is the password of the user of this name. It takes as long if there is no such user.
    ///
    /// # Errors
    /// 429 after too many wrong ones, 503 if others kept it waiting for too long; both with `Retry-After`.
    pub async fn verify(
        &self,
        users: &Users,
        user: &str,
        password: &Secret,
        address: Option<IpAddr>,
        now: f64,
    ) -> Result<Verdict, Failure> {
        let name = normalised(user);
        let who = Who { users: &users.name, user: &name, address };
        let mut attempt = self.attempts.begin(&who, &users.limits, now).map_err(too_many)?;
        let place = timeout(PATIENCE, Arc::clone(&self.room).acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(too_busy()) };
        attempt.stays();
        self.verified.fetch_add(1, Ordering::Relaxed);
        let (hash, password) = (users.hash(&name), password.clone());
        let verified = spawn_blocking(move || {
            let _place = place;
            hash.verify(&password)
        });
        match verified.await {
            Ok(true) => {}
            Ok(false) => return Ok(Verdict::Wrong),
            Err(_) => return Err(Failure::internal("verifying a password did not come to an end")),
        }
        // It was the password of some other.
        let Some(user) = users.user(&name) else { return Ok(Verdict::Wrong) };
        attempt.succeeds();
        Ok(Verdict::Right(user.clone()))
    }

    /// How many passwords were verified, against the hashes of users and of nobody.
    pub fn verified(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    /// Forgets who was wrong how often.
    pub fn reset(&self) {
        self.attempts.reset();
    }
}

fn too_many(seconds: u64) -> Failure {
    let wait = match seconds {
        1 => "a second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        60 => "a minute".to_owned(),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    };
    let public = format!("There have been too many attempts. Please try again in {wait}.");
    let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, public).because("there were too many wrong passwords");
    Failure { retry_after: Some(seconds), ..failure }
}

fn too_busy() -> Failure {
    let public = "Too many people are signing in just now. Please try again in a moment.";
    let private = format!("a password was not verified: others before it took {PATIENCE:?}");
    let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, public).because(private);
    Failure { retry_after: Some(PATIENCE.as_secs()), ..failure }
}
