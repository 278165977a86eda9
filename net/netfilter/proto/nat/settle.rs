// SPDX-License-Identifier: GPL-2.0

//! A packet whose payload was changed ([`edit`](super::edit)) is put right: its
//! lengths, and its checksum.
//!
//! The transport checksum becomes that of the pseudo header, to which whoever
//! sends or receives the packet adds the rest (`CHECKSUM_PARTIAL`).

use super::rewrite::{Failed, Layout};
use crate::{
    be::Be16,
    checksum::{fold, pseudo_v4, pseudo_v6, update},
    l4::number,
    packet,
    tuple::Family,
};

/// The longest packet, from the network header on, bytes.
pub const LONGEST: u32 = u16::MAX as u32;

/// Where a checksum is that is to be completed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Partial {
    /// Offset of the transport header from the network header, bytes.
    pub start: u32,
    /// Offset of the checksum from there.
    pub field: u32,
}

/// Where the payload of a TCP segment or UDP datagram begins, from the network
/// header on. `bytes` are the whole packet.
///
/// # Errors
///
/// [`Failed`] if it is another protocol, or ends before.
pub fn payload(bytes: &[u8], layout: &Layout) -> Result<u32, Failed> {
    let header = bytes.get(layout.transport as usize..).ok_or(Failed)?;
    let header_len = match (layout.protocol, header) {
        (number::TCP, [_, _, _, _, _, _, _, _, _, _, _, _, offset, ..]) => {
            // In words, of four bytes.
            u32::from(offset >> 4) << 2
        }
        (number::UDP, _) => 8,
        _ => return Err(Failed),
    };
    let least = if layout.protocol == number::TCP {
        20
    } else {
        8
    };
    let start = layout.transport.checked_add(header_len).ok_or(Failed)?;
    if header_len < least || start as usize > bytes.len() {
        return Err(Failed);
    }
    Ok(start)
}

/// The sequence number of a TCP segment, host order.
pub fn sequence_number(bytes: &[u8], layout: &Layout) -> Option<u32> {
    let header = bytes.get(layout.transport as usize..)?;
    match header.first_chunk::<8>() {
        Some(&[_, _, _, _, a, b, c, d]) if layout.protocol == number::TCP => {
            Some(u32::from_be_bytes([a, b, c, d]))
        }
        _ => None,
    }
}

