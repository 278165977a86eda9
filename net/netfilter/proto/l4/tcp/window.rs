// SPDX-License-Identifier: GPL-2.0

//! Whether a segment's numbers can be right: window tracking.
//!
//! After G. van Rooij, "Real Stateful TCP Packet Filtering in IP Filter"
//! (SANE 2000), but a segment need only overlap the window, as for a receiver
//! (RFC 9293 section 3.4). Of each side is kept:
//!
//! ```text
//! td_end     the highest seq + len that it sent
//! td_maxwin  the largest window that it offered, not below 1, measured from
//!            its ack: with SACK a window reaches as far beyond the edge of
//!            the block as the block does beyond ack. Grows with what its
//!            peer sends beyond td_maxend
//! td_maxend  the highest sack + window that its peer sent: the right edge
//!            of what it may send
//! ```
//!
//! and a segment of the sender is in window if
//!
//! ```text
//!   I. seq       <= sender.td_maxend                       not too new
//!  II. seq + len >= sender.td_end - receiver.td_maxwin     not too old
//! III. sack      <= receiver.td_end                        was sent
//!  IV. sack      >= receiver.td_end - max(td_maxwin, 66000) not too old
//! ```
//!
//! where `sack` is the highest right edge of its SACK blocks, or its ack if
//! that is higher, and `len` counts SYN and FIN. What violates I or III is
//! INVALID. What violates II or IV was right once and may be answered, or is a
//! retransmission whose ACK was lost: it is let through without an effect.

use super::{
    seq::{after, before},
    state::{flag, Seen, State},
    transition::Kind,
    Arrival, TcpConntrack,
};
use crate::packet::tcp::Segment;
use crate::tuple::Direction;

/// How far an ACK may lag behind at least: more than a window without scaling.
pub(super) const MAX_ACK_LAG: u32 = 66000;

/// What the numbers say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fit {
    /// They are right, and taken note of.
    Fits,
    /// They may be right for the receiver.
    Ignore,
    /// They cannot be right.
    Invalid,
}

impl Fit {
    #[inline]
    fn or_liberal(self, liberal: bool) -> Self {
        if liberal {
            Fit::Fits
        } else {
            self
        }
    }
}

impl Seen {
    /// The side that sends `segment` begins with it, or the connection does.
    #[inline(always)]
    pub(super) fn begin(&mut self, segment: &Segment, end: u32) {
        let options = &segment.options;
        self.td_end = end;
        self.td_maxend = end;
        self.td_maxwin = u32::from(segment.window).max(1);
        self.td_scale = options.window_scale().unwrap_or(0);
        self.flags &= flag::BE_LIBERAL;
        if options.window_scale().is_some() {
            self.flags |= flag::WINDOW_SCALE;
        }
        if options.sack_permitted() {
            self.flags |= flag::SACK_PERM;
        }
    }

    /// The side that sends `segment` is in the middle of its connection, whose
    /// history is unknown: it may send a window more.
    pub(super) fn pick_up(&mut self, segment: &Segment, end: u32) {
        self.td_end = end;
        self.td_maxwin = u32::from(segment.window).wrapping_shl(self.scale()).max(1);
        self.td_maxend = end.wrapping_add(self.td_maxwin);
    }
}

/// Checks the numbers of a segment and takes note of them if they are right.
#[inline(always)]
pub(super) fn check(state: &mut State, arrival: &Arrival<'_>, be_liberal: bool) -> Fit {
    let was = state.state();
    let sender = arrival.direction.of(&state.seen);
    let flags = arrival.segment.flags;

    let unknown = sender.td_maxwin == 0;
    // A SYN in the handshake that is newer than what was seen begins anew: its
    // sender may have restarted (RFC 9293 section 3.4.3).
    let again = flags.syn()
        && matches!(was, TcpConntrack::SynSent | TcpConntrack::SynRecv)
        && after(arrival.end, sender.td_end);
    if unknown || again {
        return learn(state, arrival, be_liberal, unknown);
    }
    compare(state, arrival, be_liberal)
}

