// SPDX-License-Identifier: GPL-2.0

extern crate std;
use super::*;
use std::vec::Vec;

const ETHERNET: Arrival = Arrival {
    device: 3,
    protocol: IPV4,
    tag: None,
    several: false,
};

fn v4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let len = (20 + payload.len()) as u16;
    let mut packet = Vec::from([0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, protocol, 0, 0]);
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    packet.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(payload);
    packet
}

fn v6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::from([0x60, 0, 0, 0]);
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([protocol, 64]);
    packet.extend([0x20; 16]);
    packet.extend([0x21; 16]);
    packet.extend(payload);
    packet
}

/// Ports 1000 and 80.
fn tcp(flags: u8) -> [u8; 20] {
    let mut header = [0; 20];
    header[..4].copy_from_slice(&[3, 0xe8, 0, 80]);
    (header[12], header[13]) = (0x50, flags);
    header
}

const UDP: [u8; 8] = [3, 0xe8, 0, 80, 0, 8, 0, 0];

/// Reads it both ways: what is plain is read alike.
fn both(family: Family, bytes: &[u8], len: u32, arrival: &Arrival) -> Result<Packet, Stop> {
    let packet = read(family, bytes, len, arrival);
    let wanted = if family == Family::Ipv4 { IPV4 } else { IPV6 };
    if arrival.protocol == wanted && arrival.tag.is_none() {
        let easy = plain(family, bytes, len, arrival.device);
        let show = |packet| std::format!("{packet:?}");
        if let Some(easy) = easy {
            assert_eq!(show(easy), show(packet.unwrap()));
        } else if let Ok(packet) = packet {
            let ports = matches!(packet.key.protocol(), 6 | 17);
            assert!(!ports || packet.tunnel != 0 || arrival.several);
        }
    }
    packet
}

fn whole(family: Family, bytes: &[u8], arrival: &Arrival) -> Result<Packet, Stop> {
    both(family, bytes, bytes.len() as u32, arrival)
}

fn parts(key: &Key) -> (Option<Family>, u8, [u16; 2]) {
    (key.family(), key.protocol(), key.ports().map(Be16::get))
}

#[test]
fn plain_packets() {
    assert!(plain(Family::Ipv4, &v4(6, &tcp(0x10)), 40, 1).is_some());
    assert!(plain(Family::Ipv6, &v6(17, &UDP), 48, 1).is_some());
    let packet = whole(Family::Ipv4, &v4(6, &tcp(0x10)), &ETHERNET).unwrap();
    assert_eq!(parts(&packet.key), (Some(Family::Ipv4), 6, [1000, 80]));
    assert_eq!(
        (packet.network(), packet.transport, packet.headers),
        (0, 20, 40)
    );
    assert_eq!(packet.end, 40);
    let ethernet = Arrival {
        protocol: IPV6,
        ..ETHERNET
    };
    let packet = whole(Family::Ipv6, &v6(17, &UDP), &ethernet).unwrap();
    assert_eq!(parts(&packet.key), (Some(Family::Ipv6), 17, [1000, 80]));
    assert_eq!((packet.transport, packet.headers, packet.end), (40, 48, 48));
    let packet = whole(Family::Ipv4, &v4(47, &[0, 0, 8, 0]), &ETHERNET).unwrap();
    assert_eq!(parts(&packet.key), (Some(Family::Ipv4), 47, [0, 0]));
}

#[test]
fn the_other_family_is_not_read() {
    let packet = v4(17, &UDP);
    assert_eq!(
        whole(Family::Ipv6, &packet, &ETHERNET).err(),
        Some(Stop::Pass)
    );
}

#[test]
fn tcp_flags() {
    let control = |flags| {
        let packet = whole(Family::Ipv4, &v4(6, &tcp(flags)), &ETHERNET).unwrap();
        (packet.control.opens(), packet.control.closes())
    };
    assert_eq!(control(0x10), (false, false));
    assert_eq!(control(0x02), (true, false));
    assert_eq!(control(0x11), (false, true));
    assert_eq!(control(0x04), (false, true));
}

