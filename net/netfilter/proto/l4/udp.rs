// SPDX-License-Identifier: GPL-2.0

//! UDP, RFC 768: request, answer, and after a while a stream.

use super::{Flow, Jiffies, Outcome, Protocol, Reason};
use crate::packet;
use core::sync::atomic::{AtomicU32, Ordering};

/// Timeouts (`enum udp_conntrack`), and their defaults, seconds.
pub const DEFAULT_TIMEOUTS: [u32; 2] = [30, 120];

/// Index of the timeout of a flow that has no answer, or is young.
pub const UNREPLIED: usize = 0;
/// Index of the timeout of a stream.
pub const REPLIED: usize = 1;

/// Seconds after which a flow with answers is a stream.
pub const STREAM_AFTER: u32 = 2;

/// What is kept of a flow (`struct nf_ct_udp`).
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct State {
    /// When it becomes a stream: the jiffies in the lower half, not 0 in the
    /// upper one. All 0 if no packet began it: ctnetlink made it, and it counts as
    /// one.
    pub stream_from: u64,
}

impl State {
    /// It is not a stream yet, unless it is assured.
    #[inline]
    fn is_young(self, now: Jiffies) -> bool {
        // The clock has 32 bits: half of its range later, 99 days at 250 Hz, an
        // age looks negative. By then the flow is assured.
        let age = now.wrapping_sub(self.stream_from as u32) as i32;
        self.stream_from != 0 && age <= 0
    }
}

/// Tells a time that is 0 from none.
const SET: u64 = 1 << 32;

/// The namespace's or the connection's timeouts, jiffies.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// [`UNREPLIED`] and [`REPLIED`].
    pub timeouts: [u32; 2],
    /// [`STREAM_AFTER`] in jiffies.
    pub stream_after: Jiffies,
}

/// The protocol.
pub struct Udp;

impl Protocol for Udp {
    type Segment = packet::udp::Datagram;
    type State = State;
    type Policy = Policy;

    #[inline]
    fn open(_: &Self::Segment, _: &Policy) -> Result<State, Reason> {
        Ok(State::default())
    }

    #[inline]
    fn update(state: &mut State, _: &Self::Segment, flow: &Flow, policy: &Policy) -> Outcome {
        let [unreplied, replied] = policy.timeouts;
        if !flow.confirmed {
            state.stream_from = SET | u64::from(flow.now.wrapping_add(policy.stream_after));
        }
        if !flow.seen_reply {
            return Outcome::accept(unreplied);
        }
        if !flow.assured && state.is_young(flow.now) {
            return Outcome::accept(unreplied);
        }
        let mut outcome = Outcome::accept(replied);
        outcome.changes.assured = !flow.assured;
        outcome
    }
}

/// The state of a flow that begins now, and its timeout: what
/// [`Udp::update`](Protocol::update) says then.
#[inline]
pub fn first(now: Jiffies, policy: &Policy) -> (State, u32) {
    let [unreplied, _] = policy.timeouts;
    let stream_from = SET | u64::from(now.wrapping_add(policy.stream_after));
    (State { stream_from }, unreplied)
}

/// The timeout of a flow that goes on, as [`Udp::update`](Protocol::update) says
/// it; nothing if that is not all that it says. `state` is asked only if it
/// matters.
#[inline(always)]
pub fn steady(
    state: impl FnOnce() -> State,
    seen_reply: bool,
    assured: bool,
    now: Jiffies,
    timeouts: &[AtomicU32; 2],
) -> Option<u32> {
    let [unreplied, replied] = timeouts;
    let timeout = if !seen_reply {
        unreplied
    } else if assured {
        replied
    } else if state().is_young(now) {
        unreplied
    } else {
        return None;
    };
    Some(timeout.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuple::Direction;

    const POLICY: Policy = Policy {
        timeouts: [30, 120],
        stream_after: 2,
    };

    fn flow(now: Jiffies, confirmed: bool, seen_reply: bool) -> Flow {
        Flow {
            direction: Direction::Original,
            confirmed,
            seen_reply,
            assured: false,
            synproxy: false,
            ack_offset: 0,
            now,
        }
    }

    fn update(state: &mut State, flow: Flow) -> Outcome {
        let datagram = packet::udp::Datagram { has_checksum: true };
        let before = *state;
        let outcome = Udp::update(state, &datagram, &flow, &POLICY);
        // What is asked apart because it is so frequent has the same answer.
        if flow.confirmed {
            let timeouts = POLICY.timeouts.map(AtomicU32::new);
            let steady = steady(
                || before,
                flow.seen_reply,
                flow.assured,
                flow.now,
                &timeouts,
            );
            match steady {
                Some(timeout) => assert_eq!(outcome, Outcome::accept(timeout)),
                None => assert!(outcome.changes.assured),
            }
            assert_eq!(before, *state);
        } else if !flow.seen_reply {
            let (first, timeout) = first(flow.now, &POLICY);
            assert_eq!((*state, outcome), (first, Outcome::accept(timeout)));
        }
        outcome
    }

    #[test]
    fn becomes_a_stream_two_seconds_after_it_began() {
        // The clock wraps meanwhile.
        for start in [0, 1000, u32::MAX] {
            let mut state = State::default();
            assert_eq!(
                update(&mut state, flow(start, false, false)),
                Outcome::accept(30)
            );
            let soon = flow(start.wrapping_add(2), true, true);
            assert_eq!(update(&mut state, soon), Outcome::accept(30));
            let later = update(&mut state, flow(start.wrapping_add(3), true, true));
            assert_eq!(later.timeout, Some(120));
            assert!(later.changes.assured);
        }
    }

    /// The age of such a flow no longer fits the clock.
    #[test]
    fn stays_a_stream_for_months() {
        let mut state = State::default();
        update(&mut state, flow(0, false, false));
        for now in [1 << 30, (1 << 31) + 2, (1 << 31) + 3, u32::MAX, 0, 1] {
            let assured = Flow {
                assured: true,
                ..flow(now, true, true)
            };
            assert_eq!(update(&mut state, assured), Outcome::accept(120), "{now}");
        }
    }

    #[test]
    fn is_a_stream_if_ctnetlink_made_it() {
        for now in [0, 1, 1 << 31, u32::MAX] {
            let outcome = update(&mut State::default(), flow(now, true, true));
            assert_eq!(outcome.timeout, Some(120), "{now}");
        }
    }

    #[test]
    fn is_not_assured_without_an_answer() {
        let mut state = State::default();
        update(&mut state, flow(0, false, false));
        let outcome = update(&mut state, flow(1_000, true, false));
        assert_eq!(outcome, Outcome::accept(30));
    }
}
