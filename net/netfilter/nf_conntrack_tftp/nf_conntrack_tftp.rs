// SPDX-License-Identifier: GPL-2.0

//! TFTP (RFC 1350): the drop-in for the stock `nf_conntrack_tftp.ko`. The server
//! answers a request from a port of its own choice, to where it came from.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::{prelude::*, sync::rcu};
use netfilter::conntrack::{
    expect::NewExpect,
    helper::{places, Class, ConntrackHelper, NatHalf, Policy, Registrations, Why, MAX_PORTS},
    skb::Packet,
    Conn, Info,
};
use nf_conntrack::expect::{self, Wanted};
use nf_proto::{
    alg::tftp,
    l4::number,
    tuple::{Direction, Family},
};

mod abi;

module! {
    type: Tftp,
    name: "nf_conntrack_tftp",
    authors: ["rustynat"],
    description: "TFTP connection tracking helper",
    license: "GPL",
    alias: ["ip_conntrack_tftp", "nfct-helper-tftp"],
}

/// Where nf_nat_tftp has its functions.
pub static NAT: NatHalf = NatHalf::new();

/// The loaded module.
struct Tftp {
    _helper: Registrations<Self, { 2 * MAX_PORTS }>,
}

/// A connection is one request.
const CLASS: Class = Class {
    name: c"",
    policy: Policy {
        max_expected: 1,
        timeout: 5 * 60,
    },
};

impl kernel::Module for Tftp {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let families = [Family::Ipv4, Family::Ipv6];
        let places = places::<Self>(abi::ports(), &families, |_, index| index);
        Ok(Tftp {
            _helper: Registrations::new(places, &[CLASS], module)?,
        })
    }
}

impl ConntrackHelper for Tftp {
    const NAME: &'static CStr = c"tftp";
    const PROTOCOL: u8 = number::UDP;
    const PORT: u16 = 69;

    fn help(packet: &mut Packet<'_>, conn: &Conn, _info: Info, transport: u32) -> Result<(), Why> {
        if !packet.linearize() {
            return Err(c"no memory");
        }
        if !packet.datagram(transport).is_some_and(tftp::is_request) {
            return Ok(());
        }
        expect_answer(conn)
    }
}

fn expect_answer(conn: &Conn) -> Result<(), Why> {
    let mut exp = NewExpect::alloc(conn).ok_or(c"cannot alloc expectation")?;
    let reply = conn.tuple(Direction::Reply);
    expect::describe(
        &mut exp,
        &Wanted {
            class: 0,
            l3num: conn.l3num(),
            source: Some(&reply.src.address),
            destination: &reply.dst.address,
            protocol: number::UDP,
            source_port: None,
            port: reply.dst.id,
        },
    );
    let rcu = rcu::read_lock();
    if let Some(nat) = NAT.of(conn, &rcu) {
        let asker = conn.tuple(Direction::Original).src.id;
        (nat.follow)(&mut exp, asker, Direction::Reply);
    }
    expect::related(&exp, 0, 0, 0).map_err(|_| c"cannot add expectation")
}
