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
        Self([word, Be32::from_raw(0), Be32::from_raw(0), Be32::from_raw(0)])
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
        let (src_id, dst_id) = match (self.src.l3num, self.dst.protocol) {
            (2, number::ICMP) => (self.src.id, self.inverted_kind(l4::icmp::invert)?),
            (10, number::ICMPV6) => (self.src.id, self.inverted_kind(l4::icmpv6::invert)?),
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

    fn inverted_kind(&self, invert: fn(u8) -> Option<u8>) -> Option<Be16> {
        let [kind, code] = self.dst.id.to_bytes();
        Some(Be16::from_bytes([invert(kind)?, code]))
    }
}
