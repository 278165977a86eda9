// SPDX-License-Identifier: GPL-2.0

//! Which address of a range a connection gets.
//!
//! It is that of a hash of the source address, so that a client always has the
//! same one, also after a restart or on another router with the same rule; and
//! unless the rule asks for [`Flags::PERSISTENT`], of the destination and the
//! zone as well, so that the connections of few clients spread. The
//! hash is Jenkins' lookup3 without a secret, in the way the stock module uses
//! it: for a range of up to 2^32 addresses the address is the same as there.

use super::range::{family, of_number, Flags, Range};
use crate::tuple::{Address, Family, Tuple};

/// The address of `range` for the connection that `tuple` is before. If the
/// range has none, `kept`. `zone`: the id of the connection's zone.
#[inline]
pub fn choose(range: &Range, tuple: &Tuple, kept: Address, zone: u16) -> Address {
    if !range.flags.has(Flags::MAP_IPS) {
        return kept;
    }
    if range.single_address() {
        return range.min;
    }
    spread(range, tuple, zone)
}

fn spread(range: &Range, tuple: &Tuple, zone: u16) -> Address {
    let family = family(tuple);
    let (min, max) = range.addresses(family);
    let last = max.wrapping_sub(min);
    let persistent = range.flags.has(Flags::PERSISTENT);

    let Address(source) = tuple.src.address;
    let Address([d0, d1, d2, d3]) = tuple.dst.address;
    let (seed, upper) = match family {
        _ if persistent => (0, 0),
        Family::Ipv4 => (d0.raw() ^ u32::from(zone), 0),
        Family::Ipv6 => (d3.raw() ^ u32::from(zone), d0.raw() ^ d1.raw() ^ d2.raw()),
    };
    let hash = lookup3(source.map(|word| word.raw()), seed) ^ upper;

    let offset = if last >> 32 == 0 {
        // At most 2^32 addresses: the product is shorter than 65 bits.
        let wide = u128::from(u64::from(hash).wrapping_mul(last as u64));
        wide.wrapping_add(u128::from(hash)) >> 32
    } else {
        // More hash than a word.
        let word = |n: u32| u128::from(lookup3([hash, n, 0, 0], seed));
        let draw = (word(0) << 96) | (word(1) << 64) | (word(2) << 32) | word(3);
        below(draw, last)
    };
    of_number(min.wrapping_add(offset), family)
}

/// Maps evenly distributed bits to 0..=`last`, nearly evenly.
const fn below(draw: u128, last: u128) -> u128 {
    let bits = u128::BITS.wrapping_sub(last.leading_zeros());
    let masked = match bits {
        0 => return 0,
        128 => draw,
        bits => draw & (1u128 << bits).wrapping_sub(1),
    };
    // Less than twice too far.
    if masked > last {
        masked.wrapping_sub(last).wrapping_sub(1)
    } else {
        masked
    }
}

