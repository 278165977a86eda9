// SPDX-License-Identifier: GPL-2.0

//! A reply of Amanda.

#![no_main]

include!("../fuzz.rs");

use nf_proto::alg::amanda;

fn target(payload: &[u8], _: u8) {
    let (mut behind, mut count) = (0, 0);
    for found in amanda::announcements(payload) {
        count += 1;
        assert!(found.port != 0 && found.span.start >= behind);
        behind = found.span.start + found.span.len;
        let digits = found.span.of(payload).expect("inside");
        let value: u16 = core::str::from_utf8(digits)
            .expect("digits")
            .parse()
            .expect("a port");
        assert_eq!(value, found.port);
    }
    assert!(count <= amanda::MOST);
}

fuzz!(target);
