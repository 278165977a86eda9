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
    #[inline]
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
