// SPDX-License-Identifier: GPL-2.0

//! Walking the table to remove connections: for flush, for a namespace that
//! ends, for a module that goes.

use crate::{delete, store::TABLE};
use core::{cell::RefCell, sync::atomic::Ordering};
use netfilter::conntrack::{
    table::Visit,
    work::{self, ResizeLock},
    Conn, ConnRef, Net,
};
use nf_proto::tuple::Direction;

/// Empty buckets that are passed over without letting others work.
const BATCH: u32 = 1024;

/// Removes every connection of `net` (of all namespaces, if there is none) that
/// `choose` picks. May sleep.
///
/// `choose` is called with a chain's lock held and must not sleep. Each
/// connection that is in the table all the time is offered at least once.
pub fn remove(net: Option<Net>, portid: u32, report: i32, mut choose: impl FnMut(&Conn) -> bool) {
    if net.is_some_and(|net| net.connections().load(Ordering::Acquire) == 0) {
        return;
    }
    // The table keeps its size meanwhile, so that no bucket is passed over.
    let _size = ResizeLock::take();
    let mut bucket = 0;
    while bucket < TABLE.size_now() {
        // Most of them, in a table for a few connections.
        if TABLE.is_bucket_empty(bucket) {
            bucket = bucket.saturating_add(1);
            if bucket % BATCH == 0 {
                work::resched();
            }
            continue;
        }
        match next_chosen(bucket, net, &mut choose) {
            // There may be more in this bucket.
            Some(conn) => {
                delete::delete(&conn, portid, report);
                drop(conn);
            }
            None => bucket = bucket.saturating_add(1),
        }
        work::resched();
    }
}

fn next_chosen(
    bucket: u32,
    net: Option<Net>,
    choose: &mut impl FnMut(&Conn) -> bool,
) -> Option<ConnRef> {
    let found = RefCell::new(None);
    let _rcu = kernel::sync::rcu::read_lock();
    let chains = TABLE.lock(bucket, bucket);
    chains.visit(bucket, |entry| {
        // Every connection is in the table by its reply tuple.
        if entry.direction != Direction::Reply
            || net.is_some_and(|net| net != entry.conn.net())
            || !choose(entry.conn)
        {
            return Visit::Continue;
        }
        found.replace(Some(entry.conn.get()));
        Visit::Stop
    });
    found.into_inner()
}
