// SPDX-License-Identifier: GPL-2.0

//! Time in jiffies.
//!
//! C header: [`include/linux/jiffies.h`](srctree/include/linux/jiffies.h)

use nf_bindings as bindings;

/// Jiffies per second.
pub const HZ: u32 = bindings::CONFIG_HZ;

/// The time now in jiffies, cut to 32 bits: it wraps, so compare two times by
/// [`since`].
#[inline]
pub fn now() -> u32 {
    // SAFETY: `jiffies` is a variable of the kernel that is always valid to
    // read; the read is volatile as it changes at any time.
    unsafe { core::ptr::read_volatile(&raw const bindings::jiffies) as u32 }
}

/// Jiffies that passed between `then` and `now`; right for spans below 2^31.
#[inline]
pub const fn since(then: u32, now: u32) -> u32 {
    now.wrapping_sub(then)
}
