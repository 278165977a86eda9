// SPDX-License-Identifier: GPL-2.0

//! The UDP header, RFC 768.

use super::Ports;
use crate::l4::Reason;

/// A datagram whose length fits its packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram {
    /// It has a checksum.
    pub has_checksum: bool,
}

impl Datagram {
    /// Reads a datagram in `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Reason::Truncated`] if the header is cut off or its length wrong.
    #[inline]
    pub fn new(bytes: &[u8], len: u32) -> Result<(Ports, Self), Reason> {
        let header = bytes.first_chunk::<8>().ok_or(Reason::Truncated)?;
        let &[_, _, _, _, l0, l1, c0, c1] = header;
        let datagram_len = u32::from(u16::from_be_bytes([l0, l1]));
        if datagram_len > len || datagram_len < 8 {
            return Err(Reason::Truncated);
        }
        Ok((
            Ports::new(header)?,
            Self {
                has_checksum: [c0, c1] != [0, 0],
            },
        ))
    }
}
