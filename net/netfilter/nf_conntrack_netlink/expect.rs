// SPDX-License-Identifier: GPL-2.0

//! Expectations over netlink.

use kernel::prelude::*;
use netfilter::{
    conntrack::Conn,
    nfnetlink::{errno, Entry},
    nlattr::Attribute,
};
use nf_bindings as bindings;

/// The commands, by `enum ctnl_exp_msg_types`.
pub(crate) const fn handlers() -> [Entry; 4] {
    [Entry::NONE, Entry::NONE, Entry::NONE, Entry::NONE]
}

/// Tells listeners of an expectation; an errno.
///
/// # Safety
///
/// The expectation is valid and its lock is held.
pub(crate) unsafe fn event(
    _exp: *mut bindings::nf_conntrack_expect,
    _events: u32,
    _portid: u32,
    _report: bool,
) -> i32 {
    0
}

/// Makes an expectation of a queued packet's connection.
pub(crate) fn attach(
    _attribute: Attribute<'_>,
    _conn: &Conn,
    _portid: u32,
    _report: bool,
) -> Result {
    Err(errno(bindings::EOPNOTSUPP))
}
