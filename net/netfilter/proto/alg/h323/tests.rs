// SPDX-License-Identifier: GPL-2.0

extern crate std;

mod golden;

use super::{
    per::shape,
    translate::{setup, signal, Ends, Full, Rewrites, Side},
    *,
};
use crate::{
    be::{Be16, Be32},
    tuple::{Address, Direction},
};
use golden::GOLDEN;
use std::{vec, vec::Vec};

/// How a message is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Ras,
    Call,
    Control,
}

/// A message, and what is to be found in it.
struct Golden {
    name: &'static str,
    how: How,
    bytes: &'static [u8],
    kind: Kind,
    seconds: Option<u32>,
    places: &'static [(Role, &'static [u8], u16)],
}

fn read(how: How, bytes: &[u8], base: u16, family: Family, found: &mut Found) -> Result<(), Bad> {
    match how {
        How::Ras => ras(bytes, base, family, found),
        How::Call => call(bytes, base, family, found),
        How::Control => control(bytes, base, family, found),
    }
}

fn address(bytes: &[u8]) -> Address {
    let mut words = [Be32::new(0); 4];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks(4)) {
        *word = Be32::from_bytes(bytes.try_into().unwrap());
    }
    Address(words)
}

fn wanted(golden: &Golden, family: Family) -> Vec<(Role, Endpoint)> {
    let len = if family == Family::Ipv4 { 4 } else { 16 };
    let places = golden.places.iter();
    places
        .filter(|(_, bytes, _)| bytes.len() == len)
        .map(|(role, bytes, port)| {
            let endpoint = Endpoint {
                address: address(bytes),
                port: Be16::new(*port),
            };
            (*role, endpoint)
        })
        .collect()
}

fn listed(found: &Found, payload: &[u8]) -> Vec<(Role, Endpoint)> {
    found
        .places()
        .map(|place| (place.role, place.endpoint(payload).unwrap()))
        .collect()
}

fn golden(name: &str) -> &'static Golden {
    GOLDEN.iter().find(|golden| golden.name == name).unwrap()
}

#[test]
fn golden_messages() {
    let mut found = Found::new();
    for golden in GOLDEN {
        for family in [Family::Ipv4, Family::Ipv6] {
            for base in [0u16, 4, 1000] {
                let mut payload = vec![0xee; base.into()];
                payload.extend(golden.bytes);
                let read = read(golden.how, golden.bytes, base, family, &mut found);
                assert_eq!(read, Ok(()), "{}", golden.name);
                assert_eq!(
                    listed(&found, &payload),
                    wanted(golden, family),
                    "{}",
                    golden.name
                );
                if golden.how == How::Ras {
                    assert_eq!(found.kind(), golden.kind, "{}", golden.name);
                    assert_eq!(found.seconds(), golden.seconds, "{}", golden.name);
                }
            }
        }
    }
}

/// A message that is cut is not read, or what is found in it is what is in the
/// whole one: it is cut behind all that counts.
#[test]
fn cut_at_every_byte() {
    let mut found = Found::new();
    for golden in GOLDEN {
        let mut shortest = None;
        for len in 0..golden.bytes.len() {
            let cut = &golden.bytes[..len];
            match read(golden.how, cut, 0, Family::Ipv4, &mut found) {
                Ok(()) => {
                    shortest.get_or_insert(len);
                    let all = wanted(golden, Family::Ipv4);
                    assert_eq!(listed(&found, cut), all, "{} at {len}", golden.name);
                }
                Err(bad) => {
                    assert_eq!(bad, Bad::Short, "{} at {len}", golden.name);
                    assert_eq!(shortest, None, "{} at {len}", golden.name);
                }
            }
        }
        // Call signalling says how long it is.
        assert!(golden.how != How::Call || shortest.is_none());
    }
}

/// Whatever bytes are there, what is found lies within, in the messages' order.
#[test]
fn any_bytes() {
    let mut found = Found::new();
    let mut state = 1u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    let mut readable = 0;
    for golden in GOLDEN {
        for _ in 0..3000 {
            let mut bytes = golden.bytes.to_vec();
            for _ in 0..random() % 4 + 1 {
                let at = random() % bytes.len();
                match random() % 4 {
                    0 => bytes[at] = random() as u8,
                    1 => bytes[at] ^= 1 << (random() % 8),
                    2 => bytes[at] = [0, 0x7f, 0x80, 0xbf, 0xc0, 0xff][random() % 6],
                    _ => {
                        bytes.remove(at);
                        bytes.push(0);
                    }
                }
            }
            let family = [Family::Ipv4, Family::Ipv6][random() % 2];
            if read(golden.how, &bytes, 0, family, &mut found).is_err() {
                continue;
            }
            readable += 1;
            let mut behind = 0;
            for place in found.places() {
                assert!(place.at >= behind, "{}", golden.name);
                assert!(place.endpoint(&bytes).is_some(), "{}", golden.name);
                behind = place.at + if family == Family::Ipv4 { 6 } else { 18 };
            }
        }
    }
    assert!(readable > 10000, "{readable}");
}

