// SPDX-License-Identifier: GPL-2.0

//! Counting connections: the drop-in for the stock `nf_conncount.ko`, for nft's
//! `ct count`, xt_connlimit and the zone limits of Open vSwitch.
//!
//! A connection is noted by its tuple and zone when its first packet meets the
//! rule. Whether it still is one, the table of connections says: with each packet
//! that is counted some of the noted connections are looked up, in turn, so that
//! no packet has to look at all of them.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;

pub mod abi;
pub mod chunked;
pub mod connections;
pub mod dense;
pub mod keyed;

module! {
    type: Conncount,
    name: "nf_conncount",
    authors: ["rustynat"],
    description: "netfilter: count number of connections matching a key",
    license: "GPL",
}

/// The loaded module: it has nothing to set up.
struct Conncount;

impl kernel::Module for Conncount {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Conncount)
    }
}
