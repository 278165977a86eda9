// SPDX-License-Identifier: GPL-2.0

//! Tuples: what identifies one direction of a connection.
//!
//! The types have the memory layout of the kernel's `struct
//! nf_conntrack_tuple` (include/net/netfilter/nf_conntrack_tuple.h); the
//! kernel side asserts sizes and offsets against the generated bindings at
//! compile time, and so may use one for the other.

use crate::{
    be::{Be16, Be32},
    l4::{self, number},
};

/// The direction of a packet within its connection (`enum ip_conntrack_dir`).
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The direction of the first packet.
    Original = 0,
    /// The other one.
    Reply = 1,
}

impl Direction {
    /// The other direction.
    #[inline]
    pub const fn opposite(self) -> Self {
        match self {
            Direction::Original => Direction::Reply,
            Direction::Reply => Direction::Original,
        }
    }

    /// Picks this direction's value of a pair indexed by direction.
    #[inline]
    pub fn of<T>(self, pair: &[T; 2]) -> &T {
        let [original, reply] = pair;
        match self {
            Direction::Original => original,
            Direction::Reply => reply,
        }
    }

    /// Picks this direction's value of a pair indexed by direction.
    #[inline]
    pub fn of_mut<T>(self, pair: &mut [T; 2]) -> &mut T {
        let [original, reply] = pair;
        match self {
            Direction::Original => original,
            Direction::Reply => reply,
        }
    }
}

/// The network layer of a tuple.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// `NFPROTO_IPV4`
    Ipv4,
    /// `NFPROTO_IPV6`
    Ipv6,
}

impl Family {
    /// From the `NFPROTO_*` number.
    #[inline]
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            2 => Some(Family::Ipv4),
            10 => Some(Family::Ipv6),
            _ => None,
        }
    }

    /// The `NFPROTO_*` number.
    #[inline]
    pub const fn number(self) -> u16 {
        match self {
            Family::Ipv4 => 2,
            Family::Ipv6 => 10,
        }
    }
}

/// An IPv4 or IPv6 address; an IPv4 one is the first word, the rest zero
/// (`union nf_inet_addr`).
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Address(pub [Be32; 4]);

impl Address {
    /// An IPv4 address.
    #[inline]
    pub const fn v4(word: Be32) -> Self {
        Self([
            word,
            Be32::from_raw(0),
            Be32::from_raw(0),
            Be32::from_raw(0),
        ])
    }
}

/// The changeable half of a tuple: the source (`struct nf_conntrack_man`).
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Source {
    /// Source address.
    pub address: Address,
    /// TCP, UDP or SCTP source port, ICMP id, GRE key of the source; else 0.
    pub id: Be16,
    /// `NFPROTO_*`, host order.
    pub l3num: u16,
}

/// The fixed half of a tuple: destination and protocol.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Destination {
    /// Destination address.
    pub address: Address,
    /// TCP, UDP or SCTP destination port, GRE key of the destination, or ICMP
    /// type (first byte) and code (second); else 0.
    pub id: Be16,
    /// `IPPROTO_*`.
    pub protocol: u8,
    /// Direction, as `enum ip_conntrack_dir`; not part of a tuple's identity.
    pub direction: u8,
}

/// One direction of a connection (`struct nf_conntrack_tuple`).
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub struct Tuple {
    /// Where it comes from.
    pub src: Source,
    /// Where it goes, and by which protocol.
    pub dst: Destination,
}

impl Tuple {
    /// The tuple of the answers to packets of this one; nothing if its packets
    /// are not answered.
    #[inline]
    pub fn invert(&self) -> Option<Tuple> {
        let (src_id, dst_id) = match self.dst.protocol {
            number::ICMP => (self.src.id, self.inverted_kind(l4::icmp::invert)?),
            number::ICMPV6 => (self.src.id, self.inverted_kind(l4::icmpv6::invert)?),
            // Ports, PPTP's call ids, or nothing.
            _ => (self.dst.id, self.src.id),
        };
        Some(Tuple {
            src: Source {
                address: self.dst.address,
                id: src_id,
                l3num: self.src.l3num,
            },
            dst: Destination {
                address: self.src.address,
                id: dst_id,
                protocol: self.dst.protocol,
                direction: self.dst.direction ^ 1,
            },
        })
    }

