// SPDX-License-Identifier: GPL-2.0

//! Segments that may be right although they do not fit the connection that we
//! know of: its ends may have forgotten it. A SYN goes through and is
//! remembered; a SYN ACK that answers it tells that the ends are in a new
//! connection, and what was remembered is how it began.

use super::{
    state::{flag, State},
    transition::Kind,
    Arrival, TcpConntrack,
};
use crate::tuple::Direction;

/// Takes a segment that is to be ignored. `true`: it is the SYN ACK that
/// answers a SYN ignored before, and `state` is now as after that SYN.
#[cold]
pub(super) fn take(state: &mut State, arrival: &Arrival<'_>) -> bool {
    let direction = arrival.direction;
    let answers = arrival.kind == Kind::SynAck
        && state.last_was(Kind::Syn, direction.opposite())
        && arrival.ack == state.last_end;
    if answers {
        begin_with_last(state, direction.opposite());
    } else {
        remember(state, arrival);
    }
    answers
}

fn begin_with_last(state: &mut State, direction: Direction) {
    state.last_flags &= !flag::EXP_CHALLENGE_ACK;
    let (end, window) = (state.last_end, u32::from(state.last_win));
    let (scale, flags) = (state.last_wscale, state.last_flags);

    let initiator = direction.of_mut(&mut state.seen);
    initiator.td_end = end;
    initiator.td_maxend = end;
    initiator.td_maxwin = window.max(1);
    initiator.td_scale = scale;
    initiator.flags = flags;
    direction.opposite().of_mut(&mut state.seen).reset();
}

fn remember(state: &mut State, arrival: &Arrival<'_>) {
    let Arrival {
        segment,
        kind,
        direction,
        ..
    } = *arrival;
    state.set_last(kind, direction);
    state.last_seq = segment.seq;
    state.last_end = arrival.end;
    state.last_win = segment.window;

    match (kind, direction) {
        (Kind::Syn, Direction::Original) => {
            let options = &segment.options;
            state.last_flags = 0;
            state.last_wscale = options.window_scale().unwrap_or(0);
            if options.window_scale().is_some() {
                state.last_flags |= flag::WINDOW_SCALE;
            }
            if options.sack_permitted() {
                state.last_flags |= flag::SACK_PERM;
            }
            // The challenge that may follow would look like the last ACK.
            if state.state() == TcpConntrack::LastAck {
                state.last_flags |= flag::EXP_CHALLENGE_ACK;
            }
        }
        // A challenge, and the number that it acknowledges.
        (Kind::Ack, Direction::Reply) if state.state() == TcpConntrack::SynSent => {
            state.last_ack = arrival.ack;
        }
        _ => {}
    }
}
