// SPDX-License-Identifier: GPL-2.0

//! What most segments are, in a straight line: data and acknowledgements in an
//! established connection, and the SYN that begins one.
//!
//! Nothing here decides anything new. What does not fit is left alone, with no
//! trace, for [`Protocol::update`](super::Protocol::update); what does ends as it
//! would there, which the tests of that check too.

use super::{
    end_of,
    seq::{after, before},
    state::{Seen, State, TcpConntrack},
    timeout,
    transition::Kind,
    window::{count_repeats, sides, Fits, MAX_ACK_LAG},
    Policy, TimeoutTable,
};
use crate::packet::tcp::{Flags, Segment};
use crate::tuple::Direction;

/// The control bits that tell the kinds of segments apart.
const KIND: u8 = Flags::FIN | Flags::SYN | Flags::RST | Flags::ACK;

/// An ACK, with data or not, in a connection that is established, assured and
/// has no sequence adjustment: if it is in window and acknowledges nothing
/// selectively, takes note of it. The connection's new timeout, and no other
/// change; or nothing, and nothing has changed.
#[inline(always)]
pub fn steady<T: TimeoutTable>(
    state: &mut State,
    segment: &Segment,
    direction: Direction,
    policy: &Policy<T>,
) -> Option<u32> {
    if !may_be_steady(segment) || !state.is_established() {
        return None;
    }
    let (sender, receiver) = sides(&mut state.seen, direction);
    let (seq, ack) = (segment.seq, segment.ack);
    let end = seq.wrapping_add(segment.payload);
    if !is_in_window(sender, receiver, seq, end, ack) {
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
    count_repeats(state, segment, direction, ack, end);
    state.set_last(Kind::Ack, direction);
    Some(timeout(state, Kind::Ack, TcpConntrack::Established, policy))
}

/// What [`steady`] asks of the segment alone: whether it is worth a lock.
#[inline(always)]
pub fn may_be_steady(segment: &Segment) -> bool {
    segment.flags.0 & KIND == Flags::ACK && segment.options.sack_edge().is_none()
}

/// Both sides are known, and I to IV of [`super::window`] hold.
#[inline(always)]
pub(super) fn is_in_window(sender: &Seen, receiver: &Seen, seq: u32, end: u32, ack: u32) -> bool {
    let oldest_end = sender.td_end.wrapping_sub(receiver.td_maxwin);
    let oldest_ack = receiver
        .td_end
        .wrapping_sub(sender.td_maxwin.max(MAX_ACK_LAG));
    sender.td_maxwin != 0
        && receiver.td_maxwin != 0
        && !after(seq, sender.td_maxend)
        && !before(end, oldest_end)
        && !after(ack, receiver.td_end)
        && !before(ack, oldest_ack)
}

/// The SYN that begins a connection: makes its `state`, the default one, what it is
/// afterwards. The connection's timeout; that its state is another one is the
/// only change. Nothing, and nothing has changed, if the segment is no SYN, or one
/// longer than any packet.
#[inline(always)]
pub fn first_syn<T: TimeoutTable>(
    state: &mut State,
    segment: &Segment,
    policy: &Policy<T>,
) -> Option<u32> {
    if segment.flags.0 & KIND != Flags::SYN || segment.payload > u32::from(u16::MAX) {
        return None;
    }
    let end = end_of(segment);
    let [original, reply] = &mut state.seen;
    original.begin(segment, end);
    // It may be answered with what fits its window, which is not scaled.
    reply.td_maxend = u32::from(segment.window).max(1);
    state.set_state(TcpConntrack::SynSent);
    state.set_last(Kind::Syn, Direction::Original);
    state.last_end = end;
    Some(timeout(state, Kind::Syn, TcpConntrack::SynSent, policy))
}
