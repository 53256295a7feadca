//! The guard alone, under a clock that only moves when everything waits.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{sleep, timeout};

use super::seen::{PREFACE, QUIET};
use super::*;

const LIMITS: Limits = Limits {
    first_byte: Duration::from_secs(5),
    header: Duration::from_secs(10),
    body: Duration::from_secs(30),
    keep_alive: Duration::from_secs(75),
    write_stall: Duration::from_secs(20),
    handler: Duration::from_secs(15),
    max_request_line: 32,
    max_header_bytes: 8192,
    max_headers: 100,
    max_body: 64,
    max_connections: 1,
    max_connections_per_address: 1,
    shutdown: Duration::from_secs(1),
};

struct Rig {
    client: DuplexStream,
    guard: Guard<DuplexStream>,
    activity: Arc<Activity>,
}

fn rig() -> Rig {
    let (client, server) = duplex(256);
    let activity = Arc::new(Activity::default());
    let guard = Guard::new(server, LIMITS, Arc::clone(&activity));
    Rig { client, guard, activity }
}

/// Reads like hyper: until there is an error or the guard asks for the connection to close.
async fn run(guard: &mut Guard<DuplexStream>, activity: &Activity) -> io::Result<Duration> {
    let start = Instant::now();
    let mut buffer = [0; 64];
    loop {
        let read = timeout(Duration::from_millis(100), guard.read(&mut buffer));
        if let Ok(read) = read.await
            && read? == 0
        {
            return Ok(start.elapsed());
        }
        if activity.is_asked_to_close() {
            return Ok(start.elapsed());
        }
    }
}

