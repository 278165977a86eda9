// SPDX-License-Identifier: GPL-2.0

//! A mapping that ctnetlink asks for: `CTA_NAT_SRC` and `CTA_NAT_DST`
//! (include/uapi/linux/netfilter/nfnetlink_conntrack.h).

use crate::setup::{is_initialized, null_binding, setup};
use kernel::{
    error::code::{EEXIST, ENOMEM},
    prelude::*,
};
use netfilter::{
    conntrack::Conn,
    nlattr::{Attribute, Attributes, Extack, Policy, Rule},
};
use nf_bindings::{self as bindings, *};
use nf_proto::{
    be::Be32,
    nat::{
        range::{Flags, Range},
        Manip,
    },
    tuple::{Address, Family},
};

/// `EPROTONOSUPPORT`
const UNSUPPORTED: i32 = -(bindings::EPROTONOSUPPORT as i32);

/// Bytes of an IPv6 address.
const IPV6: u16 = 16;

static NAT: Policy<{ ctattr_nat___CTA_NAT_MAX as usize }> = Policy::new(&[
    (ctattr_nat_CTA_NAT_V4_MINIP, Rule::U32),
    (ctattr_nat_CTA_NAT_V4_MAXIP, Rule::U32),
    (ctattr_nat_CTA_NAT_V6_MINIP, Rule::AtLeast(IPV6)),
    (ctattr_nat_CTA_NAT_V6_MAXIP, Rule::AtLeast(IPV6)),
    (ctattr_nat_CTA_NAT_PROTO, Rule::Nested),
]);

static PROTOCOL: Policy<{ ctattr_protonat___CTA_PROTONAT_MAX as usize }> = Policy::new(&[
    (ctattr_protonat_CTA_PROTONAT_PORT_MIN, Rule::U16),
    (ctattr_protonat_CTA_PROTONAT_PORT_MAX, Rule::U16),
]);

/// Settles the side `manip` of a connection that ctnetlink makes, as `nest` says:
/// `CTA_NAT_SRC` or `CTA_NAT_DST`; without one it is a null binding. Under RCU.
///
/// # Errors
///
/// `EEXIST` if it is settled already, `EINVAL` or `ERANGE` for attributes that
/// cannot be, `ENOMEM` if there is no free place.
pub fn parse_and_set_up(conn: &Conn, manip: Manip, nest: Option<Attribute<'_>>) -> Result {
    if is_initialized(conn, manip) {
        return Err(EEXIST);
    }
    let verdict = match nest {
        None => null_binding(conn, manip),
        Some(nest) => setup(conn, &range(conn, nest)?, manip),
    };
    if verdict == bindings::NF_DROP {
        return Err(ENOMEM);
    }
    Ok(())
}

/// Ends the wrong way round, and ids for a protocol that has none, mean
/// something, as they do in a rule.
fn range(conn: &Conn, nest: Attribute<'_>) -> Result<Range> {
    let family = crate::translate::family(conn).ok_or(Error::from_errno(UNSUPPORTED))?;
    let parsed = nest.nested(&NAT, Extack::NONE)?;
    let attributes = parsed.attributes();
    let (first, last) = match family {
        Family::Ipv4 => (
            ipv4(attributes, ctattr_nat_CTA_NAT_V4_MINIP),
            ipv4(attributes, ctattr_nat_CTA_NAT_V4_MAXIP),
        ),
        Family::Ipv6 => (
            ipv6(attributes, ctattr_nat_CTA_NAT_V6_MINIP),
            ipv6(attributes, ctattr_nat_CTA_NAT_V6_MAXIP),
        ),
    };
    let mut range = Range::to(first.unwrap_or_default());
    range.max = last.unwrap_or(range.min);
    range.flags = if first.is_some() {
        Flags::MAP_IPS
    } else {
        Flags(0)
    };
    if let Some(nest) = attributes.get(ctattr_nat_CTA_NAT_PROTO) {
        ids(&mut range, nest)?;
    }
    Ok(range)
}

fn ids(range: &mut Range, nest: Attribute<'_>) -> Result {
    let parsed = nest.nested(&PROTOCOL, Extack::NONE)?;
    let first = parsed
        .attributes()
        .be16(ctattr_protonat_CTA_PROTONAT_PORT_MIN);
    let last = parsed
        .attributes()
        .be16(ctattr_protonat_CTA_PROTONAT_PORT_MAX);
    if let Some(end) = last.or(first) {
        range.min_id = first.unwrap_or_default();
        range.max_id = end;
        range.flags = range.flags.with(Flags::PROTO_SPECIFIED);
    }
    Ok(())
}

fn ipv4(attributes: Attributes<'_>, number: u32) -> Option<Address> {
    attributes.be32(number).map(Address::v4)
}

fn ipv6(attributes: Attributes<'_>, number: u32) -> Option<Address> {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = attributes.array(number)?;
    Some(Address([
        Be32::from_bytes([a, b, c, d]),
        Be32::from_bytes([e, f, g, h]),
        Be32::from_bytes([i, j, k, l]),
        Be32::from_bytes([m, n, o, p]),
    ]))
}
