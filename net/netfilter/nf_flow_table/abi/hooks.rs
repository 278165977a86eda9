// SPDX-License-Identifier: GPL-2.0

//! The hook functions of flowtables.

use super::{frame::Frame, table::Table};
use crate::fast;
use core::ptr::NonNull;
use kernel::ffi::{c_uint, c_void};
use netfilter::{check_prototype, conntrack::skb::Hook};
use nf_bindings as bindings;
use nf_proto::{flow::ingress, tuple::Family};

check_prototype!(nf_flow_offload_ip_hook, nf_flow_offload_ipv6_hook);

/// Index of the device that a hook's packet came in by; 0 if it has none.
///
/// # Safety
///
/// `state` is a hook's.
#[inline(always)]
unsafe fn input(state: *const bindings::nf_hook_state) -> i32 {
    // SAFETY: By the function's safety requirement: null or a valid device, whose index is a
    // word.
    unsafe {
        let device = (*state).in_;
        if device.is_null() {
            0
        } else {
            const AT: usize = bindings::nf_rust_offset_NF_RUST_DEVICE_INDEX as usize;
            device.cast::<u8>().add(AT).cast::<i32>().read_volatile()
        }
    }
}

/// # Safety
///
/// A hook's arguments, `table` a flowtable.
#[inline(always)]
unsafe fn hook(
    table: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
    family: Family,
) -> c_uint {
    // SAFETY: By the function's safety requirement.
    unsafe {
        fast::packet(
            Table::from_raw(table.cast()),
            Frame::from_raw(NonNull::new_unchecked(skb)),
            Hook::from_raw(state),
            input(state),
            family,
        )
        .code()
    }
}

/// # Safety
///
/// C: a hook's arguments, `priv_` a flowtable.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_offload_ip_hook(
    priv_: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the C contract.
    unsafe { hook(priv_, skb, state, Family::Ipv4) }
}

/// # Safety
///
/// C: a hook's arguments, `priv_` a flowtable.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_offload_ipv6_hook(
    priv_: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the C contract.
    unsafe { hook(priv_, skb, state, Family::Ipv6) }
}

/// The hook of tables of both families.
///
/// # Safety
///
/// C: a hook's arguments, `table` a flowtable.
pub unsafe extern "C" fn inet(
    table: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the C contract.
    unsafe {
        let mut frame = Frame::from_raw(NonNull::new_unchecked(skb));
        let protocol = match frame.untagged_protocol() {
            plain @ (ingress::IPV4 | ingress::IPV6) => Some(plain),
            _ => frame.read(0, ingress::protocol),
        };
        match protocol {
            Some(ingress::IPV4) => hook(table, skb, state, Family::Ipv4),
            Some(ingress::IPV6) => hook(table, skb, state, Family::Ipv6),
            _ => bindings::NF_ACCEPT,
        }
    }
}
