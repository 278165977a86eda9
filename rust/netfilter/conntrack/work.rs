// SPDX-License-Identifier: GPL-2.0

//! The module's background work: garbage collection, and resizing when an
//! insertion found the table too small.
//!
//! The work items are C's (rust/helpers/conntrack.c); they call
//! `nf_conntrack_gc_run` and `nf_conntrack_resize_run`, which the module
//! provides.

use nf_bindings as bindings;

/// Starts garbage collection, and has requests to look at the size heard.
pub fn start() {
    // SAFETY: Called once, when the module has started.
    unsafe { bindings::ct_work_start() }
}

/// Stops both, and waits for a run that is under way. Nothing is queued
/// afterwards.
pub fn stop() {
    // SAFETY: Called once, when the module ends; process context.
    unsafe { bindings::ct_work_stop() }
}

/// Has the table's size looked at soon, once the work has started. Any context.
#[inline]
pub fn resize_soon() {
    // SAFETY: Queueing work is possible in any context.
    unsafe { bindings::ct_resize_soon() }
}

/// Lets other tasks run, if they are waiting. Process context, no lock held.
#[inline]
pub fn resched() {
    // SAFETY: Callers are in process context without locks.
    unsafe { bindings::table_resched() }
}

/// Serialises changes of the table's size.
pub struct ResizeLock(());

impl ResizeLock {
    /// Takes the lock. May sleep.
    pub fn take() -> Self {
        // SAFETY: Process context.
        unsafe { bindings::ct_mutex_lock() };
        ResizeLock(())
    }
}

impl Drop for ResizeLock {
    fn drop(&mut self) {
        // SAFETY: Taken in `take`.
        unsafe { bindings::ct_mutex_unlock() };
    }
}

/// Sleeps for a tick. Process context.
pub fn pause() {
    // SAFETY: Process context, no lock held.
    unsafe { bindings::ct_pause() }
}

/// Serialises who registers hooks.
pub struct ProtoLock(());

impl ProtoLock {
    /// Takes the lock. May sleep.
    pub fn take() -> Self {
        // SAFETY: Process context.
        unsafe { bindings::ct_proto_lock() };
        ProtoLock(())
    }
}

impl Drop for ProtoLock {
    fn drop(&mut self) {
        // SAFETY: Taken in `take`.
        unsafe { bindings::ct_proto_unlock() };
    }
}
