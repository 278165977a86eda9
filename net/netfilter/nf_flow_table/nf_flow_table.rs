// SPDX-License-Identifier: GPL-2.0

//! The flowtable: the drop-in for the stock `nf_flow_table.ko`.
//!
//! A packet's way at a device's ingress is [`fast`]: it is read, its flow is
//! found, and it leaves again, past routing, connection tracking and the forward
//! chains. A flow's life is [`life`], and its end [`gc`]. Where a flow's packets
//! go out, and in what encapsulation, is found once by [`path`]. What hardware
//! does of it is [`offload`]. What C code calls, and what calls C, is in [`abi`].

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

pub mod abi;
pub mod fast;
pub mod gc;
pub mod life;
pub mod offload;
pub mod path;
pub mod proc;

use kernel::prelude::*;

module! {
    type: FlowTable,
    name: "nf_flow_table",
    authors: ["rustynat"],
    description: "Netfilter flow table module",
    license: "GPL",
}

/// The loaded module.
struct FlowTable;

impl kernel::Module for FlowTable {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        abi::module::start()?;
        Ok(FlowTable)
    }
}

impl Drop for FlowTable {
    fn drop(&mut self) {
        abi::module::stop();
    }
}
