// SPDX-License-Identifier: GPL-2.0

//! Reference counts that C counts too (`refcount_t`).

use core::sync::atomic::{fence, AtomicU32, Ordering};
use nf_bindings as bindings;

/// From here on a count is saturated: it stays, and the object is never freed,
/// as a leak beats a reuse.
const LIMIT: u32 = i32::MAX as u32;
const SATURATED: u32 = 0xc000_0000;

/// A reference count inside an object that C knows too.
#[derive(Clone, Copy)]
pub struct Refcount<'a>(&'a AtomicU32);

impl<'a> Refcount<'a> {
    /// From a C pointer.
    ///
    /// # Safety
    ///
    /// `count` is valid for `'a`, and only accessed atomically.
    #[inline]
    pub unsafe fn from_raw(count: *mut bindings::refcount_t) -> Self {
        // SAFETY: A `refcount_t` is one aligned word.
        Refcount(unsafe { AtomicU32::from_ptr(count.cast()) })
    }

    /// Sets it, before the object is shared.
    #[inline]
    pub fn set(self, count: u32) {
        self.0.store(count, Ordering::Relaxed);
    }

    /// The count now.
    #[inline]
    pub fn get(self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// One more, where one is held already.
    #[inline]
    pub fn increment(self) {
        if self.0.fetch_add(1, Ordering::Relaxed) >= LIMIT {
            self.0.store(SATURATED, Ordering::Relaxed);
        }
    }

    /// One more, unless there is none any more.
    #[inline]
    #[must_use]
    pub fn increment_unless_zero(self) -> bool {
        let mut old = self.0.load(Ordering::Relaxed);
        while old != 0 && old < LIMIT {
            match self.0.compare_exchange_weak(
                old,
                old.wrapping_add(1),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
        old != 0
    }

    /// One less; true if that was the last.
    #[inline]
    #[must_use]
    pub fn decrement(self) -> bool {
        let old = self.0.fetch_sub(1, Ordering::Release);
        if old == 1 {
            fence(Ordering::Acquire);
            return true;
        }
        if old == 0 || old > LIMIT {
            self.0.store(SATURATED, Ordering::Relaxed);
        }
        false
    }
}
