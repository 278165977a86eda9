// SPDX-License-Identifier: GPL-2.0

//! What a process may do.
//!
//! C header: [`include/linux/capability.h`](srctree/include/linux/capability.h)

use kernel::ffi::c_int;
use nf_bindings as bindings;

/// The process may administer the network of the whole system, not only of
/// namespaces of its own (`CAP_NET_ADMIN` in the first user namespace).
pub fn net_admin() -> bool {
    // SAFETY: Process context.
    unsafe { bindings::capable(bindings::CAP_NET_ADMIN as c_int) }
}
