// SPDX-License-Identifier: GPL-2.0

//! The fast path: a packet at a device's ingress, whose flow is known, leaves
//! again. Nothing of it is changed before it is sure that it can: until then the
//! stack may have it.

use crate::{
    abi::{
        flow::{Exit, Flags, Flow, Side},
        frame::{is_route_valid, Frame, NextHop, Outcome},
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
    mut frame: Frame,
    hook: Hook<'_>,
    device: i32,
    family: Family,
) -> Outcome {
    let Some(packet) = frame.read(device, |bytes, len, arrival| {
        ingress::read(family, bytes, len, arrival)
    }) else {
        return frame.pass();
    };
    match table.find(&packet.key) {
        Some((flow, direction)) => found(table, flow, direction, &packet, frame, hook),
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
    if !is_route_valid(side) {
        life::teardown(flow);
        return frame.pass();
    }
    // What came in the clear, but should not have, is for the stack to drop.
    if !frame.is_allowed(packet, side.family()) {
        return frame.pass();
    }
    let hop = match side.exit() {
        Exit::Neighbour => {
            let address = if answer.is_tunneled() {
                answer.tunnel().source
            } else {
                answer.key().source()
            };
            NextHop::neighbour(hook, side, address)
        }
        Exit::Direct => NextHop::direct(hook, side),
        Exit::Xfrm => {
            return leave(table, flow, direction, packet, frame, |frame| {
                frame.to_ipsec(hook, side)
            })
        }
        Exit::None => return frame.pass(),
    };
    // The stack will find out, or say so.
    let Some(hop) = hop else {
        return frame.pass();
    };
    leave(table, flow, direction, packet, frame, |mut frame| {
        if answer.is_tunneled() && !frame.push_tunnel(hook, side, answer) {
            return frame.refuse();
        }
        frame.send(side, answer, &hop)
    })
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

/// Changes the packet, and sends it.
#[inline(always)]
fn leave(
    table: Table<'_>,
    flow: &Flow,
    direction: Direction,
    packet: &Packet,
    mut frame: Frame,
    send: impl FnOnce(Frame) -> Outcome,
) -> Outcome {
    let (side, answer) = (flow.side(direction), flow.side(direction.opposite()));
    let flags = flow.flags();
    if packet.control.closes() && !flags.any(Flags::CLOSING) {
        flow.test_and_set(Flags::CLOSING);
    }
    let sums = flags.any(Flags::NAT).then(|| flow.sums(direction));
    if !frame.trim(packet.end) || !frame.forward(packet, answer, sums) {
        return frame.refuse();
    }
    life::refresh(flow, false);
    let wrapped = side.is_encapsulated() || packet.tunnel != 0;
    if wrapped && !frame.pop(packet, side.family()) {
        return frame.refuse();
    }
    if table.counts() {
        account::add(flow.conn(), direction, 1, frame.bytes());
    }
    send(frame)
}
