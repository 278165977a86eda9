// SPDX-License-Identifier: GPL-2.0

//! What the helpers need of their NAT half.

use kernel::prelude::*;
use netfilter::conntrack::{expect::NewExpect, skb::Packet, Conn, Info};
use nf_proto::{
    nat::edit::Edit,
    tuple::{Address, Direction},
};

/// What nf_nat_h323 can do.
///
/// A struct of functions and no trait: it is found through a pointer that
/// changes under RCU.
pub struct Nat {
    /// Has the expected connection follow its master, to the port that it has
    /// now; it comes in the direction given.
    pub follow: fn(exp: &mut NewExpect<'_>, direction: Direction),

    /// The same with calls to an endpoint, which may come from anywhere.
    pub follow_call: fn(exp: &mut NewExpect<'_>, direction: Direction),

    /// Has a forwarded call go where it is expected to go now, and expects it at
    /// the address given instead.
    pub forward: fn(exp: &mut NewExpect<'_>, address: Address, direction: Direction),

    /// Expects it at the port given, host order, or at one above that is free:
    /// which. None if all are in use.
    pub expect: fn(exp: &mut NewExpect<'_>, port: u16) -> Option<u16>,

    /// Expects two at a pair of ports: the one given, host order, an even one,
    /// or one above that is free: which. None if all are in use.
    pub expect_pair: fn(pair: [&mut NewExpect<'_>; 2], port: u16) -> Option<u16>,

    /// Writes all edits into the payload, which begins behind the transport
    /// header `transport` bytes after the packet's data. They are in order and
    /// do not overlap. If it fails the packet must be dropped.
    pub edit: fn(
        packet: &mut Packet<'_>,
        conn: &Conn,
        info: Info,
        transport: u32,
        edits: &[Edit<'_>],
    ) -> Result,
}
