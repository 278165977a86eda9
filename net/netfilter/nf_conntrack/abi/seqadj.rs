// SPDX-License-Identifier: GPL-2.0

//! include/net/netfilter/nf_conntrack_seqadj.h

use crate::{check_prototype, seqadj};
use kernel::ffi::{c_int, c_uint};
use netfilter::conntrack::{skb::Packet, Conn, Info};
use nf_bindings as bindings;
use nf_proto::tuple::Direction;

check_prototype!(
    nf_ct_seq_adjust,
    nf_ct_seq_offset,
    nf_ct_seqadj_init,
    nf_ct_seqadj_set,
    nf_ct_tcp_seqadj_set,
);

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_seqadj_init(
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    off: i32,
) -> c_int {
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    seqadj::init(conn, Info::from_number(ctinfo), off);
    0
}

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_seqadj_set(
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    seq: bindings::__be32,
    off: i32,
) -> c_int {
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    seqadj::set(conn, Info::from_number(ctinfo), u32::from_be(seq), off);
    0
}

/// # Safety
///
/// C: `skb` is valid with its network header set, `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_tcp_seqadj_set(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    off: i32,
) {
    // SAFETY: By the C contract.
    let (packet, conn) = unsafe { (Packet::from_raw(skb), Conn::from_raw(ct)) };
    seqadj::set_tcp(&packet, conn, Info::from_number(ctinfo), off);
}

/// # Safety
///
/// C: `skb` and `ct` are valid, nobody uses the packet's bytes meanwhile.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_seq_adjust(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    protoff: c_uint,
) -> c_int {
    // SAFETY: By the C contract.
    let (mut packet, conn) = unsafe { (Packet::from_raw(skb), Conn::from_raw(ct)) };
    seqadj::adjust(&mut packet, conn, Info::from_number(ctinfo), protoff).into()
}

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_seq_offset(
    ct: *const bindings::nf_conn,
    dir: bindings::ip_conntrack_dir,
    seq: u32,
) -> i32 {
    let direction = if dir == 0 {
        Direction::Original
    } else {
        Direction::Reply
    };
    // SAFETY: By the C contract.
    seqadj::offset(unsafe { Conn::from_raw(ct) }, direction, seq)
}
