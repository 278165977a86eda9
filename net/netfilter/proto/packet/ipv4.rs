// SPDX-License-Identifier: GPL-2.0

//! The IPv4 header, RFC 791.

use crate::{be::Be32, l4::Reason, tuple::Address};

/// A header that can be: long enough, and of a packet's first fragment.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// What it carries, `IPPROTO_*`.
    pub protocol: u8,
    /// Its length with options, bytes.
    pub len: u32,
}

impl Header {
    /// Reads the header of a packet of `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Reason::Truncated`] if it is cut off, [`Reason::BadNetworkHeader`] if
    /// its length field is wrong or the packet is a later fragment.
    #[inline(always)]
    pub fn new(bytes: &[u8], len: u32) -> Result<Self, Reason> {
        let header = bytes.first_chunk::<20>().ok_or(Reason::Truncated)?;
        let &[version, _, _, _, _, _, f0, f1, _, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] =
            header;
        let header_len = u32::from(version & 0xf) << 2;
        let fragment_offset = u16::from_be_bytes([f0, f1]) & 0x1fff;
        if header_len < 20 || header_len > len || fragment_offset != 0 {
            return Err(Reason::BadNetworkHeader);
        }
        Ok(Self {
            source: Address::v4(Be32::from_bytes([s0, s1, s2, s3])),
            destination: Address::v4(Be32::from_bytes([d0, d1, d2, d3])),
            protocol,
            len: header_len,
        })
    }
}

/// Source and destination in a header without options of a whole packet of
/// `protocol`; nothing if it is another one.
#[inline(always)]
pub(super) fn plain(header: &[u8; 20], protocol: u8) -> Option<(Address, Address)> {
    let &[version, _, _, _, _, _, f0, f1, _, carried, _, _, s0, s1, s2, s3, d0, d1, d2, d3] =
        header;
    // Reserved bit and "do not fragment" aside.
    if version != 0x45 || carried != protocol || u16::from_ne_bytes([f0 & 0x1f, f1]) != 0 {
        return None;
    }
    Some((
        Address::v4(Be32::from_bytes([s0, s1, s2, s3])),
        Address::v4(Be32::from_bytes([d0, d1, d2, d3])),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UDP from 10.0.0.1 to 192.0.2.7, header of 24 bytes.
    const PACKET: [u8; 24] = [
        0x46, 0, 0, 32, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 192, 0, 2, 7, 1, 1, 1, 0,
    ];

    #[test]
    fn with_options() {
        let header = Header::new(&PACKET, 32).unwrap();
        assert_eq!((header.protocol, header.len), (17, 24));
        assert_eq!(header.source, Address::v4(Be32::new(0x0a00_0001)));
        assert_eq!(header.destination, Address::v4(Be32::new(0xc000_0207)));
    }

    #[test]
    fn fragments() {
        let mut packet = PACKET;
        // More fragments: the first one.
        packet[6..8].copy_from_slice(&[0x20, 0]);
        assert!(Header::new(&packet, 32).is_ok());
        for offset in [[0, 1], [0x20, 1], [0x1f, 0xff]] {
            packet[6..8].copy_from_slice(&offset);
            assert_eq!(
                Header::new(&packet, 32).err(),
                Some(Reason::BadNetworkHeader)
            );
        }
    }

    #[test]
    fn bad_lengths() {
        for end in 0..20 {
            let header = Header::new(&PACKET[..end], 32);
            assert_eq!(header.err(), Some(Reason::Truncated));
        }
        assert_eq!(
            Header::new(&PACKET, 23).err(),
            Some(Reason::BadNetworkHeader)
        );
        let mut packet = PACKET;
        packet[0] = 0x44;
        assert_eq!(
            Header::new(&packet, 32).err(),
            Some(Reason::BadNetworkHeader)
        );
    }
}
