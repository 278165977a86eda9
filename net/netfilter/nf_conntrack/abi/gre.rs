// SPDX-License-Identifier: GPL-2.0

//! PPTP's keymap: include/linux/netfilter/nf_conntrack_proto_gre.h.

use crate::check_prototype;
use netfilter::conntrack::{gre, tuple, Conn};
use nf_bindings as bindings;

check_prototype!(
    gre_pptp_destroy_siblings,
    nf_ct_gre_keymap_add,
    nf_ct_gre_keymap_destroy,
);

/// # Safety
///
/// C: `ct` is a connection with PPTP's helper, the tuples are valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_gre_keymap_add(
    ct: *mut bindings::nf_conn,
    orig: *const bindings::nf_conntrack_tuple,
    repl: *const bindings::nf_conntrack_tuple,
) -> bool {
    // SAFETY: By the C contract.
    unsafe {
        gre::add(
            Conn::from_raw(ct),
            tuple::from_c(&*orig),
            tuple::from_c(&*repl),
        )
        .is_ok()
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

/// # Safety
///
/// C: `ct` is a connection with PPTP's helper.
#[no_mangle]
pub unsafe extern "C" fn gre_pptp_destroy_siblings(ct: *mut bindings::nf_conn) {
    // SAFETY: By the C contract.
    crate::gre::end_call(unsafe { Conn::from_raw(ct) });
}
