// SPDX-License-Identifier: GPL-2.0

//! How a packet relates to its connection.

use nf_proto::tuple::Direction;

/// `enum ip_conntrack_info`, as kept in the low bits of `skb->_nfct`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Info(u8);

impl Info {
    /// Part of a connection that has seen both directions.
    pub const ESTABLISHED: Info = Info(0);
    /// Begins a connection that was expected, or an ICMP error about one.
    pub const RELATED: Info = Info(1);
    /// Begins a connection, or repeats its beginning.
    pub const NEW: Info = Info(2);
    /// Part of a connection, in its reply direction.
    pub const ESTABLISHED_REPLY: Info = Info(3);
    /// An ICMP error about a connection, in its reply direction.
    pub const RELATED_REPLY: Info = Info(4);
    /// Not to be tracked.
    pub const UNTRACKED: Info = Info(7);

    /// The number, `enum ip_conntrack_info`.
    #[inline]
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    /// From the low bits of a number.
    #[inline]
    pub const fn from_number(number: u32) -> Self {
        Info(number as u8 & 7)
    }

    /// Part of a connection that has seen both directions.
    #[inline]
    pub const fn is_established(self) -> bool {
        matches!(self, Info::ESTABLISHED | Info::ESTABLISHED_REPLY)
    }

    /// The direction (`CTINFO2DIR`).
    #[inline]
    pub const fn direction(self) -> Direction {
        if self.0 >= 3 {
            Direction::Reply
        } else {
            Direction::Original
        }
    }
}
