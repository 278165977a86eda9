// SPDX-License-Identifier: GPL-2.0

//! What user space may change of a connection.

use crate::store::TABLE;
use kernel::prelude::*;
use netfilter::{
    conntrack::{
        conn::now,
        table::{Visit, Walk},
        Conn, Status,
    },
    nfnetlink::errno,
};
use nf_bindings as bindings;

/// Sets for how many jiffies a connection lives, at most 2^31 - 1
/// (`__nf_ct_set_timeout`): one that is confirmed from now on.
pub fn set_timeout(conn: &Conn, jiffies: u64) {
    let jiffies = jiffies.min(i32::MAX as u64) as u32;
    if conn.is_confirmed() {
        conn.set_timeout(now().wrapping_add(jiffies));
    } else {
        conn.set_timeout(jiffies);
    }
}

/// [`set_timeout`] of a connection that others know.
///
/// # Errors
///
/// `EPERM` if its timeout is fixed, `ETIME` if it is over.
pub fn timeout(conn: &Conn, jiffies: u64) -> Result {
    if conn.status().has(Status::FIXED_TIMEOUT) {
        return Err(EPERM);
    }
    set_timeout(conn, jiffies);
    if conn.is_dying() {
        return Err(errno(bindings::ETIME));
    }
    Ok(())
}

/// Sets status bits, of which some can only be set, and some not be changed.
///
/// # Errors
///
/// `EBUSY` if that would change such a one.
pub fn status(conn: &Conn, wanted: Status) -> Result {
    let now = conn.status();
    let differ = Status(now.0 ^ wanted.0);
    let once = Status::SEEN_REPLY | Status::ASSURED;
    if differ.any(Status::EXPECTED | Status::CONFIRMED | Status::DYING)
        || Status(differ.0 & now.0).any(once)
    {
        return Err(EBUSY);
    }
    conn.change_status(wanted, Status(0));
    Ok(())
}

/// [`Walk::run`] over the connections.
pub fn walk(
    walk: &mut Walk,
    choose: impl FnMut(&Conn) -> bool,
    visit: impl FnMut(&Conn) -> Visit,
) -> bool {
    walk.run(&TABLE, choose, visit)
}
