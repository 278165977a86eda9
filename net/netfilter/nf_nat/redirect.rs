// SPDX-License-Identifier: GPL-2.0

//! REDIRECT: the destination becomes this host: an address of the device that a
//! packet came in by, or for a packet of this host the loopback's.

use crate::setup;
use kernel::sync::rcu;
use netfilter::conntrack::{
    nat_address,
    skb::{Carried, Packet},
};
use nf_bindings as bindings;
use nf_proto::{
    be::Be32,
    nat::{range::Range, Manip},
    tuple::{Address, Family},
};

/// Settles the destination of the packet's connection; `local`: it is one of
/// this host's, at LOCAL_OUT, not PRE_ROUTING. Returns an `NF_*` verdict. Under
/// RCU.
///
/// A device without address cannot be redirected to: the packet is dropped
/// (CVE-2015-8787).
pub fn redirect(packet: &Packet<'_>, family: Family, range: &Range, local: bool) -> u32 {
    let Carried::Connection(conn, _) = packet.carried() else {
        return bindings::NF_DROP;
    };
    let address = if local {
        Some(loopback(family))
    } else {
        nat_address::of_input(packet, family, &rcu::read_lock())
    };
    match address {
        Some(address) => setup::setup(conn, &range.at(address), Manip::Destination),
        None => bindings::NF_DROP,
    }
}

const fn loopback(family: Family) -> Address {
    match family {
        Family::Ipv4 => Address::v4(Be32::new(0x7f00_0001)),
        Family::Ipv6 => Address([Be32::new(0), Be32::new(0), Be32::new(0), Be32::new(1)]),
    }
}
