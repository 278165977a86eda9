// SPDX-License-Identifier: GPL-2.0

//! What C calls: include/net/netfilter/nf_conntrack_helper.h.

use kernel::ffi::{c_int, c_uint};
use netfilter::conntrack::{skb::Packet, Conn, Info};
use nf_bindings as bindings;
use nf_conntrack::check_prototype;

check_prototype!(nf_conntrack_broadcast_help);

/// # Safety
///
/// C: a packet of `ct`, which has a helper; under RCU.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_broadcast_help(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    timeout: c_uint,
) -> c_int {
    // SAFETY: By the C contract.
    let (packet, conn) = unsafe { (Packet::from_raw(skb), Conn::from_raw(ct)) };
    crate::expect_answers(&packet, conn, Info::from_number(ctinfo), timeout);
    bindings::NF_ACCEPT as c_int
}
