// SPDX-License-Identifier: GPL-2.0

//! RCU read sections, as a proof that functions take.
//!
//! C header: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h)

use core::marker::PhantomData;
use kernel::types::NotThreadSafe;
use nf_bindings as bindings;

pub use kernel::sync::rcu::Guard;

/// Evidence that the current thread is in an RCU read section for `'g`.
///
/// Unlike [`Guard`], which opens a section of its own, this is a copyable
/// zero-sized proof. Netfilter hooks get one for free, as the core calls them
/// inside a section.
///
/// # Invariants
///
/// The RCU read lock is held by this thread during `'g`.
#[derive(Clone, Copy)]
pub struct ReadGuard<'g>(PhantomData<&'g Guard>, NotThreadSafe);

impl ReadGuard<'_> {
    /// States that the current thread is in a read section.
    ///
    /// # Safety
    ///
    /// The RCU read lock must be held by this thread during the whole lifetime
    /// that the caller picks.
    #[inline]
    pub unsafe fn assume() -> Self {
        // INVARIANT: By the safety requirement.
        Self(PhantomData, NotThreadSafe)
    }
}

impl<'g> From<&'g Guard> for ReadGuard<'g> {
    #[inline]
    fn from(_: &'g Guard) -> Self {
        // INVARIANT: The guard holds the read lock as long as it is borrowed.
        Self(PhantomData, NotThreadSafe)
    }
}

/// Runs `f` in an RCU read section. `f` must not sleep.
#[inline]
pub fn read<R>(f: impl FnOnce(ReadGuard<'_>) -> R) -> R {
    let guard = kernel::sync::rcu::read_lock();
    f(ReadGuard::from(&guard))
}

/// Waits until every read section that is under way now has ended, hooks under
/// way included. Sleeps.
#[inline]
pub fn synchronize() {
    // SAFETY: An FFI call without requirements but that the context may sleep,
    // a violation of which the kernel reports and survives.
    unsafe { bindings::synchronize_net() };
}

/// Waits until every RCU callback that is queued now has run. Sleeps; due
/// before a module's code goes away.
#[inline]
pub fn barrier() {
    // SAFETY: As for `synchronize`.
    unsafe { bindings::rcu_barrier() };
}
