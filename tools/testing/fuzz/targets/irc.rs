// SPDX-License-Identifier: GPL-2.0

//! A client's segment of an IRC connection.

#![no_main]

include!("../fuzz.rs");

use nf_proto::alg::irc;

fn target(payload: &[u8], choice: u8) {
    let mut behind = 0;
    for found in irc::announcements(payload, choice & 1 == 0) {
        assert!(found.port != 0 && found.span.start >= behind);
        behind = found.span.start + found.span.len;
        assert!(behind <= payload.len());
        let text = irc::write(found.address, found.port).expect("room");
        let line = [b"PRIVMSG a :\x01DCC CHAT chat ", text.text(), b"\x01\n"].concat();
        let again = irc::announcements(&line, true).next().expect("read");
        assert_eq!((again.address, again.port), (found.address, found.port));
    }
}

fuzz!(target);
