// SPDX-License-Identifier: GPL-2.0

//! Spin locks that C takes too, with bottom halves off.
//!
//! Turning bottom halves off is not free, and seldom needed, as most packets are
//! handled with them off. Whether they are is asked in place, and the kernel's
//! lock functions are called without a detour, where they are functions.
//!
//! C headers: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h),
//! [`include/linux/preempt.h`](srctree/include/linux/preempt.h)

use nf_bindings as bindings;

/// Bottom halves are known to be off (`softirq_count()`); false if that is not
/// to be had in place.
#[inline(always)]
pub(super) fn are_bh_off() -> bool {
    #[cfg(all(
        target_arch = "x86_64",
        CONFIG_SMP,
        CONFIG_UNINLINE_SPIN_UNLOCK,
        not(any(
            CONFIG_UML,
            CONFIG_PREEMPT_RT,
            CONFIG_DEBUG_SPINLOCK,
            CONFIG_DEBUG_LOCK_ALLOC
        ))
    ))]
    {
        const SOFTIRQ_MASK: u32 = 0xff << 8;
        let count: u32;
        // SAFETY: A variable of each CPU, relative to the segment base of this one's
        // area; it says the same on every CPU if bottom halves are off.
        unsafe {
            core::arch::asm!(
                "mov {:e}, gs:[rip + {}]",
                out(reg) count,
                sym bindings::__preempt_count,
                options(nostack, readonly, preserves_flags)
            );
        }
        return count & SOFTIRQ_MASK != 0;
    }
    #[allow(unreachable_code)] // Where the above is.
    false
}

/// Takes a lock.
///
/// # Safety
///
/// It is initialised, and [`are_bh_off`] was true.
#[inline(always)]
pub(super) unsafe fn lock(lock: *mut bindings::spinlock_t) {
    // SAFETY: By the function's safety requirement. `struct spinlock` begins with
    // its `raw_spinlock`, of which `spin_lock` is this.
    unsafe { bindings::_raw_spin_lock(lock.cast()) }
}

/// Releases it.
///
/// # Safety
///
/// [`lock`] took it.
#[inline(always)]
pub(super) unsafe fn unlock(lock: *mut bindings::spinlock_t) {
    #[cfg(CONFIG_UNINLINE_SPIN_UNLOCK)]
    // SAFETY: As above.
    unsafe {
        bindings::_raw_spin_unlock(lock.cast())
    }
    #[cfg(not(CONFIG_UNINLINE_SPIN_UNLOCK))]
    // SAFETY: As above, without the need to know what the lock begins with.
    unsafe {
        bindings::lock_release(lock)
    }
}
