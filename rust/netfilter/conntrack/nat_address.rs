// SPDX-License-Identifier: GPL-2.0

//! Addresses of devices that connections are translated to.

use super::{skb::Packet, Net};
use crate::net::Device;
use kernel::sync::rcu;
use nf_bindings as bindings;
use nf_proto::{
    be::Be32,
    tuple::{Address, Family},
};

fn v4(word: u32) -> Option<Address> {
    (word != 0).then(|| Address::v4(Be32::from_raw(word)))
}

fn v6(ask: impl FnOnce(*mut bindings::in6_addr) -> bool) -> Option<Address> {
    let mut address = Address::default();
    // An address is sixteen bytes.
    ask((&raw mut address).cast()).then_some(address)
}

/// The address with which a packet that has a route is to leave by `out`, if
/// that has one.
pub fn for_leaving(
    packet: &Packet<'_>,
    net: Net,
    family: Family,
    out: &Device,
    _rcu: &rcu::Guard,
) -> Option<Address> {
    // SAFETY: The packet is valid, has a route and its header in the linear
    // part, as at POST_ROUTING; the device and the namespace are valid; the
    // guard says that this is a read section.
    unsafe {
        match family {
            Family::Ipv4 => v4(bindings::masquerade_source4(packet.as_ptr(), out.as_raw())),
            Family::Ipv6 => v6(|address| {
                bindings::masquerade_source6(net.as_ptr(), packet.as_ptr(), out.as_raw(), address)
            }),
        }
    }
}

/// An address of the device by which a packet came in, if it has one that may
/// be used.
pub fn of_input(packet: &Packet<'_>, family: Family, _rcu: &rcu::Guard) -> Option<Address> {
    // SAFETY: The packet is valid, with its header in the linear part; its
    // device is valid or null; the guard says that this is a read section.
    unsafe {
        match family {
            Family::Ipv4 => v4(bindings::redirect_address4(packet.as_ptr())),
            Family::Ipv6 => v6(|address| bindings::redirect_address6(packet.as_ptr(), address)),
        }
    }
}
