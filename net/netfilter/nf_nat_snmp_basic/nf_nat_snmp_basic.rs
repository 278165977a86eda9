// SPDX-License-Identifier: GPL-2.0

//! Translation of the addresses that SNMP's messages tell (RFC 2962): the drop-in
//! for the stock `nf_nat_snmp_basic.ko`. Where a message of a translated connection
//! has its sender's address as a value, it is what the receiver knows the sender
//! by.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::conntrack::{
    helper::{Class, ConntrackHelper, Place, Policy, Registration, Why},
    skb::Packet,
    Conn, Info, Status,
};
use nf_nat::helper_mangle::{rewrite, NotMangled};
use nf_proto::{
    alg::snmp,
    l4::number,
    tuple::{Address, Family},
};

mod abi;

module! {
    type: SnmpBasic,
    name: "nf_nat_snmp_basic",
    authors: ["rustynat"],
    description: "Basic SNMP Application Layer Gateway",
    license: "GPL",
    alias: ["ip_nat_snmp_basic", "nfct-helper-snmp_trap"],
}

/// The loaded module: connections of agents have nf_conntrack_snmp's helper,
/// which calls this module, those of traps the one here.
struct SnmpBasic {
    _hooked: abi::Hooked,
    _helper: Registration<Self>,
}

/// It expects nothing; what user space expects of its connections has a limit
/// of its own.
const CLASS: Class = Class {
    name: c"",
    policy: Policy {
        max_expected: 0,
        timeout: 180,
    },
};

impl kernel::Module for SnmpBasic {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let place = Place::usual::<Self>(Family::Ipv4);
        Ok(SnmpBasic {
            _hooked: abi::Hooked::new()?,
            _helper: Registration::new(place, &[CLASS], module)?,
        })
    }
}

impl ConntrackHelper for SnmpBasic {
    const NAME: &'static CStr = c"snmp_trap";
    const PROTOCOL: u8 = number::UDP;
    const PORT: u16 = 162;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        translate(packet, conn, info, transport)
    }
}

/// Why a packet is dropped.
struct Reason(Why);

impl From<NotMangled> for Reason {
    fn from(_: NotMangled) -> Self {
        Reason(c"cannot mangle packet")
    }
}

/// Translates a packet of a connection, if that is under NAT.
///
/// # Errors
///
/// What cannot be read does not get through.
pub(crate) fn translate(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    transport: u32,
) -> Result<(), Why> {
    if !conn.status().any(Status::NAT_MASK) || conn.family() != Family::Ipv4 {
        return Ok(());
    }
    let direction = info.direction();
    let from = bytes(&conn.tuple(direction).src.address);
    let to = bytes(&conn.tuple(direction.opposite()).dst.address);
    if from == to {
        return Ok(());
    }
    let transport = transport.wrapping_sub(packet.network_offset());
    let done = rewrite(packet, conn, transport, |header, payload| {
        let [s0, s1, d0, d1, l0, l1, _, _] = *header else {
            return Err(Reason(c"dropping malformed packet"));
        };
        let source = u16::from_be_bytes([s0, s1]);
        let destination = u16::from_be_bytes([d0, d1]);
        if !snmp::is_translated(source, destination, direction) {
            return Ok(false);
        }
        let length = header.len().saturating_add(payload.len());
        if usize::from(u16::from_be_bytes([l0, l1])) != length {
            return Err(Reason(c"dropping malformed packet"));
        }
        snmp::translate(payload, from, to).map_err(|_| Reason(c"parser failed"))
    });
    done.map_err(|Reason(why)| why)
}

/// An IPv4 address as it stands in a packet.
fn bytes(address: &Address) -> [u8; 4] {
    let [word, ..] = address.0;
    word.to_bytes()
}
