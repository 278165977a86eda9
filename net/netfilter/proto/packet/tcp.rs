// SPDX-License-Identifier: GPL-2.0

//! The TCP header, RFC 9293.

use super::Ports;
use crate::l4::Reason;

/// The largest window scale, RFC 7323 section 2.3.
pub const MAX_WINDOW_SCALE: u8 = 14;

/// A segment whose header is whole and whose flags can stand together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Sequence number, host order.
    pub seq: u32,
    /// Acknowledgment number, host order.
    pub ack: u32,
    /// Window as it stands in the header, not scaled.
    pub window: u16,
    /// Control bits.
    pub flags: Flags,
    /// Bytes of data.
    pub payload: u32,
    /// What is read of the options.
    pub options: Options,
}

/// Options that matter to window tracking. Two words, so that they travel in
/// registers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Options {
    /// 0 without [`Self::SACK_EDGE`].
    edge: u32,
    /// The window scale, and which of them there are.
    bits: u32,
}

/// Control bits, as in the header's fourteenth byte.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Flags(pub u8);

#[allow(missing_docs)] // Named as in the RFC.
impl Flags {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const PSH: u8 = 0x08;
    pub const ACK: u8 = 0x10;
    pub const URG: u8 = 0x20;

    #[inline]
    pub const fn fin(self) -> bool {
        self.0 & Self::FIN != 0
    }

    #[inline]
    pub const fn syn(self) -> bool {
        self.0 & Self::SYN != 0
    }

    #[inline]
    pub const fn rst(self) -> bool {
        self.0 & Self::RST != 0
    }

    #[inline]
    pub const fn psh(self) -> bool {
        self.0 & Self::PSH != 0
    }

    #[inline]
    pub const fn ack(self) -> bool {
        self.0 & Self::ACK != 0
    }

    #[inline]
    pub const fn urg(self) -> bool {
        self.0 & Self::URG != 0
    }

    const FIN_ACK: u8 = Self::FIN | Self::ACK;
    const SYN_ACK: u8 = Self::SYN | Self::ACK;
    const RST_ACK: u8 = Self::RST | Self::ACK;

    /// A segment may carry these together.
    #[inline]
    pub const fn valid(self) -> bool {
        const FS: u8 = Flags::FIN | Flags::SYN | Flags::RST | Flags::ACK;
        match self.0 & FS {
            // Either alone, or the end: with URG or without.
            Self::SYN | Self::ACK | Self::FIN_ACK => true,
            Self::SYN_ACK | Self::RST | Self::RST_ACK => !self.urg(),
            _ => false,
        }
    }
}

impl Segment {
    /// Reads a segment of `len` bytes, header and data.
    ///
    /// # Errors
    ///
    /// [`Reason::Truncated`] if the header is cut off or its length wrong,
    /// [`Reason::TcpBadFlags`] if its flags cannot stand together.
    #[inline(always)]
    pub fn new(bytes: &[u8], len: u32) -> Result<(Ports, Self), Reason> {
        let (header, rest) = bytes.split_first_chunk::<20>().ok_or(Reason::Truncated)?;
        let &[_, _, _, _, s0, s1, s2, s3, a0, a1, a2, a3, offset, flags, w0, w1, _, _, _, _] =
            header;
        let header_len = u32::from(offset >> 4) << 2;
        if header_len < 20 || header_len > len {
            return Err(Reason::Truncated);
        }
        let flags = Flags(flags);
        if !flags.valid() {
            return Err(Reason::TcpBadFlags);
        }
        let options = rest
            .get(..header_len.wrapping_sub(20) as usize)
            .ok_or(Reason::Truncated)?;
        Ok((
            Ports::new(header)?,
            Self {
                seq: u32::from_be_bytes([s0, s1, s2, s3]),
                ack: u32::from_be_bytes([a0, a1, a2, a3]),
                window: u16::from_be_bytes([w0, w1]),
                flags,
                payload: len.wrapping_sub(header_len),
                options: Options::new(options),
            },
        ))
    }
}

