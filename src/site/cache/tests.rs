use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};

use super::pages::{Origin, Pages};
use crate::site::failure::Failure;
use crate::site::response::Reply;

fn reply(body: &str) -> Reply {
    Reply { status: StatusCode::OK, headers: Vec::new(), body: body.to_owned().into() }
}

fn key(number: u8) -> [u8; 32] {
    [number; 32]
}

async fn ask(pages: &Pages, number: u8, now: f64, body: &str) -> (String, Origin) {
    let (reply, origin) = pages.get(key(number), now, 60.0, || Ok(reply(body))).await;
    (reply.unwrap().body.into_text(), origin)
}

#[tokio::test]
async fn a_page_is_kept_for_its_lifetime() {
    let pages = Pages::new(10, 10_000);
    assert_eq!(ask(&pages, 1, 100.0, "a").await, ("a".to_owned(), Origin::Made));
    assert_eq!(ask(&pages, 1, 159.0, "b").await, ("a".to_owned(), Origin::Kept(59.0)));
    assert_eq!(ask(&pages, 2, 159.0, "c").await, ("c".to_owned(), Origin::Made));
    assert_eq!(ask(&pages, 1, 160.0, "d").await, ("d".to_owned(), Origin::Made));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_all_who_ask_at_once_one_makes_the_page() {
    let pages = Arc::new(Pages::new(10, 10_000));
    let (asked, made) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let (pages, asked, made) = (Arc::clone(&pages), Arc::clone(&asked), Arc::clone(&made));
            tokio::spawn(async move {
                asked.fetch_add(1, Ordering::SeqCst);
                let make = || {
                    made.fetch_add(1, Ordering::SeqCst);
                    while asked.load(Ordering::SeqCst) < 6 {
                        std::thread::yield_now();
                    }
                    Ok(reply("page"))
                };
                pages.get(key(1), 100.0, 60.0, make).await.0.unwrap().body.into_text()
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "page");
    }
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_an_old_page_is_made_anew_the_others_get_the_old_one() {
    let pages = Arc::new(Pages::new(10, 10_000));
    ask(&pages, 1, 100.0, "old").await;
    let ((started, has_started), (go_on, may_go_on)) = (mpsc::channel(), mpsc::channel::<()>());
    let may_go_on = std::sync::Mutex::new(may_go_on);
    let maker = {
        let pages = Arc::clone(&pages);
        tokio::spawn(async move {
            let make = || {
                started.send(()).unwrap();
                may_go_on.lock().unwrap().recv().unwrap();
                Ok(reply("new"))
            };
            pages.get(key(1), 200.0, 60.0, make).await.0.unwrap().body.into_text()
        })
    };
    tokio::task::spawn_blocking(move || has_started.recv().unwrap()).await.unwrap();
    assert_eq!(ask(&pages, 1, 200.0, "other").await, ("old".to_owned(), Origin::Old));
    go_on.send(()).unwrap();
    assert_eq!(maker.await.unwrap(), "new");
    assert_eq!(ask(&pages, 1, 201.0, "other").await, ("new".to_owned(), Origin::Kept(1.0)));
}

#[tokio::test]
async fn failures_and_cookies_are_not_kept_and_spoil_no_old_page() {
    let pages = Pages::new(10, 10_000);
    let failed = pages.get(key(1), 100.0, 60.0, || Err(Failure::not_found())).await;
    assert!(failed.0.is_err());
    let refused = Reply { status: StatusCode::IM_A_TEAPOT, ..reply("teapot") };
    pages.get(key(1), 100.0, 60.0, || Ok(refused)).await.0.unwrap();
    let cookie = Reply { headers: vec![(SET_COOKIE, HeaderValue::from_static("a=b"))], ..reply("cookie") };
    pages.get(key(1), 100.0, 60.0, || Ok(cookie)).await.0.unwrap();
    assert_eq!(ask(&pages, 1, 100.0, "good").await, ("good".to_owned(), Origin::Made));
    assert!(pages.get(key(1), 200.0, 60.0, || Err(Failure::not_found())).await.0.is_err());
    assert_eq!(ask(&pages, 1, 120.0, "x").await, ("good".to_owned(), Origin::Kept(20.0)));
}

#[tokio::test]
async fn there_is_room_for_so_many_pages_and_so_many_bytes() {
    let pages = Pages::new(2, 10_000);
    for number in [1, 2, 1, 3] {
        ask(&pages, number, 100.0, "a").await;
    }
    assert_eq!(ask(&pages, 1, 100.0, "b").await.1, Origin::Kept(0.0));
    assert_eq!(ask(&pages, 2, 100.0, "b").await.1, Origin::Made, "it was not asked for the longest");
    let pages = Pages::new(100, 10_000);
    let half = "x".repeat(4000);
    for number in [1, 2, 3] {
        ask(&pages, number, 100.0, &half).await;
    }
    assert_eq!(ask(&pages, 3, 100.0, "b").await.1, Origin::Kept(0.0));
    assert_eq!(ask(&pages, 1, 100.0, "b").await.1, Origin::Made);
    ask(&pages, 9, 100.0, &"x".repeat(20_000)).await;
    assert_eq!(ask(&pages, 9, 100.0, "b").await.1, Origin::Made, "larger than all the room there is");
    assert_eq!(ask(&pages, 3, 100.0, "b").await.1, Origin::Kept(0.0), "and it took nobody's place");
}
