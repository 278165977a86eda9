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
/// first that is malformed, or where no more chunk header is at hand. Bytes at
/// the end that are too few for a chunk header are passed over.
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    rest: &'a [u8],
    /// Bytes of the packet that are left, at hand or not.
    left: u32,
}

const DATA: u8 = 0;
/// RFC 8260 section 2.1.
const I_DATA: u8 = 64;

impl Chunks<'_> {
    /// The header of every chunk is at hand, and all of those that are not data;
    /// or as much as there is before one that is malformed.
    pub fn are_at_hand(&self) -> bool {
        let mut chunks = self.clone();
        while let Some(Ok(chunk)) = chunks.next() {
            let whole = chunk.body.len() >= usize::from(chunk.length).saturating_sub(4);
            if !whole && !matches!(chunk.kind, DATA | I_DATA) {
                return false;
            }
        }
        chunks.left < 4
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left < 4 {
            return None;
        }
        let &[kind, flags, l0, l1] = self.rest.first_chunk::<4>()?;
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

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{vec, vec::Vec};

    const HEADER: [u8; 12] = [0x0b, 0x59, 0x27, 0x0f, 1, 2, 3, 4, 0, 0, 0, 0];

    /// Kind, and bytes of the body at hand, of each chunk; `None` for one that
    /// is malformed.
    fn chunks(chunks: &[u8], at_hand: usize) -> Vec<Option<(u8, usize)>> {
        let packet = [&HEADER, chunks].concat();
        Segment::new(&packet[..at_hand.min(packet.len())], packet.len() as u32)
            .unwrap()
            .chunks
            .map(|chunk| chunk.ok().map(|chunk| (chunk.kind, chunk.body.len())))
            .collect()
    }

    #[test]
    fn common_header() {
        let segment = Segment::new(&HEADER, 12).unwrap();
        assert_eq!(segment.source_port.get(), 2905);
        assert_eq!(segment.dest_port.get(), 9999);
        assert_eq!(segment.vtag.get(), 0x0102_0304);
        assert_eq!(segment.chunks.count(), 0);
        assert_eq!(
            Segment::new(&HEADER[..11], 11).err(),
            Some(Reason::Truncated)
        );
    }

    #[test]
    fn padding_is_not_body() {
        let two = [10, 0, 0, 5, 0xaa, 0, 0, 0, 3, 0, 0, 4];
        assert_eq!(chunks(&two, 99), [Some((10, 1)), Some((3, 0))]);
        // That of the last one may be missing.
        assert_eq!(chunks(&two[..5], 99), [Some((10, 1))]);
    }

    #[test]
    fn malformed_lengths_end_it() {
        for length in 0..4 {
            assert_eq!(chunks(&[1, 0, 0, length, 1, 0, 0, 4], 99), [None]);
        }
        assert_eq!(chunks(&[1, 0, 0, 9, 1, 0, 0, 4], 99), [None]);
        assert_eq!(chunks(&[1, 0, 255, 255], 99), [None]);
    }

    #[test]
    fn too_few_bytes_for_a_chunk_are_none() {
        for more in 1..4 {
            let tail = vec![0xff; more];
            let packet = [&[3, 0, 0, 4][..], &tail].concat();
            assert_eq!(chunks(&packet, 99), [Some((3, 0))]);
        }
    }

    #[test]
    fn what_is_at_hand() {
        // An INIT of ten bytes, five of data, a SHUTDOWN ACK.
        let chunks = [
            &[1, 0, 0, 10, 1, 2, 3, 4, 5, 6, 0, 0][..],
            &[0, 3, 0, 9, 1, 2, 3, 4, 5, 0, 0, 0],
            &[8, 0, 0, 4],
        ]
        .concat();
        let packet = [&HEADER, &chunks[..]].concat();
        let at_hand = |packet: &[u8], bytes: usize| {
            Segment::new(&packet[..bytes], packet.len() as u32)
                .unwrap()
                .chunks
                .are_at_hand()
        };
        for bytes in 12..packet.len() {
            assert!(!at_hand(&packet, bytes), "{bytes}");
        }
        assert!(at_hand(&packet, packet.len()));
        // Data may be missing, if nothing follows.
        let data = &packet[..12 + 12 + 9];
        assert!(at_hand(data, 12 + 12 + 4) && !at_hand(data, 12 + 12 + 3));
        // What follows a malformed chunk is not looked at.
        let malformed = [&HEADER[..], &[3, 0, 0, 3, 0, 0, 0, 0]].concat();
        assert!(at_hand(&malformed, 16) && !at_hand(&malformed, 15));
    }

    /// A chunk whose header is not at hand is not malformed.
    #[test]
    fn bytes_that_are_not_at_hand() {
        let two = [0, 3, 0, 8, 1, 2, 3, 4, 7, 0, 0, 8, 0, 0, 0, 1];
        for at_hand in 12..16 {
            assert_eq!(chunks(&two, at_hand), []);
        }
        for at_hand in 16..24 {
            assert_eq!(chunks(&two, at_hand), [Some((0, (at_hand - 16).min(4)))]);
        }
        for at_hand in 24..29 {
            assert_eq!(
                chunks(&two, at_hand),
                [Some((0, 4)), Some((7, at_hand - 24))]
            );
        }
    }
}
