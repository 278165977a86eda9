// SPDX-License-Identifier: GPL-2.0

//! ICMP (RFC 792) and ICMPv6 (RFC 4443) messages.

use crate::{
    be::Be16,
    l4::{icmp, icmpv6, number, Reason},
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

/// An echo request or its reply, as nearly all messages that are no errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Echo {
    /// It is a request, and may begin a connection.
    pub request: bool,
}

impl Echo {
    /// Reads it, and puts its type, code and identifier into the tuple.
    ///
    /// # Errors
    ///
    /// [`Reason::Truncated`] if the header is cut off; [`Reason::IcmpUnexpected`] of
    /// any other message, which may well be one to track.
    #[inline(always)]
    pub fn read(family: Family, tuple: &mut Tuple, bytes: &[u8]) -> Result<Self, Reason> {
        let message = Message::new(bytes)?;
        let (request, reply) = match family {
            Family::Ipv4 => (icmp::ECHO, icmp::ECHO_REPLY),
            Family::Ipv6 => (icmpv6::ECHO, icmpv6::ECHO_REPLY),
        };
        if message.kind != request && message.kind != reply {
            return Err(Reason::IcmpUnexpected);
        }
        message.set(tuple);
        Ok(Self {
            request: message.kind == request,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_are_messages_that_open_and_their_answers() {
        for kind in 0..=u8::MAX {
            let bytes = [kind, 3, 0, 0, 1, 2, 0, 0];
            let (mut tuple, mut general) = (Tuple::default(), Tuple::default());
            Message::new(&bytes).unwrap().set(&mut general);
            let v4 = Echo::read(Family::Ipv4, &mut tuple, &bytes);
            assert_eq!(v4.is_ok(), matches!(kind, 0 | 8));
            if let Ok(echo) = v4 {
                assert_eq!(tuple.image(), general.image());
                assert_eq!(echo.request, icmp::opens(kind));
                assert!(icmp::invert(kind).is_some());
            }
            let v6 = Echo::read(Family::Ipv6, &mut tuple, &bytes);
            assert_eq!(v6.is_ok(), matches!(kind, 128 | 129));
            if let Ok(echo) = v6 {
                assert_eq!(tuple.image(), general.image());
                assert_eq!(echo.request, icmpv6::opens(kind));
                assert!(icmpv6::invert(kind).is_some());
            }
            let short = Echo::read(Family::Ipv4, &mut tuple, &bytes[..7]);
            assert_eq!(short, Err(Reason::Truncated));
        }
    }
}
