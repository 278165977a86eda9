// SPDX-License-Identifier: GPL-2.0

//! What is in C: params.c, and routes.

use netfilter::conntrack::Net;
use nf_bindings as bindings;
use nf_proto::tuple::{Address, Family};

/// For how long a registration is good that does not say so, in seconds.
#[inline]
pub(crate) fn default_rrq_ttl() -> u32 {
    // SAFETY: An aligned word that only the parameter's code writes.
    unsafe { (&raw const bindings::nf_conntrack_h323_default_rrq_ttl).read_volatile() }
}

/// Calls are expected from the gatekeeper only.
#[inline]
pub(crate) fn gkrouted_only() -> bool {
    // SAFETY: As above.
    unsafe { (&raw const bindings::nf_conntrack_h323_gkrouted_only).read_volatile() != 0 }
}

/// Forwarded calls are expected only if both ends are at different sides.
#[inline]
pub(crate) fn callforward_filter() -> bool {
    // SAFETY: A byte that only the parameter's code writes, as 0 or 1.
    unsafe { (&raw const bindings::nf_conntrack_h323_callforward_filter).read_volatile() }
}

/// Packets to both addresses leave by the same device to the same neighbour.
/// Under RCU.
pub(crate) fn same_way(net: Net, family: Family, a: &Address, b: &Address) -> bool {
    let (a, b) = (core::ptr::from_ref(a), core::ptr::from_ref(b));
    // SAFETY: The namespace is valid; an address is sixteen bytes, as the C one.
    unsafe { bindings::same_way(net.as_ptr(), family.number() as u8, a.cast(), b.cast()) }
}
