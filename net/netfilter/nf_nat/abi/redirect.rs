// SPDX-License-Identifier: GPL-2.0

//! include/net/netfilter/nf_nat_redirect.h.

use crate::redirect::redirect;
use kernel::ffi::c_uint;
use netfilter::conntrack::{nat::range_from_c, skb::Packet};
use nf_bindings as bindings;
use nf_conntrack::check_prototype;
use nf_proto::tuple::Family;

check_prototype!(nf_nat_redirect_ipv4, nf_nat_redirect_ipv6);

const LOCAL_OUT: c_uint = bindings::nf_inet_hooks_NF_INET_LOCAL_OUT;

/// # Safety
///
/// C: both pointers are valid, the packet has a connection; under RCU.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_redirect_ipv4(
    skb: *mut bindings::sk_buff,
    range: *const bindings::nf_nat_range2,
    hooknum: c_uint,
) -> c_uint {
    // SAFETY: By the C contract.
    let (packet, range) = unsafe { (Packet::from_raw(skb), range_from_c(&*range)) };
    redirect(&packet, Family::Ipv4, range, hooknum == LOCAL_OUT)
}

/// # Safety
///
/// C: both pointers are valid, the packet has a connection; under RCU.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_redirect_ipv6(
    skb: *mut bindings::sk_buff,
    range: *const bindings::nf_nat_range2,
    hooknum: c_uint,
) -> c_uint {
    // SAFETY: By the C contract.
    let (packet, range) = unsafe { (Packet::from_raw(skb), range_from_c(&*range)) };
    redirect(&packet, Family::Ipv6, range, hooknum == LOCAL_OUT)
}
