// SPDX-License-Identifier: GPL-2.0

//! A packet's way through connection tracking: [`track`] where it enters,
//! [`leave`] where it goes out or to a socket.

use crate::{
    abi::core::confirm_and_deliver,
    alloc, delete, ecache, expect, gre, helper, icmp,
    proto::{self, Judged},
    seqadj,
    store::{hash, TABLE},
    timeout,
};
use netfilter::conntrack::{
    account,
    conn::now,
    log,
    skb::{Carried, Hook, Packet, Window},
    stat::Counter,
    table::Key,
    Conn, ConnRef, Info, Net, Status, Zone,
};
use nf_bindings as bindings;
use nf_proto::{
    l4::{number, Reason},
    packet::{self, Description, Segment},
    tuple::{Direction, Family, Tuple},
};

const ACCEPT: u32 = bindings::NF_ACCEPT;
const DROP: u32 = bindings::NF_DROP;

/// Finds or makes the packet's connection and lets the protocol judge the
/// packet. Returns an `NF_*` verdict. Called at PREROUTING and OUTPUT, under
/// RCU.
pub fn track(mut packet: Packet<'_>, hook: Hook<'_>) -> u32 {
    let template = match packet.carried() {
        Carried::Nothing => None,
        Carried::Template(_) => packet.take_template(),
        // Seen before (loopback, a queue), or not to be tracked.
        Carried::Connection(..) | Carried::Untracked => return ACCEPT,
    };
    let template = template.as_deref();
    match classify(&mut packet, hook, template) {
        Ok(verdict) => verdict,
        Err(Refused { reason, protocol }) => invalid(&packet, hook, reason, protocol),
    }
}

#[cold]
fn invalid(packet: &Packet<'_>, hook: Hook<'_>, reason: Reason, protocol: u8) -> u32 {
    hook.net().count(Counter::Invalid);
    log::invalid(packet, hook, reason, protocol);
    ACCEPT
}

/// Why a packet is INVALID, and its protocol as far as that is known.
struct Refused {
    reason: Reason,
    protocol: u8,
}

#[inline]
fn classify(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    template: Option<&Conn>,
) -> Result<u32, Refused> {
    let mut window = Window::new();
    let family = match hook.family() {
        2 => Family::Ipv4,
        10 => Family::Ipv6,
        _ => {
            return Err(Refused {
                reason: Reason::BadNetworkHeader,
                protocol: 0,
            })
        }
    };
    let len = packet.network_len();
    let mut description = packet::parse(family, packet.network_bytes(&mut window), len)
        .map_err(|reason| refuse_early(packet, family, reason))?;
    let protocol = description.tuple.dst.protocol;
    admit(packet, hook, template, &mut description).map_err(|reason| Refused { reason, protocol })
}

/// The packet could not be read: perhaps its network header can.
#[cold]
fn refuse_early(packet: &Packet<'_>, family: Family, reason: Reason) -> Refused {
    let mut window = Window::new();
    let bytes = packet.network_bytes(&mut window);
    let protocol = packet::network(family, bytes, packet.network_len())
        .map_or(0, |network| network.tuple.dst.protocol);
    Refused { reason, protocol }
}

#[inline]
fn admit(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    template: Option<&Conn>,
    description: &mut Description,
) -> Result<u32, Reason> {
    if let Segment::Icmp(message) = description.segment {
        match icmp::receive(packet, hook, template, description, message) {
            Ok(icmp::Message::Query) => {}
            Ok(icmp::Message::Untracked | icmp::Message::Related) => return Ok(ACCEPT),
            Err(reason) => {
                // Counted as an error already, which INVALID does not include.
                log::invalid(packet, hook, reason, description.tuple.dst.protocol);
                return Ok(ACCEPT);
            }
        }
    }
    gre::complete(description, hook.net());
    if !checksum_ok(packet, hook, description) {
        return Err(Reason::BadChecksum);
    }
    let net = hook.net();
    let zone = zone_of(template, packet);
    // A connection that is over may be begun again by this packet: once.
    for _ in 0..2 {
        let (conn, direction) = match find_or_make(net, zone, description, template) {
            Ok(Some(found)) => found,
            Ok(None) => return Err(Reason::Unexpected),
            Err(alloc::NoRoom) => {
                net.count(Counter::Drop);
                return Ok(DROP);
            }
        };
        let info = info_of(&conn, direction);
        match proto::judge(&conn, info, packet, hook, description) {
            Judged::Accept => {
                if info == Info::ESTABLISHED_REPLY && !conn.status().has(Status::SEEN_REPLY) {
                    proto::seen_reply(&conn);
                }
                packet.attach(conn, info);
                return Ok(ACCEPT);
            }
            Judged::Invalid(reason) => return Err(reason),
            Judged::Drop(reason) => {
                net.count(Counter::Drop);
                invalid(packet, hook, reason, description.tuple.dst.protocol);
                return Ok(DROP);
            }
            Judged::Reopen => {
                if !delete::kill(&conn) {
                    // Somebody else is at it: the peer will try again.
                    net.count(Counter::Drop);
                    return Ok(DROP);
                }
            }
        }
    }
    Err(Reason::Unexpected)
}

