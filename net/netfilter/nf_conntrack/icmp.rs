// SPDX-License-Identifier: GPL-2.0

//! ICMP and ICMPv6 messages: errors belong to the connection of the packet
//! they quote, messages between neighbours are not tracked.

use crate::packet::{find, zone_of};
use netfilter::conntrack::{
    skb::{Hook, Packet, Window},
    stat::Counter,
    Conn, Info,
};
use nf_proto::{
    l4::{icmp, icmpv6, number, Reason},
    packet::{self, icmp::HEADER_LEN, Description},
    tuple::{Direction, Family},
};

/// What a message is.
pub enum Message {
    /// A request or an answer, tracked as any packet.
    Query,
    /// Not to be tracked; the packet says so now.
    Untracked,
    /// About a connection, which the packet carries now.
    Related,
}

/// Length of an ICMPv6 redirect before its options, RFC 4861 section 4.5,
/// and of the header of the option that quotes the packet.
const REDIRECT_LEN: u32 = 40;
const REDIRECTED_HEADER_LEN: u32 = 8;
const REDIRECTED_HEADER: u8 = 4;

/// Sorts a message; gives the packet its connection if it is an error about
/// one. Under RCU.
pub fn receive(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    template: Option<&Conn>,
    description: &Description,
    message: packet::icmp::Message,
) -> Result<Message, Reason> {
    let result = sort(packet, hook, template, description, message);
    if result.is_err() {
        hook.net().count(Counter::Error);
    }
    result
}

fn sort(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    template: Option<&Conn>,
    description: &Description,
    message: packet::icmp::Message,
) -> Result<Message, Reason> {
    let transport = description.transport;
    let (family, protocol) = match description.tuple.dst.protocol {
        number::ICMP => (Family::Ipv4, number::ICMP),
        _ => (Family::Ipv6, number::ICMPV6),
    };
    if !hook.checksum_ok(packet, transport, protocol) {
        return Err(Reason::BadChecksum);
    }
    let quoted = match family {
        Family::Ipv4 => {
            if message.kind > icmp::MAX_KIND {
                return Err(Reason::IcmpUnexpected);
            }
            if !icmp::is_error(message.kind) {
                return Ok(Message::Query);
            }
            transport.saturating_add(HEADER_LEN)
        }
        Family::Ipv6 => {
            if message.kind == icmpv6::REDIRECT {
                match redirected(packet, transport, message.code)? {
                    Some(offset) => offset,
                    None => return Ok(Message::Query),
                }
            } else if icmpv6::is_link_local(message.kind) {
                packet.set_untracked();
                return Ok(Message::Untracked);
            } else if icmpv6::is_error(message.kind) {
                transport.saturating_add(HEADER_LEN)
            } else {
                return Ok(Message::Query);
            }
        }
    };
    relate(packet, hook, template, description, family, quoted)
}

/// Where a redirect quotes the packet it is about, if it does.
fn redirected(packet: &Packet<'_>, transport: u32, code: u8) -> Result<Option<u32>, Reason> {
    if code != 0 {
        return Ok(None);
    }
    let mut window = Window::new();
    let bytes = packet.network_bytes(&mut window);
    let header = bytes.first_chunk::<24>().ok_or(Reason::Truncated)?;
    let &[_, _, _, _, _, _, _, hop_limit, s0, s1, ..] = header;
    // Only a neighbour may redirect, RFC 4861 section 8.1.
    let link_local = s0 == 0xfe && s1 & 0xc0 == 0x80;
    if hop_limit != 255 || !link_local {
        return Err(Reason::IcmpUnexpected);
    }
    let option = transport.saturating_add(REDIRECT_LEN);
    match bytes.get(option as usize..).unwrap_or(&[]) {
        [_, 0, ..] | [] | [_] => Err(Reason::Truncated),
        [REDIRECTED_HEADER, ..] => Ok(Some(option.saturating_add(REDIRECTED_HEADER_LEN))),
        _ => Ok(None),
    }
}

/// Gives the packet the connection of the packet that stands `quoted` bytes
/// behind the network header.
fn relate(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    template: Option<&Conn>,
    description: &Description,
    family: Family,
    quoted: u32,
) -> Result<Message, Reason> {
    let offset = packet.network_offset().wrapping_add(quoted);
    let inner = crate::packet::tuple_at(packet, offset, family.number(), hook.net())
        .ok_or(Reason::Truncated)?;
    // The quoted packet went the other way than this one.
    let answer = inner.invert().ok_or(Reason::IcmpNoConnection)?;
    let zone = zone_of(template, packet);
    let (conn, direction) = find(hook.net(), zone, &answer).ok_or(Reason::IcmpNoConnection)?;
    // Whoever sent it must have seen the packet on its way: then it is
    // addressed as that packet's answers are. Otherwise anybody could have
    // anything related to any connection.
    if conn.tuple(direction).dst.address != description.tuple.dst.address {
        return Err(Reason::IcmpMismatch);
    }
    let info = match direction {
        Direction::Original => Info::RELATED,
        Direction::Reply => Info::RELATED_REPLY,
    };
    packet.attach(conn, info);
    Ok(Message::Related)
}
