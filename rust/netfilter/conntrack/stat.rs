// SPDX-License-Identifier: GPL-2.0

//! The per-CPU statistics of a namespace (`struct ip_conntrack_stat`).

use core::mem::offset_of;
use nf_bindings as bindings;

/// A counter of `/proc/net/stat/nf_conntrack`.
#[repr(usize)]
#[derive(Clone, Copy)]
#[allow(missing_docs)] // The names are those of `struct ip_conntrack_stat`.
pub enum Counter {
    Found = offset_of!(bindings::ip_conntrack_stat, found),
    Invalid = offset_of!(bindings::ip_conntrack_stat, invalid),
    Insert = offset_of!(bindings::ip_conntrack_stat, insert),
    InsertFailed = offset_of!(bindings::ip_conntrack_stat, insert_failed),
    ClashResolve = offset_of!(bindings::ip_conntrack_stat, clash_resolve),
    Drop = offset_of!(bindings::ip_conntrack_stat, drop),
    EarlyDrop = offset_of!(bindings::ip_conntrack_stat, early_drop),
    Error = offset_of!(bindings::ip_conntrack_stat, error),
    ExpectNew = offset_of!(bindings::ip_conntrack_stat, expect_new),
    ExpectCreate = offset_of!(bindings::ip_conntrack_stat, expect_create),
    ExpectDelete = offset_of!(bindings::ip_conntrack_stat, expect_delete),
    SearchRestart = offset_of!(bindings::ip_conntrack_stat, search_restart),
    ChainTooLong = offset_of!(bindings::ip_conntrack_stat, chaintoolong),
}

/// Counts one more, on this CPU; any context.
///
/// # Safety
///
/// `net` is a live namespace whose statistics are allocated.
#[inline]
pub unsafe fn count(net: *mut bindings::net, counter: Counter) {
    // SAFETY: By the function's safety requirement; the offset is a counter's.
    unsafe { bindings::ct_stat_add(net, counter as u32, 1) };
}