/// Protocols whose checksum a forwarded packet must have right: a wrong one
/// must not move the state of a connection.
#[inline]
fn checksum_ok(packet: &Packet<'_>, hook: Hook<'_>, description: &Description) -> bool {
    match description.segment {
        Segment::Tcp(_) => hook.checksum_ok(packet, description.transport, number::TCP),
        Segment::Udp(datagram) => {
            !datagram.has_checksum || hook.checksum_ok(packet, description.transport, number::UDP)
        }
        Segment::Sctp(_) => hook.sctp_checksum_ok(packet, description.transport),
        Segment::Icmp(_) | Segment::Gre(_) | Segment::Other => true,
    }
}

/// The zone that a template says (`nf_ct_zone_tmpl`).
#[inline]
pub fn zone_of(template: Option<&Conn>, packet: &Packet<'_>) -> Zone {
    match template.map(Conn::zone) {
        None => Zone::DEFAULT,
        Some(zone) if zone.by_mark() => Zone::new(packet.mark() as u16, zone.directions()),
        Some(zone) => zone,
    }
}

/// How a packet relates to its connection, by its direction.
#[inline]
fn info_of(conn: &Conn, direction: Direction) -> Info {
    if direction == Direction::Reply {
        return Info::ESTABLISHED_REPLY;
    }
    let status = conn.status();
    if status.has(Status::SEEN_REPLY) {
        Info::ESTABLISHED
    } else if status.has(Status::EXPECTED) {
        Info::RELATED
    } else {
        Info::NEW
    }
}

/// Looks a connection up by either of its tuples, and takes a reference. Under
/// RCU.
#[inline]
pub fn find(net: Net, zone: Zone, tuple: &Tuple) -> Option<(ConnRef, Direction)> {
    let (original, reply) = (zone.id(Direction::Original), zone.id(Direction::Reply));
    let found = find_hashed(net, zone, tuple, hash(tuple, net, original));
    if found.is_none() && original != reply {
        return find_hashed(net, zone, tuple, hash(tuple, net, reply));
    }
    found
}

#[inline]
fn find_hashed(net: Net, zone: Zone, tuple: &Tuple, hash: u32) -> Option<(ConnRef, Direction)> {
    TABLE.find(hash, &Key { tuple, net, zone }, expired)
}

#[inline]
fn expired(conn: &Conn) -> bool {
    if conn.is_expired(now()) {
        delete::collect(conn);
        return true;
    }
    false
}

#[inline]
fn find_or_make(
    net: Net,
    zone: Zone,
    description: &Description,
    template: Option<&Conn>,
) -> Result<Option<(ConnRef, Direction)>, alloc::NoRoom> {
    let tuple = &description.tuple;
    let (original, reply) = (zone.id(Direction::Original), zone.id(Direction::Reply));
    let hashed = hash(tuple, net, original);
    if let Some(found) = find_hashed(net, zone, tuple, hashed) {
        return Ok(Some(found));
    }
    if original != reply {
        if let Some(found) = find_hashed(net, zone, tuple, hash(tuple, net, reply)) {
            return Ok(Some(found));
        }
    }
    make(net, zone, description, template, hashed)
}

/// A connection that begins with this packet, or nothing if the packet cannot
/// begin one.
fn make(
    net: Net,
    zone: Zone,
    description: &Description,
    template: Option<&Conn>,
    hash: u32,
) -> Result<Option<(ConnRef, Direction)>, alloc::NoRoom> {
    let tuple = &description.tuple;
    let Some(reply) = tuple.invert() else {
        return Ok(None);
    };
    let mut fresh = alloc::allocate(net, zone, tuple, &reply, bindings::GFP_ATOMIC, hash)?;
    {
        let conn = fresh.conn();
        if let Some(template) = template {
            alloc::inherit_synproxy(conn, template)?;
            timeout::inherit(conn, template);
        }
        account::init(conn);
        if ecache::init(conn, template).is_err() {
            return Err(alloc::NoRoom);
        }
    }
    let claimed = if expect::any_in(net) {
        let unlink = template.is_none_or(Conn::is_confirmed);
        expect::claim(net, zone, tuple, unlink)
    } else {
        None
    };
    if let Some(claimed) = &claimed {
        claimed.apply(&mut fresh);
        net.count(Counter::ExpectNew);
    } else if let Some(template) = template {
        let _ = helper::try_assign(fresh.conn(), template);
    }
    let conn = fresh.share();
    if let Some(claimed) = claimed {
        claimed.run(&conn);
    }
    Ok(Some((conn, Direction::Original)))
}