/// Writes the lengths of a TCP or UDP packet, which is all of `bytes`, and the
/// sum of its pseudo header. Nothing is to be completed if it is a datagram
/// without checksum; `partial`: it has one that is to be completed already,
/// whatever stands there.
///
/// # Errors
///
/// [`Failed`], with nothing changed: it is longer than a packet can be, or its
/// headers are not what they were.
pub fn settle(bytes: &mut [u8], layout: &Layout, partial: bool) -> Result<Option<Partial>, Failed> {
    let len = u32::try_from(bytes.len()).map_err(|_| Failed)?;
    let rest = len.checked_sub(layout.transport).ok_or(Failed)?;
    let (total, short) = match (u16::try_from(len), u16::try_from(rest)) {
        (Ok(total), Ok(short)) => (total, short),
        _ => return Err(Failed),
    };
    payload(bytes, layout)?;
    let network = packet::network(layout.family, bytes, len).map_err(|_| Failed)?;
    let (source, destination) = (network.tuple.src.address, network.tuple.dst.address);
    let pseudo = match layout.family {
        Family::Ipv4 => pseudo_v4(source, destination, layout.protocol, short),
        Family::Ipv6 => pseudo_v6(source, destination, layout.protocol, rest),
    };

    let (header, segment) = bytes
        .split_at_mut_checked(layout.transport as usize)
        .ok_or(Failed)?;
    match (layout.family, header) {
        (Family::Ipv4, [_, _, l0, l1, _, _, _, _, _, _, c0, c1, ..]) => {
            let checksum = update(
                u16::from_be_bytes([*c0, *c1]),
                u16::from_be_bytes([*l0, *l1]),
                total,
            );
            [*l0, *l1] = total.to_be_bytes();
            [*c0, *c1] = checksum.to_be_bytes();
        }
        (Family::Ipv6, [_, _, _, _, l0, l1, ..]) => {
            [*l0, *l1] = total.saturating_sub(40).to_be_bytes();
        }
        _ => return Err(Failed),
    }
    let (place, field) = match (layout.protocol, segment) {
        (number::TCP, [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, c0, c1, ..]) => {
            ([c0, c1], 16)
        }
        (number::UDP, [_, _, _, _, l0, l1, c0, c1, ..]) => {
            [*l0, *l1] = Be16::new(short).to_bytes();
            if !partial && [*c0, *c1] == [0, 0] {
                return Ok(None);
            }
            ([c0, c1], 6)
        }
        _ => return Err(Failed),
    };
    let [c0, c1] = place;
    [*c0, *c1] = fold(pseudo).to_be_bytes();
    Ok(Some(Partial {
        start: layout.transport,
        field,
    }))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::checksum::{internet, sum};
    use std::vec::Vec;

    fn packet(family: Family, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = match family {
            Family::Ipv4 => std::vec![0x45, 0, 0, 9, 1, 2, 0, 0, 64, protocol, 0, 0],
            Family::Ipv6 => std::vec![0x60, 0, 0, 0, 0, 9, protocol, 64],
        };
        let addresses = if family == Family::Ipv4 { 8 } else { 32 };
        bytes.extend((1..=addresses).map(|i| i as u8));
        if family == Family::Ipv4 {
            let check = internet(&bytes);
            bytes[10..12].copy_from_slice(&check.to_be_bytes());
        }
        let start = bytes.len();
        bytes.resize(start + if protocol == number::TCP { 24 } else { 8 }, 7);
        if protocol == number::TCP {
            bytes[start + 12] = 6 << 4;
        }
        bytes.extend(payload);
        bytes
    }

    /// Completed, the packet is right: lengths, and both checksums.
    #[test]
    fn completed_it_is_right() {
        for family in [Family::Ipv4, Family::Ipv6] {
            for protocol in [number::TCP, number::UDP] {
                for text in [&b""[..], b"a", b"PORT 1,2,3,4,5,6\r\n"] {
                    let mut bytes = packet(family, protocol, text);
                    let len = bytes.len();
                    let layout = Layout::new(family, &bytes, len as u32).unwrap();
                    assert_eq!(payload(&bytes, &layout), Ok((len - text.len()) as u32));
                    let partial = settle(&mut bytes, &layout, false).unwrap().unwrap();
                    let start = partial.start as usize;
                    assert_eq!(start, layout.transport as usize);

                    let mut segment = bytes[start..].to_vec();
                    let at = partial.field as usize;
                    let pseudo = u16::from_be_bytes([segment[at], segment[at + 1]]);
                    // What completing does.
                    let check = !fold(sum(&segment));
                    segment[at..at + 2].copy_from_slice(&check.to_be_bytes());
                    let rest = (len - start) as u32;
                    let addresses = sum(&bytes[if family == Family::Ipv4 {
                        12..20
                    } else {
                        8..40
                    }]);
                    let expected = addresses + u64::from(protocol) + u64::from(rest);
                    assert_eq!(pseudo, fold(expected));
                    assert_eq!(fold(sum(&segment) + expected), 0xffff);

                    if family == Family::Ipv4 {
                        assert_eq!(bytes[2..4], (len as u16).to_be_bytes());
                        assert_eq!(internet(&bytes[..20]), 0);
                    } else {
                        assert_eq!(bytes[4..6], (len as u16 - 40).to_be_bytes());
                    }
                    if protocol == number::UDP {
                        assert_eq!(segment[4..6], (rest as u16).to_be_bytes());
                    }
                }
            }
        }
    }

    #[test]
    fn without_checksum_it_stays_without() {
        let mut bytes = packet(Family::Ipv4, number::UDP, b"abc");
        bytes[26..28].copy_from_slice(&[0, 0]);
        let layout = Layout::new(Family::Ipv4, &bytes, bytes.len() as u32).unwrap();
        assert_eq!(settle(&mut bytes, &layout, false), Ok(None));
        assert_eq!(bytes[24..28], [0, 11, 0, 0]);
        assert!(settle(&mut bytes, &layout, true).unwrap().is_some());
    }

    #[test]
    fn what_cannot_be_is_left_alone() {
        let good = packet(Family::Ipv4, number::TCP, b"");
        let layout = Layout::new(Family::Ipv4, &good, good.len() as u32).unwrap();
        let mut long = good.clone();
        long.resize(70_000, 0);
        let mut short = good.clone();
        short[32] = 4 << 4;
        let mut far = good.clone();
        far[32] = 7 << 4;
        for bytes in [long, short, far, good[..30].to_vec(), Vec::new()] {
            let mut changed = bytes.clone();
            assert_eq!(settle(&mut changed, &layout, false), Err(Failed));
            assert!(changed == bytes);
        }
        let other = Layout {
            protocol: number::SCTP,
            ..layout
        };
        assert_eq!(payload(&good, &other), Err(Failed));
        assert_eq!(sequence_number(&good, &layout), Some(0x0707_0707));
        assert_eq!(sequence_number(&good, &other), None);
    }
}
