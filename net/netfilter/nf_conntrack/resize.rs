// SPDX-License-Identifier: GPL-2.0

//! The size of the table: it follows the number of entries, between the size
//! that was set (at load, by `hashsize` or `nf_conntrack_buckets`) and
//! [`MAX_BUCKETS`].

use crate::store::{round_size, TABLE};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::prelude::*;
use netfilter::conntrack::{
    net::total_connections,
    settings,
    table::{Buckets, MAX_BUCKETS},
    work::{self, ResizeLock},
};

/// The size that was asked for: the table does not shrink below it.
static FLOOR: AtomicU32 = AtomicU32::new(0);

/// The largest size that may be asked for; above [`MAX_BUCKETS`] it means that.
const MOST: u32 = i32::MAX as u32 / 8;

/// An insertion found a long chain: have the collector look at the size soon.
#[inline]
pub fn request() {
    work::resize_soon();
}

/// Sets the least size, when the module starts.
pub fn set_floor(size: u32) {
    FLOOR.store(size, Ordering::Relaxed);
}

/// Sets the size now, and the least size for later. May sleep.
pub fn set(wanted: u32) -> Result {
    if wanted == 0 {
        return Err(EINVAL);
    }
    // What stock refuses, too: a negative number as the user wrote it.
    if wanted > MOST {
        return Err(ENOMEM);
    }
    let size = round_size(wanted);
    let _guard = ResizeLock::take();
    FLOOR.store(size, Ordering::Relaxed);
    to(size)
}

/// Grows or shrinks the table for `entries` (two a connection). May sleep.
pub fn consider(entries: u32) {
    let _guard = ResizeLock::take();
    let size = TABLE.size_now();
    let floor = FLOOR.load(Ordering::Relaxed).max(1);
    // More than two entries a bucket (one connection, as most have both in one):
    // grow, to at most one. Fewer than one in eight: shrink.
    let fitting = round_size(entries).max(floor).min(MAX_BUCKETS);
    if entries / 2 > size || (fitting < size && entries < size / 8) {
        // Too little memory for a larger table is no failure: it is slower.
        let _ = to(fitting);
    }
}

fn to(size: u32) -> Result {
    if size == TABLE.size_now() {
        return Ok(());
    }
    let buckets = Buckets::new(size, TABLE.next_generation()).ok_or(ENOMEM)?;
    TABLE.resize(buckets, settings::set_table);
    Ok(())
}

/// The number of entries now, for [`consider`].
pub fn entries() -> u32 {
    total_connections().saturating_mul(2)
}
