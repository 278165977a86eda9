// SPDX-License-Identifier: GPL-2.0

//! NAT for H.323: the drop-in for the stock `nf_nat_h323.ko`. It lends the
//! helpers, which do all the reading and say what to write, what nf_nat can do,
//! and translates the calls that they expect.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::conntrack::{
    expect::{Expect, NewExpect},
    helper::{ExpectFunction, LoadedHalf},
    skb::Packet,
    Conn, Info,
};
use nf_conntrack_h323::Nat;
use nf_nat::{helper, helper_mangle, setup::setup};
use nf_proto::{
    be::Be16,
    nat::{edit::Edit, range::Range, Manip},
    tuple::{Address, Direction},
};

mod abi;

module! {
    type: NatH323,
    name: "nf_nat_h323",
    authors: ["rustynat"],
    description: "H.323 NAT helper",
    license: "GPL",
    alias: ["ip_nat_h323"],
}

/// The loaded module. First nobody expects anything for it any more, then what
/// was expected is removed.
struct NatH323 {
    _half: LoadedHalf<Nat>,
    _functions: [ExpectFunction; 2],
}

impl kernel::Module for NatH323 {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let functions = abi::register()?;
        let place = &nf_conntrack_h323::NAT;
        Ok(NatH323 {
            _half: LoadedHalf::new(place, &NAT, c"ip_nat_h323", module)?,
            _functions: functions,
        })
    }
}

static NAT: Nat = Nat {
    follow,
    follow_call,
    forward,
    expect: helper_mangle::expect_at_port,
    expect_pair: helper_mangle::expect_at_pair,
    edit,
};

fn follow(exp: &mut NewExpect<'_>, direction: Direction) {
    let port = exp.tuple().dst.id;
    (helper::NAT.follow)(exp, port, direction);
}

fn follow_call(exp: &mut NewExpect<'_>, direction: Direction) {
    let port = exp.tuple().dst.id;
    exp.set_saved(Address::default(), port, direction);
    abi::have_called(exp);
}

fn forward(exp: &mut NewExpect<'_>, address: Address, direction: Direction) {
    let to = exp.tuple().dst;
    exp.set_saved(to.address, to.id, direction);
    exp.set_destination(address);
    abi::have_forwarded(exp);
}

fn edit(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    transport: u32,
    edits: &[Edit<'_>],
) -> Result {
    (helper::NAT.edit)(packet, conn, info, transport, edits)
}

/// A call to an endpoint that registered. From its gatekeeper it follows the
/// registration; from others the caller's address stays.
fn called(conn: &Conn, exp: &Expect) {
    if exp.tuple().src.address != Address::default() {
        return helper_mangle::follow_master(conn, exp);
    }
    let Some(master) = conn.master() else { return };
    let endpoint = master.tuple(exp.direction().opposite()).src.address;
    translate(conn, exp, endpoint, exp.saved_id());
}

/// A forwarded call goes where it was said before that was changed.
fn forwarded(conn: &Conn, exp: &Expect) {
    translate(conn, exp, exp.saved_address(), exp.saved_id());
}

/// If there is no such way, the connection is dropped when it is confirmed.
fn translate(conn: &Conn, exp: &Expect, address: Address, port: Be16) {
    let source = conn.tuple(exp.direction().opposite()).src.address;
    let _ = setup(conn, &Range::to(source), Manip::Source);
    let _ = setup(conn, &Range::exactly(address, port), Manip::Destination);
}
