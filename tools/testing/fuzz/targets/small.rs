// SPDX-License-Identifier: GPL-2.0

//! Messages of a few bytes (SANE, TFTP), and where lines begin.

#![no_main]

include!("../fuzz.rs");

use nf_proto::alg::{lines::Lines, sane, tftp};

fn target(payload: &[u8], _: u8) {
    assert_eq!(sane::request(payload).is_some(), payload.len() == 8);
    assert_ne!(sane::port(payload), Some(0));
    tftp::is_request(payload);

    let mut lines = Lines::default();
    for step in payload.chunks_exact(5) {
        let seq = u32::from_be_bytes([step[1], step[2], step[3], step[4]]);
        match step[0] & 3 {
            0 => {
                lines.ends_before(seq);
            }
            1 => {
                lines.begins(seq);
            }
            2 => lines.pick_up(),
            _ => {
                if lines.announces(seq, u16::from(step[0])).is_ok() {
                    assert!(lines.announces(seq, u16::from(step[0])).is_ok());
                }
            }
        }
    }
}

fuzz!(target);
