use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs Redis Sentinel: run by tests/run"]
async fn it_keeps_the_contract_behind_sentinels() {
    keeps_the_contract(&url("SITEWRIGHT_TEST_REDIS_SENTINEL")).await;
}
