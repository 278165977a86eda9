// SPDX-License-Identifier: GPL-2.0

//! Any sequence of TCP segments: no panic, only moves that the protocol knows,
//! and outcomes that hang together.

use nf_proto::l4::tcp::{self, flag, Policy, State, Tcp, TcpConntrack as S, RETRANS, UNACK};
use nf_proto::l4::{Flow, Outcome, Protocol, Verdict};
use nf_proto::packet::tcp::{Flags, Options, Segment};
use nf_proto::tuple::Direction;
use proptest::prelude::*;

/// Timeouts that can be told apart.
fn policy() -> impl Strategy<Value = Policy> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 0u8..5).prop_map(
        |(loose, be_liberal, ignore_invalid_rst, max_retrans)| Policy {
            timeouts: [
                110, 111, 102, 193, 114, 105, 106, 117, 108, 119, 1, 2, 130, 140,
            ],
            loose,
            be_liberal,
            max_retrans,
            ignore_invalid_rst,
        },
    )
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Original), Just(Direction::Reply)]
}

/// Few numbers, so that they match now and then, around where they wrap; and
/// some that are anywhere.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        8 => (0u32..6).prop_map(|n| n.wrapping_sub(3)),
        2 => (0u32..4000).prop_map(|n| n.wrapping_sub(2000)),
        1 => any::<u32>(),
    ]
}

/// All that the packet view lets through.
fn flags() -> impl Strategy<Value = Flags> {
    const A: u8 = Flags::ACK;
    prop::sample::select(
        &[
            A,
            A,
            A | Flags::PSH,
            A | Flags::URG,
            Flags::SYN,
            Flags::SYN | A,
            Flags::FIN | A,
            Flags::RST,
            Flags::RST | A,
        ][..],
    )
    .prop_map(Flags)
}

fn options() -> impl Strategy<Value = Options> {
    let scale = prop::option::of(0u8..=14);
    let edge = prop::option::weighted(0.2, number());
    (scale, any::<bool>(), edge)
        .prop_map(|(scale, sack_permitted, edge)| Options::of(scale, sack_permitted, edge))
}

fn segment() -> impl Strategy<Value = Segment> {
    let window = prop_oneof![Just(0u16), 1u16..2000, any::<u16>()];
    let payload = prop_oneof![4 => 0u32..3, 1 => 0u32..70000, 1 => any::<u32>()];
    (number(), number(), window, flags(), payload, options()).prop_map(
        |(seq, ack, window, flags, payload, options)| Segment {
            seq,
            ack: if flags.ack() { ack } else { 0 },
            window,
            flags,
            payload,
            options,
        },
    )
}

fn segments() -> impl Strategy<Value = Vec<(Direction, Segment)>> {
    prop::collection::vec((direction(), segment()), 0..60)
}

/// A connection as the table would have it.
#[derive(Clone, Copy, Debug)]
struct Connection {
    state: State,
    seen_reply: bool,
    assured: bool,
}

/// Plays a segment; `None` if it cannot begin a connection.
fn play(
    connection: &mut Option<Connection>,
    direction: Direction,
    segment: &Segment,
    policy: &Policy,
    ack_offset: i32,
) -> Option<Outcome> {
    let (mut now, direction) = match *connection {
        Some(connection) => (connection, direction),
        None => {
            let state = Tcp::open(segment, policy).ok()?;
            let now = Connection {
                state,
                seen_reply: false,
                assured: false,
            };
            (now, Direction::Original)
        }
    };
    let flow = Flow {
        direction,
        confirmed: connection.is_some(),
        seen_reply: now.seen_reply,
        assured: now.assured,
        synproxy: false,
        ack_offset,
        now: 0,
    };
    let before = now.state;
    let outcome = Tcp::update(&mut now.state, segment, &flow, policy);
    check_usual(
        connection, before, &now.state, &flow, segment, policy, &outcome,
    );
    match outcome.verdict {
        Verdict::Accept => {
            now.assured |= outcome.changes.assured;
            now.seen_reply |= direction == Direction::Reply;
            *connection = Some(now).filter(|_| !outcome.changes.kill);
        }
        Verdict::Reopen => *connection = None,
        _ if connection.is_some() => *connection = Some(now),
        _ => {}
    }
    Some(outcome)
}

