// SPDX-License-Identifier: GPL-2.0

//! The index of sources: another connection of a client that is mapped already is
//! mapped to the same, so that the client has one face to the outside.
//!
//! A connection is in the index only if its mapping cannot be told from the rule
//! and the source alone: if its id was changed, or its address drawn from several.
//! All others get the same again anyway.

use core::sync::atomic::{AtomicU64, Ordering};
use netfilter::{
    conntrack::{nat::Sources, Conn, Net, Zone},
    random,
};
use nf_proto::{
    be::Be32,
    hash::{self, Key},
    nat::range::{Flags, Range},
    tuple::{Direction, Family, Source, Tuple},
};

/// The index, of all namespaces.
pub static SOURCES: Sources = Sources::new();

static KEY: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// Chains of the index.
const CHAINS: u32 = 16384;

/// Sets the index up. May sleep.
///
/// # Errors
///
/// `ENOMEM`.
pub fn start() -> kernel::error::Result {
    for word in &KEY {
        word.store(random::u64(), Ordering::Relaxed);
    }
    SOURCES.start(CHAINS)
}

fn hash(net: Net, zone: Zone, tuple: &Tuple) -> u32 {
    let [a, b] = &KEY;
    let key = Key::new([a.load(Ordering::Relaxed), b.load(Ordering::Relaxed)]);
    let ids = (u64::from(tuple.src.id.raw()) << 32)
        | (u64::from(tuple.dst.protocol) << 16)
        | u64::from(zone.id(Direction::Original));
    let ids = ids ^ ((net.as_ptr() as u64) >> 6).rotate_left(48);
    let [s0, s1, s2, s3] = tuple.src.address.0;
    let pair = |a: Be32, b: Be32| (u64::from(a.raw()) << 32) | u64::from(b.raw());
    if tuple.src.l3num == Family::Ipv4.number() {
        hash::hash_array(&key, [pair(s0, Be32::new(0)), ids])
    } else {
        hash::hash_array(&key, [pair(s0, s1), pair(s2, s3), ids])
    }
}

/// Puts a connection whose source was mapped by `range` into the index, if that is
/// needed. `before` is what it was, `after` what it is now. It is not confirmed,
/// and the caller its one owner.
#[inline]
pub fn remember(conn: &Conn, range: &Range, before: &Tuple, after: &Tuple) {
    // Who wants ids drawn never asks for a former one.
    if range.flags.any(Flags::PROTO_RANDOM_ALL)
        || (range.single_address() && before.src.id == after.src.id)
    {
        return;
    }
    let original = conn.tuple(Direction::Original);
    SOURCES.insert(conn, hash(conn.net(), conn.zone(), original));
}

/// Takes a connection out of the index, if it is there.
pub fn forget(conn: &Conn) {
    if SOURCES.has(conn) {
        let original = conn.tuple(Direction::Original);
        SOURCES.remove(conn, hash(conn.net(), conn.zone(), original));
    }
}

/// What a connection from the source of `tuple`, by the same protocol, is mapped
/// to, the newest that `range` holds. Under RCU.
#[inline]
pub fn find(conn: &Conn, tuple: &Tuple, range: &Range) -> Option<Source> {
    if SOURCES.is_empty() {
        return None;
    }
    look(conn, tuple, range)
}

#[inline(never)]
fn look(conn: &Conn, tuple: &Tuple, range: &Range) -> Option<Source> {
    let (net, zone) = (conn.net(), conn.zone());
    SOURCES.find(hash(net, zone, tuple), |other| {
        let original = other.tuple(Direction::Original);
        if original.dst.protocol != tuple.dst.protocol
            || !original.same_source(tuple)
            || other.net() != net
            || !other.zone().same_id(zone, Direction::Original)
        {
            return None;
        }
        let now = other.tuple(Direction::Reply).invert()?;
        let candidate = Tuple {
            src: now.src,
            dst: tuple.dst,
        };
        range.holds(&candidate).then_some(candidate.src)
    })
}
