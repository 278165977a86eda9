// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::flow::key::{Parts, Tunnel};
use std::{vec, vec::Vec};

const SOURCE: [u8; 6] = [2, 0, 0, 0, 2, 1];
const DESTINATION: [u8; 6] = [2, 0, 0, 0, 2, 2];
const NO_WRAPS: Wraps = Wraps {
    encaps: [Encap {
        id: 0,
        protocol: Be16::new(0),
    }; ENCAPS],
    number: 0,
    in_hardware: 0,
};

fn key(family: Family, protocol: u8, hosts: [u32; 2], ports: [u16; 2]) -> Key {
    let address = |host| match family {
        Family::Ipv4 => Address::v4(Be32::new(0x0a00_0000 | host)),
        Family::Ipv6 => Address([0xfd00_0000, 0, 0x17, host].map(Be32::new)),
    };
    let [source, destination] = hosts.map(address);
    Key::new(&Parts {
        family,
        protocol,
        source,
        destination,
        ports: match protocol {
            number::GRE => [Be16::new(0); 2],
            _ => ports.map(Be16::new),
        },
        device: 3,
        encaps: [Encap::default(); ENCAPS],
        tunnel: Tunnel::default(),
    })
}

/// 1:1000 to 2:80, which is really 4:8080, and sees 3:2000.
fn keys(family: Family, protocol: u8) -> [Key; 2] {
    [
        key(family, protocol, [1, 2], [1000, 80]),
        key(family, protocol, [4, 3], [8080, 2000]),
    ]
}

fn encap(protocol: u16, id: u16) -> Encap {
    Encap {
        id,
        protocol: Be16::new(protocol),
    }
}

fn wraps(encaps: &[Encap]) -> Wraps {
    let mut wraps = NO_WRAPS;
    for (to, from) in wraps.encaps.iter_mut().zip(encaps) {
        *to = *from;
    }
    wraps.number = encaps.len();
    wraps
}

fn actions(
    keys: &[Key; 2],
    direction: Direction,
    wraps: [Wraps; 2],
    tunnels: [bool; 2],
    translated: [bool; 2],
) -> Result<Vec<Action>, Unsupported> {
    let mut all = Vec::new();
    Actions::new(&Request {
        direction,
        keys: [direction.of(keys), direction.opposite().of(keys)],
        wraps,
        hardware: [SOURCE, DESTINATION],
        tunnels,
        translated,
    })?
    .each(|action| {
        all.push(action);
        Ok::<(), ()>(())
    })
    .unwrap();
    Ok(all)
}

/// Applies mangles to the headers: Ethernet, network, transport.
fn apply(all: &[Action], ethernet: &mut [u8], network: &mut [u8], transport: &mut [u8]) {
    for action in all {
        let Action::Mangle(mangle) = action else {
            continue;
        };
        let header = match mangle.header {
            Header::Ethernet => &mut *ethernet,
            Header::Ipv4 | Header::Ipv6 => &mut *network,
            Header::Tcp | Header::Udp => &mut *transport,
        };
        let at = mangle.offset as usize;
        let bytes = header[at..at + 4].iter_mut();
        for ((byte, keep), value) in bytes.zip(mangle.keep).zip(mangle.value) {
            // A bit that is kept is not given.
            assert_eq!(value & keep, 0);
            *byte = (*byte & keep) | value;
        }
    }
}

fn headers(key: &Key) -> (Vec<u8>, Vec<u8>) {
    let bytes = |Address(words): Address| -> Vec<u8> {
        words.iter().flat_map(|word| word.to_bytes()).collect()
    };
    let (mut network, used) = match key.family().unwrap() {
        Family::Ipv4 => (vec![0xee; 12], 4),
        Family::Ipv6 => (vec![0xee; 8], 16),
    };
    network.extend(&bytes(key.source())[..used]);
    network.extend(&bytes(key.destination())[..used]);
    let transport = key
        .ports()
        .iter()
        .flat_map(|port| port.to_bytes())
        .collect();
    (network, transport)
}

