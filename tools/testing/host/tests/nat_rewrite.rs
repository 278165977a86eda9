// SPDX-License-Identifier: GPL-2.0

//! Packets that are translated have the checksums that would be computed anew,
//! and translated back they are what they were.

use nf_proto::{
    be::{Be16, Be32},
    checksum::{crc32c, fold, internet, pseudo_v4, pseudo_v6, sum},
    nat::{
        rewrite::{error, error_headers, headers, packet, Form, Layout, New},
        Manip,
    },
    tuple::{Address, Destination, Family, Source, Tuple},
};
use proptest::{collection::vec, prelude::*};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const GRE: u8 = 47;
const ICMPV6: u8 = 58;
const SCTP: u8 = 132;

/// What a packet is made of.
#[derive(Clone, Debug)]
struct Parts {
    family: Family,
    protocol: u8,
    /// IPv4 options or IPv6 extension headers, multiples of eight bytes.
    options: Vec<u8>,
    addresses: [Address; 2],
    ids: [u16; 2],
    /// ICMP: type.
    kind: u8,
    checksum: bool,
    payload: Vec<u8>,
}

/// Bytes of the network header, and of the transport header's fixed part.
fn lengths(parts: &Parts) -> (usize, usize) {
    let network = match parts.family {
        Family::Ipv4 => 20,
        Family::Ipv6 => 40,
    };
    let transport = match parts.protocol {
        TCP => 20,
        SCTP => 12,
        UDP | ICMP | ICMPV6 | GRE => 8,
        _ => 0,
    };
    (network + parts.options.len(), transport)
}

fn words(address: Address, family: Family) -> Vec<u8> {
    let Address(words) = address;
    let number = if family == Family::Ipv4 { 1 } else { 4 };
    words[..number]
        .iter()
        .flat_map(|word| word.to_bytes())
        .collect()
}

/// The pseudo header's sum of a packet.
fn pseudo(parts: &Parts, len: usize) -> u64 {
    let [source, destination] = parts.addresses;
    match parts.family {
        Family::Ipv4 => pseudo_v4(source, destination, parts.protocol, len as u16),
        Family::Ipv6 => pseudo_v6(source, destination, parts.protocol, len as u32),
    }
}

/// Where the checksum is in the transport header.
fn checksum_at(protocol: u8) -> usize {
    match protocol {
        TCP => 16,
        UDP => 6,
        _ => 2,
    }
}

fn build(parts: &Parts, form: Form) -> Vec<u8> {
    let (network, fixed) = lengths(parts);
    let len = network + fixed + parts.payload.len();
    let mut bytes = match parts.family {
        Family::Ipv4 => vec![
            0x40 | (network / 4) as u8,
            0,
            0,
            0,
            1,
            2,
            0,
            0,
            64,
            parts.protocol,
            0,
            0,
        ],
        Family::Ipv6 => {
            let mut header = vec![0x60, 1, 2, 3];
            header.extend(((len - 40) as u16).to_be_bytes());
            header.extend([
                if parts.options.is_empty() {
                    parts.protocol
                } else {
                    60
                },
                64,
            ]);
            header
        }
    };
    for address in parts.addresses {
        bytes.extend(words(address, parts.family));
    }
    let mut options = parts.options.clone();
    if parts.family == Family::Ipv6 {
        if let [next, words, ..] = &mut options[..] {
            (*next, *words) = (parts.protocol, (parts.options.len() / 8 - 1) as u8);
        }
    }
    bytes.extend(options);
    if parts.family == Family::Ipv4 {
        bytes[2..4].copy_from_slice(&(len as u16).to_be_bytes());
        let check = internet(&bytes[..network]);
        bytes[10..12].copy_from_slice(&check.to_be_bytes());
    }

    let [source, destination] = parts.ids.map(u16::to_be_bytes);
    let mut segment = vec![0; fixed];
    match parts.protocol {
        TCP | UDP | SCTP => {
            segment[..2].copy_from_slice(&source);
            segment[2..4].copy_from_slice(&destination);
        }
        ICMP | ICMPV6 => {
            segment[0] = parts.kind;
            segment[4..6].copy_from_slice(&source);
        }
        GRE => {
            segment[..4].copy_from_slice(&[0x30, 1, 0x88, 0x0b]);
            segment[6..8].copy_from_slice(&destination);
        }
        _ => {}
    }
    if parts.protocol == TCP {
        segment[12] = 5 << 4;
    }
    segment.extend(&parts.payload);
    let segment_len = segment.len();
    if parts.protocol == UDP {
        segment[4..6].copy_from_slice(&(segment_len as u16).to_be_bytes());
    }
    let at = checksum_at(parts.protocol);
    match (parts.protocol, form) {
        (SCTP, Form::Full) => {
            let crc = crc32c(&segment);
            segment[8..12].copy_from_slice(&crc.to_le_bytes());
        }
        (ICMP, Form::Full) => {
            let check = internet(&segment);
            segment[at..at + 2].copy_from_slice(&check.to_be_bytes());
        }
        (TCP | UDP | ICMPV6, _) if parts.protocol != UDP || parts.checksum => {
            let pseudo = pseudo(parts, segment_len);
            let mut check = match form {
                Form::Full => !fold(pseudo + sum(&segment)),
                Form::Pseudo => fold(pseudo),
            };
            if check == 0 && parts.protocol == UDP {
                check = 0xffff;
            }
            segment[at..at + 2].copy_from_slice(&check.to_be_bytes());
        }
        _ => {}
    }
    bytes.extend(segment);
    bytes
}

