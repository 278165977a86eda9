// SPDX-License-Identifier: GPL-2.0

//! For Open vSwitch and act_ct: include/net/netfilter/nf_conntrack.h and
//! nf_conntrack_helper.h.

use crate::{check_prototype, ovs};
use kernel::ffi::{c_char, c_int};
use netfilter::conntrack::{
    helper::{string, HelperRef},
    skb::Packet,
    Conn, Info, Net,
};
use nf_bindings as bindings;

check_prototype!(
    nf_ct_add_helper,
    nf_ct_handle_fragments,
    nf_ct_helper,
    nf_ct_skb_network_trim,
);

/// # Safety
///
/// C: `skb` begins with its network header and carries `ct`; under RCU.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_helper(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    proto: u16,
) -> c_int {
    // SAFETY: By the C contract.
    let (mut packet, conn) = unsafe { (Packet::from_raw(skb), Conn::from_raw(ct)) };
    let info = Info::from_number(ctinfo);
    let adjust = |packet: &mut Packet<'_>, transport: u32| {
        // SAFETY: By the C contract; the transport header is there.
        unsafe { bindings::nf_ct_seq_adjust(packet.as_ptr(), ct, ctinfo, transport) != 0 }
    };
    ovs::help(&mut packet, conn, info, proto, adjust) as c_int
}

/// # Safety
///
/// C: `ct` is the caller's template, `name` a string, `hp` valid; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_add_helper(
    ct: *mut bindings::nf_conn,
    name: *const c_char,
    family: u8,
    proto: u8,
    nat: bool,
    hp: *mut *mut bindings::nf_conntrack_helper,
) -> c_int {
    // SAFETY: By the C contract.
    let (conn, name) = unsafe { (Conn::from_raw(ct), string(name)) };
    match ovs::add_helper(conn, name, family, proto, nat).map(HelperRef::into_raw) {
        Ok(helper) => {
            // SAFETY: By the C contract.
            unsafe { *hp = helper };
            0
        }
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// C: `skb` begins with its network header, and is the caller's no more if this
/// fails; the other pointers are valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_handle_fragments(
    net: *mut bindings::net,
    skb: *mut bindings::sk_buff,
    zone: u16,
    family: u8,
    proto: *mut u8,
    mru: *mut u16,
) -> c_int {
    // SAFETY: By the C contract.
    let (net, packet) = unsafe { (Net::from_raw(net), Packet::from_raw(skb)) };
    match ovs::reassemble(net, packet, zone, family) {
        Ok(whole) => {
            // SAFETY: By the C contract.
            unsafe {
                if let Some(protocol) = whole.protocol {
                    *proto = protocol;
                }
                *mru = whole.largest;
            }
            0
        }
        Err(error) => error,
    }
}

/// # Safety
///
/// C: `skb` begins with its network header.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_skb_network_trim(
    skb: *mut bindings::sk_buff,
    family: c_int,
) -> c_int {
    // SAFETY: By the C contract.
    let mut packet = unsafe { Packet::from_raw(skb) };
    match ovs::trim(&mut packet, family as u32) {
        Ok(()) => 0,
        Err(error) => error,
    }
}
