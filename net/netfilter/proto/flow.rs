// SPDX-License-Identifier: GPL-2.0

//! The flowtable's fast path, as far as it is bytes: what a packet says at a
//! device's ingress ([`ingress`]), the key by which its flow is looked up
//! ([`key`]), what translation changes in it ([`translate`]), the headers that it
//! gets on its way out ([`encap`]), and for how long its connection is kept
//! meanwhile ([`timeout`]). [`path`] puts together what the devices between
//! here and the next hop do to a packet, and [`hardware`] what hardware is told of
//! a flow that it is to forward.

pub mod encap;
pub mod hardware;
pub mod ingress;
pub mod key;
pub mod path;
pub mod timeout;
pub mod translate;
