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

/// Options that matter to window tracking.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Options {
    /// Window scale, at most 14, RFC 7323 section 2.
    pub window_scale: Option<u8>,
    /// SACK permitted, RFC 2018 section 2.
    pub sack_permitted: bool,
    /// The highest right edge of the SACK blocks, RFC 2018 section 3.
    pub sack_edge: Option<u32>,
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

    /// A segment may carry these together.
    #[inline]
    pub const fn valid(self) -> bool {
        const FS: u8 = Flags::FIN | Flags::SYN | Flags::RST | Flags::ACK;
        match self.0 & FS {
            // URG goes with a connection's opening, data and end, not with RST.
            Self::SYN | Self::ACK => true,
            f if f == Self::FIN | Self::ACK => true,
            f if f == Self::SYN | Self::ACK || f == Self::RST || f == Self::RST | Self::ACK => {
                !self.urg()
            }
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
    #[inline]
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

    fn read(mut rest: &[u8]) -> Self {
        let mut options = Self::default();
        loop {
            let (kind, after) = match rest {
                [] | [0, ..] => return options,
                [1, after @ ..] => {
                    rest = after;
                    continue;
                }
                [kind, len, ..] => match rest.split_at_checked(usize::from(*len)) {
                    Some((option, after)) if *len >= 2 => {
                        let body = option.get(2..).unwrap_or(&[]);
                        options.take(*kind, body);
                        (*kind, after)
                    }
                    _ => return options,
                },
                [_] => return options,
            };
            let _ = kind;
            rest = after;
        }
    }

    fn take(&mut self, kind: u8, body: &[u8]) {
        match (kind, body) {
            (3, [scale]) => self.window_scale = Some((*scale).min(MAX_WINDOW_SCALE)),
            (4, []) => self.sack_permitted = true,
            (5, blocks) => {
                for block in blocks.chunks_exact(8) {
                    let Some(edge) = block.last_chunk::<4>() else {
                        return;
                    };
                    let edge = u32::from_be_bytes(*edge);
                    let higher = self
                        .sack_edge
                        .is_none_or(|highest| (edge.wrapping_sub(highest) as i32) > 0);
                    if higher {
                        self.sack_edge = Some(edge);
                    }
                }
            }
            _ => {}
        }
    }
}
