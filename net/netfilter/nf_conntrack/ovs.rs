// SPDX-License-Identifier: GPL-2.0

//! What the stack's hooks do around tracking, for those who track packets
//! without them: Open vSwitch and the traffic control action `ct`.

use crate::helper;
use kernel::{ffi::c_int, prelude::*, sync::rcu};
use netfilter::conntrack::{
    helper::{Help, HelperRef},
    ovs::{self, NoPacket},
    skb::Packet,
    Conn, Info, Net, Status,
};
use nf_bindings as bindings;
use nf_proto::tuple::Family;

const ACCEPT: u32 = bindings::NF_ACCEPT;
const DROP: u32 = bindings::NF_DROP;

fn family(number: u32) -> Option<Family> {
    match number {
        bindings::NFPROTO_IPV4 => Some(Family::Ipv4),
        bindings::NFPROTO_IPV6 => Some(Family::Ipv6),
        _ => None,
    }
}

/// Lets the connection's helper read a packet that begins with its network
/// header, and adjusts sequence numbers; an `NF_*` verdict. Under RCU.
///
/// `adjust` is told where the transport header is; false if it failed.
pub fn help(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    l3num: u16,
    adjust: impl FnOnce(&mut Packet<'_>, u32) -> bool,
) -> u32 {
    if info == Info::RELATED_REPLY {
        return ACCEPT;
    }
    let rcu = rcu::read_lock();
    let Some(helper) = Help::of(conn).and_then(|help| help.helper(&rcu)) else {
        return ACCEPT;
    };
    if !helper.covers(l3num) {
        return ACCEPT;
    }
    let Some(family) = family(l3num.into()) else {
        return DROP;
    };
    let Some((transport, protocol)) = ovs::transport(packet, family) else {
        return ACCEPT;
    };
    if helper.protocol() != protocol || !helper.is_alive() {
        return ACCEPT;
    }
    let verdict = helper.call(packet, transport, conn, info) as u32;
    if verdict == ACCEPT && conn.status().has(Status::SEQ_ADJUST) && !adjust(packet, transport) {
        return DROP;
    }
    verdict
}

/// Gives a template the helper of a name, with its NAT half if `nat`. Sleeps.
///
/// The result is to be given back with [`helper::put_with_module`] when the
/// template has gone, and before that, if `nat`, [`helper::put_nat_module`].
///
/// # Errors
///
/// `EINVAL` if there is no such helper, `ENOENT` if it has no NAT half,
/// `ENOMEM`.
pub fn add_helper(
    template: &Conn,
    name: &[u8],
    l3num: u8,
    protocol: u8,
    nat: bool,
) -> Result<HelperRef> {
    let helper = helper::get_with_module(name, l3num.into(), protocol).ok_or(EINVAL)?;
    let help = match Help::add(template, bindings::GFP_KERNEL) {
        Some(help) if !nat => Ok(help),
        Some(help) => helper::get_nat_module(name, l3num.into(), protocol).map(|()| help),
        None => Err(ENOMEM),
    };
    match help {
        Ok(help) => {
            help.lend(&helper);
            Ok(helper)
        }
        Err(error) => {
            helper::put_with_module(helper);
            Err(error)
        }
    }
}

/// A packet that was reassembled.
pub struct Whole {
    /// The protocol behind an IPv6 header's extensions, once it is whole.
    pub protocol: Option<u8>,
    /// Size of the largest fragment, bytes; 0 if it was none.
    pub largest: u16,
}

/// Reassembles a packet that begins with its network header.
///
/// # Errors
///
/// `-EINPROGRESS` if the packet is kept until the others come; another errno if
/// it was freed.
pub fn reassemble(net: Net, mut packet: Packet<'_>, zone: u16, l3num: u8) -> Result<Whole, c_int> {
    let Some(family) = family(l3num.into()) else {
        ovs::free(packet);
        return Err(-(bindings::EPFNOSUPPORT as c_int));
    };
    match ovs::reassemble(net, &mut packet, zone, family) {
        Ok(largest) => Ok(Whole {
            protocol: (family == Family::Ipv6).then(|| ovs::next_header(&packet)),
            largest,
        }),
        Err(NoPacket::Gone(error)) => Err(error),
        Err(NoPacket::Left(error)) => {
            ovs::free(packet);
            Err(error)
        }
    }
}

/// Cuts off what follows the packet that the network header at the beginning
/// describes: padding of the link.
///
/// # Errors
///
/// An errno.
pub fn trim(packet: &mut Packet<'_>, l3num: u32) -> Result<(), c_int> {
    ovs::trim(packet, family(l3num))
}
