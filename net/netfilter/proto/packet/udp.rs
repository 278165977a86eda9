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
    #[inline(always)]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(len_field: u16, checksum: u16, len: u32) -> Result<bool, Reason> {
        let [l0, l1] = len_field.to_be_bytes();
        let [c0, c1] = checksum.to_be_bytes();
        let (ports, datagram) = Datagram::new(&[0, 53, 0xff, 1, l0, l1, c0, c1], len)?;
        let Ports([source, destination]) = ports;
        assert_eq!((source.get(), destination.get()), (53, 0xff01));
        Ok(datagram.has_checksum)
    }

    #[test]
    fn length_field() {
        assert_eq!(read(8, 1, 8), Ok(true));
        assert_eq!(read(8, 0, 8), Ok(false));
        // What stands behind the datagram is not its own.
        assert_eq!(read(8, 0x100, 100), Ok(true));
        for (field, len) in [(7, 8), (0, 8), (9, 8), (u16::MAX, 1500)] {
            assert_eq!(read(field, 1, len), Err(Reason::Truncated));
        }
    }
}
