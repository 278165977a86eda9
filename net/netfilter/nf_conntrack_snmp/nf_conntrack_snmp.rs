// SPDX-License-Identifier: GPL-2.0

//! SNMP (RFC 3417, section 3): the drop-in for the stock `nf_conntrack_snmp.ko`.
//! Agents are looked for by broadcast. What NAT does to SNMP's payload, module
//! nf_nat_snmp_basic hooks in here.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::conntrack::{
    helper::{ConntrackHelper, Registration, Why},
    skb::Packet,
    Conn, Info,
};
use nf_conntrack_broadcast::{expect_answers, register};
use nf_proto::l4::number;

mod abi;

module! {
    type: Snmp,
    name: "nf_conntrack_snmp",
    authors: ["rustynat"],
    description: "SNMP service broadcast connection tracking helper",
    license: "GPL",
    alias: ["nfct-helper-snmp"],
}

/// The loaded module.
struct Snmp {
    _helper: Registration<Self>,
}

impl kernel::Module for Snmp {
    fn init(module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _helper: register(abi::timeout(), module)?,
        })
    }
}

impl ConntrackHelper for Snmp {
    const NAME: &'static CStr = c"snmp";
    const PROTOCOL: u8 = number::UDP;
    const PORT: u16 = 161;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        expect_answers(packet, conn, info, abi::timeout());
        abi::translate(packet, conn, info, transport)
    }
}
