// SPDX-License-Identifier: GPL-2.0

//! What requests say of expectations.

use crate::tuple;
use kernel::prelude::*;
use netfilter::{
    conntrack::{
        expect::{flag, Nat},
        helper::NAME_LEN,
        Zone,
    },
    nlattr::{Attribute, Attributes, Extack, Policy, Rule},
};
use nf_bindings as bindings;
use nf_proto::{
    expect::Mask,
    tuple::{Direction, Tuple},
};

pub(super) const MASTER: u32 = bindings::ctattr_expect_CTA_EXPECT_MASTER;
pub(super) const TUPLE: u32 = bindings::ctattr_expect_CTA_EXPECT_TUPLE;
pub(super) const MASK: u32 = bindings::ctattr_expect_CTA_EXPECT_MASK;
pub(super) const TIMEOUT: u32 = bindings::ctattr_expect_CTA_EXPECT_TIMEOUT;
pub(super) const EXPECT_ID: u32 = bindings::ctattr_expect_CTA_EXPECT_ID;
pub(super) const HELP_NAME: u32 = bindings::ctattr_expect_CTA_EXPECT_HELP_NAME;
pub(super) const ZONE: u32 = bindings::ctattr_expect_CTA_EXPECT_ZONE;
pub(super) const FLAGS: u32 = bindings::ctattr_expect_CTA_EXPECT_FLAGS;
pub(super) const CLASS: u32 = bindings::ctattr_expect_CTA_EXPECT_CLASS;
pub(super) const NAT: u32 = bindings::ctattr_expect_CTA_EXPECT_NAT;
pub(super) const FUNCTION: u32 = bindings::ctattr_expect_CTA_EXPECT_FN;

pub(super) const NAT_DIRECTION: u32 = bindings::ctattr_expect_nat_CTA_EXPECT_NAT_DIR;
pub(super) const NAT_TUPLE: u32 = bindings::ctattr_expect_nat_CTA_EXPECT_NAT_TUPLE;

/// An expectation's attributes.
pub(super) static EXPECT: Policy<{ bindings::ctattr_expect___CTA_EXPECT_MAX as usize }> =
    Policy::new(&[
        (MASTER, Rule::Nested),
        (TUPLE, Rule::Nested),
        (MASK, Rule::Nested),
        (TIMEOUT, Rule::U32),
        (EXPECT_ID, Rule::U32),
        (HELP_NAME, Rule::Text(NAME_LEN as u16 - 1)),
        (ZONE, Rule::U16),
        (FLAGS, Rule::Be32Bits(bindings::NF_CT_EXPECT_MASK)),
        (CLASS, Rule::U32),
        (NAT, Rule::Nested),
        (FUNCTION, Rule::AnyText),
    ]);

static NAT_HAS: Policy<{ bindings::ctattr_expect_nat___CTA_EXPECT_NAT_MAX as usize }> =
    Policy::new(&[
        (
            NAT_DIRECTION,
            Rule::Be32Max(bindings::ip_conntrack_dir_IP_CT_DIR_REPLY as u16),
        ),
        (NAT_TUPLE, Rule::Nested),
    ]);

/// The tuple in one of the attributes, which must be there.
///
/// # Errors
///
/// `EINVAL`, and those of reading a tuple.
pub(super) fn tuple_in(
    attributes: Attributes<'_>,
    number: u32,
    family: u8,
    extack: Extack<'_>,
) -> Result<Tuple> {
    let attribute = attributes.get(number).ok_or(EINVAL)?;
    tuple::read(attribute, family, Direction::Original, None, extack)
}

/// The part of an expectation that says which connections fulfil it.
pub(super) struct Fulfilled {
    pub(super) tuple: Tuple,
    pub(super) mask: Mask,
}

impl Fulfilled {
    /// # Errors
    ///
    /// As [`tuple_in`].
    pub(super) fn by(attributes: Attributes<'_>, family: u8, extack: Extack<'_>) -> Result<Self> {
        let tuple = tuple_in(attributes, TUPLE, family, extack)?;
        let mask = tuple_in(attributes, MASK, family, extack)?;
        Ok(Fulfilled {
            tuple,
            mask: Mask {
                address: mask.src.address,
                id: mask.src.id,
            },
        })
    }
}

/// What NAT is to do, if that is said.
///
/// # Errors
///
/// `EINVAL`, `ERANGE`
pub(super) fn nat_in(
    attributes: Attributes<'_>,
    family: u8,
    extack: Extack<'_>,
) -> Result<Option<Nat>> {
    let Some(attribute) = attributes.get(NAT) else {
        return Ok(None);
    };
    let nest = attribute.nested(&NAT_HAS, extack)?;
    let direction = nest.attributes().be32(NAT_DIRECTION).ok_or(EINVAL)?;
    let tuple = tuple_in(nest.attributes(), NAT_TUPLE, family, extack)?;
    Ok(Some(Nat {
        reply: direction.get() == bindings::ip_conntrack_dir_IP_CT_DIR_REPLY,
        address: tuple.src.address,
        id: tuple.src.id,
    }))
}

/// The flags: whether user space made it is not for the request to say.
pub(super) fn flags_in(attributes: Attributes<'_>) -> u32 {
    attributes
        .be32(FLAGS)
        .map_or(0, |flags| flags.get() & !flag::USERSPACE)
}

/// The zone, the default one if none is said.
pub(super) fn zone_in(attributes: Attributes<'_>) -> Zone {
    match attributes.be16(ZONE) {
        Some(id) => Zone::new(id.get(), tuple::BOTH),
        None => Zone::DEFAULT,
    }
}

/// The attributes of an expectation that is part of another message.
///
/// # Errors
///
/// They are not as the policy says.
pub(super) fn nested(attribute: Attribute<'_>, f: impl FnOnce(Attributes<'_>) -> Result) -> Result {
    f(attribute.nested(&EXPECT, Extack::NONE)?.attributes())
}
