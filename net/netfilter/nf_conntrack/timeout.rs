// SPDX-License-Identifier: GPL-2.0

//! Timeout policies: timeouts by rule instead of by namespace.

use crate::iterate;
use core::{ptr::NonNull, sync::atomic::Ordering};
use kernel::prelude::*;
use netfilter::conntrack::{
    timeout::{self as raw, log, Base, Name},
    Conn, Net,
};
use nf_bindings::nf_ct_timeout;

mod kind;

pub use kind::*;
pub use netfilter::conntrack::timeout::inherit;

/// The timeouts of the connection's policy in jiffies, as its protocol numbers
/// them; nothing if it has none. Under RCU, for as long as the section lasts.
#[inline]
pub fn policy(conn: &Conn) -> Option<NonNull<u32>> {
    raw::timeouts(conn)
}

/// Gives a connection's policy back that is being destroyed.
#[inline]
pub fn put(conn: &Conn) {
    drop(raw::take(conn, core::ptr::null()));
}

/// Gives a template the policy of a name, for connections of these protocols
/// only.
pub fn set(template: &Conn, net: Net, l3num: u8, l4num: u8, name: Name<'_>) -> Result {
    let Some(base) = Base::find() else {
        log::no_base();
        return Err(ENOENT);
    };
    let Some(used) = base.find_policy(net, name) else {
        log::missing(name);
        return Err(ENOENT);
    };
    let (l3, l4) = used.protocols();
    if l3 != u16::from(l3num) {
        log::other(name, 3, l3);
        return Err(EINVAL);
    }
    if l4 != l4num {
        log::other(name, 4, l4.into());
        return Err(EINVAL);
    }
    if used.keep(template) {
        Ok(())
    } else {
        Err(ENOMEM)
    }
}

/// Takes a policy (any, if null) away from all connections of a namespace. May
/// sleep.
pub fn untimeout(net: Net, policy: *const nf_ct_timeout) {
    if net.connections().load(Ordering::Relaxed) == 0 {
        return;
    }
    iterate::remove(Some(net), 0, 0, |conn| {
        drop(raw::take(conn, policy));
        // None is removed.
        false
    });
}
