// SPDX-License-Identifier: GPL-2.0

//! Packets of any bytes, and packets that were built field by field.

use nf_proto::{
    l4::{number, Reason},
    packet::{self, tcp, tcp::Flags, udp, Description, Segment},
    tuple::{Family, Tuple},
};
use proptest::{prelude::*, sample::select};

const PROTOCOLS: [u8; 7] = [1, 6, 17, 47, 58, 132, 99];

/// What a packet is built from.
#[derive(Clone, Debug)]
struct Network {
    family: Family,
    source: [u8; 16],
    destination: [u8; 16],
    /// Words of IPv4 options.
    options: usize,
    /// IPv6 extension headers: number, and units of eight bytes.
    extensions: Vec<(u8, u8)>,
    protocol: u8,
}

impl Network {
    /// The length of a header without anything more, bytes.
    fn least(&self) -> u32 {
        match self.family {
            Family::Ipv4 => 20,
            Family::Ipv6 => 40,
        }
    }

    /// The header, and what is behind it.
    fn packet(&self, transport: &[u8]) -> Vec<u8> {
        let mut packet = match self.family {
            Family::Ipv4 => self.ipv4(transport.len()),
            Family::Ipv6 => self.ipv6(transport.len()),
        };
        packet.extend_from_slice(transport);
        packet
    }

    fn ipv4(&self, len: usize) -> Vec<u8> {
        let header = 20 + 4 * self.options;
        let [l0, l1] = ((header + len) as u16).to_be_bytes();
        let mut packet = vec![0x40 | (header / 4) as u8, 0, l0, l1, 0, 7, 0x40, 0, 64];
        packet.extend([self.protocol, 0, 0]);
        packet.extend(&self.source[..4]);
        packet.extend(&self.destination[..4]);
        packet.resize(header, 1);
        packet
    }

    fn ipv6(&self, len: usize) -> Vec<u8> {
        let mut chain = Vec::new();
        let mut next = self.protocol;
        for (number, units) in self.extensions.iter().rev() {
            let mut header = vec![0; 8 * (usize::from(*units) + 1)];
            header[0] = next;
            match number {
                // Of eight bytes, the first fragment.
                44 => header.resize(8, 0),
                51 => header[1] = 2 * units,
                _ => header[1] = *units,
            }
            chain.splice(0..0, header);
            next = *number;
        }
        let [l0, l1] = ((chain.len() + len) as u16).to_be_bytes();
        let mut packet = vec![0x60, 0, 0, 0, l0, l1, next, 64];
        packet.extend(&self.source);
        packet.extend(&self.destination);
        packet.extend(chain);
        packet
    }

    fn check(&self, tuple: &Tuple) {
        let bytes = |address: nf_proto::tuple::Address| address.0.map(|w| w.to_bytes()).concat();
        let expected = |address: [u8; 16]| match self.family {
            Family::Ipv4 => [&address[..4], &[0; 12]].concat(),
            Family::Ipv6 => address.to_vec(),
        };
        assert_eq!(bytes(tuple.src.address), expected(self.source));
        assert_eq!(bytes(tuple.dst.address), expected(self.destination));
        assert_eq!(tuple.dst.protocol, self.protocol);
        assert_eq!(tuple.src.l3num, self.family.number());
    }
}

fn network(protocol: impl Strategy<Value = u8>) -> impl Strategy<Value = Network> {
    (
        select(vec![Family::Ipv4, Family::Ipv6]),
        any::<[u8; 16]>(),
        any::<[u8; 16]>(),
        0..11usize,
        prop::collection::vec((select(vec![0, 43, 44, 51, 60]), 1..4u8), 0..6),
        protocol,
    )
        .prop_map(
            |(family, source, destination, options, extensions, protocol)| Network {
                family,
                source,
                destination,
                options,
                extensions,
                protocol,
            },
        )
}

/// Mostly packets that get far, as their network header is right.
fn any_packet() -> impl Strategy<Value = (Family, Vec<u8>)> {
    let noise = prop::collection::vec(any::<u8>(), 0..120);
    let likely = (network(select(&PROTOCOLS[..])), noise.clone())
        .prop_map(|(network, transport)| (network.family, network.packet(&transport)));
    let any = (select(vec![Family::Ipv4, Family::Ipv6]), noise);
    prop_oneof![4 => likely, 1 => any]
}

/// A packet with some of its bytes changed.
fn damaged() -> impl Strategy<Value = (Family, Vec<u8>)> {
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5);
    (any_packet(), damage).prop_map(|((family, mut packet), damage)| {
        for (index, byte) in damage {
            if !packet.is_empty() {
                let at = index.index(packet.len());
                packet[at] = byte;
            }
        }
        (family, packet)
    })
}

