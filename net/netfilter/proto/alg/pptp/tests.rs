// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::{super::room, super::room::tests::is_kept, *};
use crate::{be::Be32, tuple::Address};
use std::vec::Vec;

const PNS: Direction = Direction::Original;
const PAC: Direction = Direction::Reply;

/// A message of `kind` whose body begins with `body` and has `length` bytes.
fn encode(kind: u16, body: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend((12 + length as u16).to_be_bytes());
    bytes.extend([0, 1, 0x1a, 0x2b, 0x3c, 0x4d]);
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(body);
    bytes.resize(12 + length, 0);
    bytes
}

fn start_request() -> Vec<u8> {
    encode(1, &[1, 0], 144)
}

fn start_reply(code: u8) -> Vec<u8> {
    encode(2, &[1, 0, code], 144)
}

fn out_request(pns: u16) -> Vec<u8> {
    encode(7, &pns.to_be_bytes(), 156)
}

fn out_reply(pac: u16, pns: u16, code: u8) -> Vec<u8> {
    let ids = [pac.to_be_bytes(), pns.to_be_bytes()].concat();
    encode(8, &[ids, std::vec![code]].concat(), 20)
}

struct Player {
    control: Control,
    outside: Option<Be16>,
}

impl Player {
    fn play(&mut self, direction: Direction, payload: &[u8]) -> Vec<Outcome> {
        messages(payload)
            .map(|placed| self.control.update(direction, &placed, self.outside))
            .collect()
    }
}

fn player(outside: Option<u16>) -> Player {
    let mut player = Player {
        control: Control::default(),
        outside: outside.map(Be16::new),
    };
    let nothing = [Outcome {
        step: Step::Nothing,
        edit: None,
    }];
    assert_eq!(player.play(PNS, &start_request()), nothing);
    assert_eq!(player.play(PAC, &start_reply(1)), nothing);
    player
}

fn ids(pac: u16, pns: u16, outside: u16) -> Ids {
    Ids {
        pac: Be16::new(pac),
        pns: Be16::new(pns),
        pns_outside: Be16::new(outside),
    }
}

#[test]
fn every_state_is_kept() {
    for session in [
        Session::None,
        Session::Failed,
        Session::Stopping,
        Session::Requested,
        Session::Confirmed,
    ] {
        for call in [
            Call::None,
            Call::OutRequested,
            Call::OutConfirmed,
            Call::InRequested,
            Call::InReplied,
            Call::InConfirmed,
            Call::Clearing,
        ] {
            is_kept(Control {
                session,
                call,
                ids: ids(1, 2, 65535),
            });
        }
    }
}

/// As C reads it, and no further: what follows is not this code's.
#[test]
fn is_kept_as_nf_ct_pptp_master() {
    let control = Control {
        session: Session::Confirmed,
        call: Call::InConfirmed,
        ids: ids(1, 2, 3),
    };
    let mut room = [0xee; room::SIZE];
    room::store(&control, &mut room);
    assert_eq!(room[..4], 4u32.to_ne_bytes());
    assert_eq!(room[4..8], 6u32.to_ne_bytes());
    // The PAC's, the PNS's as the PAC knows it, and in a gap the PNS's own.
    assert_eq!(room[8..14], [0, 1, 0, 3, 0, 2]);
    assert_eq!(room[14..], [0xee; room::SIZE - 14]);
}

/// A call's two tuples, from each of which the other one is known.
#[test]
fn tunnel_of_a_call() {
    let tuple = |from: u32, to: u32| {
        let mut tuple = Tuple::default();
        tuple.src.address = Address::v4(Be32::new(from));
        tuple.src.id = Be16::new(1024);
        tuple.src.l3num = 2;
        tuple.dst.address = Address::v4(Be32::new(to));
        tuple.dst.id = Be16::new(1723);
        tuple.dst.protocol = number::TCP;
        tuple.dst.direction = 1;
        tuple
    };
    // From 1 to 2, which are 3 and 4 on the PAC's side.
    let (original, reply) = (tuple(1, 2), tuple(4, 3));
    let ids = ids(99, 7, 5000);
    let both = tunnel([&original, &reply], ids);
    for (made, like, from, to) in [(both[0], original, 7, 99), (both[1], reply, 99, 5000)] {
        assert_eq!(made.src.address, like.src.address);
        assert_eq!(made.dst.address, like.dst.address);
        assert_eq!((made.src.l3num, made.dst.protocol), (2, 47));
        assert_eq!((made.src.id.get(), made.dst.id.get()), (from, to));
        assert_eq!(made.dst.direction, 0);
    }
    assert_eq!(ids_of(&both[0], PNS, ids.pns_outside), ids);
    assert_eq!(ids_of(&both[1], PAC, ids.pns), ids);
}