/// Every combination of family, protocol, direction, translation, tunnels and
/// encapsulations: the headers come out as the other direction's key says, tags
/// are as many as said, and there is room.
#[test]
fn all_combinations() {
    let kinds = [
        vec![],
        vec![encap(ETH_P_8021Q, 5)],
        vec![encap(ETH_P_8021AD, 9)],
        vec![encap(ETH_P_8021Q, 5), encap(ETH_P_8021Q, 6)],
        vec![encap(ETH_P_8021AD, 5), encap(ETH_P_8021Q, 6)],
        vec![encap(ETH_P_PPP_SES, 7)],
        vec![encap(ETH_P_8021Q, 5), encap(ETH_P_PPP_SES, 7)],
    ];
    let both = [false, true];
    let mut most = 0;
    for family in [Family::Ipv4, Family::Ipv6] {
        for protocol in [number::TCP, number::UDP, number::GRE] {
            for direction in [Direction::Original, Direction::Reply] {
                for n in 0..16 {
                    let bit = |i: u32| both[(n >> i) & 1];
                    let (tunnels, translated) = ([bit(0), bit(1)], [bit(2), bit(3)]);
                    let keys = translate(family, protocol, translated);
                    for come in &kinds {
                        for leave in &kinds {
                            let wraps = [wraps(come), wraps(leave)];
                            let all =
                                actions(&keys, direction, wraps, tunnels, translated).unwrap();
                            check(&all, &keys, direction, come, leave, tunnels, translated);
                            most = most.max(all.len());
                        }
                    }
                }
            }
        }
    }
    // IPv6 of TCP, all translated, in two tags and a tunnel, to the same.
    assert_eq!(most, 21);
    assert!(most <= MOST && MOST <= ROOM);
}

/// The keys of a connection of which this is translated.
fn translate(family: Family, protocol: u8, translated: [bool; 2]) -> [Key; 2] {
    let [source, destination] = translated;
    let (seen, to) = match (source, destination) {
        (false, false) => ((1, 1000), (2, 80)),
        (true, false) => ((3, 2000), (2, 80)),
        (false, true) => ((1, 1000), (4, 8080)),
        (true, true) => return keys(family, protocol),
    };
    let [original, _] = keys(family, protocol);
    [
        original,
        key(family, protocol, [to.0, seen.0], [to.1, seen.1]),
    ]
}

fn check(
    all: &[Action],
    keys: &[Key; 2],
    direction: Direction,
    come: &[Encap],
    leave: &[Encap],
    tunnels: [bool; 2],
    translated: [bool; 2],
) {
    let (this, other) = (direction.of(keys), direction.opposite().of(keys));
    let mut ethernet = vec![0; 14];
    let (mut network, mut transport) = headers(this);
    apply(all, &mut ethernet, &mut network, &mut transport);
    assert_eq!(ethernet[..6], DESTINATION);
    assert_eq!(ethernet[6..12], SOURCE);
    assert_eq!(ethernet[12..], [0; 2]);
    // As if the answer had been turned round.
    let (mut wanted, mut ports) = headers(other);
    let start = wanted.len() - 2 * if wanted.len() == 20 { 4 } else { 16 };
    let half = (wanted.len() - start) / 2;
    wanted[start..].rotate_left(half);
    ports.rotate_left(2);
    assert_eq!((network, transport), (wanted, ports));

    let count = |wanted: Action| all.iter().filter(|action| **action == wanted).count();
    assert_eq!(count(Action::TunnelDecap), tunnels[0].into());
    assert_eq!(count(Action::TunnelEncap), tunnels[1].into());
    let tags = come.iter().filter(|e| e.protocol.get() != ETH_P_PPP_SES);
    assert_eq!(count(Action::VlanPop), tags.count());
    let pushes: Vec<Action> = all
        .iter()
        .filter(|a| matches!(a, Action::VlanPush(_) | Action::PppoePush(_)))
        .copied()
        .collect();
    let wanted: Vec<Action> = leave
        .iter()
        .map(|e| match e.protocol.get() {
            ETH_P_PPP_SES => Action::PppoePush(e.id),
            _ => Action::VlanPush(*e),
        })
        .collect();
    assert_eq!(pushes, wanted);
    let sums = count(Action::Checksum(this.protocol()));
    let ipv4 = this.family() == Some(Family::Ipv4);
    assert_eq!(sums == 1, ipv4 && translated.contains(&true));
    assert_eq!(all.last(), Some(&Action::Redirect));
    assert_eq!(count(Action::Redirect), 1);
}

#[test]
fn what_the_device_takes_off_is_not_the_rules() {
    let tags = [encap(ETH_P_8021Q, 5), encap(ETH_P_8021Q, 6)];
    let [key, _] = keys(Family::Ipv4, number::UDP);
    for (in_hardware, left) in [
        (0, [Some(tags[0]), Some(tags[1])]),
        (1, [Some(tags[1]), None]),
        (2, [Some(tags[0]), None]),
        (3, [None, None]),
    ] {
        let wraps = Wraps {
            in_hardware,
            ..wraps(&tags)
        };
        assert_eq!(Match::new(&key, 3, &wraps).unwrap().vlans, left);
        let keys = keys(Family::Ipv4, number::UDP);
        let all = actions(
            &keys,
            Direction::Original,
            [wraps, wraps],
            [false; 2],
            [false; 2],
        );
        let all = all.unwrap();
        let pops = all.iter().filter(|a| **a == Action::VlanPop).count();
        let pushes = all
            .iter()
            .filter(|a| matches!(a, Action::VlanPush(_)))
            .count();
        let number = left.iter().flatten().count();
        assert_eq!((pops, pushes), (number, number));
    }
}

