// SPDX-License-Identifier: GPL-2.0

//! Where connections are kept: the table, the cache they are made from, and
//! the key of the hash.

use core::sync::atomic::{AtomicU64, Ordering};
use netfilter::conntrack::{
    cache::Cache,
    table::{Table, LOCKS, MAX_BUCKETS},
    Conn, Net, Zone,
};
use nf_proto::{
    be::Be32,
    hash::{self, Key, Start},
    tuple::{Direction, Family, Tuple},
};

/// The table of confirmed connections, of all namespaces.
pub static TABLE: Table = Table::new();

/// The cache of connections.
pub static CACHE: Cache = Cache::new();

type Secret = [AtomicU64; 2];

/// The key of the table's hash, prepared ([`hash::Start`]).
static KEY: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];

/// Users see what is made with it, and must not learn of [`KEY`] from that.
static ID_KEY: Secret = [const { AtomicU64::new(0) }; 2];

/// Sets the secrets of the hash and of [`id`], before anything is hashed.
pub fn set_keys(table: [u64; 2], id: [u64; 2]) {
    let table = Key::new(table).start().words();
    for (word, value) in KEY.iter().chain(&ID_KEY).zip(table.into_iter().chain(id)) {
        word.store(value, Ordering::Relaxed);
    }
}

#[inline]
fn key([a, b]: &Secret) -> Key {
    Key::new([a.load(Ordering::Relaxed), b.load(Ordering::Relaxed)])
}

#[inline(always)]
fn start() -> Start {
    let [a, b, c, d] = &KEY;
    Start::from_words([a, b, c, d].map(|word| word.load(Ordering::Relaxed)))
}

/// The hash of a tuple in a namespace and zone: the same for the tuple of the
/// answers ([`mirrors`]), so that a connection without NAT is hashed once, and
/// both its entries are in one chain, under one lock.
///
/// An IPv4 tuple has two words, an IPv6 one five; which it is, is part of the
/// hash by their number.
#[inline(always)]
pub fn hash(tuple: &Tuple, net: Net, zone_id: u16) -> u32 {
    // Namespaces are aligned objects: the low bits of the address say nothing.
    let net = ((net.as_ptr() as u64) >> 6).rotate_left(17);
    let (src, dst) = (&tuple.src, &tuple.dst);
    let (src_id, dst_id, rest) = tuple.ends();
    let (src_id, dst_id) = (u64::from(src_id.raw()), u64::from(dst_id.raw()));
    // Of ICMP, whose ids are equal: one may carry it, so that nothing is lost.
    let rest = u64::from(rest);
    let (zone, protocol) = (u64::from(zone_id), u64::from(dst.protocol));
    if src.l3num == Family::Ipv4.number() {
        let end = |address: Be32, id: u64| (u64::from(address.raw()) << 16) | id;
        let ([s, ..], [d, ..]) = (src.address.0, dst.address.0);
        let (a, b) = (end(s, src_id), end(d, dst_id));
        let (low, high) = (a.min(b), a.max(b));
        start().hash([low | (zone << 48), (high | (protocol << 48)) ^ rest ^ net])
    } else {
        let [s0, s1, s2, s3] = src.address.0;
        let [d0, d1, d2, d3] = dst.address.0;
        let a = (pair(s0, s1), pair(s2, s3), src_id);
        let b = (pair(d0, d1), pair(d2, d3), dst_id);
        // By what differs most.
        let swap = (a.1, a.0, a.2) > (b.1, b.0, b.2);
        let (low, high) = if swap { (b, a) } else { (a, b) };
        let ids = (low.2 << 48) | ((high.2 ^ rest) << 32) | (protocol << 16) | zone;
        start().hash([low.0, low.1, high.0, high.1, ids ^ net])
    }
}

#[inline]
fn pair(a: Be32, b: Be32) -> u64 {
    // As it lies in memory: one word.
    u64::from(a.raw()) | (u64::from(b.raw()) << 32)
}

/// The hash of one direction of a connection.
#[inline]
pub fn hash_of(tuple: &Tuple, net: Net, zone: Zone, direction: Direction) -> u32 {
    hash(tuple, net, zone.id(direction))
}

/// The permitted number of buckets next to `wanted`: a power of two.
pub fn round_size(wanted: u32) -> u32 {
    wanted
        .clamp(LOCKS, MAX_BUCKETS)
        .checked_next_power_of_two()
        .unwrap_or(MAX_BUCKETS)
}

/// A number for a connection that tells it from others for as long as it lives,
/// and says nothing about where it is kept.
pub fn id(conn: &Conn) -> u32 {
    let master = conn
        .master()
        .map_or(0, |master| core::ptr::from_ref(master) as u64);
    let tuple = conn.tuple(Direction::Original);
    let [s0, s1, s2, s3] = tuple.src.address.0;
    let [d0, d1, d2, d3] = tuple.dst.address.0;
    let ids = (u64::from(tuple.src.id.raw()) << 32)
        | (u64::from(tuple.dst.id.raw()) << 16)
        | u64::from(tuple.dst.protocol);
    hash::hash_array(
        &key(&ID_KEY),
        [
            core::ptr::from_ref(conn) as u64,
            master,
            conn.net().as_ptr() as u64,
            pair(s0, s1),
            pair(s2, s3),
            pair(d0, d1),
            pair(d2, d3),
            ids,
        ],
    )
}
