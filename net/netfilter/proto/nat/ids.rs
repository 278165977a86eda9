// SPDX-License-Identifier: GPL-2.0

//! Which port, ICMP id or GRE key of a range a connection gets.
//!
//! A few are drawn at random, each as likely as any other, so that as long as
//! some part of the range is free the choice is an even one. If they are all
//! taken, a walk follows: from a random place, by a random step that has no
//! divisor in common with the size of the range, so that it meets every id of
//! the range once before it meets one again. Neighbours of what is taken are
//! not preferred, and of a range of up to [`WALK`] ids the last free one is
//! always found.

/// How many are drawn before the walk.
pub const DRAWS: u32 = 8;

/// The length of a walk. A range of so many ids is walked completely; of a
/// longer one only so much, since packets are waiting meanwhile. (Stock
/// tries 248 places of a range at most, and all of one of 128.) If one in a
/// hundred ids is free the walk misses them all once in 29,000 times.
pub const WALK: u32 = 1024;

/// How much of a walk passes before a connection that is over counts as none.
/// A shorter range than [`SMALL`] has no time for that.
pub const GENTLE: u32 = 64;

/// A range of at most so many ids.
pub const SMALL: u32 = 32;

/// The most that is tried for one connection, the id that it came with
/// included.
pub const MAX_ATTEMPTS: u32 = 1 + DRAWS + GENTLE + WALK;

/// How hard to try to get a candidate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effort {
    /// Leave others alone.
    Gentle,
    /// A TCP connection in TIME_WAIT may be thrown out, if the new
    /// connection's first sequence number is beyond its own.
    Last,
}

/// What a search asks.
pub trait Trial {
    /// 32 random bits.
    fn random(&mut self) -> u32;

    /// The id is another connection's.
    fn taken(&mut self, id: u16, effort: Effort) -> bool;
}

/// Ids one after the other: the first one and how many, 1 to 65,536.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ids {
    first: u16,
    number: u32,
}

impl Ids {
    /// From `first` to `last`, in host order; if that is the wrong way round,
    /// from `last` to `first`.
    #[inline]
    pub const fn new(first: u16, last: u16) -> Self {
        let (first, last) = if last < first {
            (last, first)
        } else {
            (first, last)
        };
        Self {
            first,
            number: (last as u32).wrapping_sub(first as u32).wrapping_add(1),
        }
    }

    /// Those that may stand for the port `port` where a rule names none: ports
    /// that only a privileged program gets stand for such. (Below 512 are
    /// those by which the r-commands once told who was root.)
    #[inline]
    pub const fn like(port: u16) -> Self {
        match port {
            0..512 => Self::new(1, 511),
            512..1024 => Self::new(600, 1023),
            _ => Self::new(1024, u16::MAX),
        }
    }

    /// How many.
    #[inline]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The one at `offset`; beyond the last it begins again.
    #[inline]
    pub const fn at(&self, offset: u32) -> u16 {
        let offset = match offset.checked_rem(self.number) {
            Some(offset) => offset,
            None => 0,
        };
        // Both fit, and so does their sum.
        (self.first as u32).wrapping_add(offset) as u16
    }

    /// One of them, by a random word.
    #[inline]
    pub const fn draw(&self, random: u32) -> u16 {
        self.at(scale(random, self.number))
    }

    /// Draws, then walks, until one is not taken.
    pub fn search(&self, trial: &mut impl Trial) -> Option<u16> {
        for _ in 0..DRAWS {
            let id = self.draw(trial.random());
            if !trial.taken(id, Effort::Gentle) {
                return Some(id);
            }
        }
        let start = scale(trial.random(), self.number);
        let step = self.step(trial.random());
        self.walk(start, step, trial)
    }

    /// Walks upwards from the first one, until one is not taken.
    pub fn ascend(&self, trial: &mut impl Trial) -> Option<u16> {
        self.walk(0, 1, trial)
    }

    fn walk(&self, mut offset: u32, step: u32, trial: &mut impl Trial) -> Option<u16> {
        let gentle = if self.number <= SMALL {
            0
        } else {
            self.number.min(GENTLE)
        };
        // Those that were passed gently are met again after all the others.
        for i in 0..self.number.min(WALK).wrapping_add(gentle) {
            let effort = if i < gentle {
                Effort::Gentle
            } else {
                Effort::Last
            };
            let id = self.at(offset);
            if !trial.taken(id, effort) {
                return Some(id);
            }
            offset = offset.wrapping_add(step);
            if offset >= self.number {
                offset = offset.wrapping_sub(self.number);
            }
        }
        None
    }