#[test]
fn tables_are_sound() {
    for of in [
        &tables::ras::RAS,
        &tables::call::CALL,
        &tables::control::CONTROL,
    ] {
        shape::check(of);
        let depth = shape::depth(of);
        assert!(depth <= per::DEPTH, "{depth}");
    }
}

/// BUGS.md: an index out of range, an extension's map of over 32 bits, no user
/// information, a number that is cut behind its length.
#[test]
fn known_triggers() {
    let mut found = Found::new();
    let mut ras4 = |bytes: &[u8]| ras(bytes, 0, Family::Ipv4, &mut found);
    // 25 alternatives in five bits: the 26th.
    assert_eq!(ras4(&[25 << 2, 0, 0, 0]), Err(Bad::Range));
    assert_eq!(ras4(&[31 << 2, 0, 0, 0]), Err(Bad::Range));
    // A later one, whatever it is; and one whose number is not small.
    assert_eq!(ras4(&[0x80 | 62, 1, 0]), Ok(()));
    assert_eq!(ras4(&[0xc0, 1, 200, 1, 0]), Ok(()));
    assert_eq!(ras4(&[]), Err(Bad::Short));

    // The time is cut behind its length: 65536 s.
    let rcf = golden("RCF of 65537 s").bytes;
    for len in 0..rcf.len() {
        assert!(ras4(&rcf[..len]).is_err() || len + 8 > rcf.len(), "{len}");
    }

    let mut call4 = |bytes: &[u8]| call(bytes, 0, Family::Ipv4, &mut found);
    assert_eq!(call4(b"\x08\x02\0\0\x05\x7e\0\0"), Err(Bad::Short));
    assert_eq!(call4(b"\x08\x02\0\0\x05\x7e\0\x01\x05"), Err(Bad::Short));
    assert_eq!(
        call4(b"\x08\x02\0\0\x05\x7e\xff\xff\x05\0"),
        Err(Bad::Short)
    );
    assert_eq!(call4(b"\x08\xff\0\0\x05\x7e\0\x02\x05\0"), Err(Bad::Short));
    assert_eq!(call4(b"\x09\x02\0\0\x05\x7e\0\x02\x05\0"), Err(Bad::Short));
}

/// A registration with `bits` additions, of which the second is the time, and the
/// others are there as well if `all`.
fn registration(bits: u8, all: bool) -> Vec<u8> {
    let with = golden("RRQ for long").bytes;
    // The fields end with the vendor's version; what was added comes next.
    let end = with.windows(4).rposition(|w| w == b"1.0\0").unwrap() + 4;
    let mut out = with[..end].to_vec();
    let present: Vec<bool> = (0..bits).map(|i| all || i == 1).collect();
    // Six bits of the number, less one, behind one that says so, then the map.
    let number = (0..7).rev().map(|i| ((bits - 1) >> i) & 1 != 0);
    let head: Vec<bool> = number.chain(present.iter().copied()).collect();
    for eight in head.chunks(8) {
        let set = |(i, bit): (usize, &bool)| u8::from(*bit) << (7 - i);
        out.push(eight.iter().enumerate().map(set).sum());
    }
    for (i, present) in present.iter().enumerate() {
        match (present, i) {
            (false, _) => {}
            (true, 1) => out.extend([2, 0, 76]),
            (true, _) => out.extend([1, 0]),
        }
    }
    out
}

#[test]
fn maps_of_additions() {
    let mut found = Found::new();
    for bits in 2..=64 {
        for all in [false, true] {
            let bytes = registration(bits, all);
            assert_eq!(
                ras(&bytes, 0, Family::Ipv4, &mut found),
                Ok(()),
                "{bits} {all}"
            );
            assert_eq!(found.seconds(), Some(77), "{bits} {all}");
        }
    }
}

/// Offers of many codecs: up to so many addresses.
#[test]
fn many_channels() {
    let with = golden("Setup with fast start").bytes;
    let (at, inside) = q931::user_information(with).unwrap();
    assert_eq!(at + inside.len(), with.len());
    let mut found = Found::new();
    call(with, 0, Family::Ipv4, &mut found).unwrap();
    assert!(found.of(Role::Media).count() == 8);
    // Told directly: the message would need hundreds of octets a channel.
    use per::Listener;
    found.clear(0, Family::Ipv4);
    found.at(found::Mark::Media);
    for i in 0..MOST {
        assert_eq!(found.address(Family::Ipv4, i as u16), Ok(()));
    }
    assert_eq!(found.address(Family::Ipv4, 0), Err(Bad::Much));
    assert_eq!(found.address(Family::Ipv6, 0), Ok(()));
    assert_eq!(found.places().count(), MOST);
}

fn v4(a: u8, b: u8, c: u8, d: u8, port: u16) -> Endpoint {
    Endpoint {
        address: address(&[a, b, c, d]),
        port: Be16::new(port),
    }
}

