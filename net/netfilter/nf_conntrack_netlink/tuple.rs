// SPDX-License-Identifier: GPL-2.0

//! Tuples and zones as attributes.

use crate::attr::CTA_ZONE;
use kernel::prelude::*;
use netfilter::{
    conntrack::Zone,
    nfnetlink::errno,
    nlattr::{Attribute, Attributes, Extack, Policy, Rule, Writer},
};
use nf_bindings as bindings;
use nf_proto::{
    be::{Be16, Be32},
    l4::{icmp, icmpv6, number},
    tuple::{Address, Direction, Family, Tuple},
};

use bindings::{
    ctattr_ip_CTA_IP_V4_DST as CTA_IP_V4_DST, ctattr_ip_CTA_IP_V4_SRC as CTA_IP_V4_SRC,
    ctattr_ip_CTA_IP_V6_DST as CTA_IP_V6_DST, ctattr_ip_CTA_IP_V6_SRC as CTA_IP_V6_SRC,
    ctattr_l4proto_CTA_PROTO_DST_PORT as CTA_PROTO_DST_PORT,
    ctattr_l4proto_CTA_PROTO_ICMPV6_CODE as CTA_PROTO_ICMPV6_CODE,
    ctattr_l4proto_CTA_PROTO_ICMPV6_ID as CTA_PROTO_ICMPV6_ID,
    ctattr_l4proto_CTA_PROTO_ICMPV6_TYPE as CTA_PROTO_ICMPV6_TYPE,
    ctattr_l4proto_CTA_PROTO_ICMP_CODE as CTA_PROTO_ICMP_CODE,
    ctattr_l4proto_CTA_PROTO_ICMP_ID as CTA_PROTO_ICMP_ID,
    ctattr_l4proto_CTA_PROTO_ICMP_TYPE as CTA_PROTO_ICMP_TYPE,
    ctattr_l4proto_CTA_PROTO_NUM as CTA_PROTO_NUM,
    ctattr_l4proto_CTA_PROTO_SRC_PORT as CTA_PROTO_SRC_PORT,
    ctattr_tuple_CTA_TUPLE_IP as CTA_TUPLE_IP, ctattr_tuple_CTA_TUPLE_PROTO as CTA_TUPLE_PROTO,
    ctattr_tuple_CTA_TUPLE_ZONE as CTA_TUPLE_ZONE,
};

static TUPLE: Policy<{ bindings::ctattr_tuple___CTA_TUPLE_MAX as usize }> = Policy::new(&[
    (CTA_TUPLE_IP, Rule::Nested),
    (CTA_TUPLE_PROTO, Rule::Nested),
    (CTA_TUPLE_ZONE, Rule::U16),
]);

static IP: Policy<{ bindings::ctattr_ip___CTA_IP_MAX as usize }> = Policy::new(&[
    (CTA_IP_V4_SRC, Rule::U32),
    (CTA_IP_V4_DST, Rule::U32),
    (CTA_IP_V6_SRC, Rule::AtLeast(16)),
    (CTA_IP_V6_DST, Rule::AtLeast(16)),
]);

static PROTO: Policy<{ bindings::ctattr_l4proto___CTA_PROTO_MAX as usize }> = Policy::new(&[
    (CTA_PROTO_NUM, Rule::U8),
    (CTA_PROTO_SRC_PORT, Rule::U16),
    (CTA_PROTO_DST_PORT, Rule::U16),
    (CTA_PROTO_ICMP_ID, Rule::U16),
    (CTA_PROTO_ICMP_TYPE, Rule::U8),
    (CTA_PROTO_ICMP_CODE, Rule::U8),
    (CTA_PROTO_ICMPV6_ID, Rule::U16),
    (CTA_PROTO_ICMPV6_TYPE, Rule::U8),
    (CTA_PROTO_ICMPV6_CODE, Rule::U8),
]);

/// Which parts of a tuple are meant (`CTA_FILTER_ORIG_FLAGS`,
/// `CTA_FILTER_REPLY_FLAGS`). Stock has the bits in a header of its own, they
/// are part of the ABI all the same.
#[derive(Clone, Copy)]
pub(crate) struct Parts(pub(crate) u32);

