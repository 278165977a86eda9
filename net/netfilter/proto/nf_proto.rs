// SPDX-License-Identifier: GPL-2.0

//! The pure logic of connection tracking: packet views, tuples, checksums,
//! protocol state machines.
//!
//! Bytes, a clock value and settings go in; decisions come out. There is no
//! unsafe code here, no kernel type, no allocation and nothing that can panic:
//! the same source is compiled into the kernel modules and, by
//! `tools/testing/host`, into a host crate where it is tested.

// The kernel build adds no_std itself.
#![cfg_attr(not(MODULE), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod alg;
pub mod be;
pub mod bpf;
pub mod checksum;
pub mod conncount;
pub mod expect;
pub mod flow;
pub mod frame;
pub mod hash;
pub mod l4;
pub mod nat;
pub mod packet;
pub mod seqadj;
pub mod synproxy;
pub mod tuple;
