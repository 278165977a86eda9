// SPDX-License-Identifier: GPL-2.0

//! The table as most packets use it: in the zone that no rule says, with what
//! is compared at hand in registers.

use super::{entry, node, node_at, tuple_at, Buckets, Key, LockedChains, Table, IS_NULLS};
use crate::conntrack::{conn::Status, stat::Counter, Conn, ConnRef, Net, Zone};
use core::sync::atomic::Ordering;
use nf_proto::{
    l4::Jiffies,
    tuple::{Direction, Tuple},
};

/// A connection that a packet is of.
pub struct Met {
    /// The connection.
    pub conn: ConnRef,
    /// The direction whose tuple is the packet's.
    pub direction: Direction,
    /// Its status just now.
    pub status: Status,
}

/// Where a connection can be inserted, as long as the lock is held.
pub struct Room<'a> {
    /// The length of the chain.
    pub length: u32,
    buckets: &'a Buckets,
}

/// Tuples by [`Tuple::image`].
#[derive(Clone, Copy)]
struct Image([u64; 5]);

impl Image {
    /// That of an entry of a chain.
    ///
    /// # Safety
    ///
    /// As for [`entry`].
    #[inline(always)]
    unsafe fn at(link: usize) -> Self {
        // SAFETY: As in `tuple_at`; a tuple is its image.
        Image(unsafe { *core::ptr::from_ref(tuple_at(link)).cast() })
    }

    /// Not 0 if the ports or part of an address are others: enough to tell entries
    /// of one chain apart, almost always. IPv4's source port and destination are in
    /// one word; those of IPv6 begin alike.
    #[inline(always)]
    fn differs_much<const IPV6: bool>(self, other: Self) -> u64 {
        let (Image([_, _, a, _, z]), Image([_, _, b, _, y])) = (self, other);
        if IPV6 {
            (a ^ b) | ((z ^ y) & Tuple::LAST_WORD)
        } else {
            a ^ b
        }
    }

    /// Not 0 if any of it is another, the direction aside. An IPv4 address is its
    /// first word, the others are always 0.
    #[inline(always)]
    fn differs<const IPV6: bool>(self, other: Self) -> u64 {
        let (Image([a0, a1, a2, a3, a4]), Image([b0, b1, b2, b3, b4])) = (self, other);
        let ends = (a0 ^ b0) | (a2 ^ b2) | ((a4 ^ b4) & Tuple::LAST_WORD);
        if IPV6 {
            ends | (a1 ^ b1) | (a3 ^ b3)
        } else {
            ends
        }
    }
}

impl Table {
    /// [`Self::find`] for a packet of the default zone, of IPv6 or of IPv4. Under
    /// RCU.
    ///
    /// An entry that has expired is given to `collect` and passed over.
    #[inline(always)]
    pub fn meet<const IPV6: bool>(
        &self,
        hash: u32,
        tuple: &Tuple,
        net: Net,
        now: Jiffies,
        collect: impl Fn(&Conn),
    ) -> Option<Met> {
        let image = Image(tuple.image());
        let mut buckets = self.buckets();
        loop {
            let mut link = buckets.head(hash).load(Ordering::Acquire);
            while link & IS_NULLS == 0 {
                // SAFETY: Under RCU, and no marker.
                let near = unsafe { Image::at(link) }.differs_much::<IPV6>(image) == 0;
                if near {
                    // SAFETY: As above.
                    let found = unsafe { entry(link) };
                    if found.conn.is_expired(now) {
                        collect(found.conn);
                    } else if let Some(conn) = found.conn.try_get() {
                        // Only now does it stay what it is.
                        let status = conn.status();
                        // SAFETY: As above.
                        let other = unsafe { Image::at(link) }.differs::<IPV6>(image) != 0;
                        if !other
                            && status.has(Status::CONFIRMED)
                            && conn.net() == net
                            && conn.zone().same_id(Zone::DEFAULT, found.direction)
                        {
                            return Some(Met {
                                conn,
                                direction: found.direction,
                                status,
                            });
                        }
                    }
                }
                // SAFETY: As above.
                link = unsafe { node_at(link) }.next.load(Ordering::Acquire);
            }
            if link != buckets.marker(hash) {
                // Led off the chain by an entry that moved.
                net.count(Counter::SearchRestart);
                continue;
            }
            buckets = buckets.next()?;
        }
    }
}

