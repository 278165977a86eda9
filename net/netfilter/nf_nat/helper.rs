// SPDX-License-Identifier: GPL-2.0

//! What the NAT halves of helpers lend them.

use crate::{
    abi,
    helper_mangle::{self, Adjust},
};
use kernel::prelude::*;
use netfilter::conntrack::{expect::NewExpect, helper::Nat, skb::Packet, Conn, Info};
use nf_proto::{
    be::Be16,
    nat::edit::Edit,
    tuple::{Address, Direction},
};

/// What this module can do for helpers.
pub static NAT: Nat = Nat {
    follow,
    expect,
    edit,
};

fn follow(exp: &mut NewExpect<'_>, port: Be16, direction: Direction) {
    // The address is the master's when it comes: none is kept, as in stock,
    // which netlink shows.
    exp.set_saved(Address::default(), port, direction);
    abi::helper::have_follow(exp);
}

fn expect(exp: &mut NewExpect<'_>) -> Option<u16> {
    let port = exp.tuple().dst.id.get();
    helper_mangle::expect_at_port(exp, port)
}

fn edit(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    transport: u32,
    edits: &[Edit<'_>],
) -> Result {
    let transport = transport.wrapping_sub(packet.network_offset());
    helper_mangle::mangle(packet, conn, info, transport, edits, Adjust::Yes).map_err(|_| EINVAL)
}
