// SPDX-License-Identifier: GPL-2.0

//! A spinlock that keeps softirqs out of this CPU while held.
//!
//! C header: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

use kernel::ffi::c_char;
use kernel::sync::lock::{Backend, Lock};
use nf_bindings as bindings;

/// A spinlock for data that both packets (in softirq) and processes change.
///
/// Not to be taken with interrupts disabled.
pub type SpinLockBh<T> = Lock<T, SpinLockBhBackend>;

/// Takes `spinlock_t` with `spin_lock_bh`.
pub struct SpinLockBhBackend;

// SAFETY: `spin_lock_bh` gives exclusive ownership as `spin_lock` does; `relock`
// is the default, which uses the same lock operation.
unsafe impl Backend for SpinLockBhBackend {
    type State = bindings::spinlock_t;
    type GuardState = ();

    unsafe fn init(ptr: *mut Self::State, name: *const c_char, key: *mut bindings::lock_class_key) {
        // SAFETY: The caller guarantees that `ptr` is valid for writes and that
        // `name` and `key` live as long as the lock.
        unsafe { bindings::__spin_lock_init(ptr, name, key) }
    }

    #[inline]
    unsafe fn lock(ptr: *mut Self::State) -> Self::GuardState {
        // SAFETY: The caller guarantees that the lock is initialised.
        unsafe { bindings::spin_lock_bh(ptr) }
    }

    #[inline]
    unsafe fn unlock(ptr: *mut Self::State, _guard_state: &Self::GuardState) {
        // SAFETY: The caller guarantees that it holds the lock.
        unsafe { bindings::spin_unlock_bh(ptr) }
    }

    #[inline]
    unsafe fn try_lock(ptr: *mut Self::State) -> Option<Self::GuardState> {
        // SAFETY: The caller guarantees that the lock is initialised.
        (unsafe { bindings::spin_trylock_bh(ptr) } != 0).then_some(())
    }

    #[inline]
    unsafe fn assert_is_held(ptr: *mut Self::State) {
        // SAFETY: The caller guarantees that the lock is initialised.
        unsafe { bindings::lockdep_assert_held(ptr) }
    }
}
