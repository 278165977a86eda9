// SPDX-License-Identifier: GPL-2.0

//! Extensions of connections: what is common to them.

use crate::ecache;
use netfilter::conntrack::{defaults, Net};

pub use netfilter::conntrack::ext::{add, add_ext, free};

/// Prepares a new namespace: its settings, and what reports its events.
pub fn pernet_init(net: Net) {
    defaults::apply(net, ecache::DEFAULT);
    ecache::pernet_init(net);
}

/// Ends a namespace that has no connection any more. May sleep.
pub fn pernet_exit(net: Net) {
    ecache::pernet_exit(net);
}
