// SPDX-License-Identifier: GPL-2.0

//! The GRE header, RFC 2784, and PPTP's enhanced one, RFC 2637 section 4.1.

use crate::{be::Be16, l4::Reason};

/// What is read of a GRE header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    call_id: Option<Be16>,
}

impl Header {
    /// Reads a header in `len` bytes. What ends before a call id has none, as
    /// if it were of version 0.
    ///
    /// # Errors
    ///
    /// [`Reason::Truncated`] if it is not all at hand, [`Reason::GreBadHeader`]
    /// if it is of version 1 and not PPTP's.
    #[inline]
    pub fn new(bytes: &[u8], len: u32) -> Result<Self, Reason> {
        let plain = Self { call_id: None };
        let Some(&[flags, version, p0, p1]) = bytes.first_chunk::<4>() else {
            return if len < 4 {
                Ok(plain)
            } else {
                Err(Reason::Truncated)
            };
        };
        if version & 7 != 1 {
            return Ok(plain);
        }
        let Some(&[_, _, _, _, _, _, c0, c1]) = bytes.first_chunk::<8>() else {
            return if len < 8 {
                Ok(plain)
            } else {
                Err(Reason::Truncated)
            };
        };
        if flags & 0x20 == 0 || [p0, p1] != [0x88, 0x0b] {
            return Err(Reason::GreBadHeader);
        }
        Ok(Self {
            call_id: Some(Be16::from_bytes([c0, c1])),
        })
    }

    /// It is PPTP's: the source's key must be looked up.
    #[inline]
    pub const fn is_pptp(&self) -> bool {
        self.call_id.is_some()
    }

    /// PPTP's call id, the destination's key; else 0.
    #[inline]
    pub const fn call_id(&self) -> Be16 {
        match self.call_id {
            Some(id) => id,
            None => Be16::new(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PPTP: key and sequence number present, version 1, PPP, payload 64, call
    /// 0x1234.
    const PPTP: [u8; 12] = [0x30, 0x01, 0x88, 0x0b, 0, 64, 0x12, 0x34, 0, 0, 0, 1];

    fn call_id(bytes: &[u8]) -> Result<Option<u16>, Reason> {
        let header = Header::new(bytes, bytes.len() as u32)?;
        Ok(header.is_pptp().then(|| header.call_id().get()))
    }

    #[test]
    fn call_id_of_pptp_only() {
        assert_eq!(call_id(&PPTP), Ok(Some(0x1234)));
        // Version 0 with a key, RFC 2890.
        assert_eq!(call_id(&[0x20, 0, 8, 0, 0, 0, 0x12, 0x34]), Ok(None));
        // Not PPP; no key.
        assert_eq!(
            call_id(&[0x30, 0x01, 8, 0, 0, 64, 0x12, 0x34]),
            Err(Reason::GreBadHeader)
        );
        assert_eq!(
            call_id(&[0x10, 0x01, 0x88, 0x0b, 0, 64, 0x12, 0x34]),
            Err(Reason::GreBadHeader)
        );
    }

    #[test]
    fn what_is_not_there_and_what_is_not_at_hand() {
        for at_hand in 0..8 {
            let bytes = &PPTP[..at_hand];
            assert_eq!(call_id(bytes), Ok(None));
            assert_eq!(Header::new(bytes, 12), Err(Reason::Truncated));
        }
    }
}
