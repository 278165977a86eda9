// SPDX-License-Identifier: GPL-2.0

//! What is in C: params.c.

use netfilter::conntrack::helper::MAX_PORTS;
use nf_bindings as bindings;

/// The ports that were given; none for the usual one.
pub(crate) fn ports() -> &'static [u16] {
    // SAFETY: An array of `MAX_PORTS`, written before the module's `init` only,
    // with the count, as nobody may write them in sysfs.
    unsafe {
        let count = bindings::nf_conntrack_sane_ports_count as usize;
        let ports = (&raw const bindings::nf_conntrack_sane_ports).cast::<u16>();
        core::slice::from_raw_parts(ports, count.min(MAX_PORTS))
    }
}
