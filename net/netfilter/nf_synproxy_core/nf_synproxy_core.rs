// SPDX-License-Identifier: GPL-2.0

//! SYNPROXY: the drop-in for the stock `nf_synproxy_core.ko`, for nft's `synproxy`
//! and the SYNPROXY target of iptables and ip6tables.
//!
//! A rule's SYN is answered with a cookie ([`proxy::syn_ack`]), its ACK opens the
//! connection to the server ([`proxy::client_ack`]); [`proxy::packet`] joins the
//! two at the last hook. What the segments and the cookies are, is in
//! `nf_proto::synproxy`.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;

pub mod abi;
pub mod proxy;
pub mod statistics;

module! {
    type: Synproxy,
    name: "nf_synproxy_core",
    authors: ["rustynat"],
    description: "nftables SYNPROXY expression support",
    license: "GPL",
}

/// The loaded module.
struct Synproxy {
    _namespaces: abi::net::Registration,
}

impl kernel::Module for Synproxy {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _namespaces: abi::net::Registration::new()?,
        })
    }
}
