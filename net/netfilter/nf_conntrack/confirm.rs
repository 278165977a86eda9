// SPDX-License-Identifier: GPL-2.0

//! Confirmation: a new connection's first packet leaves the machine, and the
//! connection goes into the table.
//!
//! Two packets of one new flow can be on their way at once, each with a
//! connection of its own. The second to get here finds the first's entry: that
//! is a clash.

use crate::{
    ecache, helper,
    store::{hash_of, TABLE},
};
use netfilter::conntrack::{
    account,
    conn::now,
    stat::Counter,
    table::{mirrors, same_tuple, Entry, Key, LockedChains},
    Conn, ConnRef, Info, Status, Zone,
};
use nf_proto::{
    l4::number,
    tuple::{Direction, Family, Tuple},
};

/// The longest chain that an insertion may find; longer ones mean that somebody
/// has broken the hash, or that memory for a larger table is short.
const MAX_CHAIN: u32 = 160;

/// The length at which the table should grow. Most connections are in a chain
/// twice.
const LONG_CHAIN: u32 = 12;

/// What becomes of the packet.
pub enum Confirmed {
    /// It goes on with its connection.
    Yes,
    /// It goes on with this connection, which was there first: the packet's
    /// own one is given up.
    Merged(ConnRef),
    /// It is dropped.
    No,
}

/// Confirms the connection of a packet that goes in `info`'s direction. Under
/// RCU.
pub fn confirm(conn: &Conn, info: Info) -> Confirmed {
    // Packets that a target made about an unconfirmed connection (RST, ICMP
    // errors) carry it in the reply direction: they confirm nothing.
    if info.direction() != Direction::Original {
        return Confirmed::Yes;
    }
    let (net, zone) = (conn.net(), conn.zone());
    let original = conn.tuple(Direction::Original);
    let reply = conn.tuple(Direction::Reply);
    let hash = conn.hashes().0;
    let reply_hash = reply_hash(conn, hash);

    let chains = TABLE.lock(hash, reply_hash);
    let status = conn.status();
    if status.any(Status::CONFIRMED | Status::DYING) {
        // A clone of the packet was here before, or the connection was deleted
        // while its packet was queued.
        if !status.has(Status::CONFIRMED) {
            net.count(Counter::InsertFailed);
        }
        return Confirmed::No;
    }
    let keys = [original, reply].map(|tuple| Key { tuple, net, zone });
    let longest = match look(&chains, [hash, reply_hash], &keys) {
        Ok(longest) => longest,
        Err(winner) => return resolve(&chains, winner, conn, info, reply_hash),
    };
    if longest > MAX_CHAIN {
        net.count(Counter::ChainTooLong);
        net.count(Counter::InsertFailed);
        return Confirmed::No;
    }
    // Until now the timeout was how long it would live.
    conn.set_timeout(conn.timeout().wrapping_add(now()));
    let plain = !conn.has_extensions() && conn.master().is_none();
    if !plain {
        account::started(conn);
    }
    conn.add_reference();
    if hash == reply_hash {
        chains.insert_both(conn, hash);
    } else {
        chains.insert(conn, Direction::Reply, reply_hash);
        chains.insert(conn, Direction::Original, hash);
    }
    // After the insertion: a lookup that meets a recycled connection earlier
    // must not take it for one that is in the table.
    conn.set_status(Status::CONFIRMED);
    drop(chains);
    if longest > LONG_CHAIN {
        crate::resize::request();
    }
    if !plain {
        report(conn);
    }
    Confirmed::Yes
}

/// Nothing is known of a connection but that it is new, and perhaps that NAT leaves it
/// as it is.
#[inline(always)]
pub fn is_untouched(status: Status) -> bool {
    const SETTLED: Status = Status(Status::SRC_NAT_DONE.0 | Status::DST_NAT_DONE.0);
    status.0 & !SETTLED.0 == 0
}

