// SPDX-License-Identifier: GPL-2.0

//! The GRE header, RFC 2784, and PPTP's enhanced one, RFC 2637 section 4.1.

use crate::{be::Be16, l4::Reason};

/// What is read of a GRE header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    call_id: Option<Be16>,
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    ///
    /// [`Reason::Truncated`] if it is cut off, [`Reason::GreBadHeader`] if it
    /// is version 1 and not PPTP's.
    #[inline]
    pub fn new(bytes: &[u8]) -> Result<Self, Reason> {
        let &[flags, version, p0, p1] = bytes.first_chunk::<4>().ok_or(Reason::Truncated)?;
        if version & 7 != 1 {
            return Ok(Self { call_id: None });
        }
        let &[_, _, _, _, _, _, c0, c1] = bytes.first_chunk::<8>().ok_or(Reason::Truncated)?;
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
