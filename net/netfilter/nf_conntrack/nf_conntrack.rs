// SPDX-License-Identifier: GPL-2.0

//! Connection tracking: the drop-in for the stock `nf_conntrack.ko`.
//!
//! A packet's way: [`packet`] parses it and finds or makes its connection,
//! [`proto`] lets the protocol judge it, [`confirm`] puts a new connection into
//! the table at the last hook. What C code calls is in [`abi`].

#![deny(missing_docs)]

pub mod abi;
pub mod alloc;
pub mod announce;
pub mod bpf;
pub mod change;
pub mod confirm;
pub mod delete;
pub mod early_drop;
pub mod ecache;
pub mod expect;
pub mod ext;
pub mod gc;
pub mod gre;
pub mod helper;
pub mod icmp;
pub mod iterate;
pub mod labels;
pub mod listing;
pub mod made;
pub mod ovs;
pub mod packet;
pub mod proto;
pub mod resize;
pub mod seqadj;
pub mod store;
pub mod timeout;

use kernel::prelude::*;

pub use netfilter::check_prototype;

module! {
    type: Conntrack,
    name: "nf_conntrack",
    authors: ["rustynat"],
    description: "IPv4 and IPv6 connection tracking",
    license: "GPL",
    alias: ["ip_conntrack", "nf_conntrack-2", "nf_conntrack-10"],
}

/// The loaded module.
struct Conntrack;

impl kernel::Module for Conntrack {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        abi::module::start()?;
        Ok(Conntrack)
    }
}

impl Drop for Conntrack {
    fn drop(&mut self) {
        abi::module::stop();
    }
}
