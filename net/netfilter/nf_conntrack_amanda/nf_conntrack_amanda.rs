// SPDX-License-Identifier: GPL-2.0

//! Amanda: the drop-in for the stock `nf_conntrack_amanda.ko`. The host that is
//! backed up answers the server by UDP to which of its TCP ports to connect.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::{prelude::*, sync::rcu};
use netfilter::conntrack::{
    helper::{places, Class, ConntrackHelper, NatHalf, Policy, Registrations, Why},
    skb::Packet,
    Conn, Info, HZ,
};
use nf_conntrack::{announce::Announcements, expect::Wanted, proto};
use nf_proto::{
    alg::amanda,
    be::Be16,
    expect as rules,
    l4::number,
    tuple::{Direction, Family},
};

mod abi;

module! {
    type: Amanda,
    name: "nf_conntrack_amanda",
    authors: ["rustynat"],
    description: "Amanda connection tracking module",
    license: "GPL",
    alias: ["ip_conntrack_amanda", "nfct-helper-amanda"],
}

/// Where nf_nat_amanda has its functions.
pub static NAT: NatHalf = NatHalf::new();

/// The loaded module.
struct Amanda {
    _helper: Registrations<Self, 2>,
}

/// A reply announces one connection for each stream.
const CLASS: Class = Class {
    name: c"",
    policy: Policy {
        max_expected: amanda::MOST as u32,
        timeout: 180,
    },
};

impl kernel::Module for Amanda {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let families = [Family::Ipv4, Family::Ipv6];
        let places = places::<Self>(&[], &families, |port, _| port.into());
        Ok(Amanda {
            _helper: Registrations::new(places, &[CLASS], module)?,
        })
    }
}

impl ConntrackHelper for Amanda {
    const NAME: &'static CStr = c"amanda";
    const PROTOCOL: u8 = number::UDP;
    const PORT: u16 = 10080;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        // Only replies announce.
        if info.direction() == Direction::Original {
            return Ok(());
        }
        // The next reply may take its time.
        let timeout = rules::span(abi::master_timeout(), HZ);
        proto::refresh(conn, Direction::Reply, timeout, 0);
        follow(packet, conn, info, transport)
    }
}

fn follow(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
    if !packet.linearize() {
        return Err(c"no memory");
    }
    let Some(payload) = packet.datagram(transport) else {
        return Ok(());
    };
    let rcu = rcu::read_lock();
    let nat = NAT.of(conn, &rcu);
    let mut announcements = Announcements::<{ amanda::MOST }, { amanda::LONGEST }>::new(conn, nat);
    let original = conn.tuple(Direction::Original);
    for found in amanda::announcements(payload) {
        let wanted = Wanted {
            class: 0,
            l3num: conn.l3num(),
            source: Some(&original.src.address),
            destination: &original.dst.address,
            protocol: number::TCP,
            source_port: None,
            port: Be16::new(found.port),
        };
        announcements.announce(&wanted, Direction::Original, found.span, |port| {
            amanda::write(port).ok()
        })?;
    }
    announcements.finish(packet, info, transport)
}
