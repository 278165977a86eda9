// SPDX-License-Identifier: GPL-2.0

//! A segment of an FTP control connection.

#![no_main]

include!("../fuzz.rs");

use nf_proto::{
    alg::ftp::{self, Kind, Reading},
    tuple::{Direction, Family},
};

fn target(payload: &[u8], choice: u8) {
    let (direction, kinds) = if choice & 1 == 0 {
        (Direction::Original, [Kind::Port, Kind::Eprt])
    } else {
        (Direction::Reply, [Kind::Pasv, Kind::Epsv])
    };
    let family = if choice & 2 == 0 {
        Family::Ipv4
    } else {
        Family::Ipv6
    };
    let Reading::Announced(found) = ftp::read(payload, direction, family) else {
        return;
    };
    assert!(kinds.contains(&found.kind) && found.port != 0);
    // What is written in its place is read as what was meant.
    let address = found.address.unwrap_or_default();
    let text = ftp::write(found.kind, &address, family, found.port).expect("room");
    let edited = [
        &payload[..found.span.start],
        text.text(),
        &payload[found.span.start + found.span.len..],
    ]
    .concat();
    let Reading::Announced(again) = ftp::read(&edited, direction, family) else {
        panic!("the edited payload is not read");
    };
    assert_eq!((again.port, again.address), (found.port, found.address));
    assert_eq!(again.span.start, found.span.start);
    assert_eq!(again.span.len, text.text().len());
}

fuzz!(target);
