// SPDX-License-Identifier: GPL-2.0

//! A TCP connection: any segments in both directions, with time passing.

#![no_main]

include!("../fuzz.rs");

use nf_proto::{
    l4::{
        tcp::{Policy, State, Tcp, TcpConntrack, DEFAULT_TIMEOUTS},
        Flow, Protocol, Verdict,
    },
    packet::tcp::Segment,
    seqadj::{adjust, SeqAdj},
    tuple::Direction,
};

/// A connection as the table would have it.
struct Connection {
    state: State,
    seen_reply: bool,
    assured: bool,
    ends: u32,
}

/// Reads a header. Numbers may be meant from where the connection is: a fuzzer
/// does not guess 32 bits.
fn segment(
    header: &[u8],
    how: u8,
    payload: u32,
    at: Option<(&State, Direction)>,
) -> Option<Segment> {
    let len = header.len() as u32 + payload;
    let (_, mut segment) = Segment::new(header, len).ok()?;
    if let Some((state, direction)) = at {
        if how & 2 != 0 {
            segment.seq = segment.seq.wrapping_add(direction.of(&state.seen).td_end);
        }
        if how & 4 != 0 {
            segment.ack = segment
                .ack
                .wrapping_add(direction.opposite().of(&state.seen).td_end);
        }
    }
    Some(segment)
}

fn target(bytes: &[u8], choice: u8) {
    let policy = Policy {
        timeouts: DEFAULT_TIMEOUTS,
        loose: choice & 1 != 0,
        be_liberal: choice & 2 != 0,
        max_retrans: choice >> 5,
        ignore_invalid_rst: choice & 4 != 0,
    };
    let ack_offset = i32::from(choice & 8) - i32::from(choice & 16);
    let mut now = u32::MAX - 1000;
    let mut connection: Option<Connection> = None;
    let mut rest = bytes;
    while let Some((&[how, time, size, payload], behind)) = rest.split_first_chunk::<4>() {
        let (header, behind) = behind.split_at(usize::from(size % 61).min(behind.len()));
        rest = behind;
        now = now.wrapping_add(1 << (time % 20));
        if connection
            .as_ref()
            .is_some_and(|old| (old.ends.wrapping_sub(now) as i32) <= 0)
        {
            connection = None;
        }
        let direction = match (how & 1, &connection) {
            (1, Some(_)) => Direction::Reply,
            _ => Direction::Original,
        };
        let _ = adjust(header, &SeqAdj::whole(ack_offset), &SeqAdj::whole(1));
        let payload = u32::from(payload) << (how >> 4);
        let at = connection.as_ref().map(|now| (&now.state, direction));
        let Some(segment) = segment(header, how, payload, at) else {
            continue;
        };
        let old = connection
            .as_ref()
            .map_or(TcpConntrack::None, |now| now.state.state());
        let (mut state, seen_reply, assured) = match &connection {
            Some(now) => (now.state, now.seen_reply, now.assured),
            None => match Tcp::open(&segment, &policy) {
                Ok(state) => (state, false, false),
                Err(_) => continue,
            },
        };
        let before = state;
        let flow = Flow {
            direction,
            confirmed: connection.is_some(),
            seen_reply,
            assured,
            synproxy: how & 8 != 0,
            ack_offset,
            now,
        };
        let outcome = Tcp::update(&mut state, &segment, &flow, &policy);
        if let Some(timeout) = outcome.timeout {
            assert!(policy.timeouts.contains(&timeout));
        }
        for seen in &state.seen {
            assert!(seen.td_scale <= 14);
        }
        match outcome.verdict {
            Verdict::Accept if outcome.changes.kill => {
                assert!(segment.flags.rst() && !seen_reply);
                connection = None;
            }
            Verdict::Accept => {
                let new = state.state();
                assert!(new != TcpConntrack::None);
                assert!(new != TcpConntrack::Close || old == new || segment.flags.rst());
                let ends = match (&connection, outcome.timeout) {
                    (_, Some(timeout)) => now.wrapping_add(timeout),
                    (Some(known), None) => known.ends,
                    (None, None) => panic!("a new connection without a timeout"),
                };
                connection = Some(Connection {
                    state,
                    seen_reply: seen_reply | (direction == Direction::Reply),
                    assured: assured | outcome.changes.assured,
                    ends,
                });
            }
            Verdict::Invalid(_) => {
                assert_eq!(before.state(), state.state());
                assert_eq!(before.seen, state.seen);
                assert_eq!(outcome.changes.cap, outcome.timeout.is_some());
                if let Some(known) = &mut connection {
                    known.state = state;
                }
            }
            Verdict::Reopen => {
                assert!(matches!(old, TcpConntrack::TimeWait | TcpConntrack::Close));
                connection = None;
            }
            Verdict::Drop(_) => panic!("nothing of TCP is dropped"),
        }
    }
}

fuzz!(target);