fn about(elapsed: Duration, seconds: u64) -> bool {
    let expected = Duration::from_secs(seconds);
    elapsed >= expected && elapsed < expected + Duration::from_millis(500)
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed_without_words() {
    let mut rig = rig();
    let elapsed = run(&mut rig.guard, &rig.activity).await.unwrap();
    assert!(about(elapsed, 5), "{elapsed:?}");
    drop(rig.guard);
    let mut said = Vec::new();
    rig.client.read_to_end(&mut said).await.unwrap();
    assert!(said.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_ignores_the_closing_is_cut_off() {
    let mut rig = rig();
    run(&mut rig.guard, &rig.activity).await.unwrap();
    let start = Instant::now();
    let error = rig.guard.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(start.elapsed() <= LINGER);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_is_late_all_the_same() {
    let Rig { mut client, mut guard, activity } = rig();
    let dripping = tokio::spawn(async move {
        for byte in b"GET / HTTP/1.1\r\n".iter().chain(b"x: y\r\n".iter().cycle()) {
            if client.write_all(&[*byte]).await.is_err() {
                break;
            }
            let mut answer = Vec::new();
            let listen = timeout(Duration::from_secs(1), client.read_to_end(&mut answer));
            if listen.await.is_ok() || !answer.is_empty() {
                return String::from_utf8(answer).unwrap();
            }
        }
        String::new()
    });
    let start = Instant::now();
    run(&mut guard, &activity).await.unwrap_err();
    let elapsed = start.elapsed();
    assert!(elapsed < LIMITS.header + LINGER * 2, "{elapsed:?}");
    drop(guard);
    let answer = dripping.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn half_a_preface_is_half_a_head() {
    let mut rig = rig();
    rig.client.write_all(b"PRI * HTT").await.unwrap();
    let start = Instant::now();
    run(&mut rig.guard, &rig.activity).await.unwrap_err();
    assert!(start.elapsed() < LIMITS.header + LINGER * 2);
}

#[tokio::test(start_paused = true)]
async fn an_idle_http2_connection_may_ping_but_not_for_ever() {
    let Rig { mut client, mut guard, activity } = rig();
    client.write_all(PREFACE).await.unwrap();
    let pinging = tokio::spawn(async move {
        while client.write_all(&[0; 17]).await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    });
    let elapsed = run(&mut guard, &activity).await.unwrap();
    assert!(about(elapsed, 75), "{elapsed:?}");
    drop(guard);
    pinging.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_head_or_idle_deadline_runs_while_a_request_is_in_progress() {
    let mut rig = rig();
    rig.client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    rig.guard.read_exact(&mut [0; 18]).await.unwrap();
    let request = rig.activity.begin();
    let waiting = timeout(Duration::from_secs(60), rig.guard.read_u8());
    assert!(waiting.await.is_err(), "still open");

    drop(request);
    let elapsed = run(&mut rig.guard, &rig.activity).await.unwrap();
    assert!(about(elapsed, 75), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_gets_nowhere_is_given_up() {
    let mut rig = rig();
    let _request = rig.activity.begin();
    let start = Instant::now();
    rig.guard.read_u8().await.unwrap_err();
    assert!(about(start.elapsed(), 15 + 30 + 20));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_gets_nowhere_is_given_up_whatever_comes_after_it() {
    let Rig { mut client, mut guard, activity } = rig();
    client.write_all(PREFACE).await.unwrap();
    let _stuck = activity.begin();
    let others = Arc::clone(&activity);
    let asking = tokio::spawn(async move {
        while client.write_all(&[0; 9]).await.is_ok() {
            drop(others.begin());
            sleep(Duration::from_secs(1)).await;
        }
    });
    let start = Instant::now();
    let error = run(&mut guard, &activity).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(about(start.elapsed(), 15 + 30 + 20), "{:?}", start.elapsed());
    drop(guard);
    asking.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn other_streams_may_finish_beside_one_that_gets_nowhere() {
    let Rig { mut client, mut guard, activity } = rig();
    client.write_all(PREFACE).await.unwrap();
    let start = Instant::now();
    let _stuck = activity.begin();
    sleep(Duration::from_secs(10)).await;
    let _other = activity.begin();
    run(&mut guard, &activity).await.unwrap();
    assert!(about(start.elapsed(), 65), "asked to close: {:?}", start.elapsed());
    guard.read_exact(&mut [0; 4096]).await.unwrap_err();
    assert!(about(start.elapsed(), 10 + 65), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn much_that_asks_for_nothing_is_cut_off() {
    for asking in [false, true] {
        let Rig { mut client, mut guard, activity } = rig();
        client.write_all(PREFACE).await.unwrap();
        let flooding = tokio::spawn(async move {
            for piece in 0..3 * QUIET / 128 {
                if asking && piece % 1024 == 0 {
                    activity.step();
                }
                if client.write_all(&[0; 128]).await.is_err() {
                    return piece * 128;
                }
            }
            3 * QUIET
        });
        let mut read = vec![0; 3 * QUIET];
        let outcome = guard.read_exact(&mut read).await;
        drop(guard);
        let sent = flooding.await.unwrap();
        assert_eq!((outcome.is_ok(), sent == 3 * QUIET), (asking, asking), "{sent}");
        assert!(asking || sent <= QUIET + 1024, "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_head_has_the_full_time_again() {
    let mut rig = rig();
    rig.client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    rig.guard.read_exact(&mut [0; 18]).await.unwrap();
    drop(rig.activity.begin());
    let idle = timeout(Duration::from_secs(60), rig.guard.read_u8());
    assert!(idle.await.is_err(), "still open");

    rig.client.write_all(b"GET").await.unwrap();
    let start = Instant::now();
    run(&mut rig.guard, &rig.activity).await.unwrap_err();
    let elapsed = start.elapsed();
    assert!(elapsed >= LIMITS.header && elapsed < LIMITS.header + LINGER * 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_cut_off_whatever_it_sends() {
    let mut rig = rig();
    let start = Instant::now();
    let error = rig.guard.write_all(&[b'x'; 1024]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(about(start.elapsed(), 20));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_little_by_little_is_served() {
    let Rig { mut client, mut guard, .. } = rig();
    let reading = tokio::spawn(async move {
        let mut taken = 0;
        while let Ok(read) = client.read(&mut [0; 64]).await
            && read > 0
        {
            taken += read;
            sleep(Duration::from_secs(15)).await;
        }
        taken
    });
    guard.write_all(&[b'x'; 1024]).await.unwrap();
    drop(guard);
    assert_eq!(reading.await.unwrap(), 1024);
}

#[tokio::test(start_paused = true)]
async fn a_request_line_is_measured_without_its_line_breaks() {
    let longest = format!("\r\n\r\n{}\r\n", "x".repeat(31));
    let mut head = Head::begin(0);
    assert_eq!(head.observe(longest.as_bytes(), 32), Ok(()));
    assert_eq!(head.observe(&[b'y'; 4096], 32), Ok(()), "a header line");

    for pieces in [&[33][..], &[30, 3], &[1; 33]] {
        let mut head = Head::begin(0);
        let measured: Result<Vec<()>, _> = pieces.iter().map(|piece| head.observe(&vec![b'x'; *piece], 32)).collect();
        assert_eq!(measured, Err(StatusCode::URI_TOO_LONG), "{pieces:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_request_line_is_refused_and_the_client_hears_why() {
    let Rig { mut client, mut guard, activity } = rig();
    let attack = tokio::spawn(async move {
        for _ in 0..100 {
            client.write_all(&[b'x'; 64]).await.unwrap();
        }
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    });
    run(&mut guard, &activity).await.unwrap_err();
    drop(guard);
    let answer = attack.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 414 URI Too Long\r\n"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn closing_discards_what_is_left_of_an_unread_body() {
    let mut rig = rig();
    rig.activity.leave_body_unread();
    let closing = tokio::spawn(async move { rig.guard.shutdown().await });
    for _ in 0..100 {
        rig.client.write_all(&[b'x'; 256]).await.unwrap();
    }
    drop(rig.client);
    closing.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_nobody_when_everything_was_read() {
    let mut rig = rig();
    let start = Instant::now();
    rig.guard.shutdown().await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[test]
fn the_preface_is_recognised_however_it_is_cut() {
    for cut in 1..PREFACE.len() {
        let (start, end) = PREFACE.split_at(cut);
        let protocol = Protocol::Undecided(0).after(start);
        assert!(protocol == Protocol::Undecided(cut));
        assert!(protocol.after(end) == Protocol::Http2);
        assert!(protocol.after(b"?") == Protocol::Http1);
    }
}
