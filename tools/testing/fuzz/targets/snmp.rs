// SPDX-License-Identifier: GPL-2.0

//! An SNMP datagram.

#![no_main]

include!("../fuzz.rs");

use nf_proto::alg::snmp::{translate, Message};

fn target(payload: &[u8], _: u8) {
    let mut translated = payload.to_vec();
    // An address that is there, if there is one.
    let from = Message::parse(payload)
        .ok()
        .and_then(|message| message.addresses().last())
        .map_or([10, 0, 0, 1], |at| payload[at..at + 4].try_into().unwrap());
    let changed = translate(&mut translated, from, [192, 0, 2, 1]);
    let Ok(message) = Message::parse(payload) else {
        assert!(changed.is_err() && translated == payload);
        return;
    };
    let mut behind = 0;
    let mut edited = payload.to_vec();
    for at in message.addresses() {
        assert!(at >= behind);
        behind = at + 4;
        edited[at..at + 4].copy_from_slice(&[192, 0, 2, 1]);
    }
    // As addresses() says it, one address becomes another.
    let mut wanted = payload.to_vec();
    for at in message.addresses() {
        if wanted[at..at + 4] == from {
            wanted[at..at + 4].copy_from_slice(&[192, 0, 2, 1]);
        }
    }
    assert!(translated == wanted && changed == Ok(translated != payload || from == [192, 0, 2, 1]));
    // Other addresses make no other message.
    let again = Message::parse(&edited).expect("still a message");
    assert!(again.addresses().eq(message.addresses()));
}

fuzz!(target);
