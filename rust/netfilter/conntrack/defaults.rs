// SPDX-License-Identifier: GPL-2.0

//! What a new namespace's settings of the extensions are.

use super::Net;
use nf_bindings as bindings;

/// Sets `nf_conntrack_acct` and `nf_conntrack_timestamp` as the module's
/// parameters say, and `nf_conntrack_events` to `events`.
pub fn apply(net: Net, events: u8) {
    // SAFETY: Bytes of a live namespace and of the module, which sysctls may
    // access at any time.
    unsafe {
        let ct = net.ct();
        (&raw mut (*ct).sysctl_acct).write_volatile(bindings::ct_acct_default().into());
        (&raw mut (*ct).sysctl_tstamp).write_volatile(bindings::ct_tstamp_default().into());
        (&raw mut (*ct).sysctl_events).write_volatile(events);
    }
}