    /// What a hash that is the same for the answers takes of the ids: those of
    /// source and destination, which the answers' tuple has the other way round, and what
    /// both have alike. An ICMP message has one id for both ends, and a type that its
    /// answer does not have, but tells.
    #[inline(always)]
    pub fn ends(&self) -> (Be16, Be16, u16) {
        let id = self.src.id;
        match self.dst.protocol {
            number::ICMP => (id, id, self.either_kind(l4::icmp::invert)),
            number::ICMPV6 => (id, id, self.either_kind(l4::icmpv6::invert)),
            _ => (id, self.dst.id, 0),
        }
    }

    /// Both come from the same place.
    #[inline]
    pub fn same_source(&self, other: &Tuple) -> bool {
        self.src == other.src
    }

    /// Both go to the same place, by the same protocol. The direction does not
    /// count.
    #[inline]
    pub fn same_destination(&self, other: &Tuple) -> bool {
        self.dst.address == other.dst.address
            && self.dst.id == other.dst.id
            && self.dst.protocol == other.dst.protocol
    }

    /// The tuple as it lies in memory, word by word. The last byte is the direction:
    /// [`Self::LAST_WORD`] leaves it out.
    #[inline(always)]
    pub const fn image(&self) -> [u64; 5] {
        let Address([s0, s1, s2, s3]) = self.src.address;
        let Address([d0, d1, d2, d3]) = self.dst.address;
        let dst = self.dst.protocol as u16 | ((self.dst.direction as u16) << 8);
        [
            in_memory(s0.raw(), s1.raw()),
            in_memory(s2.raw(), s3.raw()),
            in_memory(halves(self.src.id.raw(), self.src.l3num), d0.raw()),
            in_memory(d1.raw(), d2.raw()),
            in_memory(d3.raw(), halves(self.dst.id.raw(), dst)),
        ]
    }

    /// What of the last word of [`Self::image`] tells tuples apart.
    pub const LAST_WORD: u64 = u64::MAX >> 8;

    /// All that tells tuples apart, for hashing: tuples are equal if and only
    /// if these are. The values are those of this machine's byte order.
    #[inline]
    pub fn words(&self) -> [u64; 5] {
        let Address([s0, s1, s2, s3]) = self.src.address;
        let Address([d0, d1, d2, d3]) = self.dst.address;
        let pair = |a: Be32, b: Be32| (u64::from(a.raw()) << 32) | u64::from(b.raw());
        [
            pair(s0, s1),
            pair(s2, s3),
            pair(d0, d1),
            pair(d2, d3),
            (u64::from(self.src.id.raw()) << 48)
                | (u64::from(self.dst.id.raw()) << 32)
                | (u64::from(self.src.l3num) << 16)
                | u64::from(self.dst.protocol),
        ]
    }

    /// The lower one of an ICMP message's type and its answer's, with the code.
    #[inline(always)]
    fn either_kind(&self, invert: fn(u8) -> Option<u8>) -> u16 {
        let [kind, code] = self.dst.id.to_bytes();
        let either = invert(kind).map_or(kind, |answer| answer.min(kind));
        u16::from_ne_bytes([either, code])
    }

    fn inverted_kind(&self, invert: fn(u8) -> Option<u8>) -> Option<Be16> {
        let [kind, code] = self.dst.id.to_bytes();
        Some(Be16::from_bytes([invert(kind)?, code]))
    }
}

// Images are those of little-endian machines.
const _: () = assert!(cfg!(target_endian = "little"));

#[inline(always)]
const fn in_memory(first: u32, second: u32) -> u64 {
    first as u64 | ((second as u64) << 32)
}

#[inline(always)]
const fn halves(first: u16, second: u16) -> u32 {
    first as u32 | ((second as u32) << 16)
}

