// SPDX-License-Identifier: GPL-2.0

//! A fast keyed hash of tuples and other small keys.
//!
//! What is hashed comes from packets, so the sender must not be able to choose
//! keys that fall into the same bucket: the hash is SipHash (Aumasson and
//! Bernstein, 2012) with a secret of 128 bits, in its variant of one round a
//! word and three at the end, which has no known weakness as long as only
//! bucket numbers can be observed.
//!
//! It differs from SipHash-1-3 in two points: the number of words goes into
//! the initial state instead of a last word of its own, which saves a round,
//! and the 64 bits of the result are folded to 32.

/// The secret. It has no `Debug`, so that it cannot be printed by accident.
#[derive(Clone, Copy)]
pub struct Key([u64; 2]);

impl Key {
    /// A key of 128 random bits.
    #[inline]
    pub const fn new(random: [u64; 2]) -> Self {
        Self(random)
    }

    /// What the hash begins with under this key: for who keeps it ready.
    #[inline]
    pub const fn start(&self) -> Start {
        let Sip { v0, v1, v2, v3 } = Sip::new(self);
        Start([v0, v1, v2, v3])
    }
}

/// A [`Key`], prepared. No more to be printed than that.
#[derive(Clone, Copy)]
pub struct Start([u64; 4]);

impl Start {
    /// From its words.
    #[inline]
    pub const fn from_words(words: [u64; 4]) -> Self {
        Self(words)
    }

    /// Its words.
    #[inline]
    pub const fn words(&self) -> [u64; 4] {
        self.0
    }

    /// [`hash`] of `N` words, `N` small: a straight line of `N` + 3 rounds.
    #[inline(always)]
    pub fn hash<const N: usize>(&self, words: [u64; N]) -> u32 {
        let Self([v0, v1, v2, v3]) = *self;
        Sip { v0, v1, v2, v3 }.hash_words(words)
    }
}

/// The hash of `words`. Words of another number have another hash: it is not
/// possible to append zeroes to the same effect.
#[inline]
pub fn hash(key: &Key, words: &[u64]) -> u32 {
    let mut sip = Sip::new(key).of_words(words.len());
    for word in words {
        sip.absorb::<1>(*word);
    }
    fold(sip.finish::<3>())
}

/// [`hash`] of two words.
#[inline]
pub fn hash_2words(key: &Key, words: [u64; 2]) -> u32 {
    hash_array(key, words)
}

/// [`hash`] of three words.
#[inline]
pub fn hash_3words(key: &Key, words: [u64; 3]) -> u32 {
    hash_array(key, words)
}

/// [`hash`] of four words.
#[inline]
pub fn hash_4words(key: &Key, words: [u64; 4]) -> u32 {
    hash_array(key, words)
}

/// [`hash`] of five words.
#[inline]
pub fn hash_5words(key: &Key, words: [u64; 5]) -> u32 {
    hash_array(key, words)
}

/// [`hash`] of `N` words, `N` small: a straight line of `N` + 3 rounds.
#[inline(always)]
pub fn hash_array<const N: usize>(key: &Key, words: [u64; N]) -> u32 {
    Sip::new(key).hash_words(words)
}

/// Maps a hash to 0..`buckets` by its high bits, evenly for any number of
/// buckets (0 if there is none).
#[inline]
pub const fn bucket(hash: u32, buckets: u32) -> u32 {
    // Less than `buckets`: the cast loses nothing.
    ((hash as u64).wrapping_mul(buckets as u64) >> 32) as u32
}

#[inline(always)]
const fn fold(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
}

/// The state of SipHash.
#[derive(Clone, Copy)]
struct Sip {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl Sip {
    #[inline(always)]
    const fn new(key: &Key) -> Self {
        let Key([k0, k1]) = *key;
        Self {
            v0: k0 ^ 0x736f_6d65_7073_6575,
            v1: k1 ^ 0x646f_7261_6e64_6f6d,
            v2: k0 ^ 0x6c79_6765_6e65_7261,
            v3: k1 ^ 0x7465_6462_7974_6573,
        }
    }

    /// For a message of `number` words, and no final word that tells it.
    #[inline(always)]
    const fn of_words(mut self, number: usize) -> Self {
        self.v1 ^= !(number as u64);
        self
    }

    #[inline(always)]
    fn hash_words<const N: usize>(self, words: [u64; N]) -> u32 {
        let mut sip = self.of_words(N);
        for word in words {
            sip.absorb::<1>(word);
        }
        fold(sip.finish::<3>())
    }

