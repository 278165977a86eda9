// SPDX-License-Identifier: GPL-2.0

//! What the helper needs of its NAT half.

use kernel::prelude::*;
use netfilter::conntrack::{expect::NewExpect, skb::Packet, Conn, Info};
use nf_proto::{
    be::Be16,
    nat::edit::Edit,
    tuple::{Address, Direction},
};

/// What nf_nat_sip can do.
///
/// A struct of functions and no trait: it is found through a pointer that
/// changes under RCU.
pub struct Nat {
    /// Has the expected connection go where it is expected to go now, and
    /// expects it at the address given instead, in the direction given.
    pub follow: fn(exp: &mut NewExpect<'_>, address: Address, direction: Direction),

    /// Expects it at the port given, host order, or at one above that is free:
    /// which. None if all are in use.
    pub expect: fn(exp: &mut NewExpect<'_>, port: u16) -> Option<u16>,

    /// Expects two at a pair of ports: the one given, host order, an even one,
    /// or one above that is free: which. None if all are in use.
    pub expect_pair: fn(pair: [&mut NewExpect<'_>; 2], port: u16) -> Option<u16>,

    /// Writes all edits into the payload, which begins behind the transport
    /// header `transport` bytes after the packet's data, and the port to which a
    /// datagram goes, if one is given. If it fails the packet must be dropped.
    #[allow(clippy::type_complexity)] // six plain things
    pub edit: fn(
        packet: &mut Packet<'_>,
        conn: &Conn,
        info: Info,
        transport: u32,
        edits: &[Edit<'_>],
        port: Option<Be16>,
    ) -> Result,
}
