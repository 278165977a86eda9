// SPDX-License-Identifier: GPL-2.0

//! Translation without hooks, for Open vSwitch and the traffic control action
//! `ct`: one call a packet does what the hooks around a router would.

use crate::{
    setup,
    translate::{self, Translated},
};
use netfilter::conntrack::{skb::Packet, Conn, Info, Status};
use nf_bindings as bindings;
use nf_proto::{
    nat::{
        range::{Flags, Range},
        Manip,
    },
    tuple::Direction,
};

const ACCEPT: u32 = bindings::NF_ACCEPT;
const DROP: u32 = bindings::NF_DROP;

/// Which sides: what is asked for, and what was done.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Sides(pub u32);

impl Sides {
    const fn bit(manip: Manip) -> u32 {
        1 << (manip as u32)
    }

    /// This one is among them.
    pub const fn has(self, manip: Manip) -> bool {
        self.0 & Self::bit(manip) != 0
    }

    fn add(&mut self, manip: Manip) {
        self.0 |= Self::bit(manip);
    }
}

/// Translates a packet that begins with its network header. A new connection is
/// settled on the side of `wanted`, as `range` says if there is one with an
/// address, else by a null binding; packets of others are changed as their
/// connection is, whatever is wanted. `commit`: the connection is to be kept.
///
/// Returns an `NF_*` verdict, and which sides were handled.
pub fn translate(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    wanted: Sides,
    range: Option<&Range>,
    commit: bool,
) -> (u32, Sides) {
    let mut done = Sides::default();
    let Some(manip) = first_side(conn, info, wanted, commit) else {
        return (ACCEPT, done);
    };
    let mut verdict = one_side(packet, conn, info, &mut done, range, manip);
    let status = conn.status();
    if verdict != ACCEPT || !status.has(Status::DST_NAT) {
        return (verdict, done);
    }
    if status.has(Status::SRC_NAT) {
        verdict = one_side(packet, conn, info, &mut done, range, manip.opposite());
    } else if info.direction() == Direction::Original {
        // The source may have to be another one, so that answers can be told.
        verdict = one_side(packet, conn, info, &mut done, None, Manip::Source);
    }
    (verdict, done)
}

fn first_side(conn: &Conn, info: Info, wanted: Sides, commit: bool) -> Option<Manip> {
    let status = conn.status();
    let as_before =
        info != Info::NEW && status.any(Status::NAT_MASK) && (info != Info::RELATED || commit);
    if as_before {
        let side = if status.has(Status::SRC_NAT) {
            Manip::Source
        } else {
            Manip::Destination
        };
        return Some(match info.direction() {
            Direction::Original => side,
            Direction::Reply => side.opposite(),
        });
    }
    [Manip::Source, Manip::Destination]
        .into_iter()
        .find(|manip| wanted.has(*manip))
}

fn one_side(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    done: &mut Sides,
    range: Option<&Range>,
    manip: Manip,
) -> u32 {
    let related = info == Info::RELATED || info == Info::RELATED_REPLY;
    let error = if related {
        translate::family(conn).and_then(|family| translate::icmp_header(packet, family))
    } else {
        None
    };
    let verdict = match error {
        Some(transport) => translate::error(packet, conn, info, manip, transport).verdict(),
        None => match settle(conn, info, related, range, manip) {
            ACCEPT => translate::packet(packet, conn, info, manip).verdict(),
            verdict => verdict,
        },
    };
    if verdict == Translated::Untouched.verdict() {
        done.add(manip);
    }
    verdict
}

/// Settles one side of a connection that is not settled yet.
fn settle(conn: &Conn, info: Info, related: bool, range: Option<&Range>, manip: Manip) -> u32 {
    if info == Info::ESTABLISHED || info == Info::ESTABLISHED_REPLY {
        return ACCEPT;
    }
    if info != Info::NEW && !related {
        return DROP;
    }
    if setup::is_initialized(conn, manip) {
        return ACCEPT;
    }
    match range {
        Some(range) if range.flags.has(Flags::MAP_IPS) => setup::setup(conn, range, manip),
        _ => setup::null_binding(conn, manip),
    }
}