impl Options {
    const SCALE: u32 = 0xff;
    const WINDOW_SCALE: u32 = 1 << 8;
    const SACK_PERMITTED: u32 = 1 << 9;
    const SACK_EDGE: u32 = 1 << 10;

    /// With these: see the methods of the same names.
    pub const fn of(window_scale: Option<u8>, sack_permitted: bool, edge: Option<u32>) -> Self {
        let mut options = Self { edge: 0, bits: 0 };
        if let Some(scale) = window_scale {
            options.set_window_scale(scale);
        }
        if sack_permitted {
            options.bits |= Self::SACK_PERMITTED;
        }
        if let Some(edge) = edge {
            options.set_sack_edge(edge);
        }
        options
    }

    /// Window scale, at most 14, RFC 7323 section 2.
    #[inline]
    pub const fn window_scale(&self) -> Option<u8> {
        if self.bits & Self::WINDOW_SCALE != 0 {
            Some((self.bits & Self::SCALE) as u8)
        } else {
            None
        }
    }

    /// SACK permitted, RFC 2018 section 2.
    #[inline]
    pub const fn sack_permitted(&self) -> bool {
        self.bits & Self::SACK_PERMITTED != 0
    }

    /// The highest right edge of the SACK blocks, RFC 2018 section 3.
    #[inline]
    pub const fn sack_edge(&self) -> Option<u32> {
        if self.bits & Self::SACK_EDGE != 0 {
            Some(self.edge)
        } else {
            None
        }
    }

    const fn set_window_scale(&mut self, scale: u8) {
        let scale = if scale > MAX_WINDOW_SCALE {
            MAX_WINDOW_SCALE
        } else {
            scale
        };
        self.bits = (self.bits & !Self::SCALE) | scale as u32 | Self::WINDOW_SCALE;
    }

    const fn set_sack_edge(&mut self, edge: u32) {
        self.edge = edge;
        self.bits |= Self::SACK_EDGE;
    }

    /// Reads options; from the first one that cannot be, the rest is passed
    /// over.
    #[inline]
    pub fn new(bytes: &[u8]) -> Self {
        // What nearly every segment has: two NOPs and a timestamp.
        if bytes.is_empty() || matches!(bytes, [1, 1, 8, 10, _, _, _, _, _, _, _, _]) {
            return Self::default();
        }
        Self::read(bytes)
    }

    #[inline(never)]
    fn read(mut rest: &[u8]) -> Self {
        let mut options = Self::default();
        loop {
            rest = match rest {
                [] | [0, ..] => return options,
                [1, after @ ..] => after,
                [kind, len, ..] => match rest.split_at_checked(usize::from(*len)) {
                    // The length counts kind and itself.
                    Some(([_, _, body @ ..], after)) => {
                        options.take(*kind, body);
                        after
                    }
                    _ => return options,
                },
                [_] => return options,
            };
        }
    }

