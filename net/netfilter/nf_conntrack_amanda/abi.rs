// SPDX-License-Identifier: GPL-2.0

//! What is in C: params.c.

use nf_bindings as bindings;

/// How long a connection lives from its last reply on, in seconds.
#[inline]
pub(crate) fn master_timeout() -> u32 {
    // SAFETY: An aligned word that only the parameter's code writes.
    unsafe { (&raw const bindings::nf_conntrack_amanda_master_timeout).read_volatile() }
}
