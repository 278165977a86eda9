// SPDX-License-Identifier: GPL-2.0

//! include/net/netfilter/nf_conntrack_extend.h

use crate::check_prototype;
use core::ptr::{null_mut, NonNull};
use kernel::ffi::c_void;
use netfilter::conntrack::{ext, Conn};
use nf_bindings as bindings;

check_prototype!(nf_ct_ext_add);

/// # Safety
///
/// C: `ct` is valid and not confirmed, and the caller is the only one to use it.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_ext_add(
    ct: *mut bindings::nf_conn,
    id: bindings::nf_ct_ext_id,
    gfp: bindings::gfp_t,
) -> *mut c_void {
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    ext::add(conn, id, gfp).map_or(null_mut(), |data| NonNull::cast(data).as_ptr())
}
