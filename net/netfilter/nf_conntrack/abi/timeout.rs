// SPDX-License-Identifier: GPL-2.0

//! include/net/netfilter/nf_conntrack_timeout.h

use crate::{check_prototype, timeout};
use kernel::ffi::{c_char, c_int};
use netfilter::conntrack::{
    timeout::{self as raw, Name},
    Conn, Net,
};
use nf_bindings as bindings;

check_prototype!(nf_ct_destroy_timeout, nf_ct_set_timeout, nf_ct_untimeout);

/// # Safety
///
/// C: `ct` is a template that only the caller uses, `net` and `timeout_name`
/// are valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_set_timeout(
    net: *mut bindings::net,
    ct: *mut bindings::nf_conn,
    l3num: u8,
    l4num: u8,
    timeout_name: *const c_char,
) -> c_int {
    // SAFETY: By the C contract.
    let (template, net, name) = unsafe {
        (
            Conn::from_raw(ct),
            Net::from_raw(net),
            Name::from_raw(timeout_name),
        )
    };
    match timeout::set(template, net, l3num, l4num, name) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// C: `ct` is a template whose policy, if it has one, `nf_ct_set_timeout` gave.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_destroy_timeout(ct: *mut bindings::nf_conn) {
    // SAFETY: By the C contract.
    unsafe { raw::unuse(Conn::from_raw(ct)) };
}

/// # Safety
///
/// C: `net` is valid; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_untimeout(
    net: *mut bindings::net,
    timeout: *mut bindings::nf_ct_timeout,
) {
    // SAFETY: By the C contract.
    timeout::untimeout(unsafe { Net::from_raw(net) }, timeout);
}
