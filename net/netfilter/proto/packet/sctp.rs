// SPDX-License-Identifier: GPL-2.0

//! The SCTP common header and chunks, RFC 9260 section 3.

use crate::{
    be::{Be16, Be32},
    l4::Reason,
};

/// A packet's common header, and its chunks.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// Source port.
    pub source_port: Be16,
    /// Destination port.
    pub dest_port: Be16,
    /// Verification tag.
    pub vtag: Be32,
    /// The chunks.
    pub chunks: Chunks<'a>,
}

impl<'a> Segment<'a> {
    /// Reads a packet of `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Reason::Truncated`] if the common header is cut off.
    pub fn new(bytes: &'a [u8], len: u32) -> Result<Self, Reason> {
        let (header, rest) = bytes.split_first_chunk::<12>().ok_or(Reason::Truncated)?;
        let &[s0, s1, d0, d1, v0, v1, v2, v3, _, _, _, _] = header;
        Ok(Self {
            source_port: Be16::from_bytes([s0, s1]),
            dest_port: Be16::from_bytes([d0, d1]),
            vtag: Be32::from_bytes([v0, v1, v2, v3]),
            chunks: Chunks {
                rest,
                left: len.saturating_sub(12),
            },
        })
    }
}

/// A chunk.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Type.
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// Its value, as far as the bytes are at hand.
    pub body: &'a [u8],
    /// Its length with header, without padding, bytes.
    pub length: u16,
}

/// A chunk that cannot be: too short, or longer than the packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// The chunks of a packet, in order. Ends behind the last one, or after the
/// first that is malformed, or where no more bytes are at hand.
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    rest: &'a [u8],
    /// Bytes of the packet that are left, at hand or not.
    left: u32,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 || (self.rest.is_empty() && self.left >= 4) {
            return None;
        }
        let Some((&[kind, flags, l0, l1], _)) = self.rest.split_first_chunk::<4>() else {
            self.left = 0;
            return Some(Err(Malformed));
        };
        let length = u16::from_be_bytes([l0, l1]);
        if length < 4 || u32::from(length) > self.left {
            self.left = 0;
            return Some(Err(Malformed));
        }
        let end = usize::from(length).min(self.rest.len());
        let body = self.rest.get(4..end).unwrap_or(&[]);
        // The padding of the last chunk may be missing.
        let padded = u32::from(length).next_multiple_of(4).min(self.left);
        self.left = self.left.saturating_sub(padded);
        self.rest = self.rest.get(padded as usize..).unwrap_or(&[]);
        Some(Ok(Chunk {
            kind,
            flags,
            body,
            length,
        }))
    }
}
