// SPDX-License-Identifier: GPL-2.0

//! Sending to those who listen.

use super::errno;
use crate::{conntrack::Net, nlattr::Buffer};
use kernel::{error::to_result, prelude::*};
use nf_bindings as bindings;

/// A multicast group (`enum nfnetlink_groups`).
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Each is NFNLGRP_* of the UAPI header.
pub enum Group {
    ConntrackNew = bindings::nfnetlink_groups_NFNLGRP_CONNTRACK_NEW,
    ConntrackUpdate = bindings::nfnetlink_groups_NFNLGRP_CONNTRACK_UPDATE,
    ConntrackDestroy = bindings::nfnetlink_groups_NFNLGRP_CONNTRACK_DESTROY,
    ExpectNew = bindings::nfnetlink_groups_NFNLGRP_CONNTRACK_EXP_NEW,
    ExpectUpdate = bindings::nfnetlink_groups_NFNLGRP_CONNTRACK_EXP_UPDATE,
    ExpectDestroy = bindings::nfnetlink_groups_NFNLGRP_CONNTRACK_EXP_DESTROY,
}

/// Somebody in the namespace listens to the group.
#[inline]
pub fn has_listeners(net: Net, group: Group) -> bool {
    // SAFETY: The namespace is alive.
    unsafe { bindings::nfnetlink_has_listeners(net.as_ptr(), group as u32) != 0 }
}

/// Sends a message to all who listen to the group but `portid`, and to that
/// port if `echo` is set. Any context that `gfp` is for.
///
/// # Errors
///
/// `ENOBUFS` if somebody had no room who wants the sender to know
/// (`NETLINK_BROADCAST_ERROR`); `ESRCH` if nobody listened.
pub fn notify(
    net: Net,
    group: Group,
    message: Buffer,
    portid: u32,
    echo: bool,
    gfp: bindings::gfp_t,
) -> Result {
    // SAFETY: The namespace is alive; the buffer is handed over.
    to_result(unsafe {
        bindings::nfnetlink_send(
            message.into_raw(),
            net.as_ptr(),
            portid,
            group as u32,
            echo.into(),
            gfp,
        )
    })
}

/// Tells those who listen to the group that they have lost messages
/// (`ENOBUFS`). True: some of them want the sender to try again.
pub fn set_error(net: Net, group: Group) -> bool {
    // SAFETY: The namespace is alive.
    unsafe {
        bindings::nfnetlink_set_err(
            net.as_ptr(),
            0,
            group as u32,
            errno(bindings::ENOBUFS).to_errno(),
        ) > 0
    }
}
