// SPDX-License-Identifier: GPL-2.0

use super::segment::MAX_CHUNKS;
use super::*;
use crate::packet;
use Direction::{Original as O, Reply as R};
use SctpConntrack as S;

const POLICY: Policy = Policy {
    timeouts: DEFAULT_TIMEOUTS,
};
/// The tags of the client (original direction) and the server.
const CLIENT: u32 = 0x2017_8373;
const SERVER: u32 = 0x1187_2061;
const OTHER: u32 = 0x0164_5799;

const DATA: u8 = 0;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const SACK: u8 = 3;
const HEARTBEAT: u8 = 4;
const HEARTBEAT_ACK: u8 = 5;
const ABORT: u8 = 6;
const SHUTDOWN: u8 = 7;
const SHUTDOWN_ACK: u8 = 8;
const ERROR: u8 = 9;
const COOKIE_ECHO: u8 = 10;
const COOKIE_ACK: u8 = 11;
const SHUTDOWN_COMPLETE: u8 = 14;
/// Added to a kind in tests: the T bit.
const T: u8 = 0x80;

/// A packet of `kinds`; the body of INIT and INIT ACK announces `init_tag`.
fn packet(vtag: u32, init_tag: u32, kinds: &[u8]) -> Result<Segment, Reason> {
    let mut body = [0; 16];
    body[..4].copy_from_slice(&init_tag.to_be_bytes());
    let chunks = kinds.iter().map(|kind| {
        Ok::<_, ()>(packet::sctp::Chunk {
            kind: kind & !T,
            flags: kind >> 7,
            body: &body,
            length: 20,
        })
    });
    Segment::from_chunks(Be32::new(vtag), chunks)
}

/// A connection at work.
#[derive(Default)]
struct Path {
    state: State,
    confirmed: bool,
    assured: bool,
}

impl Path {
    /// Plays a packet as the core does.
    fn play(&mut self, direction: Direction, segment: Segment) -> Outcome {
        let mut state = self.state;
        if !self.confirmed {
            match Sctp::open(&segment, &POLICY) {
                Ok(open) => state = open,
                Err(reason) => return Outcome::invalid(reason),
            }
        }
        let flow = Flow {
            direction,
            confirmed: self.confirmed,
            seen_reply: false,
            assured: self.assured,
            synproxy: false,
            ack_offset: 0,
            now: 0,
        };
        let outcome = Sctp::update(&mut state, &segment, &flow, &POLICY);
        if outcome.verdict == Verdict::Accept {
            self.confirmed = true;
            self.assured |= outcome.changes.assured;
        }
        self.state = state;
        outcome
    }
}

