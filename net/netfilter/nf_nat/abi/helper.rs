// SPDX-License-Identifier: GPL-2.0

//! include/net/netfilter/nf_nat_helper.h.

use crate::helper_mangle::{expect_at_port, follow_master, mangle, Adjust};
use core::slice;
use kernel::ffi::{c_char, c_uint};
use netfilter::conntrack::{
    expect::{Expect, NewExpect},
    skb::Packet,
    Conn, Info,
};
use nf_bindings as bindings;
use nf_conntrack::check_prototype;
use nf_proto::nat::edit::Edit;

check_prototype!(
    __nf_nat_mangle_tcp_packet,
    nf_nat_exp_find_port,
    nf_nat_follow_master,
    nf_nat_mangle_udp_packet,
);

/// Replaces one part of a payload.
///
/// # Safety
///
/// C: `skb` and `ct` are valid, `rep_buffer` has `rep_len` bytes, which are not
/// the packet's.
#[allow(clippy::too_many_arguments)]
unsafe fn replace(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    protoff: c_uint,
    match_offset: c_uint,
    match_len: c_uint,
    rep_buffer: *const c_char,
    rep_len: c_uint,
    adjust: Adjust,
) -> bool {
    // SAFETY: By the C contract.
    let (mut packet, conn, new) = unsafe {
        let new = if rep_len == 0 {
            &[]
        } else {
            slice::from_raw_parts(rep_buffer.cast::<u8>(), rep_len as usize)
        };
        (Packet::from_raw(skb), Conn::from_raw(ct), new)
    };
    let edit = Edit {
        offset: match_offset,
        old_len: match_len,
        new,
    };
    let transport = protoff.wrapping_sub(packet.network_offset());
    let info = Info::from_number(ctinfo);
    mangle(&mut packet, conn, info, transport, &[edit], adjust).is_ok()
}

/// # Safety
///
/// C: `skb` and `ct` are valid, `rep_buffer` has `rep_len` bytes, which are not
/// the packet's. The connection's lock is not held.
#[no_mangle]
pub unsafe extern "C" fn __nf_nat_mangle_tcp_packet(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    protoff: c_uint,
    match_offset: c_uint,
    match_len: c_uint,
    rep_buffer: *const c_char,
    rep_len: c_uint,
    adjust: bool,
) -> bool {
    let adjust = if adjust { Adjust::Yes } else { Adjust::No };
    // SAFETY: By the C contract.
    unsafe {
        replace(
            skb,
            ct,
            ctinfo,
            protoff,
            match_offset,
            match_len,
            rep_buffer,
            rep_len,
            adjust,
        )
    }
}

/// # Safety
///
/// C: as [`__nf_nat_mangle_tcp_packet`].
#[no_mangle]
pub unsafe extern "C" fn nf_nat_mangle_udp_packet(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    protoff: c_uint,
    match_offset: c_uint,
    match_len: c_uint,
    rep_buffer: *const c_char,
    rep_len: c_uint,
) -> bool {
    // SAFETY: By the C contract.
    unsafe {
        replace(
            skb,
            ct,
            ctinfo,
            protoff,
            match_offset,
            match_len,
            rep_buffer,
            rep_len,
            Adjust::No,
        )
    }
}

/// # Safety
///
/// C: an expectation's function: both are valid, `ct` is new and has its master.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_follow_master(
    ct: *mut bindings::nf_conn,
    this: *mut bindings::nf_conntrack_expect,
) {
    // SAFETY: By the C contract.
    let (conn, exp) = unsafe { (Conn::from_raw(ct), Expect::from_raw(this)) };
    follow_master(conn, exp);
}

/// Has an expected connection follow its master.
pub(crate) fn have_follow(exp: &mut NewExpect<'_>) {
    // SAFETY: When this module goes it removes the expectations that call the
    // function.
    unsafe { exp.set_callback(nf_nat_follow_master) };
}

/// # Safety
///
/// C: the caller has references to `exp`, which is not in the table, and its
/// master.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_exp_find_port(
    exp: *mut bindings::nf_conntrack_expect,
    port: u16,
) -> u16 {
    // SAFETY: By the C contract.
    let mut new = unsafe { NewExpect::borrow_raw(exp) };
    expect_at_port(&mut new, port).unwrap_or(0)
}