fn layout(parts: &Parts, bytes: &[u8]) -> Layout {
    let layout = Layout::new(parts.family, bytes, bytes.len() as u32).unwrap();
    assert_eq!(layout.protocol, parts.protocol);
    assert_eq!(layout.transport as usize, lengths(parts).0);
    layout
}

/// The same packet with another side.
fn moved(parts: &Parts, new: &New, manip: Manip) -> Parts {
    let mut parts = parts.clone();
    let side = manip as usize;
    parts.addresses[side] = new.address;
    match parts.protocol {
        ICMP | ICMPV6 => {
            if matches!(parts.kind, 8 | 0 | 13 | 128 | 129) {
                parts.ids[0] = new.id.get();
            }
        }
        // The packet does not have the source's key.
        GRE if manip == Manip::Source => {}
        _ => parts.ids[side] = new.id.get(),
    }
    parts
}

fn address(family: Family) -> BoxedStrategy<Address> {
    match family {
        Family::Ipv4 => any::<u32>()
            .prop_map(|word| Address::v4(Be32::new(word)))
            .boxed(),
        Family::Ipv6 => any::<[u32; 4]>()
            .prop_map(|words| Address(words.map(Be32::new)))
            .boxed(),
    }
}

fn parts_of(family: Family) -> impl Strategy<Value = Parts> {
    let icmp = if family == Family::Ipv4 { ICMP } else { ICMPV6 };
    let kinds: &[u8] = if family == Family::Ipv4 {
        &[8, 0, 13, 3]
    } else {
        &[128, 129, 139, 1]
    };
    (
        prop::sample::select(vec![TCP, UDP, SCTP, icmp, GRE, 50]),
        (0usize..3, vec(any::<u8>(), 16)),
        [address(family), address(family)],
        any::<[u16; 2]>(),
        prop::sample::select(kinds.to_vec()),
        any::<bool>(),
        vec(any::<u8>(), 0..120),
    )
        .prop_map(
            move |(protocol, (eights, bytes), addresses, ids, kind, checksum, payload)| Parts {
                family,
                protocol,
                options: bytes[..eights * 8].to_vec(),
                addresses,
                ids,
                kind,
                checksum,
                payload,
            },
        )
}

fn parts() -> impl Strategy<Value = Parts> {
    prop_oneof![parts_of(Family::Ipv4), parts_of(Family::Ipv6)]
}

fn new_side(parts: &Parts, (address, id): ([u32; 4], u16)) -> New {
    let [word, ..] = address;
    New {
        address: match parts.family {
            Family::Ipv4 => Address::v4(Be32::new(word)),
            Family::Ipv6 => Address(address.map(Be32::new)),
        },
        id: Be16::new(id),
    }
}