/// [`confirm`] for a connection as most new ones are, in the direction in which it
/// begins: without extensions, in the default zone, and both its entries in one chain.
/// False, and nothing has happened, if it is another one, or what is in the chain is to be
/// looked at more closely. Under RCU.
#[inline(always)]
pub fn confirm_usual(conn: &Conn) -> bool {
    if conn.zone() != Zone::DEFAULT
        || !mirrors(
            conn.tuple(Direction::Original),
            conn.tuple(Direction::Reply),
        )
    {
        return false;
    }
    match conn.family() {
        Family::Ipv4 => insert_usual::<false>(conn),
        Family::Ipv6 => insert_usual::<true>(conn),
    }
}

#[inline(always)]
fn insert_usual<const IPV6: bool>(conn: &Conn) -> bool {
    let hash = conn.hashes().0;
    let chains = TABLE.lock(hash, hash);
    // A clone of the packet may have been here before, or somebody may have deleted it.
    let room = match is_untouched(conn.status()) {
        true => chains.room::<IPV6>(hash, conn),
        false => None,
    };
    let room = room.filter(|room| room.length <= LONG_CHAIN);
    if let Some(room) = &room {
        // Until now the timeout was how long it would live.
        conn.set_timeout(conn.timeout().wrapping_add(now()));
        conn.add_reference();
        chains.insert_in(room, conn, hash);
        // After the insertion, as in `confirm`.
        conn.set_status(Status::CONFIRMED);
    }
    room.is_some()
}

/// The length of the longest chain that the connection comes into, or who is
/// there already.
#[inline(always)]
fn look<'a>(
    chains: &'a LockedChains<'_>,
    [hash, reply_hash]: [u32; 2],
    [original, reply]: &[Key<'_>; 2],
) -> Result<u32, Entry<'a>> {
    if hash == reply_hash {
        let keys = [original, reply];
        let length = match original.tuple.src.l3num == Family::Ipv4.number() {
            true => chains.length_without::<false>(hash, keys),
            false => chains.length_without::<true>(hash, keys),
        };
        if let Some(length) = length {
            return Ok(length);
        }
    }
    look_twice(chains, [hash, reply_hash], [original, reply])
}

/// Whoever has the tuple of the original direction counts before one who has that
/// of the answers.
#[inline(never)]
fn look_twice<'a>(
    chains: &'a LockedChains<'_>,
    [hash, reply_hash]: [u32; 2],
    [original, reply]: [&Key<'_>; 2],
) -> Result<u32, Entry<'a>> {
    let mut longest = 0;
    for (hash, key) in [(hash, original), (reply_hash, reply)] {
        match chains.find(hash, key) {
            Err(length) => longest = longest.max(length),
            Ok(winner) => return Err(winner),
        }
    }
    Ok(longest)
}

/// Notes the events of a connection that is in the table from now on.
#[inline(never)]
fn report(conn: &Conn) {
    if helper::has(conn) {
        ecache::cache(conn, ecache::Event::Helper);
    }
    let event = if conn.master().is_some() {
        ecache::Event::Related
    } else {
        ecache::Event::New
    };
    ecache::cache(conn, event);
}

/// The hash of a connection's reply tuple, if that of the original one is
/// `hash`.
#[inline]
fn reply_hash(conn: &Conn, hash: u32) -> u32 {
    let (original, reply) = (
        conn.tuple(Direction::Original),
        conn.tuple(Direction::Reply),
    );
    let zone = conn.zone();
    if mirrors(original, reply) && zone.id(Direction::Original) == zone.id(Direction::Reply) {
        return hash;
    }
    hash_of(reply, conn.net(), zone, Direction::Reply)
}

/// Protocols without a handshake of their own: their first packets may well
/// come in twos, and a clash is no reason to drop one.
pub fn may_clash(protocol: u8) -> bool {
    !matches!(protocol, number::TCP | number::SCTP)
}

fn resolve(
    chains: &LockedChains<'_>,
    winner: Entry<'_>,
    conn: &Conn,
    info: Info,
    reply_hash: u32,
) -> Confirmed {
    let net = conn.net();
    if may_clash(winner.conn.protocol()) {
        if let Some(merged) = merge(winner.conn, conn, info) {
            return merged;
        }
        let reply = Key {
            tuple: conn.tuple(Direction::Reply),
            net,
            zone: conn.zone(),
        };
        match chains.find(reply_hash, &reply) {
            Ok(other) => {
                if let Some(merged) = merge(other.conn, conn, info) {
                    return merged;
                }
            }
            Err(_) => {
                insert_reply_only(chains, conn, reply_hash);
                net.count(Counter::ClashResolve);
                return Confirmed::Yes;
            }
        }
    }
    net.count(Counter::Drop);
    net.count(Counter::InsertFailed);
    Confirmed::No
}

