// SPDX-License-Identifier: GPL-2.0

//! What is called with an expected connection.

use kernel::prelude::*;
use netfilter::conntrack::{
    expect::{Expect, NewExpect},
    helper::ExpectFunction,
    Conn,
};
use nf_bindings as bindings;

/// # Safety
///
/// C: an expectation's function: both are valid, `ct` is new and has its master.
unsafe extern "C" fn nf_nat_sip_expected(
    ct: *mut bindings::nf_conn,
    exp: *mut bindings::nf_conntrack_expect,
) {
    // SAFETY: By the C contract.
    let (conn, exp) = unsafe { (Conn::from_raw(ct), Expect::from_raw(exp)) };
    crate::expected(conn, exp);
}

/// Names the function to user space, until the result is dropped: then nothing
/// calls it any more.
pub(crate) fn register(name: &'static CStr) -> Result<ExpectFunction> {
    ExpectFunction::new(name, nf_nat_sip_expected)
}

/// Has an expected connection translated.
pub(crate) fn have_expected(exp: &mut NewExpect<'_>) {
    // SAFETY: The module holds what `register` returned, which removes the
    // expectations that call the function and waits.
    unsafe { exp.set_callback(nf_nat_sip_expected) };
}
