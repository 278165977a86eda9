// SPDX-License-Identifier: GPL-2.0

//! Network address translation: the drop-in for the stock `nf_nat.ko`.
//!
//! A new connection's way: [`hook`] asks the nat chains, whose rules call
//! [`setup`], which chooses what the connection becomes; without a rule it gets
//! a null binding. Every packet's way: [`hook`] finds that its connection is
//! translated, [`translate`] changes its headers. What C code calls is in [`abi`].

#![deny(missing_docs)]

pub mod abi;
pub mod bysource;
pub mod helper;
pub mod helper_mangle;
pub mod hook;
pub mod masquerade;
pub mod netlink;
pub mod ovs;
pub mod redirect;
pub mod session;
pub mod setup;
pub mod stat;
pub mod translate;

use kernel::prelude::*;

module! {
    type: Nat,
    name: "nf_nat",
    authors: ["rustynat"],
    description: "Network address translation core",
    license: "GPL",
}

/// The loaded module.
struct Nat;

impl kernel::Module for Nat {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        abi::module::start()?;
        Ok(Nat)
    }
}

impl Drop for Nat {
    fn drop(&mut self) {
        abi::module::stop();
    }
}
