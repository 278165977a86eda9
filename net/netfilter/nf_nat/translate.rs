// SPDX-License-Identifier: GPL-2.0

//! Changing a packet as its connection wants it.

use netfilter::conntrack::{
    skb::{Packet, Window},
    Conn, Info, Status,
};
use nf_bindings as bindings;
use nf_proto::{
    l4::{icmpv6, number},
    nat::{
        rewrite::{self, Change, Layout, New},
        Manip,
    },
    tuple::{Direction, Family},
};

/// A message that tells its receiver of another router (RFC 792).
const ICMP_REDIRECT: u8 = 5;

/// What became of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Translated {
    /// Nothing is to be changed.
    Untouched,
    /// One side was changed, but not its address: that was so already.
    Changed,
    /// One side has another address now.
    Moved,
    /// It cannot be changed, and is to be dropped.
    Failed,
}

impl Translated {
    /// As an `NF_*` verdict.
    #[inline]
    pub const fn verdict(self) -> u32 {
        match self {
            Translated::Failed => bindings::NF_DROP,
            _ => bindings::NF_ACCEPT,
        }
    }
}

/// The side `manip` of packets in `direction` is changed for connections with
/// this status: in the reply direction it is the other side that the connection
/// had changed.
#[inline]
pub const fn applies(status: Status, direction: Direction, manip: Manip) -> bool {
    status.has(match (direction, manip) {
        (Direction::Original, Manip::Source) | (Direction::Reply, Manip::Destination) => {
            Status::SRC_NAT
        }
        _ => Status::DST_NAT,
    })
}

/// The connection's network layer.
#[inline]
pub fn family(conn: &Conn) -> Option<Family> {
    const IPV4: u16 = Family::Ipv4.number();
    const IPV6: u16 = Family::Ipv6.number();
    match conn.l3num() {
        IPV4 => Some(Family::Ipv4),
        IPV6 => Some(Family::Ipv6),
        _ => None,
    }
}

/// Changes the side `manip` of a packet of the connection, if it is to be
/// (`nf_nat_packet`). Pointers into the packet are invalid afterwards.
#[inline]
pub fn packet(packet: &mut Packet<'_>, conn: &Conn, info: Info, manip: Manip) -> Translated {
    if !applies(conn.status(), info.direction(), manip) {
        return Translated::Untouched;
    }
    change(packet, conn, info.direction(), manip)
}

/// [`packet`], once it is known to be necessary.
pub fn change(
    packet: &mut Packet<'_>,
    conn: &Conn,
    direction: Direction,
    manip: Manip,
) -> Translated {
    let other = conn.tuple(direction.opposite());
    let changed = match family(conn) {
        Some(Family::Ipv4) => rewrite_one(packet, Family::Ipv4, &New::against(other, manip), manip),
        Some(Family::Ipv6) => rewrite_one(packet, Family::Ipv6, &New::against(other, manip), manip),
        None => None,
    };
    changed.map_or(Translated::Failed, outcome)
}

#[inline]
fn outcome(change: Change) -> Translated {
    if change.moved() {
        Translated::Moved
    } else {
        Translated::Changed
    }
}

#[inline(always)]
fn rewrite_one(packet: &mut Packet<'_>, family: Family, new: &New, manip: Manip) -> Option<Change> {
    let layout = {
        let mut window = Window::new();
        let (bytes, len) = (packet.network_bytes(&mut window), packet.network_len());
        // A later fragment, of a packet that nobody puts together, has addresses
        // only.
        Layout::new(family, bytes, len).unwrap_or(Layout::network_only(family, len))
    };
    let form = packet.form(layout.transport);
    let bytes = packet.writable(rewrite::headers(&layout))?;
    let change = rewrite::packet(bytes, &layout, new, manip, form).ok()?;
    packet.changed(change);
    Some(change)
}

/// Where the ICMP or ICMPv6 header of a packet is, from its network header;
/// nothing if it is no such packet.
pub fn icmp_header(packet: &Packet<'_>, family: Family) -> Option<u32> {
    let wanted = match family {
        Family::Ipv4 => number::ICMP,
        Family::Ipv6 => number::ICMPV6,
    };
    let mut window = Window::new();
    let layout = Layout::new(
        family,
        packet.network_bytes(&mut window),
        packet.network_len(),
    )
    .ok()?;
    (layout.protocol == wanted).then_some(layout.transport)
}

/// Changes the side `manip` of an ICMP or ICMPv6 error about the connection, whose
/// header is `transport` bytes from the network header, and the other side of
/// the packet that it quotes (`nf_nat_icmp_reply_translation`). Pointers into
/// the packet are invalid afterwards.
pub fn error(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    manip: Manip,
    transport: u32,
) -> Translated {
    let Some(family) = family(conn) else {
        return Translated::Failed;
    };
    let status = conn.status();
    let (protocol, redirect) = match family {
        Family::Ipv4 => (number::ICMP, ICMP_REDIRECT),
        Family::Ipv6 => (number::ICMPV6, icmpv6::REDIRECT),
    };
    if kind(packet, transport) == Some(redirect) {
        // What it says would be wrong for the other side: only what is surely
        // not translated may be redirected.
        let settled = status.has(Status::SRC_NAT_DONE | Status::DST_NAT_DONE);
        if !settled || status.any(Status::NAT_MASK) {
            return Translated::Failed;
        }
    }
    if !applies(status, info.direction(), manip) {
        return Translated::Untouched;
    }
    let layout = Layout {
        family,
        protocol,
        transport,
        len: packet.network_len(),
    };
    let other = conn.tuple(info.direction().opposite());
    let form = packet.form(transport);
    let Some(bytes) = packet.writable(rewrite::error_headers(&layout)) else {
        return Translated::Failed;
    };
    match rewrite::error(bytes, &layout, other, manip, form) {
        Ok(change) => {
            packet.changed(change);
            outcome(change)
        }
        Err(_) => Translated::Failed,
    }
}

/// The type of the message at `transport`.
fn kind(packet: &Packet<'_>, transport: u32) -> Option<u8> {
    let mut window = Window::new();
    packet
        .network_bytes(&mut window)
        .get(transport as usize)
        .copied()
}