/// What is handled apart because it is so frequent ends as it would otherwise.
fn check_usual(
    connection: &Option<Connection>,
    before: State,
    after: &State,
    flow: &Flow,
    segment: &Segment,
    policy: &Policy,
    outcome: &Outcome,
) {
    let accept = |timeout| Outcome::accept(timeout);
    if connection.is_none() {
        let mut state = State::default();
        if let Some(timeout) = tcp::first_syn(&mut state, segment, policy) {
            let mut expected = accept(timeout);
            expected.changes.protoinfo = true;
            assert_eq!((&state, &expected), (after, outcome));
        } else {
            assert_eq!(state, State::default());
        }
        return;
    }
    for turn in [tcp::answer, tcp::proceed] {
        if flow.ack_offset != 0 {
            break;
        }
        let mut state = before;
        let known = (flow.seen_reply, flow.assured);
        match turn(&mut state, segment, flow.direction, known, policy) {
            Some(turn) => {
                let mut expected = accept(turn.timeout);
                expected.changes.protoinfo = turn.moves;
                expected.changes.assured = turn.assured;
                expected.changes.closing = segment.flags.fin();
                assert_eq!((&state, &expected), (after, outcome));
            }
            None => assert_eq!(state, before),
        }
    }
    if flow.seen_reply && flow.assured && flow.ack_offset == 0 {
        let mut state = before;
        match tcp::steady(&mut state, segment, flow.direction, policy) {
            Some(timeout) => assert_eq!((&state, &accept(timeout)), (after, outcome)),
            None => assert_eq!(state, before),
        }
    }
}

fn state_of(connection: &Option<Connection>) -> S {
    connection.map_or(S::None, |connection| connection.state.state())
}

