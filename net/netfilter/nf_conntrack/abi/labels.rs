// SPDX-License-Identifier: GPL-2.0

//! include/net/netfilter/nf_conntrack_labels.h

use crate::{
    check_prototype,
    labels::{self, Change, NoLabels, OutOfRange, WORDS},
};
use core::slice;
use kernel::{
    error::code::{ENOSPC, ERANGE},
    ffi::{c_int, c_uint},
};
use netfilter::conntrack::{Conn, Net};
use nf_bindings as bindings;

check_prototype!(nf_connlabels_get, nf_connlabels_put, nf_connlabels_replace);

/// # Safety
///
/// C: `net` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_connlabels_get(net: *mut bindings::net, bit: c_uint) -> c_int {
    // SAFETY: By the C contract.
    match labels::get(unsafe { Net::from_raw(net) }, bit) {
        Ok(()) => 0,
        Err(OutOfRange) => ERANGE.to_errno(),
    }
}

/// # Safety
///
/// C: `net` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_connlabels_put(net: *mut bindings::net) {
    // SAFETY: By the C contract.
    labels::put(unsafe { Net::from_raw(net) });
}

/// # Safety
///
/// C: `ct` is valid; `data` has `words` words, and so has `mask` if it is not
/// null.
#[no_mangle]
pub unsafe extern "C" fn nf_connlabels_replace(
    ct: *mut bindings::nf_conn,
    data: *const u32,
    mask: *const u32,
    words: c_uint,
) -> c_int {
    let words = (words as usize).min(WORDS);
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    let data = match words {
        0 => &[],
        // SAFETY: By the C contract.
        _ => unsafe { slice::from_raw_parts(data, words) },
    };
    let mask = match (words, mask.is_null()) {
        (0, _) | (_, true) => &[],
        // SAFETY: By the C contract.
        _ => unsafe { slice::from_raw_parts(mask, words) },
    };
    // Without a mask all of a word is replaced.
    let masks = mask.iter().copied().chain(core::iter::repeat(u32::MAX));
    let changes = data
        .iter()
        .zip(masks)
        .map(|(&data, mask)| Change { mask, data });
    match labels::replace(conn, changes) {
        Ok(()) => 0,
        Err(NoLabels) => ENOSPC.to_errno(),
    }
}
