// SPDX-License-Identifier: GPL-2.0

//! What C code calls, by the names and signatures of the kernel's headers, and
//! what is C's: a file an area.

pub mod bpf;
pub mod core;
pub mod flow;
pub mod frame;
pub mod hardware;
pub mod hooks;
pub mod hop;
pub mod module;
pub mod offload;
pub mod route;
pub mod rule;
pub mod table;
