// SPDX-License-Identifier: GPL-2.0

//! An SCTP association: any packets in both directions.

#![no_main]

include!("../fuzz.rs");

use nf_proto::{
    be::Be32,
    l4::{
        sctp::{Policy, Sctp, SctpConntrack, Segment, State, DEFAULT_TIMEOUTS},
        Flow, Protocol, Verdict,
    },
    packet,
    tuple::Direction,
};

const POLICY: Policy = Policy {
    timeouts: DEFAULT_TIMEOUTS,
};

fn target(bytes: &[u8], choice: u8) {
    let mut connection: Option<(State, bool)> = None;
    let mut now = 0u32;
    let mut rest = bytes;
    while let Some((&[how, time, size], behind)) = rest.split_first_chunk::<3>() {
        let (body, behind) = behind.split_at(usize::from(size).min(behind.len()));
        rest = behind;
        now = now.wrapping_add(1 << (time % 20));
        let direction = match (how & 1, &connection) {
            (1, Some(_)) => Direction::Reply,
            _ => Direction::Original,
        };
        // Packets may be longer than what is at hand.
        let len = body.len() as u32 + u32::from(choice >> 6);
        let Ok(mut packet) = packet::sctp::Segment::new(body, len) else {
            continue;
        };
        // A fuzzer does not guess the tag.
        if let (Some((state, _)), true) = (&connection, how & 2 != 0) {
            packet.vtag = Be32::new(packet.vtag.get() ^ direction.of(&state.vtag).get());
        }
        let Ok(segment) = Segment::new(&packet) else {
            continue;
        };
        let (mut state, assured) = match &connection {
            Some(known) => *known,
            None => match Sctp::open(&segment, &POLICY) {
                Ok(state) => (state, false),
                Err(_) => continue,
            },
        };
        let before = state;
        let flow = Flow {
            direction,
            confirmed: connection.is_some(),
            seen_reply: how & 4 != 0,
            assured,
            synproxy: false,
            ack_offset: 0,
            now,
        };
        let outcome = Sctp::update(&mut state, &segment, &flow, &POLICY);
        match outcome.verdict {
            Verdict::Accept => {
                assert!(state.state() != SctpConntrack::None);
                let timeout = DEFAULT_TIMEOUTS[state.state() as usize];
                assert!(outcome.timeout.is_none_or(|given| given == timeout));
                assert!(connection.is_some() || outcome.timeout.is_some());
                connection = Some((state, assured | outcome.changes.assured));
            }
            Verdict::Invalid(_) => assert_eq!(before, state),
            verdict => panic!("{verdict:?}"),
        }
    }
}

fuzz!(target);
