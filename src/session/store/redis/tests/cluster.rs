use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs Redis Cluster: run by tests/run"]
async fn it_keeps_the_contract_on_a_cluster() {
    keeps_the_contract(&url("SITEWRIGHT_TEST_REDIS_CLUSTER")).await;
}
