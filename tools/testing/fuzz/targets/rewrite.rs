// SPDX-License-Identifier: GPL-2.0

//! Translation of any packet that can be parsed: the tuple becomes what it should,
//! sums stay as right or wrong as they were, nothing else is touched, and back
//! again it is what it was. And of any error about one.

#![no_main]

include!("../fuzz.rs");

use nf_proto::{
    be::{Be16, Be32},
    checksum::{crc32c, fold, internet, pseudo_v4, pseudo_v6, sum},
    l4::number,
    nat::{
        rewrite::{error, headers, packet, Form, Layout, New},
        Manip,
    },
    packet::parse,
    tuple::{Address, Family, Tuple},
};

/// Where the checksum of a protocol is in its header, and whether it covers the
/// pseudo header.
fn checksum(protocol: u8) -> Option<(usize, bool)> {
    match protocol {
        number::TCP => Some((16, true)),
        number::UDP => Some((6, true)),
        number::ICMPV6 => Some((2, true)),
        number::ICMP => Some((2, false)),
        _ => None,
    }
}

/// The sum over all that the transport checksum covers, the checksum included: it
/// is 0 or 0xffff in a packet that is right, and no translation may change it.
fn residue(bytes: &[u8], layout: &Layout, tuple: &Tuple) -> Option<u16> {
    let (_, pseudo) = checksum(layout.protocol)?;
    let segment = bytes.get(layout.transport as usize..layout.len as usize)?;
    let (source, destination) = (tuple.src.address, tuple.dst.address);
    let pseudo = match (pseudo, layout.family) {
        (false, _) => 0,
        (true, Family::Ipv4) => {
            pseudo_v4(source, destination, layout.protocol, segment.len() as u16)
        }
        (true, Family::Ipv6) => {
            pseudo_v6(source, destination, layout.protocol, segment.len() as u32)
        }
    };
    Some(fold(pseudo + sum(segment)) % 0xffff)
}

/// By how much SCTP's checksum is off: its own and what it should be, as bits.
fn sctp_residue(bytes: &[u8], layout: &Layout) -> Option<u32> {
    let mut segment = bytes
        .get(layout.transport as usize..layout.len as usize)?
        .to_vec();
    let field: [u8; 4] = segment.get(8..12)?.try_into().ok()?;
    segment[8..12].fill(0);
    Some(crc32c(&segment) ^ u32::from_le_bytes(field))
}

/// What a UDP datagram without a checksum has there, and what stands for 0.
fn udp_field(bytes: &[u8], layout: &Layout) -> Option<[u8; 2]> {
    let at = layout.transport as usize + 6;
    match layout.protocol {
        number::UDP => bytes.get(at..at + 2)?.try_into().ok(),
        _ => None,
    }
}

/// The length that the network header says.
fn total(bytes: &[u8], family: Family) -> u32 {
    match family {
        Family::Ipv4 => u32::from(u16::from_be_bytes([bytes[2], bytes[3]])),
        Family::Ipv6 => u32::from(u16::from_be_bytes([bytes[4], bytes[5]])) + 40,
    }
}

fn target(bytes: &[u8], choice: u8) {
    let family = if choice & 1 == 0 {
        Family::Ipv4
    } else {
        Family::Ipv6
    };
    let manip = if choice & 2 == 0 {
        Manip::Source
    } else {
        Manip::Destination
    };
    let Some((new, bytes)) = bytes.split_first_chunk::<18>() else {
        return;
    };
    let (id, address) = new.split_first_chunk::<2>().expect("it is longer");
    let mut words = [Be32::default(); 4];
    for (word, bytes) in words.iter_mut().zip(address.chunks_exact(4)) {
        *word = Be32::from_bytes(bytes.try_into().expect("four"));
    }
    let new = New {
        address: match family {
            Family::Ipv4 => Address::v4(words[0]),
            Family::Ipv6 => Address(words),
        },
        id: Be16::from_bytes(*id),
    };
    let len = bytes.len() as u32;
    let Ok(layout) = Layout::new(family, bytes, len) else {
        return;
    };
    let Ok(before) = parse(family, bytes, len) else {
        // An error, or anything else: nothing panics, and what is behind the
        // headers stays.
        let mut copy = bytes.to_vec();
        if error(&mut copy, &layout, &Tuple::default(), manip, Form::Full).is_err() {
            assert_eq!(copy, bytes);
        }
        return;
    };
    let mut copy = bytes.to_vec();
    let Ok(change) = packet(&mut copy, &layout, &new, manip, Form::Full) else {
        assert_eq!(copy, bytes);
        return;
    };
    let end = headers(&layout) as usize;
    assert_eq!(copy[end..], bytes[end..]);
    let after = parse(family, &copy, len).expect("still a packet");
    assert_eq!(manip.address(&after.tuple), new.address);
    assert_eq!(
        manip.opposite().address(&after.tuple),
        manip.opposite().address(&before.tuple)
    );
    assert_eq!(change.moved(), manip.address(&before.tuple) != new.address);

    if family == Family::Ipv4 {
        let header = usize::from(bytes[0] & 15) * 4;
        assert_eq!(
            internet(&bytes[..header]) % 0xffff,
            internet(&copy[..header]) % 0xffff
        );
    }
    let no_checksum = udp_field(bytes, &layout) == Some([0, 0]);
    match layout.protocol {
        // It reaches as far as the network header says: to be compared if that is all.
        number::SCTP if total(bytes, family) != len => {}
        number::SCTP => assert_eq!(sctp_residue(bytes, &layout), sctp_residue(&copy, &layout)),
        _ if no_checksum => assert_eq!(udp_field(&copy, &layout), Some([0, 0])),
        _ => {
            assert_eq!(
                residue(bytes, &layout, &before.tuple),
                residue(&copy, &layout, &after.tuple)
            );
            assert_ne!(udp_field(&copy, &layout), Some([0, 0]));
        }
    }

    // And back: the same bytes, but that a sum may be the other zero.
    let old = New::of(&before.tuple, manip);
    packet(&mut copy, &layout, &old, manip, Form::Full).expect("as before");
    let again = parse(family, &copy, len).expect("still a packet");
    assert_eq!(again.tuple, before.tuple);
    let differ = copy.iter().zip(bytes).filter(|(a, b)| a != b).count();
    assert!(differ <= 4, "{differ} bytes differ");
}

fuzz!(target);