    /// A step that has no divisor in common with the number of ids: the next
    /// such from a random one on, which is never far.
    fn step(&self, random: u32) -> u32 {
        let drawn = scale(random, self.number).max(1);
        (drawn..self.number)
            .find(|step| gcd(self.number, *step) == 1)
            .unwrap_or(1)
    }
}

/// Maps 32 random bits to 0..`number`, evenly.
#[inline]
const fn scale(random: u32, number: u32) -> u32 {
    // Less than `number`: the cast loses nothing.
    ((random as u64).wrapping_mul(number as u64) >> 32) as u32
}

const fn gcd(mut a: u32, mut b: u32) -> u32 {
    while let Some(rest) = a.checked_rem(b) {
        a = b;
        b = rest;
    }
    a
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{collections::HashSet, vec::Vec};

    /// A generator (Marsaglia's xorshift, 2003), and who says what is taken.
    struct Test<F>(u32, F);

    impl<F: FnMut(u16, Effort) -> bool> Trial for Test<F> {
        fn random(&mut self) -> u32 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 17;
            self.0 ^= self.0 << 5;
            self.0
        }

        fn taken(&mut self, id: u16, effort: Effort) -> bool {
            (self.1)(id, effort)
        }
    }

    #[test]
    fn classes_of_ports() {
        for (port, first, last) in [
            (0, 1, 511),
            (1, 1, 511),
            (511, 1, 511),
            (512, 600, 1023),
            (1023, 600, 1023),
            (1024, 1024, 65535),
            (65535, 1024, 65535),
        ] {
            assert_eq!(Ids::like(port), Ids::new(first, last), "{port}");
        }
    }

    #[test]
    fn numbers_and_places() {
        let all = Ids::new(0, u16::MAX);
        assert_eq!(
            (all.number(), all.at(65_535), all.at(65_536)),
            (65_536, 65_535, 0)
        );
        assert_eq!(Ids::new(9, 3), Ids::new(3, 9));
        assert_eq!(Ids::new(7, 7).number(), 1);
        assert_eq!((all.draw(0), all.draw(u32::MAX)), (0, u16::MAX));
        assert_eq!(Ids::new(60_000, u16::MAX).draw(u32::MAX), u16::MAX);
    }

    /// Every id is met exactly once in a period, whatever the size and the
    /// random words.
    #[test]
    fn a_walk_has_a_full_period() {
        let mut generator = Test(1, |_, _| true);
        for number in (1..=300).chain([511, 512, 1000, 1023, 1024]) {
            let ids = Ids::new(1000, 999 + number as u16);
            for _ in 0..5 {
                let start = scale(generator.random(), number);
                let step = ids.step(generator.random());
                let mut met = Vec::new();
                let mut trial = Test(1, |id, effort| {
                    if effort == Effort::Last {
                        met.push(id);
                    }
                    true
                });
                let found = ids.walk(start, step, &mut trial);
                assert_eq!(found, None);
                assert_eq!(met.len() as u32, number);
                assert_eq!(met.iter().collect::<HashSet<_>>().len(), met.len());
            }
        }
    }

    #[test]
    fn steps_exist_for_every_size() {
        for number in 1..=65_536u32 {
            let ids = Ids::new(0, (number - 1) as u16);
            for random in [0, 1 << 31, u32::MAX] {
                let step = ids.step(random);
                assert!(gcd(number, step) == 1 && (step < number || number == 1));
            }
        }
    }

    #[test]
    fn attempts_are_bounded() {
        for number in [1u32, 2, 16, 32, 33, 64, 65, 1024, 1025, 64_512, 65_536] {
            let ids = Ids::new(0, (number - 1) as u16);
            let mut attempts = 0;
            let mut trial = Test(number, |_, _| {
                attempts += 1;
                true
            });
            assert_eq!(ids.search(&mut trial), None);
            assert!(attempts < MAX_ATTEMPTS, "{number}: {attempts}");
            assert!(attempts >= DRAWS + number.min(WALK));
        }
    }

    #[test]
    fn ascends_from_the_first() {
        let ids = Ids::new(5000, 5100);
        for (free, expected) in [
            (0, Some(5000)),
            (5077, Some(5077)),
            (5100, Some(5100)),
            (5101, None),
        ] {
            assert_eq!(ids.ascend(&mut Test(1, |id, _| id < free)), expected);
        }
    }

    /// What only the last effort gets is got.
    #[test]
    fn the_last_effort_covers_all() {
        for number in [1u32, 20, 33, 100, 1024] {
            let ids = Ids::new(1, number as u16);
            for wanted in 1..=number as u16 {
                let taken = |id, effort| id != wanted || effort == Effort::Gentle;
                let found = ids.search(&mut Test(wanted.into(), taken));
                assert_eq!(found, Some(wanted));
            }
        }
    }
}
