// SPDX-License-Identifier: GPL-2.0

//! Flow statistics summed up by protocol: `/proc/net/nf_flowstat_proto`.
//!
//! It has no hooks and no table of its own: it visits the flows of nf_flowstat
//! through that module's Rust interface.

#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::net;

mod abi;
mod sums;

module! {
    type: FlowStatProto,
    name: "nf_flowstat_proto",
    authors: ["rustynat"],
    description: "Flow statistics by protocol",
    license: "GPL",
}

/// The loaded module.
struct FlowStatProto {
    _namespaces: net::Registration<sums::State>,
}

impl kernel::Module for FlowStatProto {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _namespaces: sums::OPS.register(())?,
        })
    }
}
