// SPDX-License-Identifier: GPL-2.0

//! Which connections a dump or a deletion is about.
//!
//! A filter is made of the message once. What is compared first is where an
//! entry is met anyway, in the first of its cache lines: family, addresses,
//! ports and zone; mark, status and namespace are in another one.

use crate::{attr::*, tuple, tuple::Parts};
use kernel::prelude::*;
use netfilter::{
    conntrack::{Conn, Net},
    nlattr::{Attributes, Extack, Policy, Rule},
};
use nf_bindings as bindings;
use nf_proto::{be::Be16, be::Be32, tuple::Direction, tuple::Tuple};

use bindings::{
    ctattr_filter_CTA_FILTER_ORIG_FLAGS as CTA_FILTER_ORIG_FLAGS,
    ctattr_filter_CTA_FILTER_REPLY_FLAGS as CTA_FILTER_REPLY_FLAGS,
};

static POLICY: Policy<{ bindings::ctattr_filter___CTA_FILTER_MAX as usize }> = Policy::new(&[
    (CTA_FILTER_ORIG_FLAGS, Rule::U32Bits(Parts::ALL.0)),
    (CTA_FILTER_REPLY_FLAGS, Rule::U32Bits(Parts::ALL.0)),
]);

/// A number whose bits in `mask` are those of `value`.
#[derive(Clone, Copy, Default)]
struct Bits {
    value: u32,
    mask: u32,
}

impl Bits {
    fn match_(self, number: u32) -> bool {
        number & self.mask == self.value
    }
}

/// What the tuple and the zone of one direction must be.
struct Side {
    direction: Direction,
    value: [u64; 5],
    mask: [u64; 5],
    zone: Option<u16>,
}

impl Side {
    fn matches(&self, conn: &Conn) -> bool {
        let words = conn.tuple(self.direction).words();
        let wanted = self.value.iter().zip(&self.mask);
        words
            .iter()
            .zip(wanted)
            .all(|(word, (value, mask))| word & mask == *value)
            && self
                .zone
                .is_none_or(|zone| conn.zone().id(self.direction) == zone)
    }
}

/// A compiled filter.
pub(crate) struct Filter {
    /// `NFPROTO_*`, or 0 for all.
    family: u16,
    zone: Option<u16>,
    has_sides: bool,
    sides: [Option<Side>; 2],
    mark: Bits,
    status: Bits,
}

impl Filter {
    /// The filter of a message; none if it is about all connections.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it makes no sense, `EOPNOTSUPP` if it is about the tuples of
    /// another family, `ERANGE` if it has flags that are not known.
    pub(crate) fn of(
        attributes: Attributes<'_>,
        family: u8,
        extack: Extack<'_>,
    ) -> Result<Option<Filter>> {
        let is_asked = attributes.has_any(&[CTA_MARK, CTA_FILTER, CTA_STATUS, CTA_ZONE]);
        if family == 0 && !is_asked {
            return Ok(None);
        }
        let mut filter = Filter {
            family: family.into(),
            zone: attributes.be16(CTA_ZONE).map(Be16::get),
            has_sides: false,
            sides: [None, None],
            mark: mark(attributes, extack)?,
            status: status(attributes, extack)?,
        };
        if let Some(nest) = attributes.get(CTA_FILTER) {
            let parsed = nest.nested_strict(&POLICY, extack)?;
            let flags = parsed.attributes();
            let [original, reply] = &mut filter.sides;
            for (side, number, flags, direction) in [
                (
                    original,
                    CTA_TUPLE_ORIG,
                    flags.u32(CTA_FILTER_ORIG_FLAGS),
                    Direction::Original,
                ),
                (
                    reply,
                    CTA_TUPLE_REPLY,
                    flags.u32(CTA_FILTER_REPLY_FLAGS),
                    Direction::Reply,
                ),
            ] {
                let Some(parts) = flags.filter(|flags| *flags != 0).map(Parts) else {
                    continue;
                };
                let tuple = attributes.get(number).ok_or_else(|| {
                    extack.refuse_attribute(EINVAL, c"The filter is about a missing tuple", nest)
                })?;
                let (value, zone) = tuple::read_parts(tuple, family, direction, parts, extack)?;
                *side = Some(side_of(&value, zone, parts, direction));
                filter.has_sides = true;
            }
        }
        Ok(Some(filter))
    }

    fn sides_match(&self, conn: &Conn) -> bool {
        self.sides
            .iter()
            .all(|side| side.as_ref().is_none_or(|side| side.matches(conn)))
    }

    /// The connection is one that is meant, in `net`.
    #[inline]
    pub(crate) fn matches(&self, conn: &Conn, net: Net) -> bool {
        (self.family == 0 || self.family == conn.l3num())
            && self.zone.is_none_or(|zone| conn.zone().raw_id() == zone)
            && (!self.has_sides || self.sides_match(conn))
            && self.mark.match_(conn.mark())
            && self.status.match_(conn.status().0 as u32)
            && conn.net() == net
    }
}

/// The connection is one that is meant, in `net`: every one without a filter.
#[inline]
pub(crate) fn matches(filter: Option<&Filter>, conn: &Conn, net: Net) -> bool {
    match filter {
        Some(filter) => filter.matches(conn, net),
        None => conn.net() == net,
    }
}

fn side_of(tuple: &Tuple, zone: Option<u16>, parts: Parts, direction: Direction) -> Side {
    let mask = tuple::mask(parts, tuple).words();
    let value = tuple.words();
    let mut masked = mask;
    for (word, value) in masked.iter_mut().zip(value) {
        *word &= value;
    }
    Side {
        direction,
        value: masked,
        mask,
        zone,
    }
}

fn mark(attributes: Attributes<'_>, extack: Extack<'_>) -> Result<Bits> {
    let mask = attributes.be32(CTA_MARK_MASK).map(Be32::get);
    match attributes.be32(CTA_MARK).map(Be32::get) {
        Some(value) => Ok(Bits {
            value,
            mask: mask.unwrap_or(u32::MAX),
        }),
        None if mask.is_some() => Err(extack.refuse(EINVAL, c"A mask without a mark")),
        None => Ok(Bits::default()),
    }
}

fn status(attributes: Attributes<'_>, extack: Extack<'_>) -> Result<Bits> {
    let mask = attributes.be32(CTA_STATUS_MASK).map(Be32::get);
    match attributes.be32(CTA_STATUS).map(Be32::get) {
        Some(value) => match mask.unwrap_or(value) {
            0 => Err(extack.refuse(EINVAL, c"No status bit is asked for")),
            mask => Ok(Bits { value, mask }),
        },
        None if mask.is_some() => Err(extack.refuse(EINVAL, c"A mask without a status")),
        None => Ok(Bits::default()),
    }
}
