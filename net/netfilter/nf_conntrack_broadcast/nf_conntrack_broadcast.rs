// SPDX-License-Identifier: GPL-2.0

//! Answers to broadcast queries: the drop-in for the stock
//! `nf_conntrack_broadcast.ko`, which helpers of protocols with such queries use.
//!
//! A query to all hosts of a network is answered by many, each from its own
//! address, so none of the answers belongs to the query's connection. They are
//! expected from the whole network for some time.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::{prelude::*, sync::rcu};
use netfilter::conntrack::{
    expect::{flag, Description, NewExpect},
    helper::{Class, ConntrackHelper, Help, Place, Policy, Registration},
    skb::Packet,
    Conn, Info, HZ,
};
use nf_conntrack::{expect, proto};
use nf_proto::{
    expect as rules,
    tuple::{Direction, Family},
};

pub mod abi;

module! {
    type: Broadcast,
    name: "nf_conntrack_broadcast",
    authors: ["rustynat"],
    description: "Broadcast connection tracking helper",
    license: "GPL",
}

/// The loaded module: it has nothing to set up.
struct Broadcast;

impl kernel::Module for Broadcast {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Broadcast)
    }
}

/// Registers a helper of a protocol with such queries, over IPv4: answers to a
/// connection's last query may come for `timeout` seconds.
///
/// # Errors
///
/// Those of [`Registration::new`].
pub fn register<H: ConntrackHelper>(
    timeout: u32,
    module: &'static ThisModule,
) -> Result<Registration<H>> {
    let class = Class {
        name: c"",
        policy: Policy {
            max_expected: 1,
            timeout,
        },
    };
    Registration::new(Place::usual::<H>(Family::Ipv4), &[class], module)
}

/// If `packet` is a query that this host sends to a broadcast address of one of
/// its devices: expects answers, of any number, from that network and the port of
/// the connection's helper, and keeps the connection for `timeout` seconds from
/// now.
pub fn expect_answers(packet: &Packet<'_>, conn: &Conn, info: Info, timeout: u32) {
    if conn.l3num() != Family::Ipv4.number() || info.direction() != Direction::Original {
        return;
    }
    let Some(help) = Help::of(conn) else { return };
    let rcu = rcu::read_lock();
    let Some(netmask) = packet.broadcast_netmask(conn.net(), &rcu) else {
        return;
    };
    let Some(mut exp) = NewExpect::alloc(conn) else {
        return;
    };
    let reply = conn.tuple(Direction::Reply);
    let helper = help.helper(&rcu);
    // A connection whose helper is gone has no class, and expects nothing.
    let port = helper.map_or(reply.src.id, |helper| helper.tuple().src.id);
    let (tuple, mask) = rules::answers_of_network(reply, port, netmask);
    exp.describe(&Description {
        class: 0,
        flags: flag::PERMANENT,
        tuple,
        mask,
        helper,
    });
    // If it cannot be expected, the query goes out all the same.
    let _ = expect::related(&exp, 0, 0, 0);
    proto::refresh(conn, Direction::Original, rules::span(timeout, HZ), 0);
}