/// A segment of a sender of whom nothing is known, or who begins again. If it
/// does not fit what its peer has sent, nothing is learned from it.
#[cold]
fn learn(state: &mut State, arrival: &Arrival<'_>, be_liberal: bool, unknown: bool) -> Fit {
    let known = state.seen;
    let (sender, receiver) = sides(&mut state.seen, arrival.direction);
    let flags = arrival.segment.flags;
    let is_reply = arrival.direction == Direction::Reply;

    if flags.syn() {
        sender.begin(arrival.segment, arrival.end);
        // Both must offer scaling, else neither scales (RFC 7323 section 2.2).
        if is_reply && !(sender.has(flag::WINDOW_SCALE) && receiver.has(flag::WINDOW_SCALE)) {
            sender.td_scale = 0;
            receiver.td_scale = 0;
        }
        // Of a simultaneous open: fits what its own sender says only.
        if !flags.ack() && (unknown || is_reply) {
            return Fit::Fits;
        }
    } else {
        sender.pick_up(arrival.segment, arrival.end);
        let sack = arrival.highest_ack(receiver);
        if flags.ack() && receiver.td_maxwin == 0 {
            // Of the peer only this is known, until it is seen.
            receiver.td_end = sack;
            receiver.td_maxend = sack;
        } else if flags.ack() && sack == receiver.td_end.wrapping_add(1) {
            // The answer to a keep-alive, whose byte of garbage stands before
            // what was picked up.
            receiver.td_end = sack;
        }
    }

    let fit = compare(state, arrival, be_liberal);
    if fit != Fit::Fits {
        state.seen = known;
    }
    fit
}

/// Sender and receiver of a segment.
#[inline(always)]
pub(super) fn sides(seen: &mut [Seen; 2], direction: Direction) -> (&mut Seen, &mut Seen) {
    let [original, reply] = seen;
    match direction {
        Direction::Original => (original, reply),
        Direction::Reply => (reply, original),
    }
}

impl Arrival<'_> {
    /// The highest that it acknowledges, selectively or not.
    #[inline]
    fn highest_ack(&self, receiver: &Seen) -> u32 {
        match self.sack_edge() {
            Some(edge) if receiver.has(flag::SACK_PERM) && after(edge, self.ack) => edge,
            _ => self.ack,
        }
    }
}

/// Compares the numbers of a segment with what is known of both sides.
fn compare(state: &mut State, arrival: &Arrival<'_>, be_liberal: bool) -> Fit {
    let Arrival {
        segment,
        kind,
        mut end,
        mut ack,
        ..
    } = *arrival;
    let was = state.state();
    let flags = segment.flags;
    let (sender, receiver) = sides(&mut state.seen, arrival.direction);
    let mut seq = segment.seq;
    let mut sack = arrival.highest_ack(receiver);

    // Without ACK there is nothing to check; some stacks set the bit in a RST
    // that acknowledges nothing.
    if !flags.ack() || (flags.rst() && segment.ack == 0) {
        ack = receiver.td_end;
        sack = ack;
    }
    // A RST that answers a SYN (RFC 9293 section 3.10.7.1).
    if kind == Kind::Rst && seq == 0 && was == TcpConntrack::SynSent {
        seq = sender.td_end;
        end = seq;
    }

    let liberal = be_liberal || sender.has(flag::BE_LIBERAL);
    let oldest_end = sender.td_end.wrapping_sub(receiver.td_maxwin);
    let lag = sender.td_maxwin.max(MAX_ACK_LAG);
    let oldest_ack = receiver.td_end.wrapping_sub(lag);
    let acked_unsent = after(sack, receiver.td_end);
    let acked_long_ago = before(sack, oldest_ack);

    // I.
    if after(seq, sender.td_maxend) {
        // Some send a little more than they may. If a rule lets it pass and its
        // receiver takes it, III must let the ACK of it pass.
        let excess = end.wrapping_sub(sender.td_maxend).wrapping_add(1);
        let little = receiver.td_maxwin != 0
            && excess <= receiver.td_maxwin
            && !before(end, oldest_end)
            && !acked_unsent
            && !acked_long_ago;
        if !little {
            return Fit::Invalid.or_liberal(liberal);
        }
        sender.td_end = end;
        sender.flags |= flag::DATA_UNACKNOWLEDGED;
        return Fit::Ignore.or_liberal(liberal);
    }
    // III.
    if acked_unsent {
        return Fit::Invalid.or_liberal(liberal);
    }
    // II, if the receiver's window is known, and IV.
    if (receiver.td_maxwin != 0 && before(end, oldest_end)) || acked_long_ago {
        return Fit::Ignore.or_liberal(liberal);
    }

    let fits = Fits {
        end,
        ack,
        sack,
        // The window of a SYN is not scaled (RFC 7323 section 2.2).
        window: match kind {
            Kind::Syn | Kind::SynAck => u32::from(segment.window),
            _ => u32::from(segment.window).wrapping_shl(sender.scale()),
        },
        has_ack: flags.ack(),
    };
    fits.note(sender, receiver);
    if kind == Kind::Ack {
        count_repeats(state, segment, arrival.direction, ack, end);
    }
    Fit::Fits
}

