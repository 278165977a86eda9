// SPDX-License-Identifier: GPL-2.0

//! Random numbers.
//!
//! C header: [`include/linux/random.h`](srctree/include/linux/random.h)

use nf_bindings as bindings;

/// 64 bits fit for a secret. Any context.
#[inline]
pub fn u64() -> u64 {
    // SAFETY: An FFI call without requirements.
    unsafe { bindings::get_random_u64() }
}
