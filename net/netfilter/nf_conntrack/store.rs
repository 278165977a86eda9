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
    hash::{self, Key},
    tuple::{Direction, Family, Tuple},
};

/// The table of confirmed connections, of all namespaces.
pub static TABLE: Table = Table::new();

/// The cache of connections.
pub static CACHE: Cache = Cache::new();

type Secret = [AtomicU64; 2];

static KEY: Secret = [AtomicU64::new(0), AtomicU64::new(0)];

/// Users see what is made with it, and must not learn of [`KEY`] from that.
static ID_KEY: Secret = [AtomicU64::new(0), AtomicU64::new(0)];

/// Sets the secrets of the hash and of [`id`], before anything is hashed.
pub fn set_keys(table: [u64; 2], id: [u64; 2]) {
    for (word, value) in KEY.iter().chain(&ID_KEY).zip(table.into_iter().chain(id)) {
        word.store(value, Ordering::Relaxed);
    }
}

#[inline]
fn key([a, b]: &Secret) -> Key {
    Key::new([a.load(Ordering::Relaxed), b.load(Ordering::Relaxed)])
}

/// The hash of a tuple in a namespace and zone.
///
/// An IPv4 tuple has two words of its own, an IPv6 one four; which it is, is
/// part of the hash by their number.
#[inline(always)]
pub fn hash(tuple: &Tuple, net: Net, zone_id: u16) -> u32 {
    let ids = (u64::from(tuple.src.id.raw()) << 48)
        | (u64::from(tuple.dst.id.raw()) << 32)
        | (u64::from(tuple.dst.protocol) << 16)
        | u64::from(zone_id);
    // Namespaces are aligned objects: the low bits of the address say nothing.
    let ids = ids ^ ((net.as_ptr() as u64) >> 6).rotate_left(17);
    let [s0, s1, s2, s3] = tuple.src.address.0;
    let [d0, d1, d2, d3] = tuple.dst.address.0;
    if tuple.src.l3num == Family::Ipv4.number() {
        hash::hash_array(&key(&KEY), [pair(s0, d0), ids])
    } else {
        let addresses = [pair(s0, s1), pair(s2, s3), pair(d0, d1), pair(d2, d3)];
        let [a, b, c, d] = addresses;
        hash::hash_array(&key(&KEY), [a, b, c, d, ids])
    }
}

#[inline]
fn pair(a: Be32, b: Be32) -> u64 {
    (u64::from(a.raw()) << 32) | u64::from(b.raw())
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
