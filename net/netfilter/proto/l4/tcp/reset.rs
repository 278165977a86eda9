// SPDX-License-Identifier: GPL-2.0

//! Whether a RST ends the connection.
//!
//! Its receiver believes one whose sequence number is exactly the next that it
//! expects, and challenges one that is merely in window (RFC 5961 section 3.2);
//! what it will not believe must not end the connection here either. In
//! SYN_SENT it believes one that acknowledges its SYN, whatever the sequence
//! number (RFC 9293 section 3.10.7.3).

use super::{
    seq::{after, before},
    state::{flag, State},
    transition::Kind,
    window::MAX_ACK_LAG,
    Arrival, Policy, TcpConntrack,
};
use crate::l4::Flow;
use crate::tuple::Direction;

/// What becomes of a RST.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reset {
    /// It ends the connection if it is in window.
    IfInWindow,
    /// As this, but if not it belongs to a SYN that was let through.
    IfInWindowElseIgnored,
    /// It ends the connection; what is known of windows does not apply to it.
    Trusted,
    /// If it is in window it may be challenged: the connection stays, but not
    /// for long if nothing follows.
    Challenged,
    /// It belongs to a SYN that was let through, not to this connection.
    Ignored,
    /// Its receiver will not believe it.
    Invalid,
}

/// Judges a RST in a connection that has begun.
#[cold]
pub(super) fn judge<T>(
    state: &State,
    arrival: &Arrival<'_>,
    flow: &Flow,
    policy: &Policy<T>,
) -> Reset {
    // In a connection that is ending, the ends may have forgotten it, or use
    // the ports again already.
    if state.state().is_closing() {
        return Reset::Trusted;
    }

    let Arrival {
        segment, direction, ..
    } = *arrival;
    let seq = segment.seq;
    let peer = direction.opposite();
    let acks_last = segment.flags.ack() && arrival.ack == state.last_end;

    // The RFC's answer of who knows no connection to a SYN that we have let
    // through: the sequence number is 0. It need not fit the connection that we
    // know of. Whatever else it were, its numbers must be right.
    let answers_syn = state.last_was(Kind::Syn, peer) && acks_last;
    if answers_syn && seq == 0 && flow.seen_reply {
        return Reset::Trusted;
    }

    // The answer to an ACK of a connection that its receiver does not know.
    let known = peer.of(&state.seen).has(flag::MAXACK_SET);
    if !flow.assured && !known && state.last_was(Kind::Ack, peer) && acks_last {
        return Reset::Trusted;
    }

    let judged = match by_numbers(state, arrival, flow.assured) {
        Reset::Invalid if policy.ignore_invalid_rst => {
            exact_or_challenged(state, arrival, flow.assured)
        }
        judged => judged,
    };
    // Whose SYN was let through may take it back, and may be refused: no
    // business of this connection unless the numbers say so.
    let ends_syn = state.last_was(Kind::Syn, direction) && seq == state.last_end;
    match judged {
        Reset::IfInWindow if answers_syn || ends_syn => Reset::IfInWindowElseIgnored,
        Reset::Challenged | Reset::Invalid if answers_syn || ends_syn => Reset::Ignored,
        _ => judged,
    }
}

fn by_numbers(state: &State, arrival: &Arrival<'_>, assured: bool) -> Reset {
    let Arrival {
        segment, direction, ..
    } = *arrival;
    let seq = segment.seq;
    let receiver = direction.opposite().of(&state.seen);
    let sender = direction.of(&state.seen);

    match (state.state(), direction) {
        // Who has sent a SYN takes a RST that acknowledges it and no other.
        (TcpConntrack::SynSent, Direction::Reply) => {
            let acked = segment.flags.ack()
                && !after(arrival.ack, receiver.td_end)
                && after(arrival.ack, receiver.td_end.wrapping_sub(MAX_ACK_LAG));
            return if acked {
                Reset::IfInWindow
            } else {
                Reset::Invalid
            };
        }
        (TcpConntrack::SynSent, Direction::Original) => {
            // Who gets a challenge for a SYN (RFC 5961 section 4) resets the
            // connection of the one who challenges, with the number that this
            // one acknowledges.
            if state.last_was(Kind::Ack, Direction::Reply) && seq == state.last_ack {
                return Reset::Trusted;
            }
            // Who takes back a SYN begins where it ends; no further back than
            // the data that it may carry (RFC 7413).
            return if before(seq, sender.td_end.wrapping_sub(MAX_ACK_LAG)) {
                Reset::Invalid
            } else {
                Reset::IfInWindow
            };
        }
        _ => {}
    }

    if !receiver.has(flag::MAXACK_SET) {
        return Reset::IfInWindow;
    }
    // What its receiver has acknowledged cannot come any more. If the
    // handshake is not complete, 0 may answer something that was let through,
    // which is then outside of what is known, or in window.
    let answers_unknown = seq == 0 && !is_established(state, assured);
    if before(seq, receiver.td_maxack) && !answers_unknown {
        return Reset::Invalid;
    }
    exact_or_challenged(state, arrival, assured)
}

/// In an established connection, a RST must be exact.
fn exact_or_challenged(state: &State, arrival: &Arrival<'_>, assured: bool) -> Reset {
    let Arrival {
        segment, direction, ..
    } = *arrival;
    let receiver = direction.opposite().of(&state.seen);
    let exact = segment.seq == receiver.td_maxack;
    // It follows data that its receiver has not acknowledged yet.
    let in_train = state.last_was(Kind::Ack, direction) && segment.seq == state.last_end;

    let known = receiver.has(flag::MAXACK_SET);
    if !known || exact || in_train || !is_established(state, assured) {
        Reset::IfInWindow
    } else {
        Reset::Challenged
    }
}

fn is_established(state: &State, assured: bool) -> bool {
    assured && state.state() == TcpConntrack::Established
}
