// SPDX-License-Identifier: GPL-2.0

//! ICMP (RFC 792) and ICMPv6 (RFC 4443) messages.

use crate::{
    be::Be16,
    l4::{number, Reason},
    tuple::{Family, Tuple},
};

/// The first bytes of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Identifier, of messages that have one; else what stands in its place.
    pub id: Be16,
}

/// Length of the header before the quoted packet, bytes.
pub const HEADER_LEN: u32 = 8;

/// The protocol is the family's own.
#[inline]
pub fn belongs(protocol: u8, family: Family) -> bool {
    match family {
        Family::Ipv4 => protocol == number::ICMP,
        Family::Ipv6 => protocol == number::ICMPV6,
    }
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`Reason::Truncated`] if the header is cut off.
    #[inline]
    pub fn new(bytes: &[u8]) -> Result<Self, Reason> {
        let &[kind, code, _, _, i0, i1, _, _] =
            bytes.first_chunk::<8>().ok_or(Reason::Truncated)?;
        Ok(Self {
            kind,
            code,
            id: Be16::from_bytes([i0, i1]),
        })
    }

    /// Puts type, code and identifier into a tuple.
    #[inline]
    pub fn set(self, tuple: &mut Tuple) {
        tuple.src.id = self.id;
        tuple.dst.id = Be16::from_bytes([self.kind, self.code]);
    }
}