/// What a segment says that fits.
#[derive(Clone, Copy)]
pub(super) struct Fits {
    /// The sequence number after it.
    pub(super) end: u32,
    /// What it acknowledges.
    pub(super) ack: u32,
    /// The highest that it acknowledges, selectively or not.
    pub(super) sack: u32,
    /// The window that it offers, bytes.
    pub(super) window: u32,
    /// `ack` is said by the segment itself.
    pub(super) has_ack: bool,
}

impl Fits {
    /// Takes note of it.
    #[inline(always)]
    pub(super) fn note(self, sender: &mut Seen, receiver: &mut Seen) {
        let Self {
            end,
            ack,
            sack,
            window,
            has_ack,
        } = self;
        let offered = window.wrapping_add(sack.wrapping_sub(ack));
        sender.td_maxwin = sender.td_maxwin.max(offered);
        if after(end, sender.td_end) {
            sender.td_end = end;
            sender.flags |= flag::DATA_UNACKNOWLEDGED;
        }
        if has_ack && (!sender.has(flag::MAXACK_SET) || after(ack, sender.td_maxack)) {
            sender.td_maxack = ack;
            sender.flags |= flag::MAXACK_SET;
        }

        if receiver.td_maxwin != 0 && after(end, sender.td_maxend) {
            let beyond = end.wrapping_sub(sender.td_maxend);
            receiver.td_maxwin = receiver.td_maxwin.wrapping_add(beyond);
        }
        // A closed window may be probed with one byte (RFC 9293 section 3.8.6.1).
        let edge = sack.wrapping_add(window);
        if !before(edge, receiver.td_maxend) {
            receiver.td_maxend = sack.wrapping_add(window.max(1));
        }
        if ack == receiver.td_end {
            receiver.flags &= !flag::DATA_UNACKNOWLEDGED;
        }
    }
}

/// An ACK (with data or not) that says what the last one said is a
/// retransmission, or its sender waits.
#[inline(always)]
pub(super) fn count_repeats(
    state: &mut State,
    segment: &Segment,
    direction: Direction,
    ack: u32,
    end: u32,
) {
    let (seq, window, direction) = (segment.seq, segment.window, direction as u8);
    if state.last_seq == seq
        && state.last_ack == ack
        && state.last_end == end
        && state.last_win == window
        && state.last_dir == direction
    {
        state.retrans = state.retrans.saturating_add(1);
    } else {
        state.last_dir = direction;
        state.last_seq = seq;
        state.last_ack = ack;
        state.last_end = end;
        state.last_win = window;
        state.retrans = 0;
    }
}