#[test]
fn what_is_unusual_passes() {
    let change = |at: usize, to: u8| {
        let mut packet = v4(6, &tcp(0x10));
        packet[at] = to;
        whole(Family::Ipv4, &packet, &ETHERNET).err()
    };
    assert_eq!(change(1, 0xb8), None);
    let unusual = [
        // Options, another version, a header that is too short.
        (0, 0x46),
        (0, 0x65),
        (0, 0x44),
        // First and later fragments.
        (6, 0x20),
        (7, 1),
        // TTL
        (8, 1),
        (8, 0),
        // ICMP
        (9, 1),
        // Too long and too short.
        (3, 41),
        (3, 39),
        (3, 0),
        // TCP's data offset.
        (32, 0x40),
    ];
    for (at, to) in unusual {
        assert_eq!(change(at, to), Some(Stop::Pass), "{at} {to:#x}");
    }
    // PPTP's GRE
    let packet = v4(47, &[0x30, 1, 0x88, 0x0b]);
    assert_eq!(
        whole(Family::Ipv4, &packet, &ETHERNET).err(),
        Some(Stop::Pass)
    );
    // Extension headers, hop limit
    let arrival = Arrival {
        protocol: IPV6,
        ..ETHERNET
    };
    for (at, to) in [(6, 0), (6, 44), (7, 1), (0, 0x40), (5, 9)] {
        let mut packet = v6(17, &UDP);
        packet[at] = to;
        assert_eq!(
            whole(Family::Ipv6, &packet, &arrival).err(),
            Some(Stop::Pass)
        );
    }
}

#[test]
fn padding_is_not_the_packet() {
    let mut packet = v4(17, &UDP);
    packet.extend([0; 18]);
    assert_eq!(whole(Family::Ipv4, &packet, &ETHERNET).unwrap().end, 28);
}

#[test]
fn length_zero_of_several_in_one_only() {
    let mut packet = v4(6, &tcp(0x10));
    packet[2..4].fill(0);
    let several = Arrival {
        several: true,
        ..ETHERNET
    };
    assert_eq!(whole(Family::Ipv4, &packet, &several).unwrap().end, 40);
    assert!(whole(Family::Ipv4, &packet, &ETHERNET).is_err());
}

#[test]
fn the_length_of_a_datagram() {
    for (len, good) in [(8, true), (7, false), (9, false), (0, false)] {
        let mut udp = UDP;
        udp[5] = len;
        let packet = v4(17, &udp);
        assert_eq!(whole(Family::Ipv4, &packet, &ETHERNET).is_ok(), good);
        // Of several in one it is nobody's.
        let several = Arrival {
            several: true,
            ..ETHERNET
        };
        assert!(whole(Family::Ipv4, &packet, &several).is_ok());
        // Padding is not the datagram's.
        let padded = [packet, [0; 8].to_vec()].concat();
        assert_eq!(whole(Family::Ipv4, &padded, &ETHERNET).is_ok(), good);
    }
}

fn encapsulated(protocol: u16, header: &[u8], packet: &[u8]) -> (Arrival, Vec<u8>) {
    let arrival = Arrival {
        protocol,
        ..ETHERNET
    };
    (arrival, [header, packet].concat())
}

#[test]
fn vlan_and_qinq() {
    let (arrival, bytes) = encapsulated(VLAN, &[0, 5, 8, 0], &v4(17, &UDP));
    let inline = whole(Family::Ipv4, &bytes, &arrival).unwrap();
    assert_eq!((inline.encap, inline.transport), (4, 24));
    assert_eq!(protocol(&bytes, bytes.len() as u32, &arrival), Ok(IPV4));
    // The same tag, taken off by the device: the same flow.
    let tag = Encap {
        id: 5,
        protocol: Be16::new(VLAN),
    };
    let accelerated = Arrival {
        tag: Some(tag),
        ..ETHERNET
    };
    let plain = whole(Family::Ipv4, &v4(17, &UDP), &accelerated).unwrap();
    assert_eq!(plain.key, inline.key);
    assert_eq!(plain.encap, 0);
    // Both.
    let outer = Encap {
        id: 7,
        protocol: Be16::new(QINQ),
    };
    let both = Arrival {
        tag: Some(outer),
        ..arrival
    };
    let both = whole(Family::Ipv4, &bytes, &both).unwrap();
    assert_ne!(both.key, inline.key);
    // Of the other family, or of neither.
    assert!(whole(Family::Ipv6, &bytes, &arrival).is_err());
    let (arrival, bytes) = encapsulated(VLAN, &[0, 5, 8, 6], &v4(17, &UDP));
    assert!(whole(Family::Ipv4, &bytes, &arrival).is_err());
}

