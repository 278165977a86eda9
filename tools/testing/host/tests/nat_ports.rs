// SPDX-License-Identifier: GPL-2.0

//! The choice of ports and ids: even, and complete within its bound.

use nf_proto::nat::ids::{Effort, Ids, Trial, DRAWS, GENTLE, WALK};
use proptest::prelude::*;

/// What is taken, and a generator (Steele, Lea and Flood's splitmix, 2014).
struct Others<'a> {
    taken: &'a dyn Fn(u16) -> bool,
    state: u64,
    attempts: u32,
}

impl Trial for Others<'_> {
    fn random(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) >> 32) as u32
    }

    fn taken(&mut self, id: u16, _: Effort) -> bool {
        self.attempts += 1;
        (self.taken)(id)
    }
}

fn others(taken: &dyn Fn(u16) -> bool, state: u64) -> Others<'_> {
    Others {
        taken,
        state,
        attempts: 0,
    }
}

/// Chi-square of `rounds` choices from `ids` against an even distribution over
/// those that are free; and how many are free.
fn chi_square(ids: Ids, rounds: u32, taken: &dyn Fn(u16) -> bool) -> (f64, usize) {
    let mut counts = vec![0u32; 65_536];
    let mut others = others(taken, 7);
    for _ in 0..rounds {
        let id = ids.search(&mut others).unwrap();
        assert!(!taken(id));
        counts[usize::from(id)] += 1;
    }
    let free: Vec<u16> = (0..ids.number())
        .map(|i| ids.at(i))
        .filter(|id| !taken(*id))
        .collect();
    let expected = f64::from(rounds) / free.len() as f64;
    let chi = free
        .iter()
        .map(|id| (f64::from(counts[usize::from(*id)]) - expected).powi(2) / expected)
        .sum();
    (chi, free.len())
}

/// The value that a chi-square of so many degrees of freedom passes once in a
/// thousand times (Wilson and Hilferty's approximation, 1931).
fn critical(freedom: usize) -> f64 {
    let k = freedom as f64;
    let h = 2.0 / (9.0 * k);
    k * (1.0 - h + 3.0902 * h.sqrt()).powi(3)
}

/// The seed is fixed: what passes once passes always.
#[test]
fn is_even() {
    for (first, last) in [
        (1, 511),
        (600, 1023),
        (1024, 65_535),
        (0, 65_535),
        (5000, 5015),
    ] {
        let ids = Ids::new(first, last);
        let (chi, free) = chi_square(ids, ids.number() * 50, &|_| false);
        assert!(
            chi < critical(free - 1),
            "{first}..{last}: {chi}, {free} free"
        );
    }
}

/// Whatever is taken: every other one, one half, all but a block.
#[test]
fn is_even_over_what_is_free() {
    let taken: [(&str, &dyn Fn(u16) -> bool); 3] = [
        ("odd", &|id| id % 2 == 1),
        ("first half", &|id| id < 10_512),
        ("a third in blocks", &|id| id % 96 < 32),
    ];
    for (name, taken) in taken {
        let ids = Ids::new(10_000, 11_023);
        let (chi, free) = chi_square(ids, 50_000, taken);
        assert!(chi < critical(free - 1), "{name}: {chi}, {free} free");
    }
}

/// The last few are not always the same ones either, though not quite as
/// evenly: none has more than twice its share.
#[test]
fn is_fair_when_little_is_left() {
    let ids = Ids::new(20_000, 20_999);
    let free = [
        20_003u16, 20_004, 20_005, 20_400, 20_401, 20_777, 20_900, 20_999,
    ];
    let mut counts = [0u32; 8];
    let taken = |id: u16| !free.contains(&id);
    let mut others = others(&taken, 99);
    for _ in 0..8000 {
        let id = ids.search(&mut others).unwrap();
        counts[free.iter().position(|one| *one == id).unwrap()] += 1;
    }
    assert!(
        counts.iter().all(|count| (500..2000).contains(count)),
        "{counts:?}"
    );
}

/// In 64,512 ports with one in a hundred free, nearly all searches succeed.
#[test]
fn a_long_range_that_is_nearly_full() {
    let ids = Ids::like(5000);
    let mut draw = others(&|_| false, 11);
    let free: Vec<bool> = (0..65_536).map(|_| draw.random() % 100 == 0).collect();
    let taken = |id: u16| !free[usize::from(id)];
    let mut others = others(&taken, 3);
    let found = (0..5000)
        .filter(|_| ids.search(&mut others).is_some())
        .count();
    assert!(found >= 4990, "{found}");
}

proptest! {
    /// In a range of up to `WALK` ids the last free one is found, in no more
    /// attempts than there are.
    #[test]
    fn the_last_free_one_is_found(
        first in any::<u16>(),
        number in 1..=WALK as u16,
        place in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let ids = Ids::new(first, first.saturating_add(number - 1));
        let free = ids.at(place.index(ids.number() as usize) as u32);
        let taken = |id| id != free;
        let mut search = others(&taken, seed);
        prop_assert_eq!(ids.search(&mut search), Some(free));
        prop_assert!(search.attempts <= DRAWS + GENTLE + WALK);
        let mut ascent = others(&taken, seed);
        prop_assert_eq!(ids.ascend(&mut ascent), Some(free));
    }

    /// Nothing but the range's own is ever tried, and never more than the
    /// bound.
    #[test]
    fn stays_within(first in any::<u16>(), last in any::<u16>(), seed in any::<u64>()) {
        let (low, high) = (first.min(last), first.max(last));
        let taken = |id| {
            assert!((low..=high).contains(&id));
            true
        };
        let mut search = others(&taken, seed);
        prop_assert_eq!(Ids::new(first, last).search(&mut search), None);
        prop_assert!(search.attempts <= DRAWS + GENTLE + WALK);
    }
}
