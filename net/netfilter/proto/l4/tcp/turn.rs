// SPDX-License-Identifier: GPL-2.0

//! What opens and closes a connection in order: the answer to a SYN, the ACK
//! that completes the handshake, FINs, and what acknowledges them.
//!
//! As in [`super::usual`], nothing is decided here that is not decided by the
//! general rules: a segment that is not exactly what is expected is left alone, with no
//! trace, for [`Protocol::update`](super::Protocol::update).

use super::{
    accepted, end_of,
    state::{flag, State, TcpConntrack},
    transition::{next_of, Kind, Move},
    usual::is_in_window,
    window::{count_repeats, sides, Fits},
    Arrival, Flow, Policy, Step, TimeoutTable, Trust,
};
use crate::packet::tcp::{Flags, Segment};
use crate::tuple::Direction;

/// What such a segment changes about a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// The connection's new timeout, in the unit of the policy.
    pub timeout: u32,
    /// Its state is another one.
    pub moves: bool,
    /// It becomes assured.
    pub assured: bool,
}

/// What [`answer`] and [`proceed`] ask of the segment alone: whether it is worth a
/// lock.
#[inline(always)]
pub fn may_turn(segment: &Segment) -> bool {
    const RST_ACK: u8 = Flags::RST | Flags::ACK;
    segment.flags.0 & RST_ACK == Flags::ACK && segment.options.sack_edge().is_none()
}

/// A segment in a connection without sequence adjustment, which was `answered` or
/// not, and is `assured` or not: if it is the first SYN ACK of a side of whom nothing was
/// seen yet, and fits the SYN, takes note of it. Nothing, and nothing has changed, if it
/// is anything else.
#[inline(always)]
pub fn answer<T: TimeoutTable>(
    state: &mut State,
    segment: &Segment,
    direction: Direction,
    known: (bool, bool),
    policy: &Policy<T>,
) -> Option<Turn> {
    let (from, kind) = (state.state(), Kind::of(segment.flags));
    if !may_turn(segment) || (from, kind) != (TcpConntrack::SynSent, Kind::SynAck) {
        return None;
    }
    let Move::To(to) = next_of(from, kind, direction) else {
        return None;
    };
    let [original, reply] = &mut state.seen;
    let (mut sender, mut receiver) = (*reply, *original);
    if sender.td_maxwin != 0 {
        return None;
    }
    let (end, ack) = (end_of(segment), segment.ack);
    sender.begin(segment, end);
    // Both must offer scaling, else neither scales (RFC 7323 section 2.2).
    if !(sender.has(flag::WINDOW_SCALE) && receiver.has(flag::WINDOW_SCALE)) {
        sender.td_scale = 0;
        receiver.td_scale = 0;
    }
    if !is_in_window(&sender, &receiver, segment.seq, end, ack) {
        return None;
    }
    let fits = Fits {
        end,
        ack,
        sack: ack,
        // The window of a SYN is not scaled (RFC 7323 section 2.2).
        window: u32::from(segment.window),
        has_ack: true,
    };
    fits.note(&mut sender, &mut receiver);
    *reply = sender;
    *original = receiver;
    taken(state, segment, direction, known, policy, (from, to))
}

/// As [`answer`], for what is no SYN: the ACK that completes the handshake, FINs, and
/// what comes between and after them.
#[inline(always)]
pub fn proceed<T: TimeoutTable>(
    state: &mut State,
    segment: &Segment,
    direction: Direction,
    known: (bool, bool),
    policy: &Policy<T>,
) -> Option<Turn> {
    if !may_turn(segment) || segment.flags.syn() {
        return None;
    }
    let (from, kind) = (state.state(), Kind::of(segment.flags));
    let Move::To(to) = next_of(from, kind, direction) else {
        return None;
    };
    // Of a simultaneous open, or of a SYN that was let through.
    let odd = match from {
        TcpConntrack::SynRecv => to == TcpConntrack::SynRecv,
        TcpConntrack::LastAck => state.last_flags & flag::EXP_CHALLENGE_ACK != 0,
        _ => false,
    };
    let (sender, receiver) = sides(&mut state.seen, direction);
    let (end, ack) = (end_of(segment), segment.ack);
    if odd || !is_in_window(sender, receiver, segment.seq, end, ack) {
        return None;
    }
    let fits = Fits {
        end,
        ack,
        sack: ack,
        window: u32::from(segment.window).wrapping_shl(sender.scale()),
        has_ack: true,
    };
    fits.note(sender, receiver);
    if kind == Kind::Ack {
        count_repeats(state, segment, direction, ack, end);
    }
    taken(state, segment, direction, known, policy, (from, to))
}

/// What follows from a segment that is right.
#[inline(always)]
fn taken<T: TimeoutTable>(
    state: &mut State,
    segment: &Segment,
    direction: Direction,
    (answered, assured): (bool, bool),
    policy: &Policy<T>,
    (from, to): (TcpConntrack, TcpConntrack),
) -> Option<Turn> {
    let flow = Flow {
        direction,
        confirmed: true,
        seen_reply: answered,
        assured,
        synproxy: false,
        ack_offset: 0,
        now: 0,
    };
    let step = Step {
        from,
        to,
        trust: Trust::Nothing,
    };
    let outcome = accepted(state, &Arrival::new(segment, &flow), &flow, policy, step);
    Some(Turn {
        // Only a SYN leaves it alone.
        timeout: outcome.timeout?,
        moves: outcome.changes.protoinfo,
        assured: outcome.changes.assured,
    })
}