#[test]
fn pppoe_sessions() {
    let packet = v4(17, &UDP);
    let header = [0x11, 0, 0, 9, 0, 30, 0, 0x21];
    let (arrival, bytes) = encapsulated(PPPOE, &header, &packet);
    let read = whole(Family::Ipv4, &bytes, &arrival).unwrap();
    assert_eq!((read.encap, read.transport), (8, 28));
    assert_eq!(protocol(&bytes, bytes.len() as u32, &arrival), Ok(IPV4));
    // Padding, which the IP header does not count.
    let padded = [&*bytes, &[0; 10]].concat();
    assert_eq!(
        whole(Family::Ipv4, &padded, &arrival).unwrap().end,
        bytes.len() as u32
    );
    // Version, code, a length behind the end and one before IP's, LCP.
    for (at, to) in [(0, 0x12), (1, 0xa7), (5, 31), (5, 29), (6, 0xc0)] {
        let mut header = header;
        header[at] = to;
        let (arrival, bytes) = encapsulated(PPPOE, &header, &packet);
        assert_eq!(
            whole(Family::Ipv4, &bytes, &arrival).err(),
            Some(Stop::Pass)
        );
    }
}

#[test]
fn tunnels() {
    let inner = v4(6, &tcp(0x10));
    let outer = v4(IPIP, &inner);
    let packet = whole(Family::Ipv4, &outer, &ETHERNET).unwrap();
    assert_eq!(
        (packet.tunnel, packet.network(), packet.transport),
        (20, 20, 40)
    );
    let plain = whole(Family::Ipv4, &inner, &ETHERNET).unwrap();
    assert_ne!(packet.key, plain.key);
    // Congestion, lengths that differ, a tunnel in a tunnel.
    let mut congested = outer.clone();
    congested[1] = 3;
    let mut shorter = outer.clone();
    shorter[23] -= 1;
    for bytes in [congested, shorter, v4(IPIP, &outer)] {
        assert_eq!(
            whole(Family::Ipv4, &bytes, &ETHERNET).err(),
            Some(Stop::Pass)
        );
    }
    let arrival = Arrival {
        protocol: IPV6,
        ..ETHERNET
    };
    let packet = v6(IP6IP6, &v6(17, &UDP));
    let packet = whole(Family::Ipv6, &packet, &arrival).unwrap();
    assert_eq!((packet.tunnel, packet.transport), (40, 80));
}

/// Whatever is cut off or not at hand: never read, and asked for only if it is
/// there.
#[test]
fn truncated_everywhere() {
    let ppp = [0x11, 0, 0, 9, 0, 62, 0, 0x21];
    let tunneled = v4(IPIP, &v4(6, &tcp(0x10)));
    let samples = [
        (ETHERNET, v4(6, &tcp(0x10))),
        (ETHERNET, tunneled.clone()),
        encapsulated(VLAN, &[0, 5, 8, 0], &tunneled),
        encapsulated(PPPOE, &ppp, &tunneled),
    ];
    for (arrival, bytes) in &samples {
        for cut in 0..bytes.len() {
            let short = whole(Family::Ipv4, &bytes[..cut], arrival);
            assert_eq!(short.err(), Some(Stop::Pass), "{cut}");
            // All in the packet, but only so many bytes at hand.
            let len = bytes.len() as u32;
            match both(Family::Ipv4, &bytes[..cut], len, arrival) {
                Ok(packet) => assert!(packet.headers <= cut as u32),
                Err(Stop::Pull(needed)) => assert!(cut < needed as usize && needed <= len),
                Err(Stop::Pass) => panic!("{cut}"),
            }
        }
    }
}
