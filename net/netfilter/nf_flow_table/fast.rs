// SPDX-License-Identifier: GPL-2.0

//! The fast path: a packet at a device's ingress, whose flow is known, leaves
//! again. Nothing of it is changed before it is sure that it can: until then the
//! stack may have it.

use crate::{
    abi::{
        flow::{Exit, Flags, Flow, Side},
        frame::{Frame, Outcome},
        hop::{is_route_valid, NextHop, NoHop},
        table::Table,
    },
    life,
};
use netfilter::conntrack::{account, skb::Hook};
use nf_proto::{
    flow::ingress::{self, Packet},
    tuple::{Direction, Family},
};

/// A packet that came in by `device`.
#[inline(always)]
pub fn packet(
    table: Table<'_>,
    frame: Frame,
    hook: Hook<'_>,
    device: i32,
    family: Family,
) -> Outcome {
    match frame.plain(device, family) {
        Some(packet) => known(table, frame, hook, &packet),
        None => unusual(table, frame, hook, device, family),
    }
}

/// Encapsulated, in a tunnel, not all at hand, or not for us.
#[inline(never)]
fn unusual(
    table: Table<'_>,
    mut frame: Frame,
    hook: Hook<'_>,
    device: i32,
    family: Family,
) -> Outcome {
    let packet = frame.read(device, |bytes, len, arrival| {
        ingress::read(family, bytes, len, arrival)
    });
    match packet {
        Some(packet) => known(table, frame, hook, &packet),
        None => frame.pass(),
    }
}

/// Compiled for those that are plain, and for all others.
#[inline(always)]
fn known(table: Table<'_>, frame: Frame, hook: Hook<'_>, packet: &Packet) -> Outcome {
    match table.find(&packet.key) {
        Some((flow, direction)) => found(table, flow, direction, packet, frame, hook),
        None => frame.pass(),
    }
}

#[inline(always)]
fn found(
    table: Table<'_>,
    flow: &Flow,
    direction: Direction,
    packet: &Packet,
    mut frame: Frame,
    hook: Hook<'_>,
) -> Outcome {
    let (side, answer) = (flow.side(direction), flow.side(direction.opposite()));
    let flags = flow.flags();
    if flags.any(Flags::TEARDOWN) || flow.conn().is_dying() {
        return frame.pass();
    }
    let mtu = mtu(side, answer, packet);
    if packet.end > mtu && !frame.fits(mtu) {
        return frame.pass();
    }
    if packet.control.opens() && flags.any(Flags::CLOSING) {
        // Its ports are used again: that is for connection tracking.
        life::teardown(flow);
        return frame.pass();
    }
    // What came in the clear, but should not have, is for the stack to drop.
    if !frame.is_allowed(hook, packet, side.family()) {
        return frame.pass();
    }
    let hop = match side.exit() {
        Exit::Neighbour => NextHop::neighbour(hook, side, answer),
        _ if !is_route_valid(side) => Err(NoHop::Stale),
        Exit::Direct => NextHop::direct(hook, side),
        Exit::Xfrm => {
            return match change(table, flow, direction, packet, frame) {
                Ok(frame) => frame.to_ipsec(hook, side),
                Err(refused) => refused,
            }
        }
        Exit::None => Err(NoHop::Unknown),
    };
    let hop = match hop {
        Ok(hop) => hop,
        Err(NoHop::Stale) => {
            life::teardown(flow);
            return frame.pass();
        }
        // The stack will find out, or say so.
        Err(NoHop::Unknown) => return frame.pass(),
    };
    let mut frame = match change(table, flow, direction, packet, frame) {
        Ok(frame) => frame,
        Err(refused) => return refused,
    };
    if answer.is_tunneled() && !frame.push_tunnel(hook, side, answer) {
        return frame.refuse();
    }
    frame.send(side, answer, &hop)
}

/// The longest packet, from where it was read on, that may leave.
#[inline(always)]
fn mtu(side: Side<'_>, answer: Side<'_>, packet: &Packet) -> u32 {
    let mtu = side.mtu().wrapping_add(packet.network());
    if !answer.is_tunneled() {
        return mtu;
    }
    mtu.saturating_sub(match side.family() {
        Family::Ipv4 => 20,
        Family::Ipv6 => 40,
    })
}

/// Changes the packet, to be sent; if that is not possible, it is dropped.
#[inline(always)]
fn change(
    table: Table<'_>,
    flow: &Flow,
    direction: Direction,
    packet: &Packet,
    mut frame: Frame,
) -> Result<Frame, Outcome> {
    let (side, answer) = (flow.side(direction), flow.side(direction.opposite()));
    let flags = flow.flags();
    if packet.control.closes() && !flags.any(Flags::CLOSING) {
        flow.test_and_set(Flags::CLOSING);
    }
    let sums = flags.any(Flags::NAT).then(|| flow.sums(direction));
    if !frame.trim(packet.end) || !frame.forward(packet, answer, sums) {
        return Err(frame.refuse());
    }
    life::refresh(table, flow, false);
    let wrapped = side.is_encapsulated() || packet.tunnel != 0;
    if wrapped && !frame.pop(packet, side.family()) {
        return Err(frame.refuse());
    }
    if table.counts() {
        account::add(flow.conn(), direction, 1, frame.bytes());
    }
    Ok(frame)
}
