// SPDX-License-Identifier: GPL-2.0

//! Connections and expectations over netlink: the drop-in for the stock
//! `nf_conntrack_netlink.ko`.
//!
//! Reading a message: its attributes are checked by the policies in [`attr`],
//! [`tuple`] and [`filter`] make typed values of them, [`create`], [`update`]
//! and [`delete`] do what it says. Writing one: [`message`] knows what is said
//! about a connection, for [`get`] and [`dump`], [`events`] and [`glue`].

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

mod abi;
mod attr;
mod create;
mod delete;
mod dump;
mod dying;
mod events;
mod expect;
mod filter;
mod get;
mod glue;
mod message;
mod nat;
mod new;
mod protoinfo;
mod stats;
mod tuple;
mod update;

use kernel::prelude::*;
use netfilter::{
    net,
    nfnetlink::{Entry, Registration, Subsystem},
};

module! {
    type: Netlink,
    name: "nf_conntrack_netlink",
    authors: ["rustynat"],
    description: "List and change connection tracking table",
    license: "GPL",
    alias: ["ip_conntrack_netlink", "nfnetlink-subsys-1", "nfnetlink-subsys-2"],
}

/// By `enum cntl_msg_types`.
static CONNECTIONS: Subsystem<8> = Subsystem::new(
    c"conntrack",
    attr::CONNECTIONS,
    [
        Entry::of::<new::New>(),
        Entry::of::<get::Get>(),
        Entry::of::<delete::Delete>(),
        // The same, but for what it does to the counters.
        Entry::of::<get::Get>(),
        Entry::of::<stats::OfCpus>(),
        Entry::of::<stats::Global>(),
        Entry::of::<dying::Get>(),
        Entry::of::<dying::GetUnconfirmed>(),
    ],
);

/// By `enum ctnl_exp_msg_types`.
static EXPECTATIONS: Subsystem<4> =
    Subsystem::new(c"conntrack_expect", attr::EXPECTATIONS, expect::handlers());

/// The loaded module. What comes first goes first.
struct Netlink {
    _glue: abi::Glue,
    _listeners: net::Registration<abi::Listener>,
    _expectations: Registration,
    _connections: Registration,
}

impl kernel::Module for Netlink {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let connections = CONNECTIONS.register()?;
        let expectations = EXPECTATIONS.register()?;
        let listeners = <abi::Listener as net::PerNet>::ops().register(())?;
        Ok(Netlink {
            _connections: connections,
            _expectations: expectations,
            _listeners: listeners,
            _glue: abi::Glue::set(),
        })
    }
}
