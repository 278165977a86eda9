// SPDX-License-Identifier: GPL-2.0

//! Tuples: what identifies one direction of a connection.
//!
//! The types have the memory layout of the kernel's `struct
//! nf_conntrack_tuple` (include/net/netfilter/nf_conntrack_tuple.h); the
//! kernel side asserts sizes and offsets against the generated bindings at
//! compile time, and so may use one for the other.

use crate::be::{Be16, Be32};

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
