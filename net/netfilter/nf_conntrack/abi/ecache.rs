// SPDX-License-Identifier: GPL-2.0

//! include/net/netfilter/nf_conntrack_ecache.h

use crate::{check_prototype, ecache};
use core::ptr::NonNull;
use kernel::{
    ffi::{c_int, c_uint},
    prelude::*,
};
use netfilter::conntrack::{
    ecache::{self as raw, Dying},
    Conn, Net,
};
use nf_bindings as bindings;

check_prototype!(
    nf_conn_pernet_ecache,
    nf_conntrack_eventmask_report,
    nf_conntrack_register_notifier,
    nf_conntrack_unregister_notifier,
    nf_ct_deliver_cached_events,
    nf_ct_ecache_ext_add,
);

/// # Safety
///
/// C: `net` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_conn_pernet_ecache(
    net: *const bindings::net,
) -> *mut bindings::nf_conntrack_net_ecache {
    // SAFETY: By the C contract; the area lives as long as the namespace.
    unsafe { &raw mut (*Net::from_raw(net.cast_mut()).area().as_ptr()).ecache }
}

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_eventmask_report(
    eventmask: c_uint,
    ct: *mut bindings::nf_conn,
    portid: u32,
    report: c_int,
) -> c_int {
    // SAFETY: By the C contract.
    ecache::report_mask(unsafe { Conn::from_raw(ct) }, eventmask, portid, report)
}

/// # Safety
///
/// C: `ct` is valid; bottom halves are off.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_deliver_cached_events(ct: *mut bindings::nf_conn) {
    // SAFETY: By the C contract.
    ecache::deliver(unsafe { Conn::from_raw(ct) });
}

/// # Safety
///
/// C: `net` is valid; `nb` is until a grace period after it was unregistered.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_register_notifier(
    net: *mut bindings::net,
    nb: *const bindings::nf_ct_event_notifier,
) {
    // SAFETY: By the C contract.
    if !unsafe { raw::set_notifier(Net::from_raw(net), nb) } {
        pr_warn!("there was a listener for events already\n");
    }
}

/// # Safety
///
/// C: `net` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_unregister_notifier(net: *mut bindings::net) {
    // SAFETY: By the C contract. The caller waits for a grace period.
    unsafe { raw::set_notifier(Net::from_raw(net), core::ptr::null()) };
}

/// # Safety
///
/// C: `ct` is valid and not confirmed, and the caller is the only one to use it.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_ecache_ext_add(
    ct: *mut bindings::nf_conn,
    ctmask: u16,
    expmask: u16,
    gfp: bindings::gfp_t,
) -> bool {
    // SAFETY: By the C contract.
    ecache::add(unsafe { Conn::from_raw(ct) }, ctmask, expmask, gfp).is_ok()
}

/// The work item's function, for rust/helpers/ct_ecache.c: after how many
/// jiffies to run again, or -1.
///
/// # Safety
///
/// `cnet` is the area of a live namespace, whose work item this is.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_ecache_run(
    cnet: NonNull<bindings::nf_conntrack_net>,
) -> c_int {
    // SAFETY: By the function's safety requirement.
    let dying = unsafe { Dying::from_raw(cnet) };
    ecache::run(dying).map_or(-1, |delay| delay as c_int)
}