/// The direction does not count.
impl PartialEq for Tuple {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.same_source(other) && self.same_destination(other)
    }
}

impl Eq for Tuple {}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::{offset_of, size_of};

    fn tuple(protocol: u8, src_id: [u8; 2], dst_id: [u8; 2]) -> Tuple {
        Tuple {
            src: Source {
                address: Address::v4(Be32::new(1)),
                id: Be16::from_bytes(src_id),
                l3num: Family::Ipv4.number(),
            },
            dst: Destination {
                address: Address::v4(Be32::new(2)),
                id: Be16::from_bytes(dst_id),
                protocol,
                direction: 0,
            },
        }
    }

    fn inverted_ids(protocol: u8, src: [u8; 2], dst: [u8; 2]) -> Option<([u8; 2], [u8; 2])> {
        let original = tuple(protocol, src, dst);
        let inverted = original.invert()?;
        assert_eq!(inverted.src.address, original.dst.address);
        assert_eq!(inverted.dst.address, original.src.address);
        assert_eq!(inverted.dst.direction, 1);
        assert_eq!(inverted.dst.protocol, protocol);
        Some((inverted.src.id.to_bytes(), inverted.dst.id.to_bytes()))
    }

    /// `struct nf_conntrack_tuple`; the kernel side checks against the header.
    #[test]
    fn layout() {
        assert_eq!(size_of::<Tuple>(), 40);
        assert_eq!(offset_of!(Tuple, dst), 20);
        assert_eq!(offset_of!(Destination, direction), 19);
    }

    #[test]
    fn answers() {
        for protocol in [number::TCP, number::UDP, number::SCTP, number::GRE, 255] {
            let inverted = inverted_ids(protocol, [1, 2], [3, 4]);
            assert_eq!(inverted, Some(([3, 4], [1, 2])));
        }
        // The id stays where it is, the type becomes its answer's.
        let inverted = inverted_ids(number::ICMP, [1, 2], [8, 0]);
        assert_eq!(inverted, Some(([1, 2], [0, 0])));
        let inverted = inverted_ids(number::ICMPV6, [1, 2], [129, 5]);
        assert_eq!(inverted, Some(([1, 2], [128, 5])));
        assert_eq!(inverted_ids(number::ICMP, [1, 2], [3, 1]), None);
        assert_eq!(inverted_ids(number::ICMPV6, [1, 2], [1, 0]), None);
    }

    #[test]
    fn ends_of_answers() {
        for protocol in [number::TCP, number::UDP, number::SCTP, number::GRE, 255] {
            let (a, b, rest) = tuple(protocol, [1, 2], [3, 4]).ends();
            assert_eq!((a.to_bytes(), b.to_bytes(), rest), ([1, 2], [3, 4], 0));
        }
        for protocol in [number::ICMP, number::ICMPV6] {
            for kind in 0..=u8::MAX {
                let one = tuple(protocol, [1, 2], [kind, 7]);
                let (a, b, rest) = one.ends();
                assert_eq!((a.to_bytes(), b.to_bytes()), ([1, 2], [1, 2]));
                // No other type has this, but its answer's.
                for other in 0..=u8::MAX {
                    let (_, _, others) = tuple(protocol, [1, 2], [other, 7]).ends();
                    let answers = one.invert().map(|tuple| tuple.dst.id.to_bytes());
                    let alike = other == kind || answers == Some([other, 7]);
                    assert_eq!(rest == others, alike, "{kind} {other}");
                }
                assert_ne!(rest, tuple(protocol, [1, 2], [kind, 8]).ends().2);
            }
        }
    }

    #[test]
    fn direction_does_not_count() {
        let one = tuple(number::TCP, [1, 2], [3, 4]);
        let mut other = one;
        other.dst.direction = 1;
        assert_eq!(one, other);
        assert_eq!(one.words(), other.words());
        other.dst.protocol = number::UDP;
        assert!(one.same_source(&other) && !one.same_destination(&other));
        assert_ne!(one, other);
    }
}
