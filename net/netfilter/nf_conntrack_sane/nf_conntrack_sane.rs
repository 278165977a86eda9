// SPDX-License-Identifier: GPL-2.0

//! SANE's network protocol: the drop-in for the stock `nf_conntrack_sane.ko`. The
//! server says on which port the client fetches the picture.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::conntrack::{
    helper::{places, Class, ConntrackHelper, Help, Policy, Registrations, Why, MAX_PORTS},
    skb::Packet,
    Conn, Info,
};
use nf_conntrack::{announce::Announcements, expect::Wanted};
use nf_proto::{
    alg::{
        sane::{self, Asked},
        Span,
    },
    be::Be16,
    l4::number,
    tuple::{Direction, Family},
};

mod abi;

module! {
    type: Sane,
    name: "nf_conntrack_sane",
    authors: ["rustynat"],
    description: "SANE connection tracking helper",
    license: "GPL",
    alias: ["nfct-helper-sane"],
}

/// The loaded module.
struct Sane {
    _helper: Registrations<Self, { 2 * MAX_PORTS }>,
}

/// One picture is announced at a time.
const CLASS: Class = Class {
    name: c"",
    policy: Policy {
        max_expected: 1,
        timeout: 5 * 60,
    },
};

impl kernel::Module for Sane {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let families = [Family::Ipv4, Family::Ipv6];
        let places = places::<Self>(abi::ports(), &families, |port, _| port.into());
        Ok(Sane {
            _helper: Registrations::new(places, &[CLASS], module)?,
        })
    }
}

impl ConntrackHelper for Sane {
    const NAME: &'static CStr = c"sane";
    const PROTOCOL: u8 = number::TCP;
    const PORT: u16 = 6566;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        if !info.is_established() {
            return Ok(());
        }
        follow(packet, conn, info, transport)
    }
}

fn follow(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
    let help = Help::of(conn).ok_or(c"connection without helper")?;
    if !packet.linearize() {
        return Err(c"no memory");
    }
    let Some(segment) = packet.segment(transport) else {
        return Ok(());
    };
    if info.direction() == Direction::Original {
        if let Some(asked) = sane::request(segment.payload) {
            help.remember(conn, |state: &mut Asked| *state = asked);
        }
        return Ok(());
    }
    let Asked(true) = help.remember(conn, core::mem::take::<Asked>) else {
        return Ok(());
    };
    match sane::port(segment.payload) {
        Some(port) => expect(packet, conn, info, transport, port),
        None => Ok(()),
    }
}

fn expect(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    transport: u32,
    port: u16,
) -> Result<(), Why> {
    let original = conn.tuple(Direction::Original);
    let wanted = Wanted {
        class: 0,
        l3num: conn.l3num(),
        source: Some(&original.src.address),
        destination: &original.dst.address,
        protocol: number::TCP,
        source_port: None,
        port: Be16::new(port),
    };
    // It has no NAT half: nothing is edited.
    let mut announcements = Announcements::<1, 0>::new(conn, None);
    let nowhere = Span::between(0, 0);
    announcements.announce(&wanted, Direction::Original, nowhere, |_| None)?;
    announcements.finish(packet, info, transport)
}
