// SPDX-License-Identifier: GPL-2.0

//! The hash spreads what real and hostile traffic looks like.

use nf_proto::hash::{bucket, hash, hash_2words, hash_5words, Key};

const BUCKETS: u32 = 1024;
const FLOWS: u64 = 1 << 16;

const KEYS: [Key; 3] = [
    Key::new([0, 0]),
    Key::new([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]),
    Key::new([0x9e37_79b9_7f4a_7c15, u64::MAX]),
];

/// Chi-square of the hashes over the buckets. With 1023 degrees of freedom it
/// is 1023 on average with a standard deviation of 45; both too much and too
/// little are suspicious.
fn assert_even(name: &str, bucket: impl Fn(u32) -> u32, hashes: impl Iterator<Item = u32>) {
    let mut counts = vec![0u32; BUCKETS as usize];
    hashes.for_each(|hash| counts[bucket(hash) as usize] += 1);

    let total: u32 = counts.iter().sum();
    let expected = f64::from(total) / f64::from(BUCKETS);
    let chi: f64 = counts
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum();
    assert!((800.0..1250.0).contains(&chi), "{name}: {chi}");
}

fn assert_even_both_ways(name: &str, hashes: impl Iterator<Item = u32> + Clone) {
    assert_even(name, |hash| hash % BUCKETS, hashes.clone());
    assert_even(name, |hash| bucket(hash, BUCKETS), hashes);
}

/// An IPv4 tuple as two words.
fn tuple(src: u64, dst: u64, sport: u64, dport: u64) -> [u64; 2] {
    [(src << 32) | dst, (sport << 48) | (dport << 32) | 6]
}

#[test]
fn sequential_tuples() {
    type Flow = fn(u64) -> [u64; 2];
    let families: [(&str, Flow); 5] = [
        ("source ports", |i| tuple(0x0a00_0001, 0x0a00_0002, i, 80)),
        ("source addresses", |i| {
            tuple(0x0a00_0000 + i, 0xc000_0201, 1024, 443)
        }),
        ("destination addresses", |i| {
            tuple(0x0a00_0001, 0x0a01_0000 + i, 1024, 443)
        }),
        ("addresses of networks of 256", |i| {
            tuple((i << 8) | 1, 0xc000_0201, 1024, 443)
        }),
        ("addresses and ports alike", |i| {
            tuple(0x0a00_0000 + i, 0x0a00_0000 + i, i, i)
        }),
    ];
    for key in &KEYS {
        for (name, flow) in families {
            assert_even_both_ways(name, (0..FLOWS).map(|i| hash_2words(key, flow(i))));
        }
    }
}

#[test]
fn sequential_ipv6_tuples() {
    for key in &KEYS {
        for word in 0..5 {
            for shift in [0, 16, 48] {
                let hashes = (0..FLOWS).map(|i| {
                    let mut words = [0x2001_0db8 << 32, 1, 0x2001_0db8 << 32, 2, 6];
                    words[word] ^= i << shift;
                    hash_5words(key, words)
                });
                assert_even_both_ways("IPv6", hashes);
            }
        }
    }
}

/// Tuples that share a bucket under one key do not under another: what an
/// attacker finds out elsewhere is of no use here.
#[test]
fn collisions_do_not_carry_over() {
    let [one, other, _] = &KEYS;
    let colliding = (0..FLOWS * 256)
        .map(|i| tuple(0x0a00_0000 + (i >> 16), 0xc000_0201, i & 0xffff, 443))
        .filter(|words| bucket(hash_2words(one, *words), BUCKETS) == 0);
    let hashes: Vec<_> = colliding.map(|words| hash_2words(other, words)).collect();
    assert!(hashes.len() > 15_000);
    assert_even_both_ways("colliding elsewhere", hashes.iter().copied());
}

/// Any bit of the input changes any bit of the result in half of all cases.
#[test]
fn avalanche() {
    const SAMPLES: u64 = 2000;
    for key in &KEYS {
        for bit in 0..128 {
            let mut flips = [0u64; 32];
            for i in 0..SAMPLES {
                let words = [i.wrapping_mul(0x9e37_79b9_7f4a_7c15), i];
                let mut other = words;
                other[bit / 64] ^= 1 << (bit % 64);
                let difference = hash(key, &words) ^ hash(key, &other);
                for (position, count) in flips.iter_mut().enumerate() {
                    *count += u64::from((difference >> position) & 1);
                }
            }
            for count in flips {
                // Six standard deviations of 22.
                assert!(count.abs_diff(SAMPLES / 2) < 135, "bit {bit}: {count}");
            }
        }
    }
}
