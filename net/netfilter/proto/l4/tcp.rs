// SPDX-License-Identifier: GPL-2.0

//! TCP, RFC 9293.
//!
//! A segment goes through three questions. Where does it take the connection by
//! its control bits (`transition`)? Are its numbers right (`window`), or if
//! it is a RST, would its receiver believe it (`reset`)? And if it does not
//! fit, may it be that we, and not the ends, are out of step (`resync`)?

mod reset;
mod resync;
mod seq;
mod state;
mod transition;
mod turn;
mod usual;
mod window;

pub use state::{flag, Seen, State, TcpConntrack, UnknownState};
pub use turn::{answer, may_turn, proceed, Turn};
pub use usual::{first_syn, may_be_steady, steady};

use self::{
    reset::Reset,
    transition::{next_of, Kind, Move},
    window::Fit,
};
use super::{Changes, Flow, Outcome, Protocol, Reason, Verdict};
use crate::packet::tcp::Segment;
use crate::tuple::Direction;
use core::{
    marker::PhantomData,
    sync::atomic::{AtomicU32, Ordering},
};

/// Number of timeouts (`TCP_CONNTRACK_TIMEOUT_MAX`).
pub const TIMEOUT_MAX: usize = 14;
/// Index of the timeout of a connection whose segments are sent again and
/// again, or wait for a window to open (`TCP_CONNTRACK_RETRANS`).
pub const RETRANS: usize = 12;
/// Index of the timeout of a connection with data that was not acknowledged
/// (`TCP_CONNTRACK_UNACK`).
pub const UNACK: usize = 13;

/// Timeouts by the number of [`TcpConntrack`], then [`RETRANS`] and [`UNACK`].
/// Entry 0 is the one of a new connection, 10 and 11 are not used.
pub type Timeouts = [u32; TIMEOUT_MAX];

/// Where timeouts are looked up.
pub trait TimeoutTable {
    /// One, by its index.
    fn timeout(&self, index: usize) -> u32;
}

impl TimeoutTable for Timeouts {
    #[inline]
    fn timeout(&self, index: usize) -> u32 {
        self.get(index).copied().unwrap_or(0)
    }
}

/// A table that may change meanwhile.
impl TimeoutTable for &[AtomicU32; TIMEOUT_MAX] {
    #[inline]
    fn timeout(&self, index: usize) -> u32 {
        self.get(index)
            .map_or(0, |timeout| timeout.load(Ordering::Relaxed))
    }
}

/// The default timeouts in seconds (`nf_conntrack_tcp_timeout_*`).
pub const DEFAULT_TIMEOUTS: Timeouts = [
    120, 120, 60, 432_000, 120, 60, 30, 120, 10, 120, 0, 0, 300, 300,
];

/// The default of [`Policy::max_retrans`].
pub const DEFAULT_MAX_RETRANS: u8 = 3;

/// Settings of a namespace (`struct nf_tcp_net`), with its timeouts or those of
/// a timeout policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy<T = Timeouts> {
    /// In any unit; the answers are in the same.
    pub timeouts: T,
    /// Connections may be picked up in their middle (`nf_conntrack_tcp_loose`).
    pub loose: bool,
    /// Numbers out of window are let through (`nf_conntrack_tcp_be_liberal`).
    pub be_liberal: bool,
    /// So many retransmissions make the timeout that of [`RETRANS`]
    /// (`nf_conntrack_tcp_max_retrans`).
    pub max_retrans: u8,
    /// A RST whose number its receiver has acknowledged already is judged by
    /// its window only (`nf_conntrack_tcp_ignore_invalid_rst`).
    pub ignore_invalid_rst: bool,
}

impl<T: TimeoutTable> Policy<T> {
    /// One of its timeouts, by the index.
    #[inline]
    pub fn timeout(&self, index: usize) -> u32 {
        self.timeouts.timeout(index)
    }
}

impl Default for Policy {
    /// The defaults of a namespace, in seconds.
    fn default() -> Self {
        Self {
            timeouts: DEFAULT_TIMEOUTS,
            loose: true,
            be_liberal: false,
            max_retrans: DEFAULT_MAX_RETRANS,
            ignore_invalid_rst: false,
        }
    }
}

