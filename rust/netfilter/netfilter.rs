// SPDX-License-Identifier: GPL-2.0

//! Safe abstractions of the kernel's netfilter and networking interfaces.
//!
//! A file per concept, in the style of the `kernel` crate: transparent
//! wrappers of C types with their invariants, registrations that end when
//! they are dropped, and proofs (of an RCU read section, of a live namespace)
//! as parameters. What runs for each packet is inlined.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

pub mod abi;
pub mod array;
pub mod capable;
pub mod conntrack;
pub mod hook;
pub mod module;
pub mod net;
pub mod nfnetlink;
pub mod nlattr;
pub mod nulls;
pub mod percpu;
pub mod procfs;
pub mod random;
pub mod rcu;
pub mod skb;
pub mod slab;
pub mod spinlock;
pub mod sysctl;
pub mod time;
pub mod vector;
pub mod work;
