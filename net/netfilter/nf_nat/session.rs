// SPDX-License-Identifier: GPL-2.0

//! What a packet's addresses were before translation, for IPsec's policies.

use crate::translate::applies;
use netfilter::conntrack::{
    skb::{Carried, Packet},
    Conn,
};
use nf_proto::{
    be::Be16,
    l4::number,
    nat::Manip,
    tuple::{Address, Direction},
};

/// One end of a flow.
pub struct End<'a> {
    /// Its address.
    pub address: &'a Address,
    /// Its port, if the protocol has ports.
    pub port: Option<Be16>,
}

/// Gives `set` the ends of a packet's flow that translation has changed, as they
/// are for the packet's sender: the side, and what it was.
pub fn decode<'a>(packet: &Packet<'a>, mut set: impl FnMut(&Conn, Manip, End<'a>)) {
    let Carried::Connection(conn, info) = packet.carried() else {
        return;
    };
    let status = conn.status();
    let direction: Direction = info.direction();
    let tuple = conn.tuple(direction);
    let port = |id: Be16| {
        matches!(tuple.dst.protocol, number::TCP | number::UDP | number::SCTP).then_some(id)
    };
    if applies(status, direction, Manip::Destination) {
        let end = End {
            address: &tuple.dst.address,
            port: port(tuple.dst.id),
        };
        set(conn, Manip::Destination, end);
    }
    if applies(status, direction, Manip::Source) {
        let end = End {
            address: &tuple.src.address,
            port: port(tuple.src.id),
        };
        set(conn, Manip::Source, end);
    }
}
