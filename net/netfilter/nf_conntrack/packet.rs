// SPDX-License-Identifier: GPL-2.0

//! A packet's way through connection tracking: [`track`] where it enters,
//! [`leave`] where it goes out or to a socket.

mod leave;
mod usual;

pub use self::leave::{leave, update};

use self::usual::track_as;
use crate::{
    alloc, delete, ecache, expect, gre, helper, icmp,
    proto::{self, Judged, Subject},
    store::{hash, TABLE},
    timeout,
};
use netfilter::conntrack::{
    account,
    conn::now,
    log,
    skb::{Carried, Hook, Packet},
    stat::Counter,
    table::Key,
    Conn, ConnRef, Info, Net, Status, Zone,
};
use nf_bindings as bindings;
use nf_proto::{
    l4::{number, Reason},
    packet::{self, icmp as echo, tcp, udp, Description, Segment},
    tuple::{Direction, Family, Tuple},
};

const ACCEPT: u32 = bindings::NF_ACCEPT;
const DROP: u32 = bindings::NF_DROP;

/// Finds or makes the packet's connection and lets the protocol judge the
/// packet. Returns an `NF_*` verdict. Called at PREROUTING and OUTPUT, under
/// RCU.
#[inline]
pub fn track(packet: Packet<'_>, hook: Hook<'_>) -> u32 {
    match hook.family() {
        2 => track_ipv4(packet, hook),
        10 => track_ipv6(packet, hook),
        _ => track_carrying(packet, hook),
    }
}

/// [`track`] for an IPv4 packet.
#[inline]
pub fn track_ipv4(packet: Packet<'_>, hook: Hook<'_>) -> u32 {
    track_new::<IPV4>(packet, hook)
}

/// [`track`] for an IPv6 packet.
#[inline]
pub fn track_ipv6(packet: Packet<'_>, hook: Hook<'_>) -> u32 {
    track_new::<IPV6>(packet, hook)
}

/// The packet was seen before (loopback, a queue), is not to be tracked, or has
/// a template; or is of no family that is tracked.
#[inline(never)]
fn track_carrying(mut packet: Packet<'_>, hook: Hook<'_>) -> u32 {
    let template = match packet.carried() {
        Carried::Nothing => None,
        Carried::Template(_) => packet.take_template(),
        Carried::Connection(..) | Carried::Untracked => return ACCEPT,
    };
    let template = template.as_deref();
    let Some(family) = Family::from_number(hook.family().into()) else {
        return Refused::from(Reason::BadNetworkHeader).apply(&packet, hook);
    };
    classify(&mut packet, hook, template, family)
        .unwrap_or_else(|refused| refused.apply(&packet, hook))
}

const IPV4: bool = false;
const IPV6: bool = true;

/// Nearly every packet carries nothing and is of one of three protocols: what
/// follows is compiled for each family and each of those.
#[inline]
fn track_new<const FAMILY: bool>(packet: Packet<'_>, hook: Hook<'_>) -> u32 {
    if packet.carries_something() {
        return track_carrying(packet, hook);
    }
    match packet.likely_protocol(family_of::<FAMILY>()) {
        number::TCP => track_as::<FAMILY, tcp::Segment>(packet, hook),
        number::ICMP | number::ICMPV6 => track_as::<FAMILY, echo::Echo>(packet, hook),
        _ => track_as::<FAMILY, udp::Datagram>(packet, hook),
    }
}

#[inline(always)]
const fn family_of<const FAMILY: bool>() -> Family {
    if FAMILY == IPV6 {
        Family::Ipv6
    } else {
        Family::Ipv4
    }
}

/// Any other packet.
#[inline(never)]
fn track_any(mut packet: Packet<'_>, hook: Hook<'_>, family: Family) -> u32 {
    classify(&mut packet, hook, None, family).unwrap_or_else(|refused| refused.apply(&packet, hook))
}

/// Why a packet is INVALID, and its protocol as far as that is known.
struct Refused {
    reason: Reason,
    protocol: u8,
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Refused {
            reason,
            protocol: 0,
        }
    }
}

impl Refused {
    #[cold]
    fn apply(self, packet: &Packet<'_>, hook: Hook<'_>) -> u32 {
        hook.net().count(match (self.reason, self.protocol) {
            // As any other ICMP message that is refused.
            (Reason::Truncated, number::ICMP | number::ICMPV6) => Counter::Error,
            _ => Counter::Invalid,
        });
        log::invalid(packet, hook, self.reason, self.protocol);
        ACCEPT
    }
}

/// Any packet: of another protocol, not all at hand, or INVALID.
#[inline(never)]
fn classify(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    template: Option<&Conn>,
    family: Family,
) -> Result<u32, Refused> {
    let len = packet.network_len();
    let mut protocol = 0;
    let read = packet.with_network_bytes(|bytes| {
        let network = packet::network(family, bytes, len)?;
        protocol = network.tuple.dst.protocol;
        network.describe::<Segment>(family, bytes, len)
    });
    read.and_then(|description| admit_any(packet, hook, template, description))
        .map_err(|reason| Refused { reason, protocol })
}

fn admit_any(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    template: Option<&Conn>,
    mut description: Description,
) -> Result<u32, Reason> {
    if let Segment::Icmp(message) = description.segment {
        match icmp::receive(packet, hook, template, &description, message) {
            Ok(icmp::Message::Query) => {}
            Ok(icmp::Message::Untracked | icmp::Message::Related) => return Ok(ACCEPT),
            Err(reason) => {
                // Counted as an error already, which INVALID does not include.
                log::invalid(packet, hook, reason, description.tuple.dst.protocol);
                return Ok(ACCEPT);
            }
        }
    }
    gre::complete(&mut description, hook.net());
    admit(packet, hook, template, description).map_err(|refused| refused.reason)
}