/// Bob Jenkins' lookup3 (2006) of four words.
fn lookup3(words: [u32; 4], seed: u32) -> u32 {
    let [w0, w1, w2, w3] = words;
    let start = 0xdead_beef_u32.wrapping_add(16).wrapping_add(seed);
    let mut a = start.wrapping_add(w0);
    let mut b = start.wrapping_add(w1);
    let mut c = start.wrapping_add(w2);

    // The paper's "mix": each word takes its turn with the other two.
    for [x, y, z] in [[4, 6, 8], [16, 19, 4]] {
        a = a.wrapping_sub(c) ^ c.rotate_left(x);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(y);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(z);
        b = b.wrapping_add(a);
    }
    a = a.wrapping_add(w3);

    // And its "final".
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

#[cfg(test)]
mod tests {
    use super::{super::range::to_number, *};
    use crate::be::Be32;

    fn v4(word: u32) -> Address {
        Address::v4(Be32::new(word))
    }

    fn v6(words: [u32; 4]) -> Address {
        Address(words.map(Be32::new))
    }

    fn pick(
        range: &Range,
        family: Family,
        source: Address,
        destination: Address,
        zone: u16,
    ) -> Address {
        let mut tuple = Tuple::default();
        tuple.src.l3num = family.number();
        tuple.src.address = source;
        tuple.dst.address = destination;
        choose(range, &tuple, source, zone)
    }

    fn range(min: Address, max: Address, flags: Flags) -> Range {
        Range {
            flags: flags.with(Flags::MAP_IPS),
            min,
            max,
            ..Range::default()
        }
    }

    #[test]
    fn one_address_or_none() {
        let none = Range::default();
        let one = Range::to(v4(9));
        for (range, expected) in [(none, v4(1)), (one, v4(9))] {
            let address = pick(&range, Family::Ipv4, v4(1), v4(2), 0);
            assert_eq!(address, expected);
        }
    }

    /// All of a range is used, and nothing else.
    #[test]
    fn spreads_over_the_range() {
        let range = range(v4(0x0a00_00fe), v4(0x0a00_0101), Flags::PERSISTENT);
        let mut counts = [0u32; 4];
        for client in 0..4000 {
            let address = pick(&range, Family::Ipv4, v4(client), v4(client), 0);
            counts[(to_number(&address, Family::Ipv4) - 0x0a00_00fe) as usize] += 1;
        }
        for count in counts {
            assert!((900..1100).contains(&count), "{counts:?}");
        }
    }

    #[test]
    fn persistent_is_for_all_destinations() {
        let (min, max) = (v4(100), v4(199));
        let persistent = range(min, max, Flags::PERSISTENT);
        let other = range(min, max, Flags::default());
        let pick = |range: &Range, destination: u32, zone: u16| {
            pick(range, Family::Ipv4, v4(7), v4(destination), zone)
        };
        for destination in 0..50 {
            assert_eq!(pick(&persistent, destination, 3), pick(&persistent, 0, 0));
            assert_eq!(pick(&other, destination, 3), pick(&other, destination, 3));
        }
        assert!((0..50).any(|destination| pick(&other, destination, 0) != pick(&other, 0, 0)));
        assert!((0..50).any(|zone| pick(&other, 0, zone) != pick(&other, 0, 0)));
    }

    /// The whole of either family, and a range across a boundary of words.
    #[test]
    fn wide_ranges() {
        let all4 = range(v4(0), v4(u32::MAX), Flags::default());
        let all6 = range(v6([0; 4]), v6([u32::MAX; 4]), Flags::default());
        let odd = range(v6([1, 0, 1, 5]), v6([1, 0, 2, 1 << 31]), Flags::default());
        let mut seen = [false; 2];
        for client in 0..200 {
            let pick = |range: &Range, family| {
                let (source, destination) = (v6([client; 4]), v6([7, 8, 9, client]));
                pick(range, family, source, destination, 0)
            };
            assert!(all4.has_address(&pick(&all4, Family::Ipv4), Family::Ipv4));
            assert!(pick(&all6, Family::Ipv6) != v6([0; 4]));
            let address = pick(&odd, Family::Ipv6);
            assert!(odd.has_address(&address, Family::Ipv6), "{address:?}");
            let Address([_, _, word, _]) = address;
            seen[(word.get() - 1) as usize] = true;
        }
        assert_eq!(seen, [true; 2]);
    }

    #[test]
    fn below_is_within() {
        for last in [0, 1, 2, 3, 1 << 64, (1 << 64) + 1, u128::MAX - 1, u128::MAX] {
            for draw in [0, 1, 3, 1 << 63, 1 << 65, u128::MAX >> 1, u128::MAX] {
                assert!(below(draw, last) <= last);
            }
        }
    }

    /// As the kernel's `jhash2` of so many words.
    #[test]
    fn lookup3_of_the_kernel() {
        assert_eq!(lookup3([1, 2, 3, 4], 0), 0x6649_1246);
        assert_eq!(lookup3([1, 2, 3, 4], 5), 0x7355_8c35);
        assert_eq!(lookup3([0xc0a8_0101, 0, 0, 0], u32::MAX), 0x8bae_4464);
    }

    #[test]
    fn every_bit_matters() {
        let base = lookup3([1, 2, 3, 4], 5);
        for word in 0..4 {
            for bit in 0..32 {
                let mut words = [1, 2, 3, 4];
                words[word] ^= 1 << bit;
                assert_ne!(lookup3(words, 5), base);
            }
        }
        assert_ne!(lookup3([1, 2, 3, 4], 4), base);
    }
}
