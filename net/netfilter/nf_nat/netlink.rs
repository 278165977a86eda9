// SPDX-License-Identifier: GPL-2.0

//! A mapping that ctnetlink asks for: `CTA_NAT_SRC` and `CTA_NAT_DST`
//! (include/uapi/linux/netfilter/nfnetlink_conntrack.h).

use crate::setup::{is_initialized, null_binding, setup};
use kernel::{error::code::*, prelude::*};
use netfilter::conntrack::Conn;
use nf_bindings as bindings;
use nf_proto::{
    be::{Be16, Be32},
    nat::{
        range::{Flags, Range},
        Manip,
    },
    tuple::{Address, Family},
};

/// `EPROTONOSUPPORT`
const UNSUPPORTED: i32 = -(bindings::EPROTONOSUPPORT as i32);

/// Settles the side `manip` of a connection that ctnetlink makes, as `nest` says:
/// the attributes inside `CTA_NAT_SRC` or `CTA_NAT_DST`; without one it is a null
/// binding. Under RCU.
///
/// # Errors
///
/// `EEXIST` if it is settled already, `EINVAL` or `ERANGE` for attributes that
/// cannot be, `ENOMEM` if there is no free place.
pub fn parse_and_set_up(conn: &Conn, manip: Manip, nest: Option<&[u8]>) -> Result {
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

fn range(conn: &Conn, nest: &[u8]) -> Result<Range> {
    let family = crate::translate::family(conn).ok_or(Error::from_errno(UNSUPPORTED))?;
    let mut range = Range::to(Address::default());
    range.flags = Flags(0);
    let mut last = None;
    for attribute in Attributes(nest) {
        let (kind, value) = attribute?;
        match (family, u32::from(kind)) {
            (Family::Ipv4, bindings::ctattr_nat_CTA_NAT_V4_MINIP) => {
                range.min = ipv4(value)?;
                range.flags = range.flags.with(Flags::MAP_IPS);
            }
            (Family::Ipv4, bindings::ctattr_nat_CTA_NAT_V4_MAXIP) => last = Some(ipv4(value)?),
            (Family::Ipv6, bindings::ctattr_nat_CTA_NAT_V6_MINIP) => {
                range.min = ipv6(value)?;
                range.flags = range.flags.with(Flags::MAP_IPS);
            }
            (Family::Ipv6, bindings::ctattr_nat_CTA_NAT_V6_MAXIP) => last = Some(ipv6(value)?),
            (_, bindings::ctattr_nat_CTA_NAT_PROTO) => ids(&mut range, value)?,
            _ => {}
        }
    }
    range.max = last.unwrap_or(range.min);
    // Ends the wrong way round, and ids for a protocol that has none, mean
    // something, as they do in a rule.
    Ok(range)
}

fn ids(range: &mut Range, nest: &[u8]) -> Result {
    let (mut first, mut last) = (None, None);
    for attribute in Attributes(nest) {
        let (kind, value) = attribute?;
        match u32::from(kind) {
            bindings::ctattr_protonat_CTA_PROTONAT_PORT_MIN => first = Some(port(value)?),
            bindings::ctattr_protonat_CTA_PROTONAT_PORT_MAX => last = Some(port(value)?),
            _ => {}
        }
    }
    if let Some(end) = last.or(first) {
        range.min_id = first.unwrap_or_default();
        range.max_id = end;
        range.flags = range.flags.with(Flags::PROTO_SPECIFIED);
    }
    Ok(())
}

fn port(value: &[u8]) -> Result<Be16> {
    let bytes = value.first_chunk::<2>().ok_or(ERANGE)?;
    Ok(Be16::from_bytes(*bytes))
}

fn ipv4(value: &[u8]) -> Result<Address> {
    let bytes = value.first_chunk::<4>().ok_or(ERANGE)?;
    Ok(Address::v4(Be32::from_bytes(*bytes)))
}

fn ipv6(value: &[u8]) -> Result<Address> {
    let &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] =
        value.first_chunk::<16>().ok_or(ERANGE)?;
    Ok(Address([
        Be32::from_bytes([a, b, c, d]),
        Be32::from_bytes([e, f, g, h]),
        Be32::from_bytes([i, j, k, l]),
        Be32::from_bytes([m, n, o, p]),
    ]))
}

/// The attributes of a nest: types and values, `EINVAL` where one does not end
/// within it.
struct Attributes<'a>(&'a [u8]);

/// `NLA_TYPE_MASK`
const TYPE: u16 = 0x3fff;

/// Length and type.
const HEADER: usize = 4;

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        let (header, _) = self.0.split_first_chunk::<HEADER>()?;
        let &[l0, l1, t0, t1] = header;
        let len = usize::from(u16::from_ne_bytes([l0, l1]));
        let Some(value) = self.0.get(HEADER..len) else {
            self.0 = &[];
            return Some(Err(EINVAL));
        };
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or(&[]);
        Some(Ok((u16::from_ne_bytes([t0, t1]) & TYPE, value)))
    }
}
