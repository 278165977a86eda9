// SPDX-License-Identifier: GPL-2.0

//! H.323: the drop-in for the stock `nf_conntrack_h323.ko`. Three helpers: RAS
//! (H.225.0) tells where calls go, which are Q.931 connections; those tell where
//! the streams of a call go, or where the H.245 connection does that tells it.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::{prelude::*, sync::rcu};
use netfilter::conntrack::{
    helper::{Class, ConntrackHelper, Help, NatHalf, Place, Policy, Registrations, Why},
    skb::Packet,
    Conn, Info,
};
use nf_proto::{
    alg::h323::{self, state::State, tpkt::Messages, Bad, Found},
    l4::number,
    tuple::Family,
};

mod abi;
mod expect;
mod nat;
mod ras;
mod work;

pub use nat::Nat;

use work::Work;

module! {
    type: H323,
    name: "nf_conntrack_h323",
    authors: ["rustynat"],
    description: "H.323 connection tracking helper",
    license: "GPL",
    alias: [
        "ip_conntrack_h323",
        "nfct-helper-RAS",
        "nfct-helper-Q.931",
        "nfct-helper-H.245",
    ],
}

/// Where nf_nat_h323 has its functions.
pub static NAT: NatHalf<Nat> = NatHalf::new();

/// The loaded module. The helpers go in this order: whose expectations name
/// another helper goes before that.
struct H323 {
    _ras: Registrations<Ras, 2>,
    _q931: Registrations<Q931, 2>,
    _h245: Registrations<H245, 2>,
}

const FAMILIES: [Family; 2] = [Family::Ipv4, Family::Ipv6];

/// The streams of a call: sound, pictures, fax and another, both ways.
const STREAMS: u32 = 4 * 4;

const fn class(max_expected: u32) -> [Class; 1] {
    [Class {
        name: c"",
        policy: Policy {
            max_expected,
            timeout: 4 * 60,
        },
    }]
}

impl kernel::Module for H323 {
    fn init(module: &'static ThisModule) -> Result<Self> {
        // In this order, as the first ones name the others.
        let _h245 = register(STREAMS + 2, module)?;
        let _q931 = register(STREAMS + 4, module)?;
        let _ras = register(32, module)?;
        Ok(H323 { _ras, _q931, _h245 })
    }
}

fn register<H: ConntrackHelper>(
    max_expected: u32,
    module: &'static ThisModule,
) -> Result<Registrations<H, 2>> {
    let places = FAMILIES.map(Place::usual::<H>);
    Registrations::new(places, &class(max_expected), module)
}

/// The helper of RAS messages.
struct Ras;

/// The helper of call signalling.
struct Q931;

/// The helper of control connections.
struct H245;

impl ConntrackHelper for Ras {
    const NAME: &'static CStr = c"RAS";
    const PROTOCOL: u8 = number::UDP;
    const PORT: u16 = 1719;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        ras::follow(packet, conn, info, transport)
    }
}

impl ConntrackHelper for Q931 {
    const NAME: &'static CStr = c"Q.931";
    const PROTOCOL: u8 = number::TCP;
    const PORT: u16 = 1720;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        if !info.is_established() {
            return Ok(());
        }
        follow(packet, conn, info, transport, h323::call)
    }
}

impl ConntrackHelper for H245 {
    const NAME: &'static CStr = c"H.245";
    const PROTOCOL: u8 = number::TCP;
    /// Any: it is told to call signalling.
    const PORT: u16 = 0;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        if !info.is_established() {
            return Ok(());
        }
        follow(packet, conn, info, transport, h323::control)
    }
}

/// Reads a message.
type Read = fn(&[u8], u16, Family, &mut Found) -> Result<(), Bad>;

/// What fits no IP packet is not read.
const LONGEST: usize = u16::MAX as usize;

/// Follows a segment's messages. What cannot be read is let through, as it does
/// not tell the other side of anything either.
fn follow(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    transport: u32,
    read: Read,
) -> Result<(), Why> {
    let help = Help::of(conn).ok_or(c"connection without helper")?;
    if !packet.linearize() {
        return Err(c"no memory");
    }
    let Some(segment) = packet.segment(transport) else {
        return Ok(());
    };
    let payload = segment.payload.get(..LONGEST).unwrap_or(segment.payload);
    let rcu = rcu::read_lock();
    let direction = info.direction();
    let state = help.remember(conn, |state: &mut State| *state);
    let mut messages = Messages::new(payload, *direction.of(&state.announced));
    let mut work = Work::new(conn, help, direction, state, NAT.of(conn, &rcu));
    let mut found = Found::new();
    for (at, message) in &mut messages {
        match read(message, at, work.family, &mut found) {
            Ok(()) => work.call(payload, &found)?,
            Err(Bad::Much) if work.nat.is_some() => return Err(c"too many addresses"),
            Err(_) => {}
        }
    }
    let announced = messages.announced();
    if announced != *direction.of(&state.announced) {
        help.remember(conn, |state: &mut State| {
            *direction.of_mut(&mut state.announced) = announced;
        });
    }
    work.finish(packet, info, transport)
}
