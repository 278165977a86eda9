// SPDX-License-Identifier: GPL-2.0

//! What a rule asks for: `struct nf_nat_range2`,
//! include/uapi/linux/netfilter/nf_nat.h.

use crate::{
    be::{Be16, Be32},
    l4::number,
    tuple::{Address, Family, Tuple},
};

/// Addresses and ids to choose from, both ends of a range included.
///
/// It has the layout of the C struct; the kernel side asserts that. Which of
/// the fields count is said by the flags. Ends that are given the wrong way
/// round are taken the right way round.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Range {
    /// `NF_NAT_RANGE_*`.
    pub flags: Flags,
    /// The first address, with [`Flags::MAP_IPS`].
    pub min: Address,
    /// The last address.
    pub max: Address,
    /// The first port, ICMP id or GRE key, with [`Flags::PROTO_SPECIFIED`].
    pub min_id: Be16,
    /// The last one.
    pub max_id: Be16,
    /// What `min_id` stands for, with [`Flags::PROTO_OFFSET`].
    pub base_id: Be16,
}

/// `NF_NAT_RANGE_*`.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Flags(pub u32);

impl Flags {
    /// The address is to be one of the range (`NF_NAT_RANGE_MAP_IPS`).
    pub const MAP_IPS: Flags = Flags(1);
    /// The id is to be one of the range (`NF_NAT_RANGE_PROTO_SPECIFIED`).
    pub const PROTO_SPECIFIED: Flags = Flags(1 << 1);
    /// The id is drawn, and not kept (`NF_NAT_RANGE_PROTO_RANDOM`).
    pub const PROTO_RANDOM: Flags = Flags(1 << 2);
    /// The address does not depend on the destination
    /// (`NF_NAT_RANGE_PERSISTENT`).
    pub const PERSISTENT: Flags = Flags(1 << 3);
    /// As [`Flags::PROTO_RANDOM`], and means no more
    /// (`NF_NAT_RANGE_PROTO_RANDOM_FULLY`).
    pub const PROTO_RANDOM_FULLY: Flags = Flags(1 << 4);
    /// The id is as far from the first one as it was from the base
    /// (`NF_NAT_RANGE_PROTO_OFFSET`).
    pub const PROTO_OFFSET: Flags = Flags(1 << 5);
    /// The rule maps a network onto another one (`NF_NAT_RANGE_NETMAP`): it has
    /// done so itself, and gives one address.
    pub const NETMAP: Flags = Flags(1 << 6);
    /// All that there are (`NF_NAT_RANGE_MASK`).
    pub const ALL: Flags = Flags(0x7f);
    /// Either of the two that ask for an id to be drawn.
    pub const PROTO_RANDOM_ALL: Flags = Flags((1 << 2) | (1 << 4));

    /// One of these is set.
    #[inline]
    pub const fn any(self, flags: Flags) -> bool {
        self.0 & flags.0 != 0
    }

    /// This one is set.
    #[inline]
    pub const fn has(self, flags: Flags) -> bool {
        self.0 & flags.0 != 0
    }

    /// These as well.
    #[inline]
    pub const fn with(self, flags: Flags) -> Flags {
        Flags(self.0 | flags.0)
    }
}

impl Range {
    /// One address, any id: what a rule without ports asks for, and what a
    /// connection gets that no rule is about.
    #[inline]
    pub const fn to(address: Address) -> Self {
        Self {
            flags: Flags::MAP_IPS,
            min: address,
            max: address,
            min_id: Be16::new(0),
            max_id: Be16::new(0),
            base_id: Be16::new(0),
        }
    }

    /// One address and one id.
    #[inline]
    pub const fn exactly(address: Address, id: Be16) -> Self {
        Self {
            flags: Flags::MAP_IPS.with(Flags::PROTO_SPECIFIED),
            min_id: id,
            max_id: id,
            ..Self::to(address)
        }
    }

    /// This range with one address instead of its own.
    #[inline]
    pub const fn at(&self, address: Address) -> Self {
        Self {
            flags: self.flags.with(Flags::MAP_IPS),
            min: address,
            max: address,
            ..*self
        }
    }

    /// The first and the last id, host order.
    #[inline]
    pub const fn ids(&self) -> (u16, u16) {
        let (min, max) = (self.min_id.get(), self.max_id.get());
        if max < min {
            (max, min)
        } else {
            (min, max)
        }
    }

    /// The first and the last address, as numbers.
    #[inline]
    pub fn addresses(&self, family: Family) -> (u128, u128) {
        let min = to_number(&self.min, family);
        let max = to_number(&self.max, family);
        (min.min(max), min.max(max))
    }

