// SPDX-License-Identifier: GPL-2.0

//! Segments of a PPTP control connection, one after the other: each begins with
//! a byte of choices and its length.

#![no_main]

include!("../fuzz.rs");

use nf_proto::{
    alg::{
        pptp::{self, Control},
        room,
    },
    be::Be16,
    tuple::{Direction, Tuple},
};

fn target(mut bytes: &[u8], choice: u8) {
    let outside = (choice & 1 != 0).then(|| Be16::new(5000));
    let mut control = Control::default();
    while let [choices, len, rest @ ..] = bytes {
        let (payload, rest) = rest.split_at(rest.len().min((*len).into()));
        bytes = rest;
        let direction = if choices & 1 == 0 {
            Direction::Original
        } else {
            Direction::Reply
        };
        let mut behind = 0;
        for placed in pptp::messages(payload) {
            let outcome = control.update(direction, &placed, outside);
            let mut kept = [0; room::SIZE];
            room::store(&control, &mut kept);
            assert!(room::load::<Control>(&kept) == control);
            // From each direction's tuple the other one can be told.
            let ids = control.ids();
            let [pns, pac] = pptp::tunnel([&Tuple::default(); 2], ids);
            assert!(pptp::ids_of(&pns, Direction::Original, ids.pns_outside) == ids);
            assert!(pptp::ids_of(&pac, Direction::Reply, ids.pns) == ids);
            if let Some((at, _)) = outcome.edit {
                assert!(outside.is_some() && at >= behind);
                behind = at + 2;
                assert!(behind <= payload.len());
            }
        }
    }
}

fuzz!(target);