fn len(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever the bytes, and however long the packet is said to be.
    #[test]
    fn nothing_panics((family, bytes) in damaged(), more in prop_oneof![-50..200i64, Just(1 << 31)]) {
        let claimed = u32::try_from((bytes.len() as i64 + more).max(0)).unwrap();
        let parsed = packet::parse(family, &bytes, claimed);
        let quoted = packet::parse_quoted(family, &bytes, claimed);
        if let Ok(description) = parsed {
            prop_assert!(description.transport <= claimed);
            // What is read in full can be read in part.
            prop_assert_eq!(quoted.map(|(tuple, _)| tuple), Ok(description.tuple));
            if let Segment::Tcp(segment) = description.segment {
                prop_assert!(segment.payload <= claimed - description.transport);
                prop_assert!(segment.options.window_scale().is_none_or(|scale| scale <= 14));
            }
        }
        // What is read apart because it is so frequent is the same.
        if claimed as usize >= bytes.len() {
            if let Some(plain) = packet::plain::<tcp::Segment>(family, number::TCP, &bytes, claimed) {
                let Ok(Description { tuple, transport, segment: Segment::Tcp(segment) }) = parsed else {
                    panic!("{parsed:?}");
                };
                prop_assert_eq!((plain.tuple, plain.transport, plain.segment), (tuple, transport, segment));
            }
            if let Some(plain) = packet::plain::<udp::Datagram>(family, number::UDP, &bytes, claimed) {
                let Ok(Description { tuple, transport, segment: Segment::Udp(datagram) }) = parsed else {
                    panic!("{parsed:?}");
                };
                prop_assert_eq!((plain.tuple, plain.transport, plain.segment), (tuple, transport, datagram));
            }
        }
        if let Ok((tuple, _)) = quoted {
            if let Some(answer) = tuple.invert() {
                prop_assert_eq!(answer.invert(), Some(tuple));
            }
        }
    }

    /// Having fewer bytes at hand never leads to another tuple.
    #[test]
    fn bytes_not_at_hand_are_not_guessed((family, bytes) in damaged(), end in any::<prop::sample::Index>()) {
        let at_hand = &bytes[..end.index(bytes.len() + 1)];
        let whole = packet::parse(family, &bytes, len(&bytes));
        match (whole, packet::parse(family, at_hand, len(&bytes))) {
            (Ok(whole), Ok(part)) => {
                prop_assert_eq!(whole.tuple, part.tuple);
                prop_assert_eq!(whole.transport, part.transport);
            }
            (Ok(whole), Err(reason)) => {
                // SCTP chunks of which the fixed part is not at hand.
                let sctp = whole.tuple.dst.protocol == number::SCTP;
                prop_assert!(reason == Reason::Truncated || (sctp && reason == Reason::SctpBadChunks));
            }
            // A chunk that makes the packet INVALID is not at hand.
            (Err(reason), Ok(part)) => {
                prop_assert_eq!(part.tuple.dst.protocol, number::SCTP);
                prop_assert_eq!(reason, Reason::SctpBadChunks);
            }
            (Err(_), Err(_)) => {}
        }
    }

    /// Bytes behind the packet are not read.
    #[test]
    fn nothing_behind_the_packet_is_read((family, bytes) in damaged(), behind in any::<[u8; 64]>()) {
        let longer = [&bytes[..], &behind].concat();
        let parse = |bytes: &[u8], len| format!("{:?}", packet::parse(family, bytes, len));
        prop_assert_eq!(parse(&bytes, len(&bytes)), parse(&longer, len(&bytes)));
    }

    #[test]
    fn tcp(
        network in network(Just(number::TCP)),
        ports in any::<[u16; 2]>(),
        (seq, ack, window) in any::<(u32, u32, u16)>(),
        flags in select(vec![0x02, 0x12, 0x10, 0x18, 0x11, 0x19, 0x04, 0x14, 0xd2]),
        scale in prop::option::of(any::<u8>()),
        data in 0..1400usize,
    ) {
        let mut options = Vec::new();
        if let Some(scale) = scale {
            options.extend([2, 4, 5, 180, 1, 3, 3, scale]);
        }
        let mut segment = ports.map(u16::to_be_bytes).concat();
        segment.extend([seq, ack].map(u32::to_be_bytes).concat());
        segment.extend([((20 + options.len()) * 4) as u8, flags]);
        segment.extend([window, 0, 0].map(u16::to_be_bytes).concat());
        segment.extend(options);
        segment.resize(segment.len() + data, b'x');

        let packet = network.packet(&segment);
        let description = packet::parse(network.family, &packet, len(&packet)).unwrap();
        network.check(&description.tuple);
        let [source, destination] = ports;
        prop_assert_eq!(description.tuple.src.id.get(), source);
        prop_assert_eq!(description.tuple.dst.id.get(), destination);
        prop_assert_eq!(description.transport as usize, packet.len() - segment.len());
        let Segment::Tcp(read) = description.segment else { panic!("not TCP") };
        prop_assert_eq!((read.seq, read.ack, read.window), (seq, ack, window));
        prop_assert_eq!(read.flags, Flags(flags));
        prop_assert_eq!(read.payload as usize, data);
        prop_assert_eq!(read.options.window_scale(), scale.map(|scale| scale.min(14)));
    }

    #[test]
    fn udp(network in network(Just(number::UDP)), ports in any::<[u16; 2]>(), checksum: u16, data in 0..200u16) {
        let [source, destination] = ports;
        let mut datagram = [source, destination, 8 + data, checksum].map(u16::to_be_bytes).concat();
        datagram.resize(8 + usize::from(data), 0);
        let packet = network.packet(&datagram);
        let description = packet::parse(network.family, &packet, len(&packet)).unwrap();
        network.check(&description.tuple);
        prop_assert_eq!(description.tuple.src.id.get(), source);
        prop_assert_eq!(description.tuple.dst.id.get(), destination);
        let Segment::Udp(read) = description.segment else { panic!("not UDP") };
        prop_assert_eq!(read.has_checksum, checksum != 0);
        let plain = packet::plain::<udp::Datagram>(network.family, number::UDP, &packet, len(&packet));
        prop_assert_eq!(plain.is_some(), description.transport == network.least());
    }

    #[test]
    fn icmp(network in network(select(vec![number::ICMP, number::ICMPV6])), message in any::<[u8; 8]>()) {
        let packet = network.packet(&message);
        let parsed = packet::parse(network.family, &packet, len(&packet));
        if (network.family == Family::Ipv4) == (network.protocol == number::ICMP) {
            let [kind, code, _, _, i0, i1, _, _] = message;
            let tuple = parsed.unwrap().tuple;
            network.check(&tuple);
            prop_assert_eq!(tuple.src.id.to_bytes(), [i0, i1]);
            prop_assert_eq!(tuple.dst.id.to_bytes(), [kind, code]);
        } else {
            prop_assert_eq!(parsed.err(), Some(Reason::IcmpUnexpected));
        }
    }

    /// Of a packet that is quoted there are eight bytes for certain.
    #[test]
    fn quoted(network in network(select(vec![6, 17, 132])), transport in any::<[u8; 8]>()) {
        let packet = network.packet(&transport);
        let (tuple, pptp) = packet::parse_quoted(network.family, &packet, len(&packet)).unwrap();
        network.check(&tuple);
        prop_assert!(!pptp);
        prop_assert_eq!(&tuple.src.id.to_bytes()[..], &transport[..2]);
        prop_assert_eq!(&tuple.dst.id.to_bytes()[..], &transport[2..4]);
    }

    #[test]
    fn pptp(network in network(Just(number::GRE)), call in any::<[u8; 2]>(), flags in select(vec![0x20, 0x30])) {
        let header = [flags, 0x81, 0x88, 0x0b, 0, 0, call[0], call[1]];
        let packet = network.packet(&header);
        let description = packet::parse(network.family, &packet, len(&packet)).unwrap();
        network.check(&description.tuple);
        prop_assert_eq!(description.tuple.src.id.get(), 0);
        prop_assert_eq!(description.tuple.dst.id.to_bytes(), call);
        let (tuple, pptp) = packet::parse_quoted(network.family, &packet, len(&packet)).unwrap();
        prop_assert_eq!(tuple, description.tuple);
        prop_assert!(pptp);
    }

    /// Nothing of an unknown protocol is read, not even that it is there.
    #[test]
    fn unknown_protocols(network in network(select(vec![4, 33, 50, 99, 136])), data in prop::collection::vec(any::<u8>(), 0..20)) {
        let packet = network.packet(&data);
        let description = packet::parse(network.family, &packet, len(&packet)).unwrap();
        network.check(&description.tuple);
        prop_assert_eq!(description.tuple.src.id.get(), 0);
        prop_assert_eq!(description.tuple.dst.id.get(), 0);
        prop_assert!(matches!(description.segment, Segment::Other));
    }
}
