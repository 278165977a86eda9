// SPDX-License-Identifier: GPL-2.0

//! Any sequence of SCTP packets: no panic, and only moves that the protocol
//! knows.

use nf_proto::be::Be32;
use nf_proto::l4::sctp::{Policy, Sctp, SctpConntrack as S, Segment, State, DEFAULT_TIMEOUTS};
use nf_proto::l4::{Flow, Outcome, Protocol, Verdict};
use nf_proto::packet;
use nf_proto::tuple::Direction;
use proptest::prelude::*;

const POLICY: Policy = Policy {
    timeouts: DEFAULT_TIMEOUTS,
};

/// The chunks that change a state.
const CONTROL: [u8; 11] = [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 14];
const INIT: u8 = 1;

/// What can be written into a packet.
#[derive(Clone, Debug)]
struct Packet {
    direction: Direction,
    vtag: u32,
    init_tag: u32,
    /// Kind and flags.
    chunks: Vec<(u8, u8)>,
}

impl Packet {
    fn segment(&self) -> Option<Segment> {
        let mut body = [0; 16];
        body[..4].copy_from_slice(&self.init_tag.to_be_bytes());
        let chunks = self.chunks.iter().map(|&(kind, flags)| {
            Ok::<_, ()>(packet::sctp::Chunk {
                kind,
                flags,
                body: &body,
                length: 20,
            })
        });
        Segment::from_chunks(Be32::new(self.vtag), chunks).ok()
    }
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Original), Just(Direction::Reply)]
}

/// Few tags, so that they match now and then.
fn tag() -> impl Strategy<Value = u32> {
    0u32..4
}

fn packet(chunks: impl Strategy<Value = Vec<(u8, u8)>>) -> impl Strategy<Value = Packet> {
    (direction(), tag(), tag(), chunks).prop_map(|(direction, vtag, init_tag, chunks)| Packet {
        direction,
        vtag,
        init_tag,
        chunks,
    })
}

/// One chunk that matters.
fn control() -> impl Strategy<Value = Vec<(u8, u8)>> {
    (prop::sample::select(&CONTROL[..]), 0u8..2).prop_map(|chunk| vec![chunk])
}

/// Any bundle.
fn bundle() -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop::collection::vec((0u8..16, any::<u8>()), 0..12)
}

/// Plays a packet; `None` if it does not get as far as the state.
fn play(state: &mut Option<(State, bool)>, packet: &Packet) -> Option<Outcome> {
    let segment = packet.segment()?;
    let (mut new, assured, direction) = match state {
        Some((state, assured)) => (*state, *assured, packet.direction),
        None => {
            let new = Sctp::open(&segment, &POLICY).ok()?;
            (new, false, Direction::Original)
        }
    };
    let flow = Flow {
        direction,
        confirmed: state.is_some(),
        seen_reply: false,
        assured,
        synproxy: false,
        ack_offset: 0,
        now: 0,
    };
    let outcome = Sctp::update(&mut new, &segment, &flow, &POLICY);
    if outcome.verdict == Verdict::Accept {
        *state = Some((new, assured || outcome.changes.assured));
    }
    Some(outcome)
}

/// Moves that a single chunk can make.
fn allowed(old: S, new: S) -> bool {
    use S::*;
    let next: &[S] = match old {
        None => &[HeartbeatSent, ShutdownAckSent],
        HeartbeatSent => &[CookieWait, Established, ShutdownAckSent],
        Closed => &[CookieWait],
        CookieWait => &[CookieEchoed],
        CookieEchoed => &[Established],
        Established => &[ShutdownSent, ShutdownRecd],
        ShutdownSent | ShutdownRecd => &[ShutdownAckSent],
        ShutdownAckSent => &[],
    };
    old == new || (new == Closed && old != CookieWait) || next.contains(&new)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn only_allowed_moves(packets in prop::collection::vec(packet(control()), 0..60)) {
        let mut state = None;
        for packet in &packets {
            let before = state.map_or(S::None, |(state, _): (State, _)| state.state());
            let Some(outcome) = play(&mut state, packet) else { continue };
            let after = state.map_or(S::None, |(state, _)| state.state());
            let aborted = packet.chunks[0].0 == 6 && after == S::Closed;
            prop_assert!(aborted || allowed(before, after), "{:?} to {:?}", before, after);
            prop_assert_eq!(outcome.changes.protoinfo, before != after);
        }
    }

    #[test]
    fn outcomes_are_consistent(packets in prop::collection::vec(packet(bundle()), 0..60)) {
        let mut state = None;
        for packet in &packets {
            let before = state;
            let Some(outcome) = play(&mut state, packet) else { continue };
            match outcome.verdict {
                Verdict::Accept => {
                    let (after, assured) = state.unwrap();
                    prop_assert_ne!(after.state(), S::None);
                    let timeout = DEFAULT_TIMEOUTS[after.state() as usize];
                    prop_assert!(outcome.timeout.is_none_or(|given| given == timeout));
                    prop_assert!(before.is_some() || outcome.timeout.is_some());
                    let was = before.is_some_and(|(_, assured)| assured);
                    prop_assert_eq!(outcome.changes.assured, assured && !was);
                    prop_assert!(assured || after.state() != S::Established);
                }
                Verdict::Invalid(_) => {
                    prop_assert_eq!(state, before);
                    prop_assert_eq!(outcome.timeout, None);
                    prop_assert_eq!(outcome.changes, Default::default());
                }
                verdict => prop_assert!(false, "{:?}", verdict),
            }
        }
    }

    /// Who is on one side and does not know the tags cannot end an
    /// association, nor make the packets of others INVALID.
    #[test]
    fn wrong_tags_do_no_harm(
        direction in direction(),
        packets in prop::collection::vec(packet(bundle()), 0..30),
    ) {
        const TAGS: [u32; 2] = [100, 200];
        let handshake = [
            (Direction::Original, 0, TAGS[1], 1),
            (Direction::Reply, TAGS[1], TAGS[0], 2),
            (Direction::Original, TAGS[0], 0, 10),
            (Direction::Reply, TAGS[1], 0, 11),
        ];
        let mut state = None;
        for (direction, vtag, init_tag, kind) in handshake {
            let chunks = vec![(kind, 0)];
            play(&mut state, &Packet { direction, vtag, init_tag, chunks });
        }
        prop_assert_eq!(state.unwrap().0.state(), S::Established);

        for mut packet in packets {
            packet.direction = direction;
            packet.chunks.retain(|(kind, _)| *kind != INIT);
            play(&mut state, &packet);
            let (state, _) = state.unwrap();
            prop_assert_eq!(state.state(), S::Established);
            prop_assert_eq!(state.vtag, TAGS.map(Be32::new));
        }
    }
}
