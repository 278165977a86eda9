// SPDX-License-Identifier: GPL-2.0

//! MASQUERADE: the source becomes the address of the device that a connection
//! leaves by, for as long as that is there.

use crate::setup::{self, masquerade_index, set_masquerade};
use kernel::{error::Result, sync::rcu};
use netfilter::{
    conntrack::{
        gone::{Gone, Watch},
        nat_address,
        skb::{Carried, Packet},
        Conn, Net,
    },
    net::Device,
};
use nf_bindings as bindings;
use nf_conntrack::iterate;
use nf_proto::{
    be::Be32,
    nat::{range::Range, Manip},
    tuple::{Address, Direction, Family},
};

/// Tells which devices and addresses go.
static WATCH: Watch = Watch::new(forget);

/// With the module.
pub fn start() {
    WATCH.start();
}

/// With the module, after all users of it. May sleep.
pub fn stop() {
    WATCH.stop();
}

/// A user of masquerading more (`nf_nat_masquerade_inet_register_notifiers`).
/// May sleep.
///
/// # Errors
///
/// Those of the registration of notifiers.
pub fn register() -> Result {
    WATCH.register()
}

/// A user less (`nf_nat_masquerade_inet_unregister_notifiers`). May sleep.
pub fn unregister() {
    WATCH.unregister();
}

/// Settles the source of the packet's connection, which leaves by `out`. Returns
/// an `NF_*` verdict. At POST_ROUTING, under RCU.
///
/// What has no source address (a host that asks for one by DHCP) stays as it
/// is. Without an address to give there is no connection.
pub fn masquerade(packet: &Packet<'_>, family: Family, range: &Range, out: &Device) -> u32 {
    let Carried::Connection(conn, _) = packet.carried() else {
        return bindings::NF_DROP;
    };
    let source = conn.tuple(Direction::Original).src.address;
    if family == Family::Ipv4 && source == Address::v4(Be32::new(0)) {
        return bindings::NF_ACCEPT;
    }
    let rcu = rcu::read_lock();
    let Some(address) = nat_address::for_leaving(packet, conn.net(), family, out, &rcu) else {
        return bindings::NF_DROP;
    };
    if !conn.is_confirmed() {
        set_masquerade(conn, out.index());
    }
    setup::setup(conn, &range.at(address), Manip::Source)
}

/// Removes the connections of a namespace that are masqueraded to what has gone.
fn forget(net: Net, gone: &[Gone]) {
    iterate::remove(Some(net), 0, 0, |conn| {
        let device = masquerade_index(conn);
        device != 0 && gone.iter().any(|gone| concerns(gone, device, conn))
    });
}

fn concerns(gone: &Gone, device: i32, conn: &Conn) -> bool {
    gone.device == device
        && gone.address.is_none_or(|(family, address)| {
            family.number() == conn.l3num() && address == conn.tuple(Direction::Reply).dst.address
        })
}
