// SPDX-License-Identifier: GPL-2.0

//! Expectations over netlink: the messages of subsystem 2, events, and those
//! that come with a verdict on a queued packet.

mod attribute;
mod change;
mod event;
mod list;
mod show;

pub(crate) use change::attach;
pub(crate) use event::event;

use netfilter::nfnetlink::Entry;
use nf_bindings as bindings;

/// An expectation, as an answer or an event (`IPCTNL_MSG_EXP_NEW`).
const NEW: u8 = bindings::ctnl_exp_msg_types_IPCTNL_MSG_EXP_NEW as u8;

/// The end of one (`IPCTNL_MSG_EXP_DELETE`).
const DELETE: u8 = bindings::ctnl_exp_msg_types_IPCTNL_MSG_EXP_DELETE as u8;

/// The commands, by `enum ctnl_exp_msg_types`.
pub(crate) const fn handlers() -> [Entry; 4] {
    [
        Entry::of::<change::New>(),
        Entry::of::<list::Get>(),
        Entry::of::<change::Delete>(),
        Entry::of::<list::Statistics>(),
    ]
}
