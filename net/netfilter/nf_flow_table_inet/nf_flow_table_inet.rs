// SPDX-License-Identifier: GPL-2.0

//! The flowtables of nf_tables: the drop-in for the stock `nf_flow_table_inet.ko`.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

pub mod abi;

use kernel::prelude::*;

module! {
    type: Inet,
    name: "nf_flow_table_inet",
    authors: ["rustynat"],
    description: "Netfilter flow table mixed IPv4/IPv6 module",
    license: "GPL",
    alias: ["nf-flowtable-2", "nf-flowtable-10", "nf-flowtable-1"],
}

/// The loaded module: the types are registered.
struct Inet(#[allow(dead_code)] abi::Types);

impl kernel::Module for Inet {
    fn init(module: &'static ThisModule) -> Result<Self> {
        Ok(Inet(abi::Types::register(module)))
    }
}
