// SPDX-License-Identifier: GPL-2.0

//! GRE, RFC 2784, and PPTP's, RFC 2637.

use super::{Flow, Outcome, Protocol, Reason};
use crate::packet;

/// Timeouts (`enum gre_conntrack`: unreplied, replied) by default, seconds.
pub const DEFAULT_TIMEOUTS: [u32; 2] = [30, 180];

/// What is kept of a tunnel (`struct nf_ct_gre`); PPTP's helper may set it.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct State {
    /// Timeout once both directions were seen, jiffies.
    pub stream_timeout: u32,
    /// Timeout before that, jiffies.
    pub timeout: u32,
}

/// Unreplied and replied timeouts, jiffies.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// As in `enum gre_conntrack`.
    pub timeouts: [u32; 2],
}

/// The protocol.
pub struct Gre;

impl Protocol for Gre {
    type Segment = packet::gre::Header;
    type State = State;
    type Policy = Policy;

    #[inline]
    fn open(_: &Self::Segment, policy: &Policy) -> Result<State, Reason> {
        let [timeout, stream_timeout] = policy.timeouts;
        Ok(State {
            stream_timeout,
            timeout,
        })
    }

    #[inline]
    fn update(state: &mut State, _: &Self::Segment, flow: &Flow, policy: &Policy) -> Outcome {
        if !flow.confirmed {
            let [timeout, stream_timeout] = policy.timeouts;
            *state = State {
                stream_timeout,
                timeout,
            };
        }
        if !flow.seen_reply {
            return Outcome::accept(state.timeout);
        }
        let mut outcome = Outcome::accept(state.stream_timeout);
        outcome.changes.assured = !flow.assured;
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuple::Direction;

    const POLICY: Policy = Policy {
        timeouts: DEFAULT_TIMEOUTS,
    };

    fn update(state: &mut State, confirmed: bool, seen_reply: bool, assured: bool) -> Outcome {
        let header = packet::gre::Header::new(&[0; 4], 4).unwrap();
        let flow = Flow {
            direction: Direction::Original,
            confirmed,
            seen_reply,
            assured,
            synproxy: false,
            ack_offset: 0,
            now: 0,
        };
        Gre::update(state, &header, &flow, &POLICY)
    }

    #[test]
    fn is_assured_once_it_is_answered() {
        let mut state = State::default();
        assert_eq!(update(&mut state, false, false, false), Outcome::accept(30));
        assert_eq!(update(&mut state, true, false, false), Outcome::accept(30));
        let answered = update(&mut state, true, true, false);
        assert_eq!(answered.timeout, Some(180));
        assert!(answered.changes.assured);
        assert_eq!(update(&mut state, true, true, true), Outcome::accept(180));
    }

    /// Those of PPTP's helper stay.
    #[test]
    fn timeouts_are_the_tunnels_own() {
        let mut state = State::default();
        update(&mut state, false, false, false);
        state.timeout = 600;
        state.stream_timeout = 18_000;
        assert_eq!(update(&mut state, true, false, false).timeout, Some(600));
        assert_eq!(update(&mut state, true, true, true).timeout, Some(18_000));
    }
}
