// SPDX-License-Identifier: GPL-2.0

//! Changes of a connection: its status, its timeout, its end.

use crate::{change, check_prototype, delete};
use kernel::ffi::{c_int, c_uint, c_ulong};
use netfilter::conntrack::{account, skb::Packet, Conn, Info, Status};
use nf_bindings as bindings;
use nf_proto::tuple::Direction;

check_prototype!(
    __nf_ct_change_status,
    __nf_ct_change_timeout,
    __nf_ct_refresh_acct,
    nf_ct_acct_add,
    nf_ct_change_status_common,
    nf_ct_delete,
    nf_ct_kill_acct,
);

/// # Safety
///
/// C: `ct` is valid, and a reference of it the caller's.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_delete(
    ct: *mut bindings::nf_conn,
    portid: u32,
    report: c_int,
) -> bool {
    // SAFETY: By the C contract.
    delete::delete(unsafe { Conn::from_raw(ct) }, portid, report)
}

/// # Safety
///
/// C: `ct` and `skb` are valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_kill_acct(
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    skb: *const bindings::sk_buff,
) -> bool {
    // SAFETY: By the C contract.
    let (conn, packet) = unsafe { (Conn::from_raw(ct), Packet::from_raw(skb.cast_mut())) };
    account::add(conn, Info::from_number(ctinfo).direction(), 1, packet.len());
    delete::kill(conn)
}

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn __nf_ct_refresh_acct(
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    extra_jiffies: u32,
    bytes: c_uint,
) {
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    crate::proto::refresh(
        conn,
        Info::from_number(ctinfo).direction(),
        extra_jiffies,
        bytes,
    );
}

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_acct_add(
    ct: *mut bindings::nf_conn,
    dir: u32,
    packets: c_uint,
    bytes: c_uint,
) {
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    let direction = if dir == 0 {
        Direction::Original
    } else {
        Direction::Reply
    };
    account::add(conn, direction, packets, bytes);
}

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn __nf_ct_change_timeout(ct: *mut bindings::nf_conn, timeout: u64) -> c_int {
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    match change::timeout(conn, timeout) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn __nf_ct_change_status(
    ct: *mut bindings::nf_conn,
    on: c_ulong,
    off: c_ulong,
) {
    // SAFETY: By the C contract.
    unsafe { Conn::from_raw(ct) }.change_status(Status(on as u64), Status(off as u64));
}

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_change_status_common(
    ct: *mut bindings::nf_conn,
    status: c_uint,
) -> c_int {
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    match change::status(conn, Status(u64::from(status))) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}
