// SPDX-License-Identifier: GPL-2.0

//! PPTP's keymap: include/linux/netfilter/nf_conntrack_proto_gre.h.

use crate::check_prototype;
use kernel::{
    error::code::{EEXIST, ENOMEM},
    ffi::c_int,
};
use netfilter::conntrack::{
    gre::{self, Failed},
    tuple, Conn,
};
use nf_bindings as bindings;
use nf_proto::tuple::Direction;

check_prototype!(nf_ct_gre_keymap_add, nf_ct_gre_keymap_destroy);

/// # Safety
///
/// C: `ct` is a connection with PPTP's helper, `t` valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_gre_keymap_add(
    ct: *mut bindings::nf_conn,
    dir: bindings::ip_conntrack_dir,
    t: *mut bindings::nf_conntrack_tuple,
) -> c_int {
    // SAFETY: By the C contract.
    let (conn, of) = unsafe { (Conn::from_raw(ct), tuple::from_c(&*t)) };
    let direction = if dir == 0 { Direction::Original } else { Direction::Reply };
    match gre::add(conn, direction, of) {
        Ok(()) => 0,
        Err(Failed::NoRoom) => ENOMEM.to_errno(),
        Err(Failed::Exists) => EEXIST.to_errno(),
    }
}

/// # Safety
///
/// C: `ct` is a connection with PPTP's helper.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_gre_keymap_destroy(ct: *mut bindings::nf_conn) {
    // SAFETY: By the C contract.
    gre::remove(unsafe { Conn::from_raw(ct) });
}
