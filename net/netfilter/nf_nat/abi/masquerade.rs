// SPDX-License-Identifier: GPL-2.0

//! include/net/netfilter/nf_nat_masquerade.h.

use crate::masquerade;
use kernel::ffi::{c_int, c_uint};
use netfilter::{
    conntrack::{nat::range_from_c, skb::Packet},
    net::Device,
};
use nf_bindings as bindings;
use nf_conntrack::check_prototype;
use nf_proto::tuple::Family;

check_prototype!(
    nf_nat_masquerade_inet_register_notifiers,
    nf_nat_masquerade_inet_unregister_notifiers,
    nf_nat_masquerade_ipv4,
    nf_nat_masquerade_ipv6,
);

/// # Safety
///
/// C: all three are valid, the packet has a connection and a route; under RCU.
unsafe fn masquerade(
    skb: *mut bindings::sk_buff,
    family: Family,
    range: *const bindings::nf_nat_range2,
    out: *const bindings::net_device,
) -> c_uint {
    // SAFETY: By the C contract.
    let (packet, range, out) = unsafe {
        (
            Packet::from_raw(skb),
            range_from_c(&*range),
            Device::from_raw(out.cast_mut()),
        )
    };
    match out {
        Some(out) => masquerade::masquerade(&packet, family, range, out),
        None => bindings::NF_DROP,
    }
}

/// # Safety
///
/// C: all pointers are valid, the packet has a connection and a route; under
/// RCU.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_masquerade_ipv4(
    skb: *mut bindings::sk_buff,
    _hooknum: c_uint,
    range: *const bindings::nf_nat_range2,
    out: *const bindings::net_device,
) -> c_uint {
    // SAFETY: By the C contract.
    unsafe { masquerade(skb, Family::Ipv4, range, out) }
}

/// # Safety
///
/// C: all pointers are valid, the packet has a connection and a route; under
/// RCU.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_masquerade_ipv6(
    skb: *mut bindings::sk_buff,
    range: *const bindings::nf_nat_range2,
    out: *const bindings::net_device,
) -> c_uint {
    // SAFETY: By the C contract.
    unsafe { masquerade(skb, Family::Ipv6, range, out) }
}

/// # Safety
///
/// None; process context.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_masquerade_inet_register_notifiers() -> c_int {
    match masquerade::register() {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// None; process context.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_masquerade_inet_unregister_notifiers() {
    masquerade::unregister();
}