fn manip() -> impl Strategy<Value = Manip> {
    prop_oneof![Just(Manip::Source), Just(Manip::Destination)]
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![Just(Form::Full), Just(Form::Pseudo)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// A translated packet is the one that would be built so; and the change of
    /// the sum that is told is the one that happened.
    #[test]
    fn as_if_built_anew(
        parts in parts(),
        side in any::<([u32; 4], u16)>(),
        manip in manip(),
        form in form(),
    ) {
        let before = build(&parts, form);
        let new = new_side(&parts, side);
        let mut bytes = before.clone();
        let layout = layout(&parts, &bytes);
        let change = packet(&mut bytes, &layout, &new, manip, form).unwrap();
        prop_assert_eq!(&bytes, &build(&moved(&parts, &new, manip), form));
        prop_assert_eq!(
            fold(sum(&before) + u64::from(change.sum())) % 0xffff,
            fold(sum(&bytes)) % 0xffff
        );
    }

    /// There and back again.
    #[test]
    fn inverse(
        parts in parts(),
        side in any::<([u32; 4], u16)>(),
        manip in manip(),
        form in form(),
    ) {
        let before = build(&parts, form);
        let mut bytes = before.clone();
        let layout = layout(&parts, &bytes);
        packet(&mut bytes, &layout, &new_side(&parts, side), manip, form).unwrap();
        let back = New {
            address: parts.addresses[manip as usize],
            id: Be16::new(match parts.protocol {
                ICMP | ICMPV6 => parts.ids[0],
                _ => parts.ids[manip as usize],
            }),
        };
        let change = packet(&mut bytes, &layout, &back, manip, form).unwrap();
        prop_assert_eq!(&bytes, &before);
        prop_assert_eq!(change.moved(), new_side(&parts, side).address != back.address);
        // Once more: nothing happens.
        let change = packet(&mut bytes, &layout, &back, manip, form).unwrap();
        prop_assert_eq!(&bytes, &before);
        prop_assert!(!change.moved() && change.sum() % 0xffff == 0);
    }

    /// Nothing panics, whatever the bytes; of fewer than are asked for nothing
    /// is changed; and nothing behind the headers is ever.
    #[test]
    fn any_bytes(
        mut bytes in vec(any::<u8>(), 0..100),
        protocol in prop::sample::select(vec![TCP, UDP, SCTP, ICMP, ICMPV6, GRE, 0]),
        transport in 0u32..80,
        len in 0u32..120,
        six: bool,
        side in any::<([u32; 4], u16)>(),
        manip in manip(),
        form in form(),
    ) {
        let family = if six { Family::Ipv6 } else { Family::Ipv4 };
        let layout = Layout { family, protocol, transport, len };
        let new = New {
            address: Address(side.0.map(Be32::new)),
            id: Be16::new(side.1),
        };
        let before = bytes.clone();
        let end = (transport as usize + 20).min(bytes.len());
        match packet(&mut bytes, &layout, &new, manip, form) {
            Err(_) => prop_assert_eq!(&bytes, &before),
            Ok(_) => {
                prop_assert!(before.len() >= headers(&layout) as usize);
                prop_assert_eq!(&bytes[end..], &before[end..]);
            }
        }
        let before = bytes.clone();
        let other = Tuple {
            dst: Destination { protocol, ..Destination::default() },
            ..Tuple::default()
        };
        if error(&mut bytes, &layout, &other, manip, form).is_err() {
            prop_assert_eq!(&bytes, &before);
        }
    }

    /// What was damaged stays so.
    #[test]
    fn damage_stays(
        parts in parts(),
        side in any::<([u32; 4], u16)>(),
        manip in manip(),
        bit in any::<prop::sample::Index>(),
    ) {
        if !matches!(parts.protocol, TCP | SCTP | ICMP | ICMPV6) || parts.payload.is_empty() {
            return Ok(());
        }
        let mut bytes = build(&parts, Form::Full);
        let layout = layout(&parts, &bytes);
        let payload = bytes.len() - parts.payload.len();
        let bit = bit.index(parts.payload.len() * 8);
        bytes[payload + bit / 8] ^= 1 << (bit % 8);
        let new = new_side(&parts, side);
        packet(&mut bytes, &layout, &new, manip, Form::Full).unwrap();
        bytes[payload + bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(&bytes, &build(&moved(&parts, &new, manip), Form::Full));
    }

    /// An error about a packet that was translated, as it comes back: it and
    /// what it quotes become what the packet's sender knows, with right
    /// checksums, however little is quoted.
    #[test]
    fn errors(
        sent in parts(),
        side in any::<([u32; 4], u16)>(),
        router in any::<[u32; 4]>(),
        manip in manip(),
        cut in any::<prop::sample::Index>(),
        mtu in any::<u32>(),
    ) {
        // Of the sender, the packet `sent`; translated on `manip`'s side it
        // went out. The error goes back, so its other side is changed.
        if matches!(sent.protocol, ICMP | ICMPV6) && !matches!(sent.kind, 8 | 128) {
            return Ok(());
        }
        let original = build(&sent, Form::Full);
        let inner = layout(&sent, &original);
        let new = new_side(&sent, side);
        let mut translated = original.clone();
        packet(&mut translated, &inner, &new, manip, Form::Full).unwrap();

        let least = inner.transport as usize + lengths(&sent).1.min(8);
        let mut quoted = least + cut.index(original.len() - least + 1);
        // A checksum of which only a part is quoted is left alone.
        let checksum = match sent.protocol {
            TCP => 16..18,
            SCTP => 8..12,
            _ => 0..0,
        };
        if checksum.contains(&(quoted - inner.transport as usize)) {
            quoted = inner.transport as usize + checksum.start;
        }
        let [_, destination] = sent.addresses;
        let error_from = |quote: &[u8], to: Address, from: Address| {
            let (protocol, kind) = match sent.family {
                Family::Ipv4 => (ICMP, 3),
                Family::Ipv6 => (ICMPV6, 2),
            };
            let mut payload = quote.to_vec();
            let parts = Parts {
                family: sent.family,
                protocol,
                options: Vec::new(),
                addresses: [from, to],
                ids: [(mtu >> 16) as u16, 0],
                kind,
                checksum: true,
                payload: std::mem::take(&mut payload),
            };
            build(&parts, Form::Full)
        };
        let router = new_side(&sent, (router, 0)).address;
        // What the error is about was sent from here and to there.
        let (to, to_after, from, from_after) = match manip {
            Manip::Source => (new.address, sent.addresses[0], router, router),
            Manip::Destination => (sent.addresses[0], sent.addresses[0], new.address, destination),
        };
        let mut bytes = error_from(&translated[..quoted], to, from);
        let expected = error_from(&original[..quoted], to_after, from_after);

        let other = Tuple {
            src: Source {
                address: sent.addresses[0],
                id: Be16::new(sent.ids[0]),
                l3num: sent.family.number(),
            },
            dst: Destination {
                address: destination,
                id: Be16::new(sent.ids[1]),
                protocol: sent.protocol,
                direction: 0,
            },
        };
        let outer = Layout::new(sent.family, &bytes, bytes.len() as u32).unwrap();
        let before = bytes.clone();
        prop_assert!(error_headers(&outer) as usize <= bytes.len());
        let change = error(&mut bytes, &outer, &other, manip.opposite(), Form::Full).unwrap();
        prop_assert_eq!(&bytes, &expected);
        prop_assert_eq!(
            fold(sum(&before) + u64::from(change.sum())) % 0xffff,
            fold(sum(&bytes)) % 0xffff
        );
    }
}

/// A datagram whose checksum comes out as 0 gets the other 0, and one without a
/// checksum none.
#[test]
fn zeroes_of_udp() {
    let parts = Parts {
        family: Family::Ipv4,
        protocol: UDP,
        options: Vec::new(),
        addresses: [1, 2].map(|word| Address::v4(Be32::new(word))),
        ids: [0, 53],
        kind: 0,
        checksum: true,
        payload: Vec::new(),
    };
    let mut seen = 0;
    for id in 0..=u16::MAX {
        let new = New {
            address: parts.addresses[0],
            id: Be16::new(id),
        };
        let mut bytes = build(&parts, Form::Full);
        let layout = layout(&parts, &bytes);
        packet(&mut bytes, &layout, &new, Manip::Source, Form::Full).unwrap();
        assert_ne!(bytes[26..28], [0, 0]);
        seen += u32::from(bytes[26..28] == [0xff, 0xff]);

        bytes[26..28].copy_from_slice(&[0, 0]);
        packet(&mut bytes, &layout, &new, Manip::Destination, Form::Full).unwrap();
        assert_eq!(bytes[26..28], [0, 0]);
    }
    assert_eq!(seen, 1);
}
