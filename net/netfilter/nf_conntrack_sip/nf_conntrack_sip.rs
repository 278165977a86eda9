// SPDX-License-Identifier: GPL-2.0

//! SIP (RFC 3261): the drop-in for the stock `nf_conntrack_sip.ko`. Clients tell
//! their registrar where they want to be called, and the ends of a call tell
//! each other where to send sound and pictures: that is expected.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::{prelude::*, sync::rcu};
use netfilter::conntrack::{
    helper::{
        places, Class, ConntrackHelper, Help, NatHalf, Policy, Registrations, Why, MAX_PORTS,
    },
    skb::Packet,
    Conn, Info, HZ,
};
use nf_conntrack::proto;
use nf_proto::{
    alg::sip::{
        state::State,
        stream::{skip_blank, Messages},
    },
    expect as rules,
    l4::number,
    tuple::{Direction, Family},
};
use work::{Room, Work};

pub mod abi;
mod media;
mod nat;
mod register;
mod work;

pub use nat::Nat;

module! {
    type: Sip,
    name: "nf_conntrack_sip",
    authors: ["rustynat"],
    description: "SIP connection tracking helper",
    license: "GPL",
    alias: ["ip_conntrack_sip", "nfct-helper-sip"],
}

/// Where nf_nat_sip has its functions.
pub static NAT: NatHalf<Nat> = NatHalf::new();

/// The class of expected signalling; the others are those of
/// [`Kind`](nf_proto::alg::sip::sdp::Kind).
pub const SIGNALLING: u32 = 0;

/// The loaded module.
struct Sip {
    _datagrams: Registrations<Datagrams, { 2 * MAX_PORTS }>,
    _streams: Registrations<Streams, { 2 * MAX_PORTS }>,
}

/// A class that is expected for three minutes.
const fn class(name: &'static CStr, max_expected: u32) -> Class {
    Class {
        name,
        policy: Policy {
            max_expected,
            timeout: 3 * 60,
        },
    }
}

/// Two for each stream, in both directions; pictures of fax have no RTCP.
const CLASSES: [Class; 4] = [
    class(c"signalling", 1),
    class(c"audio", 4),
    class(c"video", 4),
    class(c"image", 2),
];

impl kernel::Module for Sip {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let families = [Family::Ipv4, Family::Ipv6];
        let (ports, index) = (abi::ports(), |_, index| index);
        let datagrams = places::<Datagrams>(ports, &families, index);
        let streams = places::<Streams>(ports, &families, index);
        Ok(Sip {
            _datagrams: Registrations::new(datagrams, &CLASSES, module)?,
            _streams: Registrations::new(streams, &CLASSES, module)?,
        })
    }
}

/// SIP over UDP.
struct Datagrams;

/// SIP over TCP.
struct Streams;

impl ConntrackHelper for Datagrams {
    const NAME: &'static CStr = c"sip";
    const PROTOCOL: u8 = number::UDP;
    const PORT: u16 = nf_proto::alg::sip::PORT;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        datagram(packet, conn, info, transport)
    }
}

impl ConntrackHelper for Streams {
    const NAME: &'static CStr = c"sip";
    const PROTOCOL: u8 = number::TCP;
    const PORT: u16 = nf_proto::alg::sip::PORT;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        if !info.is_established() {
            return Ok(());
        }
        segment(packet, conn, info, transport)
    }
}

/// Who is registered is to be reached for a long time.
fn refresh(conn: &Conn, direction: Direction) {
    proto::refresh(conn, direction, rules::span(abi::timeout(), HZ), 0);
}

fn datagram(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
    if !packet.linearize() {
        return Err(c"no memory");
    }
    let Some(payload) = packet.datagram(transport) else {
        return Ok(());
    };
    refresh(conn, info.direction());
    let rcu = rcu::read_lock();
    let nat = NAT.of(conn, &rcu);
    let mut room = Room::for_nat(nat.is_some())?;
    let mut work = Work::new(packet, conn, info, nat, room.as_mut())?;
    work.message(payload, skip_blank(payload, 0))?;
    work.done().write(packet, conn, info, transport)
}

fn segment(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
    let help = Help::of(conn).ok_or(c"connection without helper")?;
    if !packet.linearize() {
        return Err(c"no memory");
    }
    let Some(segment) = packet.segment(transport) else {
        return Ok(());
    };
    let direction = info.direction();
    refresh(conn, direction);
    let begun = help.remember(conn, |state: &mut State| *direction.of(&state.open));

    let rcu = rcu::read_lock();
    let nat = NAT.of(conn, &rcu);
    let mut room = Room::for_nat(nat.is_some())?;
    let mut work = Work::new(packet, conn, info, nat, room.as_mut())?;
    let mut messages = Messages::new(segment.payload, segment.seq, &begun);
    for span in messages.by_ref() {
        let end = span.start.saturating_add(span.len);
        work.message(segment.payload.get(..end).unwrap_or(&[]), span.start)?;
    }
    if let Some(open) = messages.open() {
        help.remember(conn, |state: &mut State| {
            *direction.of_mut(&mut state.open) = open
        });
    }
    work.done().write(packet, conn, info, transport)
}
