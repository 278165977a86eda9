// SPDX-License-Identifier: GPL-2.0

//! Labels of a connection: 128 bits for rules to set and match.

use super::{Conn, Net};
use core::{
    mem::size_of,
    sync::atomic::{AtomicI32, AtomicU32, Ordering},
};
use nf_bindings as bindings;

/// The number of 32-bit words.
pub const WORDS: usize = size_of::<bindings::nf_conn_labels>() / 4;

/// The number of labels.
pub const BITS: u32 = WORDS as u32 * 32;

/// A connection's labels, if it has them.
#[inline]
pub fn words(conn: &Conn) -> Option<&[AtomicU32; WORDS]> {
    let labels = conn.ext::<bindings::nf_conn_labels>()?;
    // SAFETY: The extension lives as long as the connection, is as large and
    // better aligned, and is only accessed atomically once it is shared.
    Some(unsafe { labels.cast().as_ref() })
}

/// How many rules of a namespace use labels.
#[inline]
fn users(net: &Net) -> &AtomicI32 {
    // SAFETY: An aligned word of a live namespace, only accessed atomically.
    unsafe { AtomicI32::from_ptr(&raw mut (*net.ct()).labels_used.counter) }
}

/// One more rule uses labels: new connections get them.
pub fn get(net: Net) {
    users(&net).fetch_add(1, Ordering::Relaxed);
}

/// One rule less uses labels.
pub fn put(net: Net) {
    users(&net).fetch_sub(1, Ordering::Relaxed);
}