#[test]
fn outgoing_call() {
    let mut player = player(None);
    assert_eq!(player.play(PNS, &out_request(7))[0].step, Step::Nothing);
    let outcome = player.play(PAC, &out_reply(99, 7, 1))[0];
    assert_eq!(outcome.step, Step::Expect(ids(99, 7, 7)));
    assert_eq!(outcome.edit, None);
    let over = player.play(PAC, &encode(13, &[0, 99], 136))[0];
    assert_eq!(over.step, Step::Over);
}

/// With the control connection's end, its call ends.
#[test]
fn stop_ends_the_call() {
    let mut player = player(None);
    player.play(PNS, &out_request(7));
    player.play(PAC, &out_reply(99, 7, 1));
    // Not by the PAC alone.
    let reply = encode(4, &[1], 4);
    assert_eq!(player.play(PAC, &reply)[0].step, Step::Invalid);
    assert_eq!(player.play(PNS, &encode(3, &[1], 4))[0].step, Step::Nothing);
    assert_eq!(player.play(PAC, &reply)[0].step, Step::Over);
    assert_eq!(
        player.play(PAC, &out_reply(99, 7, 1))[0].step,
        Step::Invalid
    );
}

#[test]
fn outgoing_call_under_nat() {
    let mut player = player(Some(5000));
    let request = player.play(PNS, &out_request(7))[0];
    assert_eq!(request.edit, Some((12, Be16::new(5000))));
    let reply = player.play(PAC, &out_reply(99, 5000, 1))[0];
    assert_eq!(reply.step, Step::Expect(ids(99, 7, 5000)));
    assert_eq!(reply.edit, Some((14, Be16::new(7))));
    // Its own id is the PAC's own business.
    let link = player.play(PNS, &encode(15, &[0, 99], 12))[0];
    assert_eq!((link.step, link.edit), (Step::Nothing, None));
    let link = player.play(PAC, &encode(15, &5000u16.to_be_bytes(), 12))[0];
    assert_eq!(link.edit, Some((12, Be16::new(7))));
    let clear = player.play(PNS, &encode(12, &[0, 7], 4))[0];
    assert_eq!(clear.edit, Some((12, Be16::new(5000))));
}

#[test]
fn incoming_call_under_nat() {
    let mut player = player(Some(5000));
    let request = player.play(PAC, &encode(9, &[0, 99], 208))[0];
    assert_eq!((request.step, request.edit), (Step::Nothing, None));
    let reply = player.play(PNS, &encode(10, &[0, 7, 0, 99, 1], 12))[0];
    assert_eq!(reply.edit, Some((12, Be16::new(5000))));
    let connect = player.play(PAC, &encode(11, &5000u16.to_be_bytes(), 16))[0];
    assert_eq!(connect.step, Step::Expect(ids(99, 7, 5000)));
    assert_eq!(connect.edit, Some((12, Be16::new(7))));
}

#[test]
fn what_does_not_belong_is_invalid() {
    let mut control = Player {
        control: Control::default(),
        outside: Some(Be16::new(5000)),
    };
    // No session yet.
    for payload in [out_request(7), encode(12, &[0, 7], 4), start_reply(1)] {
        let outcome = control.play(PNS, &payload)[0];
        assert_eq!((outcome.step, outcome.edit), (Step::Invalid, None));
    }
    let mut player = player(None);
    player.play(PNS, &out_request(7));
    // Another call's id; a refusal; then too late.
    assert_eq!(
        player.play(PAC, &out_reply(99, 8, 1))[0].step,
        Step::Invalid
    );
    assert_eq!(
        player.play(PAC, &out_reply(99, 7, 2))[0].step,
        Step::Nothing
    );
    assert_eq!(
        player.play(PAC, &out_reply(99, 7, 1))[0].step,
        Step::Invalid
    );
    assert_eq!(player.play(PAC, &encode(77, &[], 0))[0].step, Step::Invalid);
}

#[test]
fn several_messages_in_a_segment() {
    let mut player = player(Some(5000));
    let payload = [encode(5, &[], 4), out_request(7)].concat();
    let outcomes = player.play(PNS, &payload);
    assert_eq!(outcomes.len(), 2);
    assert_eq!(outcomes[1].edit, Some((28, Be16::new(5000))));
}

#[test]
fn cut_at_every_byte() {
    for kind in 1..=15 {
        let whole = encode(kind, &[0; 4], 208);
        assert_eq!(messages(&whole).count(), 1);
        for cut in 0..whole.len() {
            assert_eq!(messages(&whole[..cut]).count(), 0, "{kind} at {cut}");
        }
    }
    // The length says less than the kind needs, or cannot be.
    assert_eq!(messages(&encode(7, &[0, 7], 155)).count(), 0);
    for length in [0u16, 11, 221, 65535] {
        let mut payload = out_request(7);
        payload[..2].copy_from_slice(&length.to_be_bytes());
        assert_eq!(messages(&payload).count(), 0, "{length}");
    }
}
