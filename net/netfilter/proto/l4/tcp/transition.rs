// SPDX-License-Identifier: GPL-2.0

//! Where a segment takes a connection, by its control bits alone.
//!
//! We stand between the ends: what we see may be lost later, and we may have
//! missed what the ends know. So a segment that may be right for its receiver
//! although it is wrong for us is not INVALID: it is let through without an
//! effect, and the answer tells.

use super::TcpConntrack;
use crate::packet::tcp::Flags;
use crate::tuple::Direction;

/// A segment by its control bits. The highest of RST, SYN, FIN, ACK counts.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// None of the others. The packet view has refused it already.
    Bare = 0,
    Syn = 1,
    SynAck = 2,
    Fin = 3,
    Ack = 4,
    Rst = 5,
}

impl Kind {
    #[inline]
    pub(super) const fn of(flags: Flags) -> Self {
        if flags.rst() {
            Kind::Rst
        } else if flags.syn() {
            if flags.ack() {
                Kind::SynAck
            } else {
                Kind::Syn
            }
        } else if flags.fin() {
            Kind::Fin
        } else if flags.ack() {
            Kind::Ack
        } else {
            Kind::Bare
        }
    }
}

/// What a segment does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Move {
    /// If its numbers are right, this is the state after it.
    To(TcpConntrack),
    /// It may be wrong for us only: let through without an effect.
    Ignore,
    /// It cannot come here.
    Invalid,
}

/// The move that a segment of `kind` makes in `state`: looked up in what [`next`]
/// says of each.
#[inline(always)]
pub(super) fn next_of(state: TcpConntrack, kind: Kind, direction: Direction) -> Move {
    let by_direction = MOVES.get(kind as usize);
    let by_state = by_direction.and_then(|moves| moves.get(direction as usize));
    let found = by_state.and_then(|moves| moves.get(state as usize));
    found.copied().unwrap_or(Move::Invalid)
}

/// By kind, direction and state.
static MOVES: [[[Move; 10]; 2]; 6] = {
    use Direction::{Original, Reply};
    let kinds = [
        Kind::Bare,
        Kind::Syn,
        Kind::SynAck,
        Kind::Fin,
        Kind::Ack,
        Kind::Rst,
    ];
    let mut moves = [[[Move::Invalid; 10]; 2]; 6];
    let mut kind = 0;
    while kind < kinds.len() {
        let mut number = 0;
        while let Some(state) = TcpConntrack::from_number(number) {
            let [original, reply] = &mut moves[kinds[kind] as usize];
            original[number as usize] = next(state, kinds[kind], Original);
            reply[number as usize] = next(state, kinds[kind], Reply);
            number += 1;
        }
        kind += 1;
    }
    moves
};

/// The move that a segment of `kind` makes in `state`.
const fn next(state: TcpConntrack, kind: Kind, direction: Direction) -> Move {
    use Direction::{Original, Reply};
    use Move::{Ignore, Invalid, To};
    use TcpConntrack::*;

    match (kind, state, direction) {
        (Kind::Bare, _, _) => Invalid,

        // Data, and what acknowledges something. In the middle of the
        // handshake an ACK of the initiator completes it; one of its peer
        // belongs to an older connection that the peer still holds, whose
        // challenge (RFC 5961 section 4) must reach the initiator.
        (Kind::Ack, Established, _) => To(Established),
        (Kind::Ack, None, Original) => To(Established),
        (Kind::Ack, SynSent | SynSent2, Reply) => Ignore,
        (Kind::Ack, None, Reply) => Invalid,
        (Kind::Ack, SynSent | SynSent2, Original) => Invalid,
        (Kind::Ack, SynRecv, Original) => To(Established),
        (Kind::Ack, SynRecv, Reply) => To(SynRecv),
        // One after a FIN, or after both: the end goes on (section 3.6).
        (Kind::Ack, FinWait | CloseWait, _) => To(CloseWait),
        (Kind::Ack, LastAck | TimeWait, _) => To(TimeWait),
        (Kind::Ack, Close, _) => To(Close),

        // Opening (section 3.5). A SYN from the other side too is a
        // simultaneous open, which either side's SYN ACK continues.
        (Kind::Syn, None | SynSent, Original) => To(SynSent),
        (Kind::Syn, SynSent, Reply) => To(SynSent2),
        (Kind::Syn, SynSent2, _) => To(SynSent2),
        (Kind::SynAck, SynSent, Reply) => To(SynRecv),
        (Kind::SynAck, SynSent2, _) => To(SynRecv),
        (Kind::SynAck, SynRecv, Original) => To(SynRecv),
        // What is over may begin again, from TIME_WAIT in either direction
        // (RFC 1122 section 4.2.2.13).
        (Kind::Syn, TimeWait, _) => To(SynSent),
        (Kind::Syn, Close, Original) => To(SynSent),
        // The ends may know more of each other than we: the initiator tries
        // again, its peer answers what we did not believe.
        (Kind::Syn, _, Original) => Ignore,
        (Kind::SynAck, None, _) => Invalid,
        (Kind::SynAck, _, Reply) => Ignore,
        (Kind::Syn, _, Reply) => Invalid,
        (Kind::SynAck, _, Original) => Invalid,

        // Closing (section 3.6).
        (Kind::Fin, None | SynSent | SynSent2, _) => Invalid,
        (Kind::Fin, SynRecv | Established, _) => To(FinWait),
        (Kind::Fin, FinWait | CloseWait | LastAck, _) => To(LastAck),
        (Kind::Fin, TimeWait, _) => To(TimeWait),
        (Kind::Fin, Close, _) => To(Close),

        // Aborting; whether it does is decided by more than this.
        (Kind::Rst, None, _) => Invalid,
        (Kind::Rst, _, _) => To(Close),
    }
}
