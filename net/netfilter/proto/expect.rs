// SPDX-License-Identifier: GPL-2.0

//! Expectations: when a tuple is the expected one, and when two expectations
//! are in each other's way.
//!
//! An expectation gives the destination in full, and the source under a mask:
//! where the expected connection comes from is often not known.

use crate::{
    be::{Be16, Be32},
    tuple::{Address, Tuple},
};

/// Which bits of a source count (`struct nf_conntrack_tuple_mask`).
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Mask {
    /// Bits of the source address.
    pub address: Address,
    /// Bits of the source port, or what stands for it.
    pub id: Be16,
}

impl Mask {
    /// The bits that both masks have.
    #[inline]
    pub fn intersection(&self, other: &Mask) -> Mask {
        let ([a, b, c, d], [e, f, g, h]) = (self.address.0, other.address.0);
        Mask {
            address: Address([both(a, e), both(b, f), both(c, g), both(d, h)]),
            id: Be16::from_raw(self.id.raw() & other.id.raw()),
        }
    }
}

#[inline]
fn both(a: Be32, b: Be32) -> Be32 {
    Be32::from_raw(a.raw() & b.raw())
}

/// `tuple` is one that an expectation of `expected` under `mask` is for.
#[inline]
pub fn matches(tuple: &Tuple, expected: &Tuple, mask: &Mask) -> bool {
    same_destination(tuple, expected) && same_source(tuple, expected, mask)
}

/// Some tuple could be meant by both expectations: they cannot both be there.
#[inline]
pub fn clash(a: (&Tuple, &Mask), b: (&Tuple, &Mask)) -> bool {
    matches(a.0, b.0, &a.1.intersection(b.1))
}

/// Both expectations are for the very same tuples.
#[inline]
pub fn same(a: (&Tuple, &Mask), b: (&Tuple, &Mask)) -> bool {
    a.1 == b.1 && a.0.src == b.0.src && same_destination(a.0, b.0)
}

#[inline]
fn same_destination(a: &Tuple, b: &Tuple) -> bool {
    a.dst.address == b.dst.address && a.dst.id == b.dst.id && a.dst.protocol == b.dst.protocol
}

#[inline]
fn same_source(a: &Tuple, b: &Tuple, mask: &Mask) -> bool {
    a.src.l3num == b.src.l3num
        && (a.src.id.raw() ^ b.src.id.raw()) & mask.id.raw() == 0
        && a.src
            .address
            .0
            .iter()
            .zip(&b.src.address.0)
            .zip(&mask.address.0)
            .all(|((a, b), mask)| (a.raw() ^ b.raw()) & mask.raw() == 0)
}

/// What to expect after a query to all hosts of a network: the answer of any of
/// them, from the port `port`. `reply` is the reply tuple of the query's
/// connection, `netmask` the IPv4 network's.
#[inline]
pub fn answers_of_network(reply: &Tuple, port: Be16, netmask: Be32) -> (Tuple, Mask) {
    let mut tuple = *reply;
    tuple.src.id = port;
    tuple.dst.direction = 0;
    let mask = Mask {
        address: Address::v4(netmask),
        id: Be16::from_raw(u16::MAX),
    };
    (tuple, mask)
}

/// When an expectation that lives `seconds` from `now` on ends.
///
/// The clock wraps, so nothing can live longer than half of what it counts:
/// more is made less.
#[inline]
pub fn expiry(now: u32, seconds: u32, hz: u32) -> u32 {
    now.wrapping_add(span(seconds, hz))
}

/// A time in jiffies, at most half of what the clock counts.
#[inline]
pub fn span(seconds: u32, hz: u32) -> u32 {
    seconds.saturating_mul(hz).min(LONGEST)
}

/// The longest time an expectation lives, in jiffies.
pub const LONGEST: u32 = i32::MAX as u32;

/// A slack, in jiffies, that a deadline may lie in the past because time has
/// passed since somebody set it to "now"; further back it has wrapped.
const SLACK: i32 = 1 << 20;