/// Where a segment that counts may lead.
fn allowed(old: S, new: S) -> bool {
    use S::*;
    let next: &[S] = match old {
        None => &[SynSent, Established],
        SynSent => &[SynSent2, SynRecv],
        SynSent2 => &[SynRecv],
        SynRecv => &[Established, FinWait],
        Established => &[FinWait, SynRecv],
        // SYN_RECV: a SYN and its SYN ACK that were let through.
        FinWait => &[CloseWait, LastAck, SynRecv],
        CloseWait => &[LastAck, SynRecv],
        LastAck => &[TimeWait, SynRecv],
        TimeWait | Close => &[SynRecv],
    };
    old == new || (new == Close && old != None) || next.contains(&new)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn outcomes_are_consistent(
        policy in policy(),
        segments in segments(),
        ack_offset in prop_oneof![4 => Just(0i32), 1 => -3i32..3, 1 => any::<i32>()],
    ) {
        let mut connection = None;
        for (direction, segment) in &segments {
            let before = connection;
            let old = state_of(&before);
            let outcome = play(&mut connection, *direction, segment, &policy, ack_offset);
            let Some(outcome) = outcome else { continue };
            let changes = outcome.changes;
            let new = state_of(&connection);

            if let Some(timeout) = outcome.timeout {
                prop_assert!(policy.timeouts.contains(&timeout));
            }
            match outcome.verdict {
                Verdict::Accept if changes.kill => {
                    prop_assert!(segment.flags.rst());
                    prop_assert!(before.is_some_and(|connection| !connection.seen_reply));
                }
                Verdict::Accept => {
                    prop_assert!(allowed(old, new), "{:?} to {:?}", old, new);
                    // In SYN_RECV, they may have begun anew.
                    prop_assert!(changes.protoinfo == (old != new) || old == S::SynRecv);
                    prop_assert!(new != S::Close || old == new || segment.flags.rst());
                    if changes.note.is_some() {
                        prop_assert_eq!((old, outcome.timeout), (new, None));
                    }
                    if let Some(timeout) = outcome.timeout {
                        let of_state = policy.timeouts[new as usize];
                        let rst = policy.timeouts[S::Close as usize];
                        let expected = [
                            of_state,
                            policy.timeouts[RETRANS],
                            policy.timeouts[UNACK],
                        ];
                        prop_assert!(
                            expected.contains(&timeout) || (segment.flags.rst() && timeout == rst)
                        );
                    }
                    if changes.assured {
                        prop_assert_eq!(new, S::Established);
                    }
                    let connection = connection.unwrap();
                    prop_assert!(before.is_some() || outcome.timeout.is_some());
                    for seen in connection.state.seen {
                        prop_assert!(seen.td_scale <= 14);
                    }
                }
                Verdict::Invalid(_) => {
                    prop_assert_eq!(old, new);
                    let mut rest = changes;
                    rest.cap = false;
                    prop_assert_eq!(rest, Default::default());
                    prop_assert_eq!(changes.cap, outcome.timeout.is_some());
                    // What is known of windows stays.
                    if let (Some(before), Some(after)) = (before, connection) {
                        prop_assert_eq!(before.state.seen, after.state.seen);
                    }
                }
                Verdict::Reopen => {
                    prop_assert!(matches!(old, S::TimeWait | S::Close));
                    prop_assert!(segment.flags.syn() && !segment.flags.ack());
                }
                Verdict::Drop(_) => prop_assert!(false),
            }
        }
    }

    /// Any state that C or ctnetlink may leave, whatever it says.
    #[test]
    fn any_state(
        policy in policy(),
        seen in any::<[([u32; 4], u8, u8); 2]>(),
        state in any::<u8>(),
        last_flags in any::<u8>(),
        segments in segments(),
    ) {
        let mut any = State::default();
        for (seen, (numbers, scale, flags)) in any.seen.iter_mut().zip(seen) {
            [seen.td_end, seen.td_maxend, seen.td_maxwin, seen.td_maxack] = numbers;
            (seen.td_scale, seen.flags) = (scale, flags);
        }
        any.last_flags = last_flags;
        any.set_state(S::from_number(state % 10).unwrap());
        let mut connection = Some(Connection { state: any, seen_reply: true, assured: true });
        for (direction, segment) in &segments {
            play(&mut connection, *direction, segment, &policy, 0);
        }
    }

    /// Who does not know the numbers cannot end a connection with RSTs and
    /// SYNs, nor make the segments of its ends INVALID.
    #[test]
    fn blind_attacks_do_no_harm(
        attacks in prop::collection::vec(
            (direction(), any::<u32>(), any::<u32>(), prop::sample::select(&[
                Flags::SYN, Flags::RST, Flags::RST | Flags::ACK,
            ][..])),
            0..30,
        ),
    ) {
        const ISN: [u32; 2] = [0x1000_0000, 0x9000_0000];
        let policy = Policy::default();
        let segment = |flags, seq, ack| Segment {
            seq,
            ack,
            window: 1000,
            flags: Flags(flags),
            payload: 0,
            options: Options::default(),
        };
        let near = |number: u32, base: u32| number.wrapping_sub(base.wrapping_sub(70_000)) < 140_000;

        let mut connection = None;
        for (direction, flags, seq, ack) in [
            (Direction::Original, Flags::SYN, ISN[0], 0),
            (Direction::Reply, Flags::SYN | Flags::ACK, ISN[1], ISN[0] + 1),
            (Direction::Original, Flags::ACK, ISN[0] + 1, ISN[1] + 1),
            (Direction::Reply, Flags::ACK, ISN[1] + 1, ISN[0] + 1),
        ] {
            play(&mut connection, direction, &segment(flags, seq, ack), &policy, 0);
        }
        prop_assert_eq!(state_of(&connection), S::Established);

        for (direction, seq, ack, flags) in attacks {
            let own = *direction.of(&ISN);
            prop_assume!(!near(seq, own) && seq != 0);
            let ack = if flags & Flags::ACK != 0 { ack } else { 0 };
            let outcome = play(&mut connection, direction, &segment(flags, seq, ack), &policy, 0);
            prop_assert!(outcome.is_some_and(|outcome| outcome.timeout.is_none()
                || outcome.changes.cap));
            prop_assert_eq!(state_of(&connection), S::Established);

            for (direction, seq, ack) in [
                (Direction::Original, ISN[0] + 1, ISN[1] + 1),
                (Direction::Reply, ISN[1] + 1, ISN[0] + 1),
            ] {
                let live = segment(Flags::ACK, seq, ack);
                let outcome = play(&mut connection, direction, &live, &policy, 0);
                let outcome = outcome.unwrap();
                prop_assert_eq!(outcome.verdict, Verdict::Accept);
                prop_assert!(outcome.timeout.is_some());
            }
        }
        prop_assert!(!connection.unwrap().state.seen[0].has(flag::BE_LIBERAL));
    }

    /// Two ends that follow the protocol, whose segments are lost, repeated or
    /// late between us and the receiver: nothing is INVALID.
    #[test]
    fn an_honest_stream(
        isn in any::<[u32; 2]>(),
        steps in prop::collection::vec((direction(), 0u32..1400, any::<bool>()), 1..80),
    ) {
        let policy = Policy::default();
        let mut connection = None;
        // What each side has sent, what it has received, and what its peer has
        // acknowledged of what it has sent.
        let mut sent = isn;
        let mut received = [0, isn[0]];
        let mut acked = isn;
        let handshake = [
            (Direction::Original, Flags::SYN),
            (Direction::Reply, Flags::SYN | Flags::ACK),
            (Direction::Original, Flags::ACK),
        ];
        let make = |flags, seq, ack, payload| Segment {
            seq,
            ack,
            window: 2000,
            flags: Flags(flags),
            payload,
            options: Options::of(Some(3).filter(|_| flags & Flags::SYN != 0), false, None),
        };
        for (direction, flags) in handshake {
            let (this, other) = (direction as usize, direction.opposite() as usize);
            let ack = if flags & Flags::ACK != 0 { received[this] } else { 0 };
            let segment = make(flags, sent[this], ack, 0);
            sent[this] = sent[this].wrapping_add(u32::from(segment.flags.syn()));
            received[other] = sent[this];
            acked[this] = sent[this];
            let outcome = play(&mut connection, direction, &segment, &policy, 0);
            prop_assert_eq!(outcome.unwrap().verdict, Verdict::Accept);
        }
        for (direction, payload, arrives) in steps {
            let (this, other) = (direction as usize, direction.opposite() as usize);
            // No more than the window allows; else what is missing again.
            let unacknowledged = sent[this].wrapping_sub(acked[this]);
            let fits = unacknowledged + payload <= 2000;
            let (seq, payload) = match fits {
                true => (sent[this], payload),
                false => (acked[this], payload.min(unacknowledged)),
            };
            let segment = make(Flags::ACK, seq, received[this], payload);
            let end = seq.wrapping_add(payload);
            if fits {
                sent[this] = end;
            }
            let news = end.wrapping_sub(received[other]) as i32 > 0;
            if arrives && news && received[other].wrapping_sub(seq) <= payload {
                received[other] = end;
            }
            acked[other] = received[this];
            let outcome = play(&mut connection, direction, &segment, &policy, 0).unwrap();
            prop_assert_eq!(outcome.verdict, Verdict::Accept);
            prop_assert_eq!(outcome.changes.note, None);
            prop_assert!(outcome.timeout.is_some());
        }
        prop_assert_eq!(state_of(&connection), S::Established);
    }
}
