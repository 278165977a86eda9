// SPDX-License-Identifier: GPL-2.0

//! Messages for the administrator.

use super::Net;
use nf_bindings as bindings;

/// The namespace's table is full; rate-limited.
#[cold]
pub fn table_full(net: Net) {
    // SAFETY: The namespace is live, by `Net`'s invariant.
    unsafe { bindings::ct_log_table_full(net.as_ptr()) }
}
