// SPDX-License-Identifier: GPL-2.0

//! What is called with a call's tunnel.

use netfilter::conntrack::{
    expect::{Expect, NewExpect},
    Conn,
};
use nf_bindings as bindings;

/// Has an expectation call [`crate::expected`].
pub(crate) fn set_callback(exp: &mut NewExpect<'_>, translated: bool) {
    let function = if translated {
        expected_under_nat
    } else {
        expected
    };
    // SAFETY: When this module goes its helper goes, and with that the
    // expectations; after that it waits for a grace period.
    unsafe { exp.set_callback(function) };
}

/// # Safety
///
/// C: an expectation's function: both are valid, `ct` is new and has its master.
unsafe extern "C" fn expected(
    ct: *mut bindings::nf_conn,
    this: *mut bindings::nf_conntrack_expect,
) {
    // SAFETY: By the C contract.
    let (conn, exp) = unsafe { (Conn::from_raw(ct), Expect::from_raw(this)) };
    crate::expected(conn, exp, false);
}

/// # Safety
///
/// As [`expected`].
unsafe extern "C" fn expected_under_nat(
    ct: *mut bindings::nf_conn,
    this: *mut bindings::nf_conntrack_expect,
) {
    // SAFETY: By the C contract.
    let (conn, exp) = unsafe { (Conn::from_raw(ct), Expect::from_raw(this)) };
    crate::expected(conn, exp, true);
}
