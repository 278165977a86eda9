// SPDX-License-Identifier: GPL-2.0

//! The end of a connection.

use crate::{ecache, expect, helper, store::TABLE};
use netfilter::conntrack::{account, conn::now, Conn, Status};
use nf_proto::{l4::Jiffies, tuple::Direction};

/// Its time has come, it is in the table, and nobody is removing it yet
/// (`nf_ct_should_gc`).
#[inline]
pub fn should_collect(conn: &Conn, now: Jiffies) -> bool {
    conn.is_expired(now) && conn.is_confirmed() && !conn.is_dying()
}

/// Removes a connection from the table and gives back the table's reference.
///
/// False if somebody else is removing it, or if its end could not be reported
/// to a listener that wants to know: then it is tried again later. The caller
/// holds a reference of its own. Any context, no chain locked.
pub fn delete(conn: &Conn, portid: u32, report: i32) -> bool {
    if conn.test_and_set_status(Status::DYING) {
        return false;
    }
    account::stopped(conn);
    if ecache::report(conn, ecache::Event::Destroy, portid, report).is_err() {
        helper::destroy(conn);
        if unhash(conn) {
            ecache::add_dying(conn);
            ecache::retry_later(conn.net(), ecache::Retry::Failed);
        }
        return false;
    }
    if ecache::retry_pending(conn.net()) {
        ecache::retry_later(conn.net(), ecache::Retry::Sent);
    }
    helper::destroy(conn);
    if unhash(conn) {
        conn.put_table_reference();
    }
    true
}

/// [`delete`], without a listener to answer to.
#[inline]
pub fn kill(conn: &Conn) -> bool {
    delete(conn, 0, 0)
}

/// Removes a connection that was met without a reference, if it is due.
pub fn collect(conn: &Conn) {
    let Some(conn) = conn.try_get() else { return };
    if should_collect(&conn, now()) {
        kill(&conn);
    }
}

/// True if it was in the table, whose reference is the caller's now. DYING is
/// set: one that is not in the table will not be.
fn unhash(conn: &Conn) -> bool {
    loop {
        let hashes = conn.hashes();
        let chains = TABLE.lock(hashes.0, hashes.1);
        // That of the reply is set when it is confirmed, under the lock of the
        // other, which never changes.
        if conn.hashes() != hashes {
            continue;
        }
        chains.remove(conn, Direction::Original);
        chains.remove(conn, Direction::Reply);
        // Expectations need their master; without it they are over.
        expect::remove_all(conn);
        return conn.is_confirmed();
    }
}