/// The protocol, by where its timeouts are.
#[derive(Clone, Copy, Debug)]
pub struct Tcp<T = Timeouts>(PhantomData<T>);

/// A segment, and what follows from where it was seen.
#[derive(Clone, Copy, Debug)]
struct Arrival<'a> {
    segment: &'a Segment,
    kind: Kind,
    direction: Direction,
    /// The sequence number after it.
    end: u32,
    /// What it acknowledges, as the one who sent that knows it.
    ack: u32,
    /// How far the segment itself is off from that.
    ack_offset: u32,
}

impl<'a> Arrival<'a> {
    #[inline(always)]
    fn new(segment: &'a Segment, flow: &Flow) -> Self {
        let ack_offset = flow.ack_offset as u32;
        Self {
            segment,
            kind: Kind::of(segment.flags),
            direction: flow.direction,
            end: end_of(segment),
            ack: segment.ack.wrapping_sub(ack_offset),
            ack_offset,
        }
    }

    /// The highest right edge of its SACK blocks, as [`Self::ack`]. Who gets a
    /// RST does not look at them.
    #[inline]
    fn sack_edge(&self) -> Option<u32> {
        if self.kind == Kind::Rst {
            return None;
        }
        let edge = self.segment.options.sack_edge()?;
        Some(edge.wrapping_sub(self.ack_offset))
    }
}

/// The sequence number after a segment: SYN and FIN take one each.
#[inline]
fn end_of(segment: &Segment) -> u32 {
    segment
        .seq
        .wrapping_add(segment.payload)
        .wrapping_add(u32::from(segment.flags.syn()))
        .wrapping_add(u32::from(segment.flags.fin()))
}

/// A segment that may count.
#[derive(Clone, Copy, Debug)]
struct Step {
    from: TcpConntrack,
    to: TcpConntrack,
    trust: Trust,
}

/// How far the numbers of a segment matter.
#[derive(Clone, Copy, Debug)]
enum Trust {
    /// They decide, and are taken note of.
    Nothing,
    /// They decide, but what is known stays.
    Unchanged,
    /// They decide, but may be right for a connection that is not known.
    Foreign,
    /// They do not matter.
    All,
}

impl<T: TimeoutTable> Protocol for Tcp<T> {
    type Segment = Segment;
    type State = State;
    type Policy = Policy<T>;

    /// With a SYN, or if the policy says so in the middle, with an ACK.
    fn open(segment: &Segment, policy: &Policy<T>) -> Result<State, Reason> {
        let kind = Kind::of(segment.flags);
        let end = end_of(segment);
        let mut state = State::default();
        let [original, reply] = &mut state.seen;

        match next_of(TcpConntrack::None, kind, Direction::Original) {
            Move::To(TcpConntrack::SynSent) => original.begin(segment, end),
            Move::To(_) if policy.loose => {
                // Whether SACK and scaling were agreed upon is unknown: look
                // for SACK, and do not count on windows.
                for seen in [&mut *original, &mut *reply] {
                    seen.flags = flag::SACK_PERM | flag::BE_LIBERAL;
                }
                original.pick_up(segment, end);
                reply.td_end = segment.ack;
                reply.td_maxend = segment.ack;
            }
            _ => return Err(Reason::TcpNotSyn),
        }
        Ok(state)
    }

    #[inline]
    fn update(state: &mut State, segment: &Segment, flow: &Flow, policy: &Policy<T>) -> Outcome {
        let arrival = &Arrival::new(segment, flow);
        let step = match plan(state, arrival, flow, policy) {
            Ok(step) => step,
            Err(outcome) => return outcome,
        };
        let kept = match step.trust {
            Trust::Unchanged => Some(state.seen),
            _ => None,
        };
        let fit = match step.trust {
            Trust::All => Fit::Fits,
            _ => window::check(state, arrival, policy.be_liberal),
        };
        let outcome = match (fit, step.trust) {
            (Fit::Fits, _) => accepted(state, arrival, flow, policy, step),
            (_, Trust::Foreign) => ignored(Reason::TcpInvalidRst),
            (Fit::Ignore, _) => ignored(Reason::TcpOutOfWindow),
            (Fit::Invalid, _) => refused(state, arrival, flow, policy),
        };
        if let Some(seen) = kept {
            state.seen = seen;
        }
        outcome
    }
}