/// The tuple of a packet, or of one inside it: of the network header `offset`
/// bytes from the packet's data (`nf_ct_get_tuplepr`).
pub fn tuple_at(packet: &Packet<'_>, offset: u32, l3num: u16, net: Net) -> Option<Tuple> {
    let family = match l3num {
        2 => Family::Ipv4,
        10 => Family::Ipv6,
        _ => return None,
    };
    let mut window = Window::new();
    let bytes = packet.bytes_at(offset, &mut window);
    let len = packet.len().checked_sub(offset)?;
    let (mut tuple, pptp) = packet::parse_quoted(family, bytes, len).ok()?;
    if pptp {
        tuple.src.id = gre::source_key(net, &tuple);
    }
    Some(tuple)
}

/// The packet goes out or to a socket: its helper reads it, its sequence
/// numbers are adjusted, its connection is confirmed. Returns an `NF_*`
/// verdict. Under RCU.
#[inline]
pub fn leave(mut packet: Packet<'_>, hook: Hook<'_>) -> u32 {
    let Carried::Connection(conn, info) = packet.carried() else {
        return ACCEPT;
    };
    // Most packets belong to a connection that is in the table and wants
    // nothing else of them.
    let status = conn.status();
    if status.has(Status::CONFIRMED)
        && !status.has(Status::SEQ_ADJUST)
        && !helper::has_extension(conn)
        && !ecache::exists(conn)
    {
        return ACCEPT;
    }
    leave_with(&mut packet, hook, conn, info)
}

#[inline(never)]
fn leave_with(packet: &mut Packet<'_>, hook: Hook<'_>, conn: &Conn, info: Info) -> u32 {
    if hook.is_vrf_output() {
        // It will come out of the real device once more.
        return ACCEPT;
    }
    let adjusted = conn.status().has(Status::SEQ_ADJUST) && !packet.is_loopback();
    let help = helper::has_extension(conn);
    // Errors about the connection are not what helpers read.
    if (help || adjusted) && info != Info::RELATED_REPLY {
        // Its own reference, as the packet is changed below.
        let conn = conn.get();
        let mut window = Window::new();
        let len = packet.network_len();
        let family = if conn.l3num() == Family::Ipv4.number() {
            Family::Ipv4
        } else {
            Family::Ipv6
        };
        let network = packet::network(family, packet.network_bytes(&mut window), len);
        if let Ok(network) = network {
            let transport = packet.network_offset().wrapping_add(network.transport);
            if help {
                let verdict = helper::call(packet, &conn, info, transport);
                if verdict != ACCEPT {
                    return verdict;
                }
            }
            if adjusted && !seqadj::adjust(packet, &conn, info, transport) {
                conn.net().count(Counter::Drop);
                return DROP;
            }
        }
    }
    confirm_and_deliver(packet)
}

/// What follows when user space gives a queued packet back: the helper in user
/// space has seen it (`nf_ct_hook->update`).
pub fn update(packet: &mut Packet<'_>) -> u32 {
    let Carried::Connection(conn, info) = packet.carried() else {
        return ACCEPT;
    };
    if !helper::in_user_space(conn) {
        return ACCEPT;
    }
    let conn = conn.get();
    if conn.status().has(Status::SEQ_ADJUST) && !packet.is_loopback() {
        let mut window = Window::new();
        let len = packet.network_len();
        let family = if conn.l3num() == Family::Ipv4.number() {
            Family::Ipv4
        } else {
            Family::Ipv6
        };
        let Ok(network) = packet::network(family, packet.network_bytes(&mut window), len) else {
            return ACCEPT;
        };
        let transport = packet.network_offset().wrapping_add(network.transport);
        if !seqadj::adjust(packet, &conn, info, transport) {
            conn.net().count(Counter::Drop);
            return DROP;
        }
    }
    confirm_and_deliver(packet)
}