/// Both are the same flow, seen in the same or in opposite directions: the
/// packet goes on with the one in the table.
fn merge(winner: &Conn, loser: &Conn, info: Info) -> Option<Confirmed> {
    let same = |a: Direction, b: Direction| {
        same_tuple(winner.tuple(a), loser.tuple(b)) && winner.zone().id(a) == loser.zone().id(b)
    };
    use Direction::{Original, Reply};
    let equal = same(Original, Original) && same(Reply, Reply);
    let reverse = same(Original, Reply) && same(Reply, Original);
    if !(equal || reverse) {
        return None;
    }
    account::merge(winner, loser, info.direction());
    winner.net().count(Counter::ClashResolve);
    Some(Confirmed::Merged(winner.get()))
}

/// Only answers will find this entry, and only for a moment: the flow's other
/// packets keep to the entry that was there first.
fn insert_reply_only(chains: &LockedChains<'_>, conn: &Conn, reply_hash: u32) {
    conn.set_timeout(now().wrapping_add(netfilter::conntrack::HZ));
    conn.set_status(Status::FIXED_TIMEOUT | Status::NAT_CLASH);
    account::started(conn);
    conn.add_reference();
    chains.leave_out(conn, Direction::Original, conn.hashes().0);
    chains.insert(conn, Direction::Reply, reply_hash);
    conn.set_status(Status::CONFIRMED);
}

/// A tuple that another connection than `except` has already
/// (`nf_conntrack_tuple_taken`). Under RCU.
pub fn is_taken(tuple: &Tuple, except: &Conn) -> bool {
    let (net, zone) = (except.net(), except.zone());
    let hash = hash_of(tuple, net, zone, Direction::Reply);
    let key = Key { tuple, net, zone };
    let taken = TABLE
        .find(hash, &key, |conn| {
            if conn.is_expired(now()) {
                crate::delete::collect(conn);
                return true;
            }
            // The same flow again, from another CPU: left to the clash.
            core::ptr::eq(conn, except)
                || (same_tuple(
                    conn.tuple(Direction::Original),
                    except.tuple(Direction::Original),
                ) && conn.zone().id(Direction::Original) == zone.id(Direction::Original))
        })
        .is_some();
    if taken {
        net.count(Counter::Found);
    }
    taken
}

/// Why [`insert`] did not insert.
pub enum NotInserted {
    /// There is such a connection.
    Exists,
    /// The chain is too long.
    ChainTooLong,
}

/// Puts a connection into the table that netlink code has made, complete with
/// timeout (a time) and status, and with a count of zero. If it is inserted, the
/// table has a reference, and the caller another one. Under RCU.
pub fn insert(conn: &Conn) -> Result<(), NotInserted> {
    let (net, zone) = (conn.net(), conn.zone());
    let original = conn.tuple(Direction::Original);
    let reply = conn.tuple(Direction::Reply);
    let hash = hash_of(original, net, zone, Direction::Original);
    let reply_hash = reply_hash(conn, hash);
    let chains = TABLE.lock(hash, reply_hash);
    for (hash, tuple) in [(hash, original), (reply_hash, reply)] {
        match chains.find(hash, &Key { tuple, net, zone }) {
            Ok(_) => return Err(NotInserted::Exists),
            Err(length) if length > MAX_CHAIN => {
                net.count(Counter::ChainTooLong);
                return Err(NotInserted::ChainTooLong);
            }
            Err(_) => {}
        }
    }
    // The count was zero until now: one is the table's, one the caller's.
    conn.begin_references(2);
    chains.insert(conn, Direction::Original, hash);
    chains.insert(conn, Direction::Reply, reply_hash);
    net.count(Counter::Insert);
    Ok(())
}
