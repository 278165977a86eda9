// SPDX-License-Identifier: GPL-2.0

//! Network address translation: where a rule sends a connection, which of the
//! places there it gets, and what must be changed in its packets.
//!
//! - [`range`]: what a rule asks for (`struct nf_nat_range2`).
//! - [`address`], [`ids`] and [`choice`]: what a connection gets of it.
//! - [`rewrite`]: the change of a packet, or of an ICMP error about one.
//! - [`edit`] and [`settle`]: the change of a payload by a helper.

pub mod address;
pub mod choice;
pub mod edit;
pub mod ids;
pub mod range;
pub mod rewrite;
pub mod settle;

use crate::{
    be::Be16,
    l4::{icmp, icmpv6, number},
    tuple::{Address, Tuple},
};

/// Which side of a connection is changed (`enum nf_nat_manip_type`).
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manip {
    /// The source: at POST_ROUTING and LOCAL_IN.
    Source = 0,
    /// The destination: at PRE_ROUTING and LOCAL_OUT.
    Destination = 1,
}

impl Manip {
    /// The other side.
    #[inline]
    pub const fn opposite(self) -> Self {
        match self {
            Manip::Source => Manip::Destination,
            Manip::Destination => Manip::Source,
        }
    }

    /// The address of this side.
    #[inline]
    pub fn address(self, tuple: &Tuple) -> Address {
        match self {
            Manip::Source => tuple.src.address,
            Manip::Destination => tuple.dst.address,
        }
    }

    /// Sets the address of this side.
    #[inline]
    pub fn set_address(self, tuple: &mut Tuple, address: Address) {
        match self {
            Manip::Source => tuple.src.address = address,
            Manip::Destination => tuple.dst.address = address,
        }
    }
}

/// Where a tuple has what can be chosen besides the address: a port, an ICMP
/// id, the key of PPTP's GRE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Where the source's port is. ICMP's id is there whatever side is changed.
    Source,
    /// Where the destination's port is.
    Destination,
}

impl Place {
    /// Where it is for connections like that of `tuple`; nothing if they have
    /// none. `pptp`: GRE has keys only in the tunnels of PPTP, which have a
    /// master.
    #[inline]
    pub fn of(tuple: &Tuple, manip: Manip, pptp: bool) -> Option<Self> {
        let [kind, _] = tuple.dst.id.to_bytes();
        match tuple.dst.protocol {
            number::TCP | number::UDP | number::SCTP => Some(Self::of_side(manip)),
            number::GRE if pptp => Some(Self::of_side(manip)),
            number::ICMP if has_icmp_id(kind) => Some(Place::Source),
            number::ICMPV6 if has_icmpv6_id(kind) => Some(Place::Source),
            _ => None,
        }
    }

    /// What stands there.
    #[inline]
    pub fn get(self, tuple: &Tuple) -> Be16 {
        match self {
            Place::Source => tuple.src.id,
            Place::Destination => tuple.dst.id,
        }
    }

    /// Sets it.
    #[inline]
    pub fn set(self, tuple: &mut Tuple, id: Be16) {
        match self {
            Place::Source => tuple.src.id = id,
            Place::Destination => tuple.dst.id = id,
        }
    }

    const fn of_side(manip: Manip) -> Self {
        match manip {
            Manip::Source => Place::Source,
            Manip::Destination => Place::Destination,
        }
    }
}

/// ICMP messages of this type have an id: requests and their answers.
#[inline]
pub(crate) const fn has_icmp_id(kind: u8) -> bool {
    icmp::invert(kind).is_some()
}

/// ICMPv6 messages of this type have an id. Node information, which is answered
/// too, has something else in its place.
#[inline]
pub(crate) const fn has_icmpv6_id(kind: u8) -> bool {
    icmpv6::invert(kind).is_some() && kind < 130
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuple::{Destination, Source};

    fn place(protocol: u8, kind: u8, manip: Manip, pptp: bool) -> Option<Place> {
        let tuple = Tuple {
            src: Source::default(),
            dst: Destination {
                id: Be16::from_bytes([kind, 0]),
                protocol,
                ..Destination::default()
            },
        };
        Place::of(&tuple, manip, pptp)
    }

    #[test]
    fn where_ids_are() {
        use Manip::{Destination as D, Source as S};
        let (src, dst) = (Some(Place::Source), Some(Place::Destination));
        // Protocol, ICMP type, PPTP; the place for either side.
        let rows = [
            (number::TCP, 0, false, [src, dst]),
            (number::UDP, 0, false, [src, dst]),
            (number::SCTP, 0, false, [src, dst]),
            (number::GRE, 0, true, [src, dst]),
            (number::GRE, 0, false, [None, None]),
            (number::ICMP, 8, false, [src, src]),
            (number::ICMP, 0, false, [src, src]),
            (number::ICMP, 13, false, [src, src]),
            (number::ICMP, 3, false, [None, None]),
            (number::ICMPV6, 128, false, [src, src]),
            (number::ICMPV6, 129, false, [src, src]),
            (number::ICMPV6, 139, false, [None, None]),
            (number::ICMPV6, 1, false, [None, None]),
            (50, 0, false, [None, None]),
        ];
        for (protocol, kind, pptp, expected) in rows {
            let found = [S, D].map(|manip| place(protocol, kind, manip, pptp));
            assert_eq!(found, expected, "protocol {protocol}, type {kind}");
        }
    }
}
