// SPDX-License-Identifier: GPL-2.0

//! The per-CPU statistics of a namespace (`struct ip_conntrack_stat`).

use core::mem::offset_of;
use nf_bindings as bindings;
use nf_proto::l4::Reason;

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

/// One more than the highest CPU's number.
pub fn cpus() -> u32 {
    // SAFETY: Constant since boot.
    unsafe { bindings::cpu_ids() }
}

/// The statistics of one CPU, if there can be one of the number.
pub fn of_cpu(net: super::Net, cpu: u32) -> Option<bindings::ip_conntrack_stat> {
    // SAFETY: The namespace is live; a CPU that cannot be gives null. Counters
    // may change while they are read, one word at a time.
    unsafe {
        let counters = bindings::ct_stat_of_cpu(net.as_ptr(), cpu);
        (!counters.is_null()).then(|| counters.read_volatile())
    }
}

const _: () = assert!(Reason::ALL.len() == bindings::RUSTYNAT_REASONS as usize);

/// Counts one more packet that is INVALID or dropped for `reason`, on this CPU.
pub fn count_reason(net: super::Net, reason: Reason) {
    // SAFETY: The namespace is live; the number is below that of reasons.
    unsafe { bindings::ct_reason_inc(net.as_ptr(), reason as u32) }
}

/// How many there were, on all CPUs.
pub fn reason_count(net: super::Net, reason: Reason) -> u64 {
    // SAFETY: As above.
    unsafe { bindings::ct_reason_sum(net.as_ptr(), reason as u32) }
}

/// Allocates a namespace's statistics. May sleep.
pub fn init_net(net: super::Net) -> kernel::error::Result {
    // SAFETY: The namespace is being set up.
    if unsafe { bindings::ct_stat_alloc(net.as_ptr()) } {
        Ok(())
    } else {
        Err(kernel::error::code::ENOMEM)
    }
}

/// Frees them.
pub fn exit_net(net: super::Net) {
    // SAFETY: No hook and no connection of the namespace is left.
    unsafe { bindings::ct_stat_free(net.as_ptr()) }
}
