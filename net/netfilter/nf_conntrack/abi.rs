// SPDX-License-Identifier: GPL-2.0

//! What C code calls, by the names and signatures of the kernel's headers: a
//! file an area. Each function converts, calls, and converts back.

pub mod bpf;
pub mod change;
pub mod core;
pub mod ecache;
pub mod expect;
pub mod ext;
pub mod gre;
pub mod helper;
pub mod hooks;
pub mod l4proto;
pub mod labels;
pub mod module;
pub mod ovs;
pub mod seqadj;
pub mod sockopt;
pub mod sysctl;
pub mod timeout;
