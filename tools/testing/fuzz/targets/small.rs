// SPDX-License-Identifier: GPL-2.0

//! Messages of a few bytes (SANE, TFTP), where lines begin, the TCP options that
//! SYNPROXY reads, and how long a bridged packet says that it is.

#![no_main]

include!("../fuzz.rs");

use nf_proto::{
    alg::{lines::Lines, sane, tftp},
    frame,
    synproxy::options::{self, flag, Options},
    tuple::Family,
};

fn options(bytes: &[u8]) {
    let read = Options::read(bytes);
    assert!(read.wscale <= 14);
    let mut stamps = 0;
    for (at, tsval, tsecr) in options::timestamps(bytes) {
        assert_eq!(bytes[at..at + 4], tsval.to_be_bytes());
        assert_eq!(bytes[at + 4..at + 8], tsecr.to_be_bytes());
        stamps += 1;
    }
    assert_eq!(stamps > 0, read.has(flag::TIMESTAMP));
    // What is understood is written, and understood again.
    let mut written = Vec::new();
    read.words(|word| written.extend(word));
    assert_eq!(written.len(), read.len());
    assert_eq!(Options::read(&written), read);
}

fn frames(bytes: &[u8], gso: bool) {
    for family in [Family::Ipv4, Family::Ipv6] {
        for available in [0, bytes.len() as u32, u32::MAX] {
            if let Some(len) = frame::claimed_len(family, bytes, available, gso) {
                assert!((20..=available).contains(&len));
            }
        }
    }
}

fn target(payload: &[u8], choice: u8) {
    options(payload);
    frames(payload, choice & 1 != 0);
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