    /// There is one address only.
    #[inline]
    pub fn single_address(&self) -> bool {
        self.flags.has(Flags::MAP_IPS) && self.min == self.max
    }

    /// The source of `tuple` is one that the range allows.
    #[inline]
    pub fn holds(&self, tuple: &Tuple) -> bool {
        self.has_address(&tuple.src.address, family(tuple))
            && (!self.flags.has(Flags::PROTO_SPECIFIED)
                || !has_ids(tuple.dst.protocol)
                || self.has_id(tuple.src.id))
    }

    /// An address that the range allows.
    #[inline]
    pub fn has_address(&self, address: &Address, family: Family) -> bool {
        if !self.flags.has(Flags::MAP_IPS) {
            return true;
        }
        if self.min == self.max {
            return self.min == *address;
        }
        let (min, max) = self.addresses(family);
        (min..=max).contains(&to_number(address, family))
    }

    /// An id between the ends.
    #[inline]
    pub const fn has_id(&self, id: Be16) -> bool {
        let (min, max) = self.ids();
        min <= id.get() && id.get() <= max
    }
}

/// The protocol has ports, ids or keys.
#[inline]
const fn has_ids(protocol: u8) -> bool {
    matches!(
        protocol,
        number::TCP | number::UDP | number::SCTP | number::ICMP | number::ICMPV6 | number::GRE
    )
}

/// The network layer of a tuple.
#[inline]
pub(super) fn family(tuple: &Tuple) -> Family {
    if tuple.src.l3num == Family::Ipv6.number() {
        Family::Ipv6
    } else {
        Family::Ipv4
    }
}

/// An address as a number.
#[inline]
pub(super) fn to_number(address: &Address, family: Family) -> u128 {
    let Address([a, b, c, d]) = address;
    let wide = |word: &Be32| u128::from(word.get());
    match family {
        Family::Ipv4 => wide(a),
        Family::Ipv6 => (wide(a) << 96) | (wide(b) << 64) | (wide(c) << 32) | wide(d),
    }
}

/// The address of a number.
#[inline]
pub(super) const fn of_number(number: u128, family: Family) -> Address {
    match family {
        Family::Ipv4 => Address::v4(Be32::new(number as u32)),
        Family::Ipv6 => Address([
            Be32::new((number >> 96) as u32),
            Be32::new((number >> 64) as u32),
            Be32::new((number >> 32) as u32),
            Be32::new(number as u32),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::{offset_of, size_of};

    #[test]
    fn layout_of_nf_nat_range2() {
        assert_eq!(size_of::<Range>(), 44);
        assert_eq!(offset_of!(Range, min), 4);
        assert_eq!(offset_of!(Range, max), 20);
        assert_eq!(offset_of!(Range, min_id), 36);
        assert_eq!(offset_of!(Range, base_id), 40);
    }

    fn v4(word: u32) -> Address {
        Address::v4(Be32::new(word))
    }

    #[test]
    fn what_is_within() {
        let all = Range::default();
        assert!(all.has_address(&v4(7), Family::Ipv4));

        let mut range = Range::exactly(v4(10), Be16::new(100));
        (range.max, range.max_id) = (v4(0x0100_0000), Be16::new(0x200));
        // The wrong way round it is the same.
        let mut turned = range;
        (turned.min, turned.max) = (range.max, range.min);
        (turned.min_id, turned.max_id) = (range.max_id, range.min_id);
        for range in [range, turned] {
            // Byte order counts: numbers are those of the network.
            for (address, within) in [
                (9, false),
                (10, true),
                (11, true),
                (0x0100_0000, true),
                (0x0100_0001, false),
                (0xff00_0000, false),
            ] {
                assert_eq!(range.has_address(&v4(address), Family::Ipv4), within);
            }
            for (id, within) in [(99, false), (100, true), (0x200, true), (0x201, false)] {
                assert_eq!(range.has_id(Be16::new(id)), within);
            }
        }
    }

    #[test]
    fn ipv6_addresses_are_numbers() {
        let address = Address([1, 2, 3, 4].map(Be32::new));
        let value = to_number(&address, Family::Ipv6);
        assert_eq!(value, 0x00000001_00000002_00000003_00000004);
        assert_eq!(of_number(value, Family::Ipv6), address);
        assert_eq!(of_number(9, Family::Ipv4), v4(9));
    }

    #[test]
    fn at_an_address() {
        let range = Range::exactly(v4(1), Be16::new(5)).at(v4(2));
        assert_eq!(range, Range::exactly(v4(2), Be16::new(5)));
    }
}