/// What a segment may do by its control bits, and by its numbers if it is a
/// RST; or what becomes of it already.
#[inline(always)]
fn plan<T: TimeoutTable>(
    state: &mut State,
    arrival: &Arrival<'_>,
    flow: &Flow,
    policy: &Policy<T>,
) -> Result<Step, Outcome> {
    use TcpConntrack::{Close, Established, LastAck, SynRecv, SynSent, SynSent2, TimeWait};

    let Arrival {
        segment,
        kind,
        direction,
        ..
    } = *arrival;
    let from = state.state();
    let to = match next_of(from, kind, direction) {
        Move::To(to) => to,
        Move::Ignore => return unsure(state, arrival),
        Move::Invalid => {
            // SYNPROXY answers for the server, so the client is in a connection
            // before we have seen it open: its keep-alive makes SYNPROXY send
            // the SYN again.
            let keep_alive = flow.synproxy
                && (from, kind, direction) == (SynSent, Kind::Ack, Direction::Original)
                && state.last_dir == Direction::Original as u8
                && segment.seq == Direction::Original.of(&state.seen).td_end.wrapping_sub(1);
            return Err(if keep_alive {
                untouched()
            } else {
                Outcome::invalid(Reason::TcpInvalidState)
            });
        }
    };
    let step = |to, trust| Ok(Step { from, to, trust });

    match (from, kind, to) {
        // It has ended in order, or the one who began it has aborted it.
        (TimeWait | Close, Kind::Syn, _) => {
            let [original, reply] = &state.seen;
            let in_order = (original.flags | reply.flags) & flag::CLOSE_INIT != 0;
            if in_order || state.last_was(Kind::Rst, direction) {
                Err(Outcome {
                    verdict: Verdict::Reopen,
                    timeout: None,
                    changes: Changes::default(),
                })
            } else {
                unsure(state, arrival)
            }
        }
        // A challenge to a SYN that was let through is not the last ACK.
        (LastAck, Kind::Ack, _)
            if state.last_flags & flag::EXP_CHALLENGE_ACK != 0
                && state.last_was(Kind::Syn, direction.opposite()) =>
        {
            state.last_flags &= !flag::EXP_CHALLENGE_ACK;
            Err(ignored(Reason::TcpChallengeAck))
        }
        (_, _, SynSent2) => {
            state.last_flags |= flag::SIMULTANEOUS_OPEN;
            step(to, Trust::Nothing)
        }
        // In a simultaneous open either side's ACK completes the handshake.
        (SynRecv, Kind::Ack, SynRecv) if state.last_flags & flag::SIMULTANEOUS_OPEN != 0 => {
            step(Established, Trust::Nothing)
        }
        (_, Kind::Rst, _) => match reset::judge(state, arrival, flow, policy) {
            Reset::IfInWindow => step(to, Trust::Nothing),
            Reset::IfInWindowElseIgnored => step(to, Trust::Foreign),
            Reset::Trusted => step(to, Trust::All),
            Reset::Challenged => step(from, Trust::Unchanged),
            Reset::Ignored => Err(ignored(Reason::TcpInvalidRst)),
            Reset::Invalid => Err(Outcome::invalid(Reason::TcpInvalidRst)),
        },
        _ => step(to, Trust::Nothing),
    }
}

/// A segment that may be right for the ends.
#[cold]
fn unsure(state: &mut State, arrival: &Arrival<'_>) -> Result<Step, Outcome> {
    if resync::take(state, arrival) {
        return Ok(Step {
            from: TcpConntrack::SynSent,
            to: TcpConntrack::SynRecv,
            trust: Trust::Nothing,
        });
    }
    Err(ignored(match arrival.kind {
        Kind::Syn => Reason::TcpChallengeAck,
        _ => Reason::TcpInvalidState,
    }))
}