#[test]
fn what_is_looked_for() {
    let [tcp, _] = keys(Family::Ipv6, number::TCP);
    let found = Match::new(&tcp, 8, &NO_WRAPS).unwrap();
    assert_eq!((found.device, found.protocol), (8, number::TCP));
    assert_eq!(found.source, tcp.source());
    assert_eq!(found.destination, tcp.destination());
    assert_eq!(found.ports, Some(tcp.ports()));
    assert_eq!(found.unset.get(), 5);
    let [udp, _] = keys(Family::Ipv4, number::UDP);
    assert_eq!(Match::new(&udp, 8, &NO_WRAPS).unwrap().unset.get(), 0);
    let [gre, _] = keys(Family::Ipv4, number::GRE);
    assert_eq!(Match::new(&gre, 8, &NO_WRAPS).unwrap().ports, None);
    let [icmp, _] = keys(Family::Ipv4, number::ICMP);
    assert_eq!(Match::new(&icmp, 8, &NO_WRAPS), Err(Unsupported));
    // PPPoE has no key; the tag in front of it has.
    let session = [encap(ETH_P_8021Q, 5), encap(ETH_P_PPP_SES, 7)];
    let vlans = Match::new(&udp, 8, &wraps(&session)).unwrap().vlans;
    assert_eq!(vlans, [Some(session[0]), None]);
}

#[test]
fn unknown_encapsulations_are_refused() {
    let strange = wraps(&[encap(0x88e7, 1)]);
    let keys = keys(Family::Ipv4, number::UDP);
    let [key, _] = &keys;
    assert_eq!(Match::new(key, 8, &strange), Err(Unsupported));
    for wraps in [[strange, NO_WRAPS], [NO_WRAPS, strange]] {
        let all = actions(&keys, Direction::Reply, wraps, [false; 2], [false; 2]);
        assert_eq!(all, Err(Unsupported));
    }
}

#[test]
fn an_error_ends_the_visit() {
    let keys = keys(Family::Ipv6, number::TCP);
    let actions = Actions::new(&Request {
        direction: Direction::Original,
        keys: [&keys[0], &keys[1]],
        wraps: [NO_WRAPS; 2],
        hardware: [SOURCE, DESTINATION],
        tunnels: [false; 2],
        translated: [true; 2],
    })
    .unwrap();
    let mut seen = 0;
    let result = actions.each(|_| {
        seen += 1;
        if seen == 3 {
            Err("full")
        } else {
            Ok(())
        }
    });
    assert_eq!((result, seen), (Err("full"), 3));
}

/// A flow's life, as collection and hardware alternate.
#[test]
fn what_hardware_knows_is_not_freed() {
    for n in 0u32..64 {
        let bit = |i: u32| (n >> i) & 1 != 0;
        let state = State {
            ended: bit(0),
            closing: bit(1),
            known: bit(2),
            busy: bit(3),
            leaving: bit(4),
            left: bit(5),
        };
        let next = next(state);
        if state.busy {
            assert_eq!(next, Next::Wait, "{state:?}");
        }
        if next == Next::Free {
            assert!(state.ended && (!state.known || state.left), "{state:?}");
        }
        if matches!(next, Next::Ask | Next::Withdraw) {
            assert!(state.known && !state.leaving, "{state:?}");
        }
        if state.ended {
            assert!(!matches!(next, Next::Keep | Next::Ask), "{state:?}");
        }
    }
    let known = State {
        known: true,
        ..State::default()
    };
    assert_eq!(next(State::default()), Next::Keep);
    assert_eq!(next(known), Next::Ask);
    let closing = State {
        closing: true,
        ..known
    };
    assert_eq!(next(closing), Next::Withdraw);
    let left = State {
        leaving: true,
        left: true,
        ..closing
    };
    assert_eq!(next(left), Next::Keep);
    assert_eq!(
        next(State {
            ended: true,
            ..left
        }),
        Next::Free
    );
    let on_its_way = State {
        ended: true,
        left: false,
        ..left
    };
    assert_eq!(next(on_its_way), Next::Wait);
}

#[test]
fn use_in_hardware_keeps_a_flow() {
    assert_eq!(extended(1000, 0, 500), None);
    assert_eq!(extended(1000, 400, 500), None);
    assert_eq!(extended(1000, 600, 500), Some(1100));
    // Time goes round, and drivers have 64 bits of it.
    assert_eq!(extended(0xffff_fff0, 0x1_0000_0000, 500), Some(500));
    assert_eq!(extended(400, 0xffff_fff0, 100), None);
}

#[test]
fn counters_are_asked_for_when_some_time_has_gone() {
    assert!(!is_due(1000, 1000));
    assert!(!is_due(900, 1000));
    assert!(is_due(899, 1000));
    assert!(is_due(-5, 1000));
    assert!(!is_due(0, 0));
}
