// SPDX-License-Identifier: GPL-2.0

//! An SNMP datagram.

#![no_main]

include!("../fuzz.rs");

use nf_proto::alg::snmp::Message;

fn target(payload: &[u8], _: u8) {
    let Ok(message) = Message::parse(payload) else {
        return;
    };
    let mut behind = 0;
    let mut edited = payload.to_vec();
    for at in message.addresses() {
        assert!(at >= behind);
        behind = at + 4;
        edited[at..at + 4].copy_from_slice(&[192, 0, 2, 1]);
    }
    // Other addresses make no other message.
    let again = Message::parse(&edited).expect("still a message");
    assert!(again.addresses().eq(message.addresses()));
}

fuzz!(target);
