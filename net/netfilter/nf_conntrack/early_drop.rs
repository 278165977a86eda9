// SPDX-License-Identifier: GPL-2.0

//! Making room in a full table: connections that never got an answer go first.

use crate::delete;
use core::sync::atomic::{AtomicU32, Ordering};
use netfilter::conntrack::{
    conn::now,
    stat::Counter,
    table::{Table, Visit},
    Net, Status,
};

/// Buckets that are looked at for one packet: many, as in a large table with few
/// connections most are empty.
const RANGE: u32 = 64;

/// Entries after which it is enough.
const ENTRIES: u32 = 16;

/// Removes connections of `net` near `hash` that are not assured. True if any
/// went. Any context, without locks.
pub fn make_room(table: &Table, net: Net, hash: u32) -> bool {
    // Netlink's connections are not made under RCU.
    let _rcu = kernel::sync::rcu::read_lock();
    let now = now();
    let dropped = AtomicU32::new(0);
    let mut seen = 0u32;
    for offset in 0..RANGE {
        let bucket = hash.wrapping_add(offset) & table.size().wrapping_sub(1);
        table.visit_bucket(bucket, |entry| {
            let conn = entry.conn;
            seen = seen.saturating_add(1);
            if conn.net() != net || conn.status().any(Status::ASSURED | Status::DYING) {
                return Visit::Continue;
            }
            // What was read above may be of a former life.
            let Some(conn) = conn.try_get() else {
                return Visit::Continue;
            };
            let status = conn.status();
            let mine = conn.net() == net
                && status.has(Status::CONFIRMED)
                && !status.any(Status::ASSURED | Status::DYING);
            if (mine || (conn.net() == net && delete::should_collect(&conn, now)))
                && delete::delete(&conn, 0, 0)
            {
                dropped.fetch_add(1, Ordering::Relaxed);
            }
            Visit::Continue
        });
        let count = dropped.load(Ordering::Relaxed);
        if count > 0 {
            net.add(Counter::EarlyDrop, count);
            return true;
        }
        if seen >= ENTRIES {
            break;
        }
    }
    false
}