const KNOWN: u16 = 40000;

fn ends() -> Ends {
    Ends {
        source: v4(10, 0, 1, 99, 1719),
        destination: v4(10, 0, 2, 99, 1719),
        new_source: v4(10, 0, 2, 1, 1024),
        new_destination: v4(10, 0, 2, 99, 1719),
    }
}

/// The addresses that are written into a message, by what stood there.
fn written(name: &str, direction: Direction) -> Vec<(Endpoint, Side, u16)> {
    let golden = golden(name);
    let mut found = Found::new();
    let mut rewrites = Rewrites::new();
    read(golden.how, golden.bytes, 0, Family::Ipv4, &mut found).unwrap();
    let mut state = state::State::default();
    *direction.of_mut(&mut state.signal) = Be16::new(1720);
    *direction.opposite().of_mut(&mut state.signal) = Be16::new(KNOWN);
    if golden.how == How::Ras {
        translate::ras(
            &found,
            golden.bytes,
            &ends(),
            &state,
            direction,
            &mut rewrites,
        )
        .unwrap();
    } else {
        setup(&found, golden.bytes, &ends(), &mut rewrites).unwrap();
    }
    let places: Vec<_> = found.places().copied().collect();
    let list = rewrites.sorted().iter();
    list.map(|rewrite| {
        let place = places.iter().find(|place| place.at == rewrite.at).unwrap();
        let endpoint = place.endpoint(golden.bytes).unwrap();
        (endpoint, rewrite.side, rewrite.port.get())
    })
    .collect()
}

#[test]
fn ras_is_translated() {
    for direction in [Direction::Original, Direction::Reply] {
        let own = (ends().source, Side::Source, 1024);
        let signal = (v4(10, 0, 1, 99, 1720), Side::Source, KNOWN);
        let gatekeeper = (v4(10, 0, 2, 99, 1720), Side::Destination, KNOWN);
        for name in ["GRQ", "RRQ", "RRQ with everything", "LRQ"] {
            assert_eq!(written(name, direction), [own], "{name}");
        }
        assert_eq!(written("RCF", direction), [gatekeeper]);
        assert_eq!(written("RCF of 1 s", direction), [signal]);
        assert_eq!(written("URQ", direction), [signal]);
        assert_eq!(written("IRR", direction), [own, signal, signal]);
        assert_eq!(
            written("ARQ of the caller", direction),
            [(signal.0, Side::Source, 1720)]
        );
        assert_eq!(written("ARQ of the called", direction), [signal]);
        for name in ["GCF", "GRQ6", "ACF", "LCF", "DRQ"] {
            assert!(written(name, direction).is_empty(), "{name}");
        }
    }
}

#[test]
fn setup_is_translated() {
    let source = (v4(10, 0, 1, 99, 33000), Side::Source, 1024);
    // The destination is right as it is.
    assert_eq!(written("Setup", Direction::Original), [source]);
}

#[test]
fn loopback_is_translated_with_the_other() {
    let golden = golden("RRQ with everything");
    let mut found = Found::new();
    let mut rewrites = Rewrites::new();
    ras(golden.bytes, 0, Family::Ipv4, &mut found).unwrap();
    let which = |endpoint: &Endpoint| *endpoint == v4(10, 0, 1, 99, 1720);
    let port = Be16::new(KNOWN);
    let role = Role::CallSignal;
    signal(
        &found,
        golden.bytes,
        role,
        Side::Source,
        port,
        which,
        &mut rewrites,
    )
    .unwrap();
    let places: Vec<_> = found.of(role).map(|place| place.at).take(2).collect();
    let list: Vec<_> = rewrites.sorted().iter().map(|rewrite| rewrite.at).collect();
    assert_eq!(list, places);
    // If none is the sender's, it stays.
    let mut rewrites = Rewrites::new();
    signal(
        &found,
        golden.bytes,
        role,
        Side::Source,
        port,
        |_| false,
        &mut rewrites,
    )
    .unwrap();
    assert!(rewrites.list().is_empty());
}

#[test]
fn rewrites_are_sorted() {
    let mut rewrites = Rewrites::new();
    for at in [5u16, 3, 9, 3, 1, 9] {
        rewrites.add(at, Side::Source, Be16::new(at)).unwrap();
    }
    rewrites.add(9, Side::Destination, Be16::new(1)).unwrap();
    let list: Vec<_> = rewrites.sorted().iter().map(|r| (r.at, r.side)).collect();
    let wanted = [
        (1, Side::Source),
        (3, Side::Source),
        (5, Side::Source),
        (9, Side::Destination),
    ];
    assert_eq!(list, wanted);
    let mut rewrites = Rewrites::new();
    for at in 0..MOST {
        assert_eq!(rewrites.add(at as u16, Side::Source, Be16::new(0)), Ok(()));
    }
    assert_eq!(rewrites.add(0, Side::Source, Be16::new(0)), Err(Full));
}
