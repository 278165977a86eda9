// SPDX-License-Identifier: GPL-2.0

//! What Open vSwitch and the traffic control action `ct` have done to packets
//! before they are tracked: no hook did it.

use super::{skb::Packet, Net};
use kernel::ffi::c_int;
use nf_bindings as bindings;
use nf_proto::tuple::Family;

/// Why there is no whole packet.
pub enum NoPacket {
    /// It is a fragment and is kept until the others come, or it was freed;
    /// with the errno that says which.
    Gone(c_int),
    /// It is still there, with an errno.
    Left(c_int),
}

/// Reassembles a packet whose data begins with its network header, apart from
/// those of other zones. Returns the size of the largest fragment, bytes; 0 if
/// it was whole.
pub fn reassemble(
    net: Net,
    packet: &mut Packet<'_>,
    zone: u16,
    family: Family,
) -> Result<u16, NoPacket> {
    let mut size = 0;
    // SAFETY: The packet is valid and this CPU's alone.
    unsafe {
        let err = match family {
            Family::Ipv4 => bindings::zone_defrag4(net.as_ptr(), packet.as_ptr(), zone, &mut size),
            Family::Ipv6 => bindings::zone_defrag6(net.as_ptr(), packet.as_ptr(), zone, &mut size),
        };
        match (err, family) {
            (0, _) => {
                bindings::skb_reassembled(packet.as_ptr());
                Ok(size)
            }
            (err, Family::Ipv4) => Err(NoPacket::Gone(err)),
            (err, Family::Ipv6) if err == -(bindings::EINPROGRESS as c_int) => {
                Err(NoPacket::Gone(err))
            }
            (err, Family::Ipv6) => Err(NoPacket::Left(err)),
        }
    }
}

/// The protocol that the IPv6 header names.
pub fn next_header(packet: &Packet<'_>) -> u8 {
    // SAFETY: The packet is valid, with its header in the linear part.
    unsafe { bindings::ipv6_nexthdr(packet.as_ptr()) }
}

/// Frees a packet that was dropped.
pub fn free(packet: Packet<'_>) {
    // SAFETY: Given up by whoever has it.
    unsafe { bindings::kfree_skb(packet.as_ptr()) };
}

/// Offset of the transport header from the packet's data, where the network
/// header is, and the protocol. None in a later fragment, or if the headers are
/// cut.
pub fn transport(packet: &Packet<'_>, family: Family) -> Option<(u32, u8)> {
    let mut protocol = 0;
    // SAFETY: The packet is valid, with its header in the linear part.
    let offset = unsafe {
        match family {
            Family::Ipv4 => bindings::ip_transport(packet.as_ptr(), &mut protocol),
            Family::Ipv6 => {
                u32::try_from(bindings::ipv6_transport(packet.as_ptr(), &mut protocol)).ok()?
            }
        }
    };
    Some((offset, protocol))
}

/// Cuts off what follows the length that the network header names.
///
/// # Errors
///
/// An errno, if an IPv6 jumbo option is wrong or memory is short.
pub fn trim(packet: &mut Packet<'_>, family: Option<Family>) -> Result<(), c_int> {
    const IPV6_HEADER: u32 = core::mem::size_of::<bindings::ipv6hdr>() as u32;
    // SAFETY: The packet is valid, with its header in the linear part.
    let err = unsafe {
        let len = match family {
            Some(Family::Ipv4) => bindings::skb_ip_totlen(packet.as_ptr()),
            Some(Family::Ipv6) => {
                let len = bindings::skb_ipv6_len(packet.as_ptr());
                u32::try_from(len)
                    .map_err(|_| len)?
                    .saturating_add(IPV6_HEADER)
            }
            None => packet.len(),
        };
        bindings::pskb_trim_rcsum(packet.as_ptr(), len)
    };
    match err {
        0 => Ok(()),
        err => Err(err),
    }
}
