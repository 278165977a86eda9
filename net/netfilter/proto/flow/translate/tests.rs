// SPDX-License-Identifier: GPL-2.0

extern crate std;
use super::super::key::{Encap, Parts, Tunnel, ENCAPS};
use super::*;
use crate::{
    be::{Be16, Be32},
    checksum,
};
use std::vec::Vec;

fn key(family: Family, protocol: u8, ends: [(Address, u16); 2]) -> Key {
    let [(source, s), (destination, d)] = ends;
    Key::new(&Parts {
        family,
        protocol,
        source,
        destination,
        ports: [Be16::new(s), Be16::new(d)],
        device: 1,
        encaps: [Encap::default(); ENCAPS],
        tunnel: Tunnel::default(),
    })
}

fn end(family: Family, n: u32, port: u16) -> (Address, u16) {
    let word = Be32::new(0x0a00_0000 | n);
    let address = match family {
        Family::Ipv4 => Address::v4(word),
        Family::Ipv6 => Address([Be32::new(0x2001_0db8), word, Be32::new(n), word]),
    };
    (address, port)
}

fn words(Address(words): Address) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_bytes()).collect()
}

/// A packet with right checksums.
fn packet(key: &Key, hops: u8, full: bool) -> (Vec<u8>, usize) {
    let family = key.family().unwrap();
    let payload = b"odd";
    let mut transport = Vec::new();
    for port in key.ports() {
        transport.extend(port.to_bytes());
    }
    let field = if key.protocol() == 6 {
        transport.extend([0; 8]);
        transport.extend([0x50, 0x10, 0, 9, 0, 0, 0, 0]);
        16
    } else {
        transport.extend([0, 11, 0, 0]);
        6
    };
    transport.extend(payload);
    let len = transport.len() as u16;
    let pseudo = match family {
        Family::Ipv4 => checksum::pseudo_v4(key.source(), key.destination(), key.protocol(), len),
        Family::Ipv6 => {
            checksum::pseudo_v6(key.source(), key.destination(), key.protocol(), len.into())
        }
    };
    let sum = if full {
        !fold(pseudo.wrapping_add(checksum::sum(&transport)))
    } else {
        fold(pseudo)
    };
    transport[field..field + 2].copy_from_slice(&sum.to_be_bytes());
    let mut bytes = Vec::new();
    match family {
        Family::Ipv4 => {
            bytes.extend([0x45, 0]);
            bytes.extend((20 + len).to_be_bytes());
            bytes.extend([0, 1, 0x40, 0, hops, key.protocol(), 0, 0]);
            bytes.extend(&words(key.source())[..4]);
            bytes.extend(&words(key.destination())[..4]);
            let check = checksum::internet(&bytes);
            bytes[10..12].copy_from_slice(&check.to_be_bytes());
        }
        Family::Ipv6 => {
            bytes.extend([0x60, 0, 0, 0]);
            bytes.extend(len.to_be_bytes());
            bytes.extend([key.protocol(), hops]);
            bytes.extend(words(key.source()));
            bytes.extend(words(key.destination()));
        }
    }
    let at = bytes.len();
    bytes.extend(transport);
    (bytes, at)
}

/// Both directions of SNAT, of DNAT, of both, and of neither, against packets made
/// anew with the new addresses.
#[test]
fn as_if_made_anew() {
    for family in [Family::Ipv4, Family::Ipv6] {
        for protocol in [6, 17] {
            for (masked, target) in [(1, 2), (7, 2), (1, 9), (7, 9)] {
                let client = end(family, 1, 4000);
                let server = end(family, 2, 80);
                let mask = end(family, masked, if masked == 1 { 4000 } else { 61234 });
                let behind = end(family, target, if target == 2 { 80 } else { 8080 });
                let original = key(family, protocol, [client, server]);
                let reply = key(family, protocol, [behind, mask]);
                let sent = key(family, protocol, [mask, behind]);
                let answered = key(family, protocol, [server, client]);
                for (from, answer, to) in [(original, reply, sent), (reply, original, answered)] {
                    for (full, form) in [(true, Form::Full), (false, Form::Pseudo)] {
                        let sums = Sums::unpack(Sums::new(&from, &answer).pack());
                        let (mut bytes, at) = packet(&from, 64, full);
                        assert_eq!(forward(&mut bytes, at, &answer, Some(sums), form), Ok(()));
                        let (wanted, _) = packet(&to, 63, full);
                        assert_eq!(
                            bytes, wanted,
                            "{family:?} {protocol} {masked} {target} {full}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn without_translation_only_a_hop() {
    for family in [Family::Ipv4, Family::Ipv6] {
        for hops in [2, 64, 255] {
            let from = key(family, 17, [end(family, 1, 1), end(family, 2, 2)]);
            let answer = key(family, 17, [end(family, 2, 2), end(family, 1, 1)]);
            let (mut bytes, at) = packet(&from, hops, true);
            assert_eq!(forward(&mut bytes, at, &answer, None, Form::Full), Ok(()));
            assert_eq!(bytes, packet(&from, hops - 1, true).0);
        }
    }
}

#[test]
fn no_checksum_of_udp_stays_none() {
    let family = Family::Ipv4;
    let from = key(family, 17, [end(family, 1, 1), end(family, 2, 2)]);
    let answer = key(family, 17, [end(family, 2, 2), end(family, 9, 9)]);
    let (mut bytes, at) = packet(&from, 9, true);
    bytes[26..28].fill(0);
    let sums = Sums::new(&from, &answer);
    assert_eq!(
        forward(&mut bytes, at, &answer, Some(sums), Form::Full),
        Ok(())
    );
    assert_eq!(bytes[26..28], [0, 0]);
    assert_eq!(bytes[20..24], [0, 9, 0, 2]);
}

#[test]
fn too_short_is_an_error() {
    let family = Family::Ipv4;
    let from = key(family, 6, [end(family, 1, 1), end(family, 2, 2)]);
    let answer = key(family, 6, [end(family, 2, 2), end(family, 9, 9)]);
    let sums = Sums::new(&from, &answer);
    let (bytes, at) = packet(&from, 9, true);
    for len in 0..40 {
        let mut bytes = bytes[..len].to_vec();
        let result = forward(&mut bytes, at, &answer, Some(sums), Form::Full);
        assert_eq!(result, Err(Short), "{len}");
    }
}

#[test]
fn one_port() {
    for protocol in [6, 17] {
        for source in [true, false] {
            let family = Family::Ipv4;
            let ends = |port| [end(family, 1, port), end(family, 2, port)];
            let [from, _] = ends(4000);
            let [_, to] = ends(4000);
            let (mut bytes, at) = packet(&key(family, protocol, [from, to]), 9, true);
            let port = Be16::new(61234);
            let result = set_port(&mut bytes[at..], protocol, source, port, Form::Full);
            assert_eq!(result, Ok(()));
            let changed = match source {
                true => [(from.0, 61234), to],
                false => [from, (to.0, 61234)],
            };
            assert_eq!(bytes, packet(&key(family, protocol, changed), 9, true).0);
        }
    }
    assert_eq!(
        set_port(&mut [0; 7], 17, true, Be16::new(1), Form::Full),
        Err(Short)
    );
    assert_eq!(
        set_port(&mut [], 47, true, Be16::new(1), Form::Full),
        Ok(())
    );
}