    fn take(&mut self, kind: u8, body: &[u8]) {
        match (kind, body) {
            (3, [scale]) => self.set_window_scale(*scale),
            (4, []) => self.bits |= Self::SACK_PERMITTED,
            (5, blocks) if blocks.len() % 8 == 0 => {
                for block in blocks.chunks_exact(8) {
                    let Some(edge) = block.last_chunk::<4>() else {
                        return;
                    };
                    let edge = u32::from_be_bytes(*edge);
                    let higher = self
                        .sack_edge()
                        .is_none_or(|highest| (edge.wrapping_sub(highest) as i32) > 0);
                    if higher {
                        self.set_sack_edge(edge);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    const HEADER: [u8; 20] = [
        0xc0, 0x00, 0x00, 0x50, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x10, 0x20, 0x00, 0, 0, 0, 0,
    ];

    fn scale(value: u8) -> Options {
        Options::of(Some(value), false, None)
    }

    #[test]
    fn fields() {
        let (Ports([source, destination]), segment) = Segment::new(&HEADER, 120).unwrap();
        assert_eq!((source.get(), destination.get()), (0xc000, 80));
        assert_eq!(segment.seq, 0x0102_0304);
        assert_eq!(segment.ack, 0x0506_0708);
        assert_eq!(segment.window, 0x2000);
        assert_eq!(segment.flags, Flags(Flags::ACK));
        assert_eq!(segment.payload, 100);
        assert_eq!(segment.options, Options::default());
    }

    #[test]
    fn header_lengths() {
        for end in 0..20 {
            let segment = Segment::new(&HEADER[..end], 120);
            assert_eq!(segment.err(), Some(Reason::Truncated));
        }
        for words in 0..16 {
            let mut header = HEADER.to_vec();
            header[12] = words << 4;
            let segment = Segment::new(&header, 20);
            assert_eq!(segment.is_ok(), words == 5);
            // On the wire, but not at hand; and at hand.
            let segment = Segment::new(&header, 60);
            assert_eq!(segment.is_ok(), words == 5);
            header.resize(60, 1);
            // At hand, but behind the segment's end.
            assert!(Segment::new(&header, 19).is_err());
            match Segment::new(&header, 60) {
                Ok((_, segment)) => assert_eq!(segment.payload, 60 - u32::from(words) * 4),
                Err(reason) => assert!(reason == Reason::Truncated && words < 5),
            }
        }
    }

    /// Those that RFC 9293 has a use for; URG not with RST or SYN ACK.
    #[test]
    fn flags_that_stand_together() {
        const F: u8 = Flags::FIN;
        const S: u8 = Flags::SYN;
        const R: u8 = Flags::RST;
        const A: u8 = Flags::ACK;
        const U: u8 = Flags::URG;
        let valid = [S, S | U, S | A, R, R | A, F | A, F | A | U, A, A | U];
        for flags in 0..=u8::MAX {
            // PSH, ECE and CWR go with anything.
            let counted = flags & !(Flags::PSH | 0xc0);
            assert_eq!(Flags(flags).valid(), valid.contains(&counted), "{flags:#x}");
        }
    }

    #[test]
    fn options_of_a_syn() {
        // MSS, SACK permitted, timestamps, NOP, window scale 7: as Linux sends.
        let syn = [
            2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7,
        ];
        let options = Options::new(&syn);
        assert_eq!(options.window_scale(), Some(7));
        assert!(options.sack_permitted());
        assert_eq!(options.sack_edge(), None);
    }

    #[test]
    fn window_scale_is_14_at_most() {
        for value in 0..=u8::MAX {
            assert_eq!(Options::new(&[3, 3, value, 0]), scale(value.min(14)));
        }
    }

    #[test]
    fn highest_sack_block_across_the_wrap() {
        let block = |right: u32| {
            [right.wrapping_sub(10), right]
                .map(u32::to_be_bytes)
                .concat()
        };
        let sack = |rights: &[u32]| {
            let blocks: Vec<u8> = rights.iter().flat_map(|right| block(*right)).collect();
            let option = [&[1, 1, 5, 2 + blocks.len() as u8], &blocks[..]].concat();
            Options::new(&option).sack_edge()
        };
        assert_eq!(sack(&[100]), Some(100));
        assert_eq!(sack(&[100, 300, 200]), Some(300));
        assert_eq!(sack(&[u32::MAX - 5, 20, u32::MAX - 100]), Some(20));
        assert_eq!(sack(&[]), None);
        // A block and a half.
        let odd = [&[5, 14][..], &block(100), &[0; 4]].concat();
        assert_eq!(Options::new(&odd).sack_edge(), None);
    }

    #[test]
    fn hostile_options_end_it() {
        let hostile: [&[u8]; 7] = [
            // A kind without length.
            &[3],
            &[254],
            // Lengths of 0 and 1, and behind the end.
            &[3, 0, 7],
            &[3, 1, 7],
            &[3, 4, 7],
            &[5, 255],
            // Behind the end of the list.
            &[0, 3, 3, 7],
        ];
        for options in hostile {
            assert_eq!(Options::new(options), Options::default(), "{options:?}");
            // What came before counts.
            let after = [&[3, 3, 5], options].concat();
            assert_eq!(Options::new(&after), scale(5), "{options:?}");
        }
        // Of a wrong length, but whole: passed over.
        assert_eq!(Options::new(&[3, 2, 4, 3, 9, 3, 3, 6]), scale(6));
    }
}