/// Moves the deadline `timeout` by `by` jiffies, so that it lies between now
/// and [`LONGEST`] later.
#[inline]
pub fn extend(timeout: u32, by: u32, now: u32) -> u32 {
    let left = timeout.wrapping_sub(now) as i32;
    // What C callers add to the clock may have wrapped.
    let left = if left < SLACK.wrapping_neg() {
        i32::MAX
    } else {
        left
    };
    let by = i32::try_from(by).unwrap_or(i32::MAX);
    now.wrapping_add(left.saturating_add(by) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuple::{Destination, Source};

    fn tuple(source: u32, port: u16, destination: u32) -> Tuple {
        Tuple {
            src: Source {
                address: Address::v4(Be32::new(source)),
                id: Be16::new(port),
                l3num: 2,
            },
            dst: Destination {
                address: Address::v4(Be32::new(destination)),
                id: Be16::new(20),
                protocol: 6,
                direction: 0,
            },
        }
    }

    fn mask(address: u32, id: u16) -> Mask {
        Mask {
            address: Address::v4(Be32::new(address)),
            id: Be16::new(id),
        }
    }

    const ALL: u32 = u32::MAX;

    #[test]
    fn source_counts_under_the_mask_only() {
        let expected = tuple(1, 0, 9);
        assert!(matches(&tuple(1, 77, 9), &expected, &mask(ALL, 0)));
        assert!(!matches(&tuple(2, 77, 9), &expected, &mask(ALL, 0)));
        assert!(matches(&tuple(2, 77, 9), &expected, &mask(0, 0)));
        assert!(!matches(&tuple(1, 77, 9), &expected, &mask(ALL, u16::MAX)));
        assert!(!matches(&tuple(1, 0, 8), &expected, &mask(0, 0)));
        let mut other = tuple(1, 0, 9);
        other.dst.protocol = 17;
        assert!(!matches(&other, &expected, &mask(0, 0)));
        other = tuple(1, 0, 9);
        other.src.l3num = 10;
        assert!(!matches(&other, &expected, &mask(0, 0)));
        other = tuple(1, 0, 9);
        other.dst.direction = 1;
        assert!(matches(&other, &expected, &mask(ALL, u16::MAX)));
    }

    #[test]
    fn expectations_clash_where_both_look() {
        let (one, two) = (tuple(1, 5, 9), tuple(2, 5, 9));
        assert!(!clash((&one, &mask(ALL, 0)), (&two, &mask(ALL, 0))));
        assert!(clash((&one, &mask(ALL, 0)), (&two, &mask(0, 0))));
        assert!(clash((&one, &mask(0, ALL as u16)), (&two, &mask(ALL, 0))));
        assert!(!clash((&one, &mask(0, 0)), (&tuple(1, 5, 8), &mask(0, 0))));
    }

    #[test]
    fn same_is_stricter_than_clash() {
        let one = tuple(1, 5, 9);
        assert!(same((&one, &mask(ALL, 0)), (&one, &mask(ALL, 0))));
        assert!(!same((&one, &mask(ALL, 0)), (&one, &mask(0, 0))));
        assert!(!same((&one, &mask(0, 0)), (&tuple(2, 5, 9), &mask(0, 0))));
    }

    #[test]
    fn whole_network_may_answer() {
        // 10.1.2.3 asked port 137 of 10.1.255.255/16.
        let mut reply = tuple(0x0a01_ffff, 137, 0x0a01_0203);
        reply.dst.direction = 1;
        let (port, netmask) = (Be16::new(137), Be32::new(0xffff_0000));
        let (expected, mask) = answers_of_network(&reply, port, netmask);
        let comes = |tuple: Tuple| matches(&tuple, &expected, &mask);
        assert!(comes(tuple(0x0a01_0001, 137, 0x0a01_0203)));
        assert!(comes(tuple(0x0a01_fffe, 137, 0x0a01_0203)));
        assert!(!comes(tuple(0x0a02_0001, 137, 0x0a01_0203)));
        assert!(!comes(tuple(0x0a01_0001, 138, 0x0a01_0203)));
        assert!(!comes(tuple(0x0a01_0001, 137, 0x0a01_0204)));
        assert_eq!(expected.dst.direction, 0);
        // The query went to another port than the helper's, by NAT or by rule.
        let (expected, mask) = answers_of_network(&reply, Be16::new(161), netmask);
        let answer = tuple(0x0a01_0001, 161, 0x0a01_0203);
        assert!(matches(&answer, &expected, &mask));
    }

    #[test]
    fn deadlines_never_wrap() {
        for seconds in [42_949_673, 17_179_869, u32::MAX] {
            for now in [0, 1, i32::MAX as u32, u32::MAX] {
                let left = expiry(now, seconds, 250).wrapping_sub(now) as i32;
                assert!(left > 0, "{seconds} from {now}");
            }
        }
        assert_eq!(expiry(10, 2, 250), 510);
    }

    #[test]
    fn extension_keeps_within_the_clock() {
        // Set to "now" a moment ago, then moved by the class's timeout.
        assert_eq!(extend(u32::MAX, 500, 3), 496 + 3);
        assert_eq!(extend(100, 500, 100), 600);
        // 42949673 s by a caller that did not look.
        let wrapped = 7u32.wrapping_add(42_949_673u32.wrapping_mul(250));
        for by in [0, 500, u32::MAX] {
            assert_eq!(extend(wrapped, by, 7).wrapping_sub(7), LONGEST);
        }
        assert_eq!(extend(LONGEST, LONGEST, 0), LONGEST);
    }
}
