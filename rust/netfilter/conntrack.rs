// SPDX-License-Identifier: GPL-2.0

//! Connection tracking objects as C lays them out, with safe access.
//!
//! `struct nf_conn` and its extensions are read by stock modules through
//! inline C functions, so their layout is C's; what may be done with them, and
//! when, is expressed here in types.
//!
//! C headers: [`include/net/netfilter/nf_conntrack.h`] and its neighbours.

pub mod account;
pub mod attributes;
pub mod cache;
pub mod conn;
pub mod defaults;
pub mod ecache;
pub mod expect;
pub mod ext;
pub mod gone;
pub mod gre;
pub mod helper;
pub mod hlist;
pub mod info;
pub mod labels;
mod lock;
pub mod log;
pub mod nat;
pub mod nat_address;
pub mod nat_hook;
pub mod net;
pub mod ovs;
pub mod proc;
pub mod refcount;
pub mod seqadj;
pub mod settings;
pub mod skb;
pub mod stat;
pub mod state;
pub mod table;
pub mod timeout;
pub mod tuple;
pub mod work;
pub mod zone;

pub use conn::{Conn, ConnRef, Fresh, Status};
pub use info::Info;
pub use net::Net;
pub use zone::Zone;

/// Jiffies a second.
pub use crate::time::HZ;
