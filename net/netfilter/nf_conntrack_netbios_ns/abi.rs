// SPDX-License-Identifier: GPL-2.0

//! What is in C: params.c.

use nf_bindings as bindings;

/// How long answers may come, and the connection of a query stays, in seconds.
#[inline]
pub(crate) fn timeout() -> u32 {
    // SAFETY: Written before the module's `init` only, as nobody may write it in
    // sysfs.
    unsafe { bindings::nf_conntrack_netbios_ns_timeout }
}