/// Direction, verification tag, initiate tag, chunks; the state afterwards
/// or the reason why the packet is INVALID.
type Row = (Direction, u32, u32, &'static [u8], Result<S, Reason>);

fn play(path: &mut Path, rows: &[Row]) {
    for (i, (direction, vtag, init_tag, kinds, expected)) in rows.iter().enumerate() {
        let before = path.state;
        let segment = match packet(*vtag, *init_tag, kinds) {
            Ok(segment) => segment,
            Err(reason) => {
                assert_eq!(Err(reason), *expected, "row {i}");
                continue;
            }
        };
        let outcome = path.play(*direction, segment);
        match outcome.verdict {
            Verdict::Accept => {
                assert_eq!(Ok(path.state.state()), *expected, "row {i}");
                if let Some(timeout) = outcome.timeout {
                    let state = path.state.state() as usize;
                    assert_eq!(timeout, DEFAULT_TIMEOUTS[state], "row {i}");
                }
            }
            Verdict::Invalid(reason) => {
                assert_eq!(Err(reason), *expected, "row {i}");
                assert_eq!(path.state, before, "row {i}: refused, yet changed");
            }
            verdict => panic!("row {i}: {verdict:?}"),
        }
    }
}

const HANDSHAKE: &[Row] = &[
    (O, 0, CLIENT, &[INIT], Ok(S::Closed)),
    (R, CLIENT, SERVER, &[INIT_ACK], Ok(S::CookieWait)),
    (O, SERVER, 0, &[COOKIE_ECHO, DATA], Ok(S::CookieEchoed)),
    (R, CLIENT, 0, &[COOKIE_ACK, SACK], Ok(S::Established)),
];

fn established() -> Path {
    let mut path = Path::default();
    play(&mut path, HANDSHAKE);
    assert!(path.assured);
    assert_eq!(
        path.state.vtag,
        [Be32::new(SERVER), Be32::new(CLIENT)],
        "by the direction of the packets that carry them"
    );
    path
}

#[test]
fn layout_of_ip_ct_sctp() {
    assert_eq!(core::mem::size_of::<State>(), 16);
    assert_eq!(core::mem::offset_of!(State, vtag), 4);
    assert_eq!(core::mem::offset_of!(State, init), 12);
    assert_eq!(core::mem::offset_of!(State, last_dir), 14);
    assert_eq!(core::mem::offset_of!(State, flags), 15);
    assert_eq!(core::mem::size_of::<Policy>(), 40);
}

#[test]
fn numbers_and_names() {
    for number in 0..=255 {
        let state = S::from_number(number);
        assert_eq!(state.is_some(), number <= 8);
        assert!(state.is_none_or(|state| state as u8 == number && state.name() != ""));
    }
    let mut state = State {
        state: 9,
        ..State::default()
    };
    assert_eq!(state.state(), S::None);
    state.state = 256 + 4;
    assert_eq!(state.state(), S::None);
}

#[test]
fn handshake_data_and_shutdown() {
    let mut path = established();
    play(
        &mut path,
        &[
            (O, SERVER, 0, &[DATA], Ok(S::Established)),
            (R, CLIENT, 0, &[SACK, DATA], Ok(S::Established)),
            (O, CLIENT, 0, &[DATA], Err(Reason::SctpBadTag)),
            (R, SERVER, 0, &[DATA], Err(Reason::SctpBadTag)),
            (O, 0, 0, &[DATA], Err(Reason::SctpBadTag)),
            (O, SERVER, 0, &[HEARTBEAT], Ok(S::Established)),
            (R, CLIENT, 0, &[HEARTBEAT_ACK], Ok(S::Established)),
            (O, SERVER, 0, &[SHUTDOWN], Ok(S::ShutdownSent)),
            (R, CLIENT, 0, &[SHUTDOWN_ACK], Ok(S::ShutdownAckSent)),
            (O, CLIENT, 0, &[SHUTDOWN_COMPLETE], Err(Reason::SctpBadTag)),
            (O, SERVER, 0, &[SHUTDOWN_COMPLETE], Ok(S::Closed)),
        ],
    );

    play(
        &mut established(),
        &[
            (R, CLIENT, 0, &[SHUTDOWN], Ok(S::ShutdownRecd)),
            (O, SERVER, 0, &[SACK, SHUTDOWN_ACK], Ok(S::ShutdownAckSent)),
            // The server has forgotten the association.
            (
                R,
                CLIENT,
                0,
                &[SHUTDOWN_COMPLETE | T],
                Err(Reason::SctpBadTag),
            ),
            (R, SERVER, 0, &[SHUTDOWN_COMPLETE | T], Ok(S::Closed)),
        ],
    );
}

/// A chunk that may carry any tag does not cover others.
#[test]
fn every_chunk_of_a_bundle_needs_the_tag() {
    for kinds in [
        &[HEARTBEAT, DATA],
        &[HEARTBEAT, SACK],
        &[HEARTBEAT, SHUTDOWN],
        &[SHUTDOWN, HEARTBEAT],
        &[SHUTDOWN, SHUTDOWN_ACK],
        &[SHUTDOWN_ACK, DATA],
        &[ERROR, SHUTDOWN_ACK],
    ] {
        let outcome = established().play(O, packet(OTHER, 0, kinds).unwrap());
        assert_eq!(outcome, Outcome::invalid(Reason::SctpBadTag), "{kinds:?}");
        let outcome = established().play(O, packet(SERVER, 0, kinds).unwrap());
        assert_eq!(outcome.verdict, Verdict::Accept, "{kinds:?}");
    }
}

#[test]
fn abort() {
    play(
        &mut established(),
        &[
            (R, SERVER, 0, &[ABORT], Err(Reason::SctpBadTag)),
            (R, CLIENT, 0, &[ABORT | T], Err(Reason::SctpBadTag)),
            (R, CLIENT, 0, &[DATA, ABORT], Ok(S::Closed)),
        ],
    );
    play(
        &mut established(),
        &[(R, SERVER, 0, &[ABORT | T], Ok(S::Closed))],
    );
    // Refused right away: the client's tag is all that is known.
    play(
        &mut Path::default(),
        &[
            (O, 0, CLIENT, &[INIT], Ok(S::Closed)),
            (R, CLIENT, 0, &[ABORT], Ok(S::Closed)),
        ],
    );
    play(
        &mut established(),
        &[(O, SERVER, 0, &[SHUTDOWN, ABORT], Ok(S::Closed))],
    );
}

#[test]
fn what_begins_a_connection() {
    let rows: &[Row] = &[
        (O, 0, CLIENT, &[INIT], Ok(S::Closed)),
        (O, 1, CLIENT, &[INIT], Err(Reason::SctpBadTag)),
        (O, CLIENT, 0, &[HEARTBEAT], Ok(S::HeartbeatSent)),
        (O, CLIENT, 0, &[HEARTBEAT_ACK], Ok(S::Closed)),
        (O, CLIENT, 0, &[SHUTDOWN_ACK], Ok(S::ShutdownAckSent)),
        (O, CLIENT, 0, &[ERROR], Err(Reason::SctpBadTag)),
        (O, CLIENT, SERVER, &[INIT_ACK], Err(Reason::SctpBadTag)),
        (O, CLIENT, 0, &[COOKIE_ECHO], Err(Reason::SctpBadTag)),
        (O, CLIENT, 0, &[SHUTDOWN], Err(Reason::SctpBadTag)),
        (O, CLIENT, 0, &[DATA], Err(Reason::SctpNotInit)),
        (O, CLIENT, 0, &[SACK], Err(Reason::SctpNotInit)),
        (O, CLIENT, 0, &[0xc1], Err(Reason::SctpNotInit)),
        (O, CLIENT, 0, &[HEARTBEAT, DATA], Err(Reason::SctpNotInit)),
        (O, CLIENT, 0, &[ABORT], Err(Reason::SctpNotInit)),
        (O, CLIENT, 0, &[HEARTBEAT, ABORT], Err(Reason::SctpNotInit)),
        (O, CLIENT, 0, &[COOKIE_ACK], Err(Reason::SctpNotInit)),
        (O, CLIENT, 0, &[SHUTDOWN_COMPLETE], Err(Reason::SctpNotInit)),
    ];
    for row in rows {
        play(&mut Path::default(), &[*row]);
    }
}

#[test]
fn out_of_the_blue_shutdown_ack_is_answered() {
    for answer in [SHUTDOWN_COMPLETE | T, ABORT | T] {
        let mut path = Path::default();
        play(
            &mut path,
            &[(O, SERVER, 0, &[SHUTDOWN_ACK], Ok(S::ShutdownAckSent))],
        );
        let outcome = path.play(R, packet(SERVER, 0, &[answer]).unwrap());
        assert_eq!(outcome.verdict, Verdict::Accept);
        assert_eq!(path.state.state(), S::Closed);
    }
}

#[test]
fn bundles() {
    let bad: &[&[u8]] = &[
        &[],
        &[INIT, DATA],
        &[DATA, INIT],
        &[INIT, INIT],
        &[INIT_ACK, SACK],
        &[ERROR, INIT_ACK],
        &[SHUTDOWN_COMPLETE, DATA],
        &[SACK, SHUTDOWN_COMPLETE],
        &[DATA, COOKIE_ACK],
        &[ERROR, COOKIE_ECHO],
        &[COOKIE_ECHO, COOKIE_ECHO],
        &[HEARTBEAT; MAX_CHUNKS + 1],
    ];
    for kinds in bad {
        assert_eq!(packet(0, 0, kinds), Err(Reason::SctpBadChunks), "{kinds:?}");
    }
    let good: &[&[u8]] = &[
        &[COOKIE_ECHO, DATA, DATA],
        &[SACK, DATA, SHUTDOWN],
        &[HEARTBEAT; MAX_CHUNKS],
        &[ERROR; 100],
        &[DATA; 5000],
    ];
    for kinds in good {
        assert!(packet(0, 0, kinds).is_ok());
    }
}

#[test]
fn chunks_that_cannot_be_read() {
    let chunk = |body| {
        Ok(packet::sctp::Chunk {
            kind: INIT,
            flags: 0,
            body,
            length: 4 + body.len() as u16,
        })
    };
    let read = |chunks: &[_]| Segment::from_chunks(Be32::new(0), chunks.iter().copied());
    assert!(read(&[chunk(&[0; 16])]).is_ok());
    assert_eq!(read(&[chunk(&[0; 15])]), Err(Reason::SctpBadChunks));
    assert_eq!(read(&[chunk(&[])]), Err(Reason::SctpBadChunks));
    assert_eq!(read(&[Err(())]), Err(Reason::SctpBadChunks));
    assert_eq!(
        read(&[chunk(&[0; 16]), Err(())]),
        Err(Reason::SctpBadChunks)
    );
}

#[test]
fn retransmitted_init_does_not_refresh() {
    let mut path = Path::default();
    let init = packet(0, CLIENT, &[INIT]).unwrap();
    assert_eq!(path.play(O, init).timeout, Some(10));
    for tag in [CLIENT, OTHER] {
        let outcome = path.play(O, packet(0, tag, &[INIT]).unwrap());
        assert_eq!((outcome.verdict, outcome.timeout), (Verdict::Accept, None));
    }
}

#[test]
fn new_association_while_the_old_one_ends() {
    for (direction, tag) in [(O, SERVER), (R, CLIENT)] {
        let mut path = established();
        path.play(direction, packet(tag, 0, &[SHUTDOWN]).unwrap());
        play(
            &mut path,
            &[
                (O, 0, OTHER, &[INIT], Ok(S::Closed)),
                (R, OTHER, SERVER, &[INIT_ACK], Ok(S::CookieWait)),
                (O, SERVER, 0, &[COOKIE_ECHO], Ok(S::CookieEchoed)),
                (R, OTHER, 0, &[ERROR], Ok(S::Closed)),
            ],
        );
    }
}

#[test]
fn restart_of_an_established_association() {
    play(
        &mut established(),
        &[
            (O, 0, OTHER, &[INIT], Ok(S::Established)),
            (R, OTHER, 77, &[INIT_ACK], Ok(S::Established)),
            (O, 77, 0, &[COOKIE_ECHO], Ok(S::Established)),
            (R, OTHER, 0, &[COOKIE_ACK], Ok(S::Established)),
            (O, 77, 0, &[DATA], Ok(S::Established)),
            (R, CLIENT, 0, &[DATA], Err(Reason::SctpBadTag)),
        ],
    );
}

/// The server answers the client's INIT late, when both are already
/// associated by its own INIT (upstream's conntrack_sctp_collision, 1).
#[test]
fn collision_with_a_stale_init_ack() {
    let mut path = Path::default();
    play(
        &mut path,
        &[
            (O, 0, CLIENT, &[INIT], Ok(S::Closed)),
            (R, 0, SERVER, &[INIT], Ok(S::Closed)),
            (O, SERVER, CLIENT, &[INIT_ACK], Ok(S::CookieWait)),
            (R, CLIENT, 0, &[COOKIE_ECHO], Ok(S::CookieEchoed)),
            (O, SERVER, 0, &[COOKIE_ACK], Ok(S::Established)),
            (R, CLIENT, OTHER, &[INIT_ACK], Err(Reason::SctpBadTag)),
            (O, SERVER, 0, &[DATA], Ok(S::Established)),
            (R, CLIENT, 0, &[DATA], Ok(S::Established)),
        ],
    );
}

/// The client's INIT arrives late, and its answer with another tag must
/// not replace the tag in force (upstream's conntrack_sctp_collision, 2).
#[test]
fn collision_with_a_stale_init() {
    let mut path = Path::default();
    play(
        &mut path,
        &[
            // The server's is the original direction here.
            (O, 0, SERVER, &[INIT], Ok(S::Closed)),
            (R, SERVER, CLIENT, &[INIT_ACK], Ok(S::CookieWait)),
            (O, CLIENT, 0, &[COOKIE_ECHO], Ok(S::CookieEchoed)),
            (R, SERVER, 0, &[COOKIE_ACK], Ok(S::Established)),
            (R, 0, CLIENT, &[INIT], Ok(S::Established)),
            (O, CLIENT, OTHER, &[INIT_ACK], Err(Reason::SctpBadTag)),
            (R, SERVER, 0, &[DATA], Ok(S::Established)),
            (O, CLIENT, 0, &[DATA], Ok(S::Established)),
        ],
    );
}

/// Both INITs were seen: an INIT ACK may only repeat its sender's tag.
#[test]
fn collision_while_both_wait() {
    play(
        &mut Path::default(),
        &[
            (O, 0, CLIENT, &[INIT], Ok(S::Closed)),
            (R, 0, SERVER, &[INIT], Ok(S::Closed)),
            (R, CLIENT, OTHER, &[INIT_ACK], Err(Reason::SctpBadTag)),
            (R, CLIENT, SERVER, &[INIT_ACK], Ok(S::CookieWait)),
        ],
    );
}

#[test]
fn further_path() {
    let mut path = Path::default();
    play(
        &mut path,
        &[
            (O, SERVER, 0, &[HEARTBEAT], Ok(S::HeartbeatSent)),
            (O, SERVER, 0, &[HEARTBEAT], Ok(S::HeartbeatSent)),
            (O, SERVER, 0, &[DATA], Ok(S::HeartbeatSent)),
            (R, CLIENT, 0, &[DATA], Err(Reason::SctpBadTag)),
            (R, 0, CLIENT, &[INIT], Err(Reason::SctpInvalidState)),
            (R, CLIENT, 0, &[HEARTBEAT], Ok(S::HeartbeatSent)),
            (R, CLIENT, 0, &[HEARTBEAT_ACK], Ok(S::Established)),
            (R, CLIENT, 0, &[DATA], Ok(S::Established)),
            (O, SERVER, 0, &[DATA], Ok(S::Established)),
        ],
    );
    assert!(path.assured);
}

#[test]
fn restart_learned_from_heartbeats() {
    let mut path = established();
    let heartbeat = packet(OTHER, 0, &[HEARTBEAT]).unwrap();

    let outcome = path.play(O, heartbeat);
    assert_eq!((outcome.verdict, outcome.timeout), (Verdict::Accept, None));
    play(
        &mut path,
        &[
            // Not an answer: same direction.
            (O, 99, 0, &[HEARTBEAT_ACK], Err(Reason::SctpBadTag)),
            (R, 99, 0, &[HEARTBEAT_ACK, DATA], Err(Reason::SctpBadTag)),
            (R, 99, 0, &[HEARTBEAT_ACK], Ok(S::Established)),
            // Once only.
            (R, 98, 0, &[HEARTBEAT_ACK], Err(Reason::SctpBadTag)),
            (O, OTHER, 0, &[DATA], Err(Reason::SctpBadTag)),
            (O, OTHER, 0, &[HEARTBEAT], Ok(S::Established)),
            (O, OTHER, 0, &[DATA], Ok(S::Established)),
            (R, 99, 0, &[DATA], Ok(S::Established)),
        ],
    );

    let mut path = established();
    play(
        &mut path,
        &[
            (O, OTHER, 0, &[HEARTBEAT, DATA], Err(Reason::SctpBadTag)),
            (O, OTHER, 0, &[HEARTBEAT; 2], Err(Reason::SctpBadTag)),
            (R, 99, 0, &[HEARTBEAT_ACK], Err(Reason::SctpBadTag)),
            (O, OTHER, 0, &[HEARTBEAT], Ok(S::Established)),
            // The association is alive with its old tags after all.
            (R, CLIENT, 0, &[HEARTBEAT_ACK], Ok(S::Established)),
            (R, 99, 0, &[HEARTBEAT_ACK], Err(Reason::SctpBadTag)),
        ],
    );
}

#[test]
fn early_drop_only_while_ending() {
    for number in 0..=8 {
        let mut state = State::default();
        state.set_state(S::from_number(number).unwrap());
        assert_eq!(state.can_early_drop(), (5..=7).contains(&number));
    }
}
