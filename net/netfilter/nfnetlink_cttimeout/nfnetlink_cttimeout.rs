// SPDX-License-Identifier: GPL-2.0

//! Timeout policies that have names: the drop-in for the stock
//! `nfnetlink_cttimeout.ko`.
//!
//! User space makes them ([`message`]), in a namespace ([`namespace`]); rules of
//! xt_CT and Open vSwitch find them by name ([`abi`]) and give them to templates
//! and connections, which count references to them. One that is deleted has no
//! name any more, and goes with the last rule or connection that has it.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::{net, nfnetlink};

mod abi;
pub mod list;
pub mod message;
pub mod name;
pub mod namespace;

module! {
    type: CtTimeout,
    name: "nfnetlink_cttimeout",
    authors: ["rustynat"],
    description: "cttimeout: Extended Netfilter Connection Tracking timeout tuning",
    license: "GPL",
    alias: ["nfnetlink-subsys-8"],
}

/// The loaded module. Fields go in this order: no new requests, no rules that
/// look for names, then what both use.
struct CtTimeout {
    _messages: nfnetlink::Registration,
    _hook: abi::Hook,
    _namespaces: net::Registration<namespace::State>,
}

impl kernel::Module for CtTimeout {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let namespaces = namespace::OPS.register(())?;
        let messages = message::SUBSYSTEM.register()?;
        Ok(CtTimeout {
            _messages: messages,
            _hook: abi::Hook::publish(),
            _namespaces: namespaces,
        })
    }
}
