// SPDX-License-Identifier: GPL-2.0

//! What C code calls, by the names and signatures of the kernel's headers: a
//! file an area. Each function converts, calls, and converts back.

pub mod bpf;
pub mod core;
pub mod helper;
pub mod hooks;
pub mod masquerade;
pub mod module;
pub mod ovs;
pub mod redirect;
pub mod register;
