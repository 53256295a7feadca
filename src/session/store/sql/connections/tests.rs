#![allow(clippy::expect_used, reason = "a test may fail loudly")]

use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Executor, Row, SqliteConnection};
use tokio::sync::oneshot;

use super::*;

type Pool = Connections<SqliteConnection>;

/// Beyond any slowness of the machine.
const LONG: Duration = Duration::from_secs(60);

/// Connections to a database that counts who greets it, and says in the same
/// number, if it is negative, that it only reads.
async fn pool(folder: &Path, most: usize) -> Arc<Pool> {
    let options = SqliteConnectOptions::new().filename(folder.join("db")).create_if_missing(true);
    let mut connection = options.connect().await.expect("a file");
    connection.execute("CREATE TABLE server (greeted INTEGER); INSERT INTO server VALUES (0)").await.expect("a table");
    let manners = Manners { wait: Patience::to_begin, judge: |_| Verdict::ReadOnly, greet };
    Arc::new(Connections::new(options, manners, "here".to_owned(), most))
}

async fn run(pool: &Pool, sql: &'static str) -> Result<Written, StoreError> {
    pool.write(|| sql, |connection, sql| Box::pin(async move { Ok(connection.execute(sql).await?.rows_affected()) }))
        .await
}

/// How many connections have been made.
async fn made(pool: &Pool) -> i64 {
    let greeted = pool.read(|| (), |connection, ()| Box::pin(greeted(connection)));
    greeted.await.expect("a file").expect("a table")
}

async fn greeted(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    connection.fetch_one("SELECT greeted FROM server").await?.try_get(0)
}

fn greet(connection: &mut SqliteConnection, _: Patience) -> BoxFuture<'_, sqlx::Result<Server>> {
    Box::pin(async move {
        connection.execute("UPDATE server SET greeted = greeted + 1 WHERE greeted >= 0").await?;
        Ok(Server { is_primary: greeted(connection).await? >= 0, takes: usize::MAX })
    })
}

/// Takes a connection, and says so; gives it back when it is told to.
async fn held(pool: &Arc<Pool>) -> (oneshot::Sender<()>, tokio::task::JoinHandle<Result<Option<()>, StoreError>>) {
    let (take, taken) = oneshot::channel();
    let (back, told) = oneshot::channel();
    let pool = Arc::clone(pool);
    let way = Arc::new(Mutex::new(Some((take, told))));
    let holding = tokio::spawn(async move {
        let hold = |_: &mut SqliteConnection, way: Way| -> BoxFuture<'_, sqlx::Result<()>> {
            let way = way.lock().expect("no panic").take();
            Box::pin(async move {
                let (take, told) = way.expect("once");
                take.send(()).expect("a test");
                told.await.map_err(|_| sqlx::Error::PoolClosed)
            })
        };
        pool.read(|| Arc::clone(&way), hold).await
    });
    taken.await.expect("a connection");
    (back, holding)
}

type Way = Arc<Mutex<Option<(oneshot::Sender<()>, oneshot::Receiver<()>)>>>;

#[tokio::test]
async fn connections_in_use_when_all_are_given_up_are_not_used_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool(folder.path(), 4).await;
    let (back, holding) = held(&pool).await;
    assert_eq!(made(&pool).await, 2, "one is in use, and the other rests");
    assert!(run(&pool, "nonsense").await.is_err(), "told that the server only reads");
    back.send(()).expect("it waits");
    assert_eq!(holding.await.expect("no panic"), Ok(Some(())));
    assert_eq!(made(&pool).await, 3);
    assert_eq!(made(&pool).await, 3, "this one goes on");
}

#[tokio::test]
async fn a_server_that_only_reads_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool(folder.path(), 4).await;
    assert_eq!(run(&pool, "UPDATE server SET greeted = -1").await, Ok(Written::Rows(1)));
    assert!(run(&pool, "nonsense").await.is_err());
    let refused = run(&pool, "UPDATE server SET greeted = 0").await.expect_err("it only reads").to_string();
    assert!(refused.contains("here: this server only reads"), "{refused}");
}

#[tokio::test]
async fn a_connection_is_waited_for_as_long_as_the_deadline_lets() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool(folder.path(), 1).await;
    let (back, holding) = held(&pool).await;
    let deadline = Duration::from_millis(200);
    pool.answer_within(deadline);
    let refused = timeout(deadline, run(&pool, "SELECT 1")).await.expect("before the deadline");
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("within 150ms")), "{refused:?}");
    pool.answer_within(LONG);
    let waiting = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { made(&pool).await }
    });
    back.send(()).expect("it waits");
    assert_eq!(holding.await.expect("no panic"), Ok(Some(())));
    assert_eq!(waiting.await.expect("no panic"), 2);
}
