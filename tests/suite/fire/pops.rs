//! What is popped reaches exactly one visitor.

use super::*;

const ROUNDS: u64 = 50;
const TAKERS: usize = 32;

pub fn what_is_popped_reaches_exactly_one_of_32(factory: Factory) {
    let site = site(factory);
    let servers = serve(&site, factory, 2);
    gifts_reach_one("pops (50 gifts)", factory, &servers, ["/give", "/take"]);
    gifts_reach_one("flash (50 messages)", factory, &servers, ["/flash", "/show"]);
}

/// In each round a gift is put into the session, and 32 visitors take it at the processes.
fn gifts_reach_one(test: &str, factory: Factory, servers: &[Server], [give, take]: [&str; 2]) {
    let mut giver = servers[0].visitor();
    let mut takers = visitors(servers, TAKERS);
    let cookie = begin(&mut giver, "/");
    let mut tally = Tally::default();
    let mut taken = 0;
    for round in 0..ROUNDS {
        let gift = format!("gift-{round}");
        let given = ask(&mut giver, &format!("{give}/{gift}"), &cookie).unwrap();
        assert_eq!(given.text(), "Given");
        let got = all_at_once(&mut takers, |_, taker| {
            let answer = ask(taker, take, &cookie).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.text().to_owned()
        });
        got.iter().for_each(|_| tally.add(true));
        taken += got.iter().filter(|got| **got == gift).count() as u64;
        assert_eq!(got.iter().filter(|got| **got == gift).count(), 1, "round {round}: {got:?}");
        assert_eq!(got.iter().filter(|got| **got == "nothing").count(), TAKERS - 1, "round {round}: {got:?}");
    }
    report(test, factory, servers.len(), tally, taken);
}
