// SPDX-License-Identifier: GPL-2.0

//! The IPv6 header and its extension headers, RFC 8200.

use crate::{be::Be32, l4::Reason, tuple::Address};

/// The most extension headers that are passed over (`IP6_MAX_EXT_HDRS_CNT`).
pub const MAX_EXTENSIONS: usize = 12;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NONE: u8 = 59;
const DESTINATION: u8 = 60;

/// A header that can be, with its extension headers, of a packet's first
/// fragment.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// What follows the extension headers, `IPPROTO_*`.
    pub protocol: u8,
    /// Length with extension headers, bytes.
    pub len: u32,
}

impl Header {
    /// Reads the headers of a packet of `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Reason::Truncated`] if one is cut off, [`Reason::BadNetworkHeader`] if
    /// the packet is a later fragment or has too many headers.
    #[inline(always)]
    pub fn new(bytes: &[u8], len: u32) -> Result<Self, Reason> {
        let header = bytes.first_chunk::<40>().ok_or(Reason::Truncated)?;
        let [_, _, _, _, _, _, next, _, addresses @ ..] = header;
        let (source, destination) = addresses
            .split_first_chunk::<16>()
            .ok_or(Reason::Truncated)?;
        let destination = destination.first_chunk::<16>().ok_or(Reason::Truncated)?;
        let (protocol, offset) = if is_extension(*next) {
            skip_extensions(bytes, *next)?
        } else {
            (*next, 40)
        };
        if offset > len {
            return Err(Reason::Truncated);
        }
        Ok(Self {
            source: address(source),
            destination: address(destination),
            protocol,
            len: offset,
        })
    }
}

/// Source and destination in a header that `protocol` follows at once; nothing if
/// something else does.
#[inline(always)]
pub(super) fn plain(header: &[u8; 40], protocol: u8) -> Option<(Address, Address)> {
    let [_, _, _, _, _, _, next, _, addresses @ ..] = header;
    if *next != protocol || is_extension(protocol) {
        return None;
    }
    let (source, destination) = addresses.split_first_chunk::<16>()?;
    Some((address(source), address(destination.first_chunk::<16>()?)))
}

#[inline]
fn is_extension(next: u8) -> bool {
    matches!(
        next,
        HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | NONE | DESTINATION
    )
}

fn skip_extensions(bytes: &[u8], mut next: u8) -> Result<(u8, u32), Reason> {
    let mut offset: usize = 40;
    let mut left = MAX_EXTENSIONS;
    while is_extension(next) {
        if next == NONE {
            return Err(Reason::BadNetworkHeader);
        }
        left = left.checked_sub(1).ok_or(Reason::BadNetworkHeader)?;
        let header = bytes
            .get(offset..)
            .and_then(|rest| rest.first_chunk::<4>())
            .ok_or(Reason::Truncated)?;
        let &[after, len, f0, f1] = header;
        let len = match next {
            FRAGMENT => {
                if u16::from_be_bytes([f0, f1]) & !7 != 0 {
                    return Err(Reason::BadNetworkHeader);
                }
                8
            }
            AUTHENTICATION => usize::from(len).wrapping_add(2) << 2,
            _ => usize::from(len).wrapping_add(1) << 3,
        };
        offset = offset.saturating_add(len);
        next = after;
    }
    Ok((next, u32::try_from(offset).map_err(|_| Reason::Truncated)?))
}

#[inline]
fn address(bytes: &[u8; 16]) -> Address {
    let &[a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = bytes;
    Address([
        Be32::from_bytes([a0, a1, a2, a3]),
        Be32::from_bytes([b0, b1, b2, b3]),
        Be32::from_bytes([c0, c1, c2, c3]),
        Be32::from_bytes([d0, d1, d2, d3]),
    ])
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{vec, vec::Vec};

    /// A packet with these extension headers, each with its number, before UDP.
    fn packet(extensions: &[(u8, &[u8])]) -> Vec<u8> {
        let mut packet = vec![0; 40];
        let mut next = 6;
        packet[0] = 0x60;
        packet[8..40].copy_from_slice(&core::array::from_fn::<u8, 32, _>(|i| i as u8));
        for (number, header) in extensions {
            packet[next] = *number;
            next = packet.len();
            packet.extend_from_slice(header);
        }
        packet[next] = 17;
        packet
    }

    fn read(packet: &[u8]) -> Result<(u8, u32), Reason> {
        let header = Header::new(packet, packet.len() as u32)?;
        Ok((header.protocol, header.len))
    }

    #[test]
    fn addresses() {
        let header = Header::new(&packet(&[]), 40).unwrap();
        assert_eq!((header.protocol, header.len), (17, 40));
        assert_eq!(header.source.0[0], Be32::new(0x0001_0203));
        assert_eq!(header.source.0[3], Be32::new(0x0c0d_0e0f));
        assert_eq!(header.destination.0[0], Be32::new(0x1011_1213));
        assert_eq!(header.destination.0[3], Be32::new(0x1c1d_1e1f));
    }

    /// Each kind counts its length in a way of its own.
    #[test]
    fn lengths_of_extension_headers() {
        assert_eq!(read(&packet(&[(HOP_BY_HOP, &[0; 8])])), Ok((17, 48)));
        let mut long = [0; 24];
        long[1] = 2;
        assert_eq!(read(&packet(&[(ROUTING, &long)])), Ok((17, 64)));
        assert_eq!(read(&packet(&[(DESTINATION, &long)])), Ok((17, 64)));
        // RFC 4302: in words of four bytes, less two.
        long[1] = 4;
        assert_eq!(read(&packet(&[(AUTHENTICATION, &long)])), Ok((17, 64)));
        // RFC 8200: the second byte of a fragment header says nothing.
        let first = [0, 255, 0, 1, 0, 0, 0, 7];
        assert_eq!(read(&packet(&[(FRAGMENT, &first)])), Ok((17, 48)));
        let all: [(u8, &[u8]); 3] = [(0, &[0; 8]), (FRAGMENT, &first), (AUTHENTICATION, &long)];
        assert_eq!(read(&packet(&all)), Ok((17, 40 + 8 + 8 + 24)));
    }

    #[test]
    fn what_has_no_transport_header() {
        let later = [0, 0, 0, 8, 0, 0, 0, 7];
        let bad = Err(Reason::BadNetworkHeader);
        assert_eq!(read(&packet(&[(FRAGMENT, &later)])), bad);
        assert_eq!(read(&packet(&[(NONE, &[0; 8])])), bad);
        // One that goes on behind the packet.
        assert_eq!(
            read(&packet(&[(ROUTING, &[0, 9, 0, 0, 0, 0, 0, 0])])),
            Err(Reason::Truncated)
        );
    }

    #[test]
    fn as_many_extension_headers_as_are_passed_over() {
        let header: (u8, &[u8]) = (DESTINATION, &[0; 8]);
        let most = packet(&[header; MAX_EXTENSIONS]);
        assert_eq!(read(&most), Ok((17, 40 + 8 * MAX_EXTENSIONS as u32)));
        let more = packet(&[header; MAX_EXTENSIONS + 1]);
        assert_eq!(read(&more), Err(Reason::BadNetworkHeader));
    }

    #[test]
    fn cut_off() {
        let whole = packet(&[(HOP_BY_HOP, &[0; 8])]);
        for end in 0..44 {
            assert_eq!(read(&whole[..end]), Err(Reason::Truncated), "{end}");
        }
    }
}
