// SPDX-License-Identifier: GPL-2.0

//! The core: include/net/netfilter/nf_nat.h, and `nf_nat_hook`, what vmlinux and
//! nf_conntrack call.

use crate::{
    bysource, hook, netlink, session, setup,
    translate::{self, Translated},
};
use core::ptr::null_mut;
use kernel::ffi::{c_int, c_uint};
use netfilter::{
    conntrack::{ext, nat::range_from_c, skb::Packet, Conn, Info},
    nlattr::Attribute,
};
use nf_bindings as bindings;
use nf_conntrack::check_prototype;
use nf_proto::{nat::Manip, tuple::Family};

check_prototype!(
    nf_ct_nat_ext_add,
    nf_nat_alloc_null_binding,
    nf_nat_icmp_reply_translation,
    nf_nat_icmpv6_reply_translation,
    nf_nat_packet,
    nf_nat_setup_info,
);

/// A side, by its C number.
pub fn manip(number: bindings::nf_nat_manip_type) -> Option<Manip> {
    match number {
        bindings::nf_nat_manip_type_NF_NAT_MANIP_SRC => Some(Manip::Source),
        bindings::nf_nat_manip_type_NF_NAT_MANIP_DST => Some(Manip::Destination),
        _ => None,
    }
}

/// # Safety
///
/// C: both pointers are valid, `ct` is the caller's if it is not confirmed.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_setup_info(
    ct: *mut bindings::nf_conn,
    range: *const bindings::nf_nat_range2,
    maniptype: bindings::nf_nat_manip_type,
) -> c_uint {
    // SAFETY: By the C contract.
    let (conn, range) = unsafe { (Conn::from_raw(ct), range_from_c(&*range)) };
    match manip(maniptype) {
        Some(manip) => setup::setup(conn, range, manip),
        None => bindings::NF_DROP,
    }
}

/// # Safety
///
/// C: `ct` is valid, and the caller's if it is not confirmed.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_alloc_null_binding(
    ct: *mut bindings::nf_conn,
    hooknum: c_uint,
) -> c_uint {
    // SAFETY: By the C contract.
    setup::null_binding(unsafe { Conn::from_raw(ct) }, hook::manip_at(hooknum))
}

/// # Safety
///
/// C: `ct` is valid, and the caller's if it is not confirmed.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_nat_ext_add(
    ct: *mut bindings::nf_conn,
) -> *mut bindings::nf_conn_nat {
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    conn.ext::<bindings::nf_conn_nat>()
        .or_else(|| ext::add_ext::<bindings::nf_conn_nat>(conn))
        .map_or(null_mut(), |nat| nat.as_ptr())
}

/// # Safety
///
/// C: `ct` is valid, and `skb` a packet of it.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_packet(
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    hooknum: c_uint,
    skb: *mut bindings::sk_buff,
) -> c_uint {
    // SAFETY: By the C contract.
    let (conn, mut packet) = unsafe { (Conn::from_raw(ct), Packet::from_raw(skb)) };
    let (info, manip) = (Info::from_number(ctinfo), hook::manip_at(hooknum));
    translate::packet(&mut packet, conn, info, manip).verdict()
}

fn error_translated(
    packet: &mut Packet<'_>,
    conn: &Conn,
    ctinfo: bindings::ip_conntrack_info,
    hooknum: c_uint,
    transport: u32,
) -> c_int {
    let (info, manip) = (Info::from_number(ctinfo), hook::manip_at(hooknum));
    let translated = translate::error(packet, conn, info, manip, transport);
    (translated != Translated::Failed).into()
}

/// # Safety
///
/// C: `ct` is valid, and `skb` an ICMP error about it.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_icmp_reply_translation(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    hooknum: c_uint,
) -> c_int {
    // SAFETY: By the C contract.
    let (conn, mut packet) = unsafe { (Conn::from_raw(ct), Packet::from_raw(skb)) };
    match translate::icmp_header(&packet, Family::Ipv4) {
        Some(transport) => error_translated(&mut packet, conn, ctinfo, hooknum, transport),
        None => 0,
    }
}

/// # Safety
///
/// C: `ct` is valid, and `skb` an ICMPv6 error about it, with its ICMPv6 header
/// at `hdrlen`.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_icmpv6_reply_translation(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    hooknum: c_uint,
    hdrlen: c_uint,
) -> c_int {
    // SAFETY: By the C contract.
    let (conn, mut packet) = unsafe { (Conn::from_raw(ct), Packet::from_raw(skb)) };
    let transport = hdrlen.wrapping_sub(packet.network_offset());
    error_translated(&mut packet, conn, ctinfo, hooknum, transport)
}

/// `nf_nat_hook`, in a form that may be static.
pub struct NatHook(pub bindings::nf_nat_hook);

// SAFETY: Only functions.
unsafe impl Sync for NatHook {}

/// What vmlinux and nf_conntrack call.
pub static HOOK: NatHook = NatHook(bindings::nf_nat_hook {
    parse_nat_setup: Some(parse_nat_setup),
    decode_session: Some(decode_session),
    remove_nat_bysrc: Some(remove_nat_bysrc),
});

/// # Safety
///
/// C: `ct` is the caller's, not confirmed; `attr` is null or valid; under RCU.
unsafe extern "C" fn parse_nat_setup(
    ct: *mut bindings::nf_conn,
    maniptype: bindings::nf_nat_manip_type,
    attr: *const bindings::nlattr,
) -> c_int {
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    let Some(manip) = manip(maniptype) else {
        return kernel::error::code::EINVAL.to_errno();
    };
    // SAFETY: By the C contract.
    let nest = unsafe { Attribute::from_raw(attr) };
    match netlink::parse_and_set_up(conn, manip, nest) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// C: both are valid; under RCU.
unsafe extern "C" fn decode_session(skb: *mut bindings::sk_buff, fl: *mut bindings::flowi) {
    // SAFETY: By the C contract; only read.
    let packet = unsafe { Packet::from_raw(skb) };
    session::decode(&packet, |conn, side, end| {
        // SAFETY: By the C contract; an address is sixteen bytes.
        unsafe {
            bindings::flow_set(
                fl,
                conn.l3num() == Family::Ipv6.number(),
                side == Manip::Source,
                core::ptr::from_ref(end.address).cast(),
                end.port.map_or(0, |port| port.raw()),
                end.port.is_some(),
            );
        }
    });
}

/// # Safety
///
/// C: `ct` is valid, and being freed; under RCU.
unsafe extern "C" fn remove_nat_bysrc(ct: *mut bindings::nf_conn) {
    // SAFETY: By the C contract.
    bysource::forget(unsafe { Conn::from_raw(ct) });
}