/// A segment that counts.
#[inline(always)]
fn accepted<T: TimeoutTable>(
    state: &mut State,
    arrival: &Arrival<'_>,
    flow: &Flow,
    policy: &Policy<T>,
    step: Step,
) -> Outcome {
    use TcpConntrack::{Established, FinWait, SynRecv, SynSent};

    let Step { from, to, .. } = step;
    let Arrival {
        kind, direction, ..
    } = *arrival;
    state.set_last(kind, direction);
    state.set_state(to);
    if kind == Kind::Syn {
        // What answers it, acknowledges this.
        state.last_end = arrival.end;
    }
    if to == FinWait && from != FinWait {
        direction.of_mut(&mut state.seen).flags |= flag::CLOSE_INIT;
    }

    let mut outcome = Outcome::accept(timeout(state, kind, to, policy));
    outcome.changes.protoinfo = from != to;
    outcome.changes.closing = matches!(kind, Kind::Fin | Kind::Rst);
    if flow.seen_reply {
        // The handshake was completed, or what was picked up was answered.
        outcome.changes.assured =
            !flow.assured && to == Established && matches!(from, SynRecv | Established);
    } else if kind == Kind::Rst {
        // Refused: nothing to wait for.
        outcome.changes.kill = true;
    } else if kind == Kind::Syn && from == SynSent {
        // Who tries the same ports again and again gets no answer through this
        // entry (and its NAT): let it expire.
        outcome.timeout = None;
    } else if to == Established {
        // Picked up, and not answered yet.
        outcome.timeout = outcome.timeout.map(|t| t.min(policy.timeout(UNACK)));
    }
    outcome
}

/// The timeout after a segment of `kind` that led to `to`: that of the state,
/// or a shorter one if the connection seems stuck.
#[inline(always)]
fn timeout<T: TimeoutTable>(
    state: &State,
    kind: Kind,
    to: TcpConntrack,
    policy: &Policy<T>,
) -> u32 {
    let [original, reply] = &state.seen;
    let of_state = policy.timeout(to as usize);
    let retrans = policy.timeout(RETRANS);
    let unacknowledged = (original.flags | reply.flags) & flag::DATA_UNACKNOWLEDGED != 0;

    if state.retrans >= policy.max_retrans && of_state > retrans {
        retrans
    } else if kind == Kind::Rst {
        policy.timeout(TcpConntrack::Close as usize)
    } else if unacknowledged && of_state > policy.timeout(UNACK) {
        policy.timeout(UNACK)
    } else if state.last_win == 0 && of_state > retrans {
        retrans
    } else {
        of_state
    }
}

/// A segment out of window. If both sides want to end the connection and we
/// believe neither, we are out of step, and the entry should not outlive the
/// connection for days.
#[cold]
fn refused<T: TimeoutTable>(
    state: &mut State,
    arrival: &Arrival<'_>,
    flow: &Flow,
    policy: &Policy<T>,
) -> Outcome {
    let Arrival {
        kind, direction, ..
    } = *arrival;
    let mut outcome = Outcome::invalid(Reason::TcpOutOfWindow);
    if flow.assured && matches!(kind, Kind::Fin | Kind::Rst) {
        let peer = direction.opposite();
        if state.last_was(Kind::Fin, peer) || state.last_was(Kind::Rst, peer) {
            outcome.timeout = Some(policy.timeout(UNACK));
            outcome.changes.cap = true;
        } else {
            state.set_last(kind, direction);
        }
    }
    outcome
}

/// Accepted without any effect, and worth no word.
fn untouched() -> Outcome {
    Outcome {
        verdict: Verdict::Accept,
        timeout: None,
        changes: Changes::default(),
    }
}

/// Let through without any effect.
#[cold]
fn ignored(reason: Reason) -> Outcome {
    let mut outcome = untouched();
    outcome.changes.note = Some(reason);
    outcome
}

#[cfg(test)]
mod tests;
