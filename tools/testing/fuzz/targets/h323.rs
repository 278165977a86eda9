// SPDX-License-Identifier: GPL-2.0

//! H.323: a RAS datagram, or a segment of call signalling or control messages.

#![no_main]

include!("../fuzz.rs");

use nf_proto::{
    alg::h323::{
        self,
        state::State,
        tpkt::Messages,
        translate::{self, Ends, Rewrites},
        Found, Kind,
    },
    be::{Be16, Be32},
    tuple::{Address, Direction, Family, Tuple},
};

fn target(payload: &[u8], choice: u8) {
    let family = if choice & 4 == 0 {
        Family::Ipv4
    } else {
        Family::Ipv6
    };
    let mut found = Found::new();
    if choice & 3 == 0 {
        if h323::ras(payload, 0, family, &mut found).is_ok() {
            check(payload, &found, family);
        }
        return;
    }
    let announced = if choice & 8 == 0 { 0 } else { choice.into() };
    let mut messages = Messages::new(payload, announced);
    let mut behind = 0;
    for (at, message) in &mut messages {
        let end = usize::from(at) + message.len();
        assert!(usize::from(at) >= behind && payload.get(at.into()..end) == Some(message));
        behind = end;
        let read = if choice & 1 != 0 {
            h323::call
        } else {
            h323::control
        };
        if read(message, at, family, &mut found).is_ok() {
            check(payload, &found, family);
            assert_eq!(found.kind(), Kind::Other);
        }
    }
}

/// What was found lies within, in order; so does what is written.
fn check(payload: &[u8], found: &Found, family: Family) {
    let len = if family == Family::Ipv4 { 6 } else { 18 };
    let mut behind = 0;
    for place in found.places() {
        assert!(usize::from(place.at) >= behind && place.family == family);
        behind = usize::from(place.at) + len;
        assert!(behind <= payload.len() && place.endpoint(payload).is_some());
    }
    let mut tuple = Tuple::default();
    tuple.src.address = Address::v4(Be32::new(0x0a00_0163));
    tuple.src.id = Be16::new(1719);
    tuple.dst.address = Address::v4(Be32::new(0x0a00_0263));
    tuple.dst.id = Be16::new(1719);
    let ends = Ends::new(&tuple, &tuple);
    let state = State {
        signal: [Be16::new(1720); 2],
        ..State::default()
    };
    let mut rewrites = Rewrites::new();
    let _ = translate::ras(
        found,
        payload,
        &ends,
        &state,
        Direction::Original,
        &mut rewrites,
    );
    let _ = translate::setup(found, payload, &ends, &mut rewrites);
    let mut behind = 0;
    for rewrite in rewrites.sorted() {
        assert!(usize::from(rewrite.at) >= behind);
        behind = usize::from(rewrite.at) + len;
        assert!(behind <= payload.len());
    }
}

fuzz!(target);
