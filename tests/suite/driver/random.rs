//! Chance that can be had again.

/// SplitMix64, from its seed.
pub struct Random(pub u64);

impl Random {
    /// From `SITEWRIGHT_TEST_SEED`, or from any seed, which it prints.
    pub fn seeded() -> Random {
        let seed = std::env::var("SITEWRIGHT_TEST_SEED").map(|seed| seed.parse().unwrap());
        let seed = seed.unwrap_or_else(|_| getrandom::u64().unwrap());
        println!("SITEWRIGHT_TEST_SEED={seed}");
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// From 0 to 1.
    pub fn fraction(&mut self) -> f64 {
        self.next() as f64 / u64::MAX as f64
    }
}