impl Parts {
    pub(crate) const IP_SRC: Parts = Parts(1 << 0);
    pub(crate) const IP_DST: Parts = Parts(1 << 1);
    pub(crate) const ZONE: Parts = Parts(1 << 2);
    pub(crate) const PROTO_NUM: Parts = Parts(1 << 3);
    pub(crate) const SRC_PORT: Parts = Parts(1 << 4);
    pub(crate) const DST_PORT: Parts = Parts(1 << 5);
    pub(crate) const ICMP_TYPE: Parts = Parts(1 << 6);
    pub(crate) const ICMP_CODE: Parts = Parts(1 << 7);
    pub(crate) const ICMP_ID: Parts = Parts(1 << 8);
    pub(crate) const ICMPV6_TYPE: Parts = Parts(1 << 9);
    pub(crate) const ICMPV6_CODE: Parts = Parts(1 << 10);
    pub(crate) const ICMPV6_ID: Parts = Parts(1 << 11);
    /// All of it.
    pub(crate) const ALL: Parts = Parts((1 << 12) - 1);
    /// What only has a meaning with a protocol.
    const OF_PROTOCOL: Parts = Parts(Parts::ALL.0 & !0xf);

    /// Any of `other` is meant.
    pub(crate) const fn has(self, other: Parts) -> bool {
        self.0 & other.0 != 0
    }
}

/// Which part of ICMP or ICMPv6 is in which attribute.
struct Icmp {
    id: (u32, Parts),
    kind: (u32, Parts),
    code: (u32, Parts),
    /// The type of the answers to a type.
    invert: fn(u8) -> Option<u8>,
}

const ICMP: Icmp = Icmp {
    id: (CTA_PROTO_ICMP_ID, Parts::ICMP_ID),
    kind: (CTA_PROTO_ICMP_TYPE, Parts::ICMP_TYPE),
    code: (CTA_PROTO_ICMP_CODE, Parts::ICMP_CODE),
    invert: icmp::invert,
};

const ICMPV6: Icmp = Icmp {
    id: (CTA_PROTO_ICMPV6_ID, Parts::ICMPV6_ID),
    kind: (CTA_PROTO_ICMPV6_TYPE, Parts::ICMPV6_TYPE),
    code: (CTA_PROTO_ICMPV6_CODE, Parts::ICMPV6_CODE),
    invert: icmpv6::invert,
};

