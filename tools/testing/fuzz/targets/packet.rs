// SPDX-License-Identifier: GPL-2.0

//! A packet of any bytes, of which more may exist than are at hand.

#![no_main]

include!("../fuzz.rs");

use nf_proto::{packet, tuple::Family};

fn target(bytes: &[u8], choice: u8) {
    let family = if choice & 1 == 0 {
        Family::Ipv4
    } else {
        Family::Ipv6
    };
    let len = bytes.len() as u32 + u32::from(choice >> 1);
    if let Ok(description) = packet::parse(family, bytes, len) {
        assert_eq!(description.tuple.src.l3num, family.number());
        if let Some(inverted) = description.tuple.invert() {
            assert_eq!(inverted.invert(), Some(description.tuple));
        }
    }
    let _ = packet::parse_quoted(family, bytes, len);
}

fuzz!(target);
