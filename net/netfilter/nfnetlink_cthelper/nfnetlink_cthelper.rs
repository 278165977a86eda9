// SPDX-License-Identifier: GPL-2.0

//! Helpers in user space: the drop-in for the stock `nfnetlink_cthelper.ko`.
//!
//! Such a helper is one of connection tracking's, made by a request ([`message`])
//! of a program that reads the queue of its packets. Rules assign it by its name;
//! from then on its connections' packets go to the queue, and past it when nobody
//! reads there. What the program expects comes by nf_conntrack_netlink.
//!
//! Helpers are kept by connection tracking's registry alone. Out of the registry
//! a helper has no function any more and its expectations are gone; the object
//! stays until the last connection has given it back.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::{
    conntrack::helper::{user::UserSpace, Helper},
    hook::Verdict,
    nfnetlink,
};
use nf_conntrack::helper::unregister_user_space;

pub mod attribute;
pub mod message;

module! {
    type: CtHelper,
    name: "nfnetlink_cthelper",
    authors: ["rustynat"],
    description: "nfnl_cthelper: User-space connection tracking helpers",
    license: "GPL",
    alias: ["nfnetlink-subsys-9"],
}

/// The loaded module. Fields go in this order: no new helpers, then none.
struct CtHelper {
    _messages: nfnetlink::Registration,
    _helpers: Helpers,
}

impl kernel::Module for CtHelper {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(CtHelper {
            _messages: message::SUBSYSTEM.register()?,
            _helpers: Helpers,
        })
    }
}

/// The helpers in user space; none is left when it is dropped.
struct Helpers;

impl Drop for Helpers {
    fn drop(&mut self) {
        unregister_user_space(|_| true);
    }
}

/// What happens to packets of connections with a helper in user space.
pub struct Queued;

impl UserSpace for Queued {
    fn module() -> &'static ThisModule {
        &THIS_MODULE
    }

    fn verdict(helper: &Helper) -> Verdict {
        if !helper.is_configured() {
            return Verdict::Accept;
        }
        // Traffic goes on when the program does not.
        Verdict::Queue {
            number: helper.queue(),
            bypass: true,
        }
    }
}
