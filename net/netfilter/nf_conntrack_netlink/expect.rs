// SPDX-License-Identifier: GPL-2.0

//! Expectations: the messages of subsystem 2.

mod attribute;
mod change;
mod event;
mod list;
mod show;

pub use change::attach;
pub use event::event;

use kernel::prelude::*;
use nf_bindings as bindings;
use netfilter::nfnetlink::{Entry, Subsystem};

/// The subsystem's number.
const ID: u8 = bindings::NFNL_SUBSYS_CTNETLINK_EXP as u8;

/// An expectation, as an answer or an event.
const NEW: u8 = bindings::ctnl_exp_msg_types_IPCTNL_MSG_EXP_NEW as u8;

/// The end of one.
const DELETE: u8 = bindings::ctnl_exp_msg_types_IPCTNL_MSG_EXP_DELETE as u8;

/// The subsystem, its commands by their numbers.
pub static SUBSYSTEM: Subsystem<4> = Subsystem::new(
    c"conntrack_expect",
    ID,
    [
        Entry::of::<change::New>(),
        Entry::of::<list::Get>(),
        Entry::of::<change::Delete>(),
        Entry::of::<list::Statistics>(),
    ],
);
