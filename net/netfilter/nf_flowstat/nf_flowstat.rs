// SPDX-License-Identifier: GPL-2.0

//! Flow statistics: counts packets and bytes of each flow that a namespace sees,
//! while `net.netfilter.nf_flowstat_enable` is on there.
//!
//! Other modules look at the flows through [`of`] and [`Namespace::visit`].

#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use kernel::sync::Arc;
use netfilter::slab::{CacheGuard, Entry};
use netfilter::work::Periodic;
use netfilter::{net, random, time};
use nf_proto::hash::Key;

pub mod abi;
pub mod flow;
pub mod namespace;
pub mod proc;
pub mod state;

pub use flow::Flow;
pub use namespace::{Namespace, Visit};
pub use state::of;

module! {
    type: FlowStat,
    name: "nf_flowstat",
    authors: ["rustynat"],
    description: "Flow statistics",
    license: "GPL",
}

/// log2 of the number of lists in the table.
const TABLE_BITS: u32 = 12;

/// The loaded module. Dropped in this order: who makes flows, who removes
/// expired ones (and with it the table), and at last the memory of flows.
struct FlowStat {
    _namespaces: net::Registration<state::State>,
    _collector: Periodic<namespace::Flows>,
    _cache: CacheGuard<Entry<Flow>>,
}

impl kernel::Module for FlowStat {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let cache = flow::CACHE.create()?;
        let flows = Arc::new(
            namespace::Flows {
                table: flow::Table::new(TABLE_BITS)?,
                key: Key::new([random::u64(), random::u64()]),
            },
            GFP_KERNEL,
        )?;
        let collector = Periodic::start(flows.clone(), time::HZ)?;
        Ok(Self {
            _namespaces: state::OPS.register(flows)?,
            _collector: collector,
            _cache: cache,
        })
    }
}
