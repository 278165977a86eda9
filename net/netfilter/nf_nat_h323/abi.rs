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
unsafe extern "C" fn nf_nat_h323_called(
    ct: *mut bindings::nf_conn,
    exp: *mut bindings::nf_conntrack_expect,
) {
    // SAFETY: By the C contract.
    let (conn, exp) = unsafe { (Conn::from_raw(ct), Expect::from_raw(exp)) };
    crate::called(conn, exp);
}

/// # Safety
///
/// C: as [`nf_nat_h323_called`].
unsafe extern "C" fn nf_nat_h323_forwarded(
    ct: *mut bindings::nf_conn,
    exp: *mut bindings::nf_conntrack_expect,
) {
    // SAFETY: By the C contract.
    let (conn, exp) = unsafe { (Conn::from_raw(ct), Expect::from_raw(exp)) };
    crate::forwarded(conn, exp);
}

/// Names the functions to user space, until the result is dropped: then nothing
/// calls them any more.
pub(crate) fn register() -> Result<[ExpectFunction; 2]> {
    Ok([
        ExpectFunction::new(c"Q.931", nf_nat_h323_called)?,
        ExpectFunction::new(c"callforwarding", nf_nat_h323_forwarded)?,
    ])
}

/// Has a call to an endpoint translated.
pub(crate) fn have_called(exp: &mut NewExpect<'_>) {
    // SAFETY: The module holds what `register` returned, which removes the
    // expectations that call the function and waits.
    unsafe { exp.set_callback(nf_nat_h323_called) };
}

/// Has a forwarded call translated.
pub(crate) fn have_forwarded(exp: &mut NewExpect<'_>) {
    // SAFETY: As above.
    unsafe { exp.set_callback(nf_nat_h323_forwarded) };
}