#[inline(always)]
fn admit<S: Subject>(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    template: Option<&Conn>,
    description: Description<S>,
) -> Result<u32, Refused> {
    let protocol = description.tuple.dst.protocol;
    let refuse = |reason| Refused { reason, protocol };
    if !S::checksum_ok(&description, packet, hook) {
        return Err(refuse(Reason::BadChecksum));
    }
    let net = hook.net();
    let zone = zone_of(template, packet);
    let hash = hash(&description.tuple, net, zone.id(Direction::Original));
    if let Some((conn, direction)) = find_hashed(net, zone, &description.tuple, hash) {
        match follow(packet, hook, conn, direction, &description) {
            Followed::Done(verdict) => return Ok(verdict),
            Followed::Invalid(reason) => return Err(refuse(reason)),
            Followed::Reopen => {}
        }
    }
    begin(packet, hook, zone, template, description, hash).map_err(refuse)
}

/// What became of a packet with a connection.
enum Followed {
    /// The verdict.
    Done(u32),
    /// It is INVALID.
    Invalid(Reason),
    /// The connection was over and is removed: the packet begins another one.
    Reopen,
}

/// Lets the protocol judge a packet of a connection.
#[inline(always)]
fn follow<S: Subject>(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    conn: ConnRef,
    direction: Direction,
    description: &Description<S>,
) -> Followed {
    let status = conn.status();
    let info = info_of(status, direction);
    match proto::judge(&conn, info, status, packet, hook, description) {
        Judged::Accept => {
            if info == Info::ESTABLISHED_REPLY && !status.has(Status::SEEN_REPLY) {
                proto::seen_reply(&conn);
            }
            packet.attach(conn, info);
            Followed::Done(ACCEPT)
        }
        Judged::Invalid(reason) => Followed::Invalid(reason),
        Judged::Drop(reason) => {
            hook.net().count(Counter::Drop);
            let protocol = description.tuple.dst.protocol;
            Refused { reason, protocol }.apply(packet, hook);
            Followed::Done(DROP)
        }
        Judged::Reopen => {
            if delete::kill(&conn) {
                Followed::Reopen
            } else {
                // Somebody else is at it: the peer will try again.
                hook.net().count(Counter::Drop);
                Followed::Done(DROP)
            }
        }
    }
}

/// A packet that is of no connection, as far as the hash of its original
/// direction says.
#[inline(never)]
fn begin<S: Subject>(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    zone: Zone,
    template: Option<&Conn>,
    description: Description<S>,
    hashed: u32,
) -> Result<u32, Reason> {
    let (net, tuple) = (hook.net(), &description.tuple);
    let reply = zone.id(Direction::Reply);
    if zone.id(Direction::Original) != reply {
        if let Some((conn, direction)) = find_hashed(net, zone, tuple, hash(tuple, net, reply)) {
            match follow(packet, hook, conn, direction, &description) {
                Followed::Done(verdict) => return Ok(verdict),
                Followed::Invalid(reason) => return Err(reason),
                Followed::Reopen => {}
            }
        }
    }
    let conn = match make(hook, zone, tuple, template, hashed) {
        Ok(Some(conn)) => conn,
        Ok(None) => return Err(Reason::Unexpected),
        Err(alloc::NoRoom) => {
            net.count(Counter::Drop);
            return Ok(DROP);
        }
    };
    match follow(packet, hook, conn, Direction::Original, &description) {
        Followed::Done(verdict) => Ok(verdict),
        Followed::Invalid(reason) => Err(reason),
        // What has just begun is not over.
        Followed::Reopen => Err(Reason::Unexpected),
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
fn info_of(status: Status, direction: Direction) -> Info {
    if direction == Direction::Reply {
        Info::ESTABLISHED_REPLY
    } else if status.has(Status::SEEN_REPLY) {
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

/// [`find`] by one hash: that of the tuple, the namespace and a zone's id.
#[inline(always)]
pub fn find_hashed(net: Net, zone: Zone, tuple: &Tuple, hash: u32) -> Option<(ConnRef, Direction)> {
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

/// A connection that begins with a packet of this tuple, or nothing if none
/// can.
#[inline(always)]
fn make(
    hook: Hook<'_>,
    zone: Zone,
    tuple: &Tuple,
    template: Option<&Conn>,
    hash: u32,
) -> Result<Option<ConnRef>, alloc::NoRoom> {
    let net = hook.net();
    let Some(reply) = tuple.invert() else {
        return Ok(None);
    };
    let (connections, expectations) = net.counts(hook.rcu());
    let (tuples, gfp) = ((tuple, &reply), bindings::GFP_ATOMIC);
    let mut fresh = alloc::allocate_counted(connections, net, zone, tuples, gfp, hash)?;
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
    let claimed = if expectations != 0 {
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
    Ok(Some(conn))
}

/// The tuple of a packet, or of one inside it: of the network header `offset`
/// bytes from the packet's data (`nf_ct_get_tuplepr`).
pub fn tuple_at(packet: &Packet<'_>, offset: u32, l3num: u16, net: Net) -> Option<Tuple> {
    let family = match l3num {
        2 => Family::Ipv4,
        10 => Family::Ipv6,
        _ => return None,
    };
    let len = packet.len().checked_sub(offset)?;
    let (mut tuple, pptp) = packet
        .with_bytes_at(offset, |bytes| packet::parse_quoted(family, bytes, len))
        .ok()?;
    if pptp {
        tuple.src.id = gre::source_key(net, &tuple);
    }
    Some(tuple)
}