/// How a protocol's tuples are told apart.
enum Ids {
    Ports,
    Icmp(&'static Icmp),
    Nothing,
}

const fn ids(protocol: u8) -> Ids {
    match protocol {
        number::TCP | number::UDP | number::SCTP | number::GRE => Ids::Ports,
        number::ICMP => Ids::Icmp(&ICMP),
        number::ICMPV6 => Ids::Icmp(&ICMPV6),
        _ => Ids::Nothing,
    }
}

/// Writes a tuple: what is in `CTA_TUPLE_ORIG` and its like.
pub(crate) fn write(writer: &mut Writer<'_>, tuple: &Tuple) {
    writer.nest(CTA_TUPLE_IP, |writer| {
        let Address(src) = tuple.src.address;
        let Address(dst) = tuple.dst.address;
        if tuple.src.l3num == Family::Ipv4.number() {
            let ([src, ..], [dst, ..]) = (src, dst);
            writer.be32(CTA_IP_V4_SRC, src).be32(CTA_IP_V4_DST, dst);
        } else if tuple.src.l3num == Family::Ipv6.number() {
            writer
                .address(CTA_IP_V6_SRC, src)
                .address(CTA_IP_V6_DST, dst);
        }
    });
    writer.nest(CTA_TUPLE_PROTO, |writer| {
        writer.u8(CTA_PROTO_NUM, tuple.dst.protocol);
        match ids(tuple.dst.protocol) {
            Ids::Ports => {
                writer
                    .be16(CTA_PROTO_SRC_PORT, tuple.src.id)
                    .be16(CTA_PROTO_DST_PORT, tuple.dst.id);
            }
            Ids::Icmp(icmp) => {
                let [kind, code] = tuple.dst.id.to_bytes();
                writer
                    .be16(icmp.id.0, tuple.src.id)
                    .u8(icmp.kind.0, kind)
                    .u8(icmp.code.0, code);
            }
            Ids::Nothing => {}
        }
    });
}

/// Writes the zone into a tuple's nest, if it holds for this direction only.
pub(crate) fn write_zone(writer: &mut Writer<'_>, zone: Zone, direction: Direction) {
    if zone.raw_id() != 0 && zone.directions() == side(direction) {
        writer.be16(CTA_TUPLE_ZONE, Be16::new(zone.raw_id()));
    }
}

const fn side(direction: Direction) -> u8 {
    1 << direction as u8
}

/// Both directions (`NF_CT_DEFAULT_ZONE_DIR`).
pub(crate) const BOTH: u8 = 3;

/// The zone of a message (`CTA_ZONE`), for both directions.
pub(crate) fn zone(attributes: Attributes<'_>) -> Zone {
    Zone::new(attributes.be16(CTA_ZONE).map_or(0, Be16::get), BOTH)
}

/// Reads a tuple of a family: `zone` becomes what it says about it, and may say
/// only once.
///
/// # Errors
///
/// `EINVAL` if something of it is missing, `EOPNOTSUPP` if there is no such
/// family, `ERANGE` if an attribute is too short.
pub(crate) fn read(
    attribute: Attribute<'_>,
    family: u8,
    direction: Direction,
    zone: Option<&mut Zone>,
    extack: Extack<'_>,
) -> Result<Tuple> {
    let parts = Parts::ALL;
    let tuple = read_parts(attribute, family, direction, parts, extack)?;
    if let Some(id) = tuple.1 {
        let zone = zone.ok_or_else(|| {
            extack.refuse_attribute(EINVAL, c"This tuple has no zone of its own", attribute)
        })?;
        if zone.raw_id() != 0 {
            return Err(extack.refuse_attribute(EINVAL, c"There are two zones", attribute));
        }
        *zone = Zone::new(id, side(direction));
    }
    Ok(tuple.0)
}

/// Reads some parts of a tuple, and its zone, if there is one.
///
/// # Errors
///
/// Those of [`read`].
pub(crate) fn read_parts(
    attribute: Attribute<'_>,
    family: u8,
    direction: Direction,
    parts: Parts,
    extack: Extack<'_>,
) -> Result<(Tuple, Option<u16>)> {
    let missing = |text| extack.refuse_attribute(EINVAL, text, attribute);
    let parsed = attribute.nested(&TUPLE, extack)?;
    let tuple_attributes = parsed.attributes();
    let mut tuple = Tuple::default();
    tuple.src.l3num = family.into();
    tuple.dst.direction = direction as u8;
    if family != Family::Ipv4.number() as u8 && family != Family::Ipv6.number() as u8 {
        return Err(extack.refuse(
            errno(bindings::EOPNOTSUPP),
            c"Tuples are of IPv4 or IPv6 only",
        ));
    }
    if parts.has(Parts(Parts::IP_SRC.0 | Parts::IP_DST.0)) {
        let nest = tuple_attributes
            .get(CTA_TUPLE_IP)
            .ok_or_else(|| missing(c"The tuple has no addresses"))?;
        read_addresses(nest, &mut tuple, parts, extack)?;
    }
    if parts.has(Parts::PROTO_NUM) {
        let nest = tuple_attributes
            .get(CTA_TUPLE_PROTO)
            .ok_or_else(|| missing(c"The tuple has no protocol"))?;
        read_protocol(nest, &mut tuple, parts, extack)?;
    } else if parts.has(Parts::OF_PROTOCOL) {
        return Err(missing(c"Ports or types without a protocol"));
    }
    let zone = tuple_attributes
        .be16(CTA_TUPLE_ZONE)
        .filter(|_| parts.has(Parts::ZONE))
        .map(Be16::get);
    Ok((tuple, zone))
}

fn read_addresses(
    nest: Attribute<'_>,
    tuple: &mut Tuple,
    parts: Parts,
    extack: Extack<'_>,
) -> Result {
    let parsed = nest.nested(&IP, extack)?;
    let attributes = parsed.attributes();
    let is_ipv4 = tuple.src.l3num == Family::Ipv4.number();
    let address = |v4: u32, v6: u32| {
        let address = if is_ipv4 {
            attributes.be32(v4).map(Address::v4)
        } else {
            attributes.array::<16>(v6).map(address_of)
        };
        address.ok_or_else(|| {
            extack.refuse_attribute(EINVAL, c"The tuple lacks an address of its family", nest)
        })
    };
    if parts.has(Parts::IP_SRC) {
        tuple.src.address = address(CTA_IP_V4_SRC, CTA_IP_V6_SRC)?;
    }
    if parts.has(Parts::IP_DST) {
        tuple.dst.address = address(CTA_IP_V4_DST, CTA_IP_V6_DST)?;
    }
    Ok(())
}

fn address_of(bytes: [u8; 16]) -> Address {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
    Address([[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(Be32::from_bytes))
}

fn read_protocol(
    nest: Attribute<'_>,
    tuple: &mut Tuple,
    parts: Parts,
    extack: Extack<'_>,
) -> Result {
    let parsed = nest.nested(&PROTO, extack)?;
    let attributes = parsed.attributes();
    let missing = |text| extack.refuse_attribute(EINVAL, text, nest);
    let protocol = attributes.u8(CTA_PROTO_NUM);
    tuple.dst.protocol = protocol.ok_or_else(|| missing(c"The tuple has no protocol"))?;
    match ids(tuple.dst.protocol) {
        Ids::Ports => {
            if parts.has(Parts::SRC_PORT) {
                tuple.src.id = attributes
                    .be16(CTA_PROTO_SRC_PORT)
                    .ok_or_else(|| missing(c"The tuple has no source port"))?;
            }
            if parts.has(Parts::DST_PORT) {
                tuple.dst.id = attributes
                    .be16(CTA_PROTO_DST_PORT)
                    .ok_or_else(|| missing(c"The tuple has no destination port"))?;
            }
        }
        Ids::Icmp(icmp) => {
            let [mut kind, mut code] = [0; 2];
            if parts.has(icmp.kind.1) {
                // Only of types that are answered there are connections.
                kind = attributes
                    .u8(icmp.kind.0)
                    .filter(|kind| (icmp.invert)(*kind).is_some())
                    .ok_or_else(|| missing(c"The tuple has no ICMP type that is answered"))?;
            }
            if parts.has(icmp.code.1) {
                code = attributes
                    .u8(icmp.code.0)
                    .ok_or_else(|| missing(c"The tuple has no ICMP code"))?;
            }
            if parts.has(icmp.id.1) {
                tuple.src.id = attributes
                    .be16(icmp.id.0)
                    .ok_or_else(|| missing(c"The tuple has no ICMP id"))?;
            }
            tuple.dst.id = Be16::from_bytes([kind, code]);
        }
        Ids::Nothing => {}
    }
    Ok(())
}

/// All bits of the parts that are meant, of a tuple of this protocol and family.
pub(crate) fn mask(parts: Parts, tuple: &Tuple) -> Tuple {
    let mut mask = Tuple::default();
    let all = Be16::from_raw(u16::MAX);
    let address = Address([Be32::from_raw(u32::MAX); 4]);
    if parts.has(Parts::IP_SRC) {
        mask.src.address = address;
    }
    if parts.has(Parts::IP_DST) {
        mask.dst.address = address;
    }
    if parts.has(Parts::PROTO_NUM) {
        mask.dst.protocol = u8::MAX;
    }
    match ids(tuple.dst.protocol) {
        Ids::Ports => {
            if parts.has(Parts::SRC_PORT) {
                mask.src.id = all;
            }
            if parts.has(Parts::DST_PORT) {
                mask.dst.id = all;
            }
        }
        Ids::Icmp(icmp) => {
            if parts.has(icmp.id.1) {
                mask.src.id = all;
            }
            let byte = |part| if parts.has(part) { u8::MAX } else { 0 };
            mask.dst.id = Be16::from_bytes([byte(icmp.kind.1), byte(icmp.code.1)]);
        }
        Ids::Nothing => {}
    }
    mask
}