impl LockedChains<'_> {
    /// [`Self::find`] for two keys that are in the same chains: their length, if
    /// neither is there. `hash` must be the keys', and the one locked for.
    #[inline(always)]
    pub fn length_without<const IPV6: bool>(&self, hash: u32, keys: [&Key<'_>; 2]) -> Option<u32> {
        let [a, b] = keys.map(|key| Image(key.tuple.image()));
        let mut length = 0u32;
        let mut next = Some(self.table.buckets());
        while let Some(buckets) = next {
            let mut link = buckets.head(hash).load(Ordering::Acquire);
            while link & IS_NULLS == 0 {
                // SAFETY: Under the lock, and no marker.
                let at = unsafe { Image::at(link) };
                if at.differs_much::<IPV6>(a) == 0 || at.differs_much::<IPV6>(b) == 0 {
                    // SAFETY: As above.
                    let found = unsafe { entry(link) };
                    if keys.iter().any(|key| key.matches(found)) {
                        return None;
                    }
                }
                length = length.wrapping_add(1);
                // SAFETY: As above.
                link = unsafe { node_at(link) }.next.load(Ordering::Acquire);
            }
            next = buckets.next();
        }
        Some(length)
    }

    /// Where both directions of a connection can be inserted, whose hashes are one;
    /// nothing if an entry of the chain looks like either of them, and may be the same.
    #[inline(always)]
    pub fn room<const IPV6: bool>(&self, hash: u32, conn: &Conn) -> Option<Room<'_>> {
        let [a, b] = [Direction::Original, Direction::Reply]
            .map(|direction| Image(conn.tuple(direction).image()));
        let mut length = 0u32;
        let mut buckets = self.table.buckets();
        loop {
            let mut link = buckets.head(hash).load(Ordering::Acquire);
            while link & IS_NULLS == 0 {
                // SAFETY: Under the lock, and no marker.
                let at = unsafe { Image::at(link) };
                if at.differs_much::<IPV6>(a) == 0 || at.differs_much::<IPV6>(b) == 0 {
                    return None;
                }
                length = length.wrapping_add(1);
                // SAFETY: As above.
                link = unsafe { node_at(link) }.next.load(Ordering::Acquire);
            }
            match buckets.next() {
                Some(next) => buckets = next,
                None => return Some(Room { length, buckets }),
            }
        }
    }

    /// [`Self::insert`] for both directions, whose hashes are one: the original one
    /// comes first in the chain.
    #[inline(always)]
    pub fn insert_both(&self, conn: &Conn, hash: u32) {
        let mut buckets = self.table.buckets();
        while let Some(next) = buckets.next() {
            buckets = next;
        }
        self.insert_in(&Room { length: 0, buckets }, conn, hash);
    }

    /// [`Self::insert_both`] where there is room.
    #[inline(always)]
    pub fn insert_in(&self, room: &Room<'_>, conn: &Conn, hash: u32) {
        let buckets = room.buckets;
        conn.set_hash(Direction::Original, hash);
        conn.set_hash(Direction::Reply, hash);
        let head = buckets.head(hash);
        let (original, reply) = (
            node(conn, Direction::Original),
            node(conn, Direction::Reply),
        );
        let first = head.load(Ordering::Relaxed);
        reply.next.store(first, Ordering::Relaxed);
        reply.pprev.store(
            core::ptr::from_ref(&original.next) as usize,
            Ordering::Relaxed,
        );
        original
            .next
            .store(core::ptr::from_ref(reply) as usize, Ordering::Relaxed);
        original
            .pprev
            .store(core::ptr::from_ref(head) as usize, Ordering::Relaxed);
        if first & IS_NULLS == 0 {
            // SAFETY: The lock is held, and no marker.
            unsafe { node_at(first) }
                .pprev
                .store(core::ptr::from_ref(&reply.next) as usize, Ordering::Relaxed);
        }
        // Release: who follows the link sees both nodes complete.
        head.store(core::ptr::from_ref(original) as usize, Ordering::Release);
    }
}