    #[inline(always)]
    fn round(&mut self) {
        self.v0 = self.v0.wrapping_add(self.v1);
        self.v2 = self.v2.wrapping_add(self.v3);
        self.v1 = self.v1.rotate_left(13) ^ self.v0;
        self.v3 = self.v3.rotate_left(16) ^ self.v2;
        self.v0 = self.v0.rotate_left(32);

        self.v2 = self.v2.wrapping_add(self.v1);
        self.v0 = self.v0.wrapping_add(self.v3);
        self.v1 = self.v1.rotate_left(17) ^ self.v2;
        self.v3 = self.v3.rotate_left(21) ^ self.v0;
        self.v2 = self.v2.rotate_left(32);
    }

    #[inline(always)]
    fn absorb<const ROUNDS: usize>(&mut self, word: u64) {
        self.v3 ^= word;
        for _ in 0..ROUNDS {
            self.round();
        }
        self.v0 ^= word;
    }

    #[inline(always)]
    fn finish<const ROUNDS: usize>(mut self) -> u64 {
        self.v2 ^= 0xff;
        for _ in 0..ROUNDS {
            self.round();
        }
        self.v0 ^ self.v1 ^ self.v2 ^ self.v3
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use core::hash::Hasher;
    use std::collections::hash_map::DefaultHasher;

    /// SipHash as in the paper, for messages of bytes.
    fn siphash<const C: usize, const D: usize>(key: &Key, message: &[u8]) -> u64 {
        let mut sip = Sip::new(key);
        let chunks = message.chunks_exact(8);
        let mut last = [0; 8];
        last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
        last[7] = message.len() as u8;
        for chunk in chunks {
            sip.absorb::<C>(u64::from_le_bytes(chunk.try_into().unwrap()));
        }
        sip.absorb::<C>(u64::from_le_bytes(last));
        sip.finish::<D>()
    }

    fn reference_key() -> Key {
        Key::new([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908])
    }

    /// Appendix A of the paper: the message is 00 01 .. 0e.
    #[test]
    fn siphash_2_4_of_the_paper() {
        let message: [u8; 15] = core::array::from_fn(|i| i as u8);
        assert_eq!(
            siphash::<2, 4>(&reference_key(), &message),
            0xa129_ca61_49be_45e5
        );
        assert_eq!(
            siphash::<2, 4>(&reference_key(), &[]),
            0x726f_db47_dd0e_0e31
        );
    }

    /// The standard library has SipHash-1-3 with the key 0.
    #[test]
    fn siphash_1_3_of_std() {
        let message: [u8; 64] = core::array::from_fn(|i| (i * 37) as u8);
        for length in 0..=message.len() {
            let mut std = DefaultHasher::new();
            std.write(&message[..length]);
            assert_eq!(
                siphash::<1, 3>(&Key::new([0; 2]), &message[..length]),
                std.finish()
            );
        }
    }

    #[test]
    fn arrays_hash_as_slices() {
        let key = reference_key();
        let w = [1, u64::MAX, 3, 1 << 63, 5];
        assert_eq!(hash_2words(&key, [w[0], w[1]]), hash(&key, &w[..2]));
        assert_eq!(hash_3words(&key, [w[0], w[1], w[2]]), hash(&key, &w[..3]));
        assert_eq!(
            hash_4words(&key, [w[0], w[1], w[2], w[3]]),
            hash(&key, &w[..4])
        );
        assert_eq!(hash_5words(&key, w), hash(&key, &w));
        let start = Start::from_words(key.start().words());
        assert_eq!(start.hash([w[0], w[1]]), hash(&key, &w[..2]));
        assert_eq!(start.hash(w), hash(&key, &w));
    }

    #[test]
    fn length_and_key_matter() {
        let key = reference_key();
        let zeroes = [0; 8];
        for i in 0..8 {
            for j in 0..i {
                assert_ne!(hash(&key, &zeroes[..i]), hash(&key, &zeroes[..j]));
            }
        }
        let other = Key::new([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0909]);
        assert_ne!(hash(&key, &[1, 2]), hash(&other, &[1, 2]));
        assert_ne!(hash(&key, &[1, 2]), hash(&key, &[2, 1]));
    }

    #[test]
    fn buckets() {
        assert_eq!(bucket(u32::MAX, 0), 0);
        assert_eq!(bucket(u32::MAX, 1), 0);
        assert_eq!(bucket(u32::MAX, 7), 6);
        assert_eq!(bucket(0, u32::MAX), 0);
        assert_eq!(bucket(u32::MAX, u32::MAX), u32::MAX - 1);
        assert_eq!(bucket(1 << 31, 1024), 512);
    }
}
