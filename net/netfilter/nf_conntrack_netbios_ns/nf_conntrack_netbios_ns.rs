// SPDX-License-Identifier: GPL-2.0

//! The NetBIOS name service (RFC 1002, section 4.2): the drop-in for the stock
//! `nf_conntrack_netbios_ns.ko`. Names are asked for by broadcast, and whoever
//! has one answers.

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
    type: NetbiosNs,
    name: "nf_conntrack_netbios_ns",
    authors: ["rustynat"],
    description: "NetBIOS name service broadcast connection tracking helper",
    license: "GPL",
    alias: ["nfct-helper-netbios-ns", "ip_conntrack_netbios_ns"],
}

/// The loaded module.
struct NetbiosNs {
    _helper: Registration<Self>,
}

impl kernel::Module for NetbiosNs {
    fn init(module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _helper: register(abi::timeout(), module)?,
        })
    }
}

impl ConntrackHelper for NetbiosNs {
    const NAME: &'static CStr = c"netbios-ns";
    const PROTOCOL: u8 = number::UDP;
    const PORT: u16 = 137;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, _transport: u32) -> Result<(), Why> {
        expect_answers(packet, conn, info, abi::timeout());
        Ok(())
    }
}
