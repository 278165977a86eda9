// SPDX-License-Identifier: GPL-2.0

//! The TCP options that SYNPROXY reads and writes: MSS (RFC 9293 section 3.7.1), window
//! scale and timestamps (RFC 7323), SACK permitted (RFC 2018).

use crate::packet::tcp::MAX_WINDOW_SCALE;

/// Which options there are (`NF_SYNPROXY_OPT_*`).
#[allow(missing_docs)] // Named as in the header.
pub mod flag {
    pub const MSS: u8 = 0x01;
    pub const WSCALE: u8 = 0x02;
    pub const SACK_PERM: u8 = 0x04;
    pub const TIMESTAMP: u8 = 0x08;
    /// ECN was asked for: flags, not an option, but kept with them.
    pub const ECN: u8 = 0x10;
}

mod kind {
    pub(super) const END: u8 = 0;
    pub(super) const NOP: u8 = 1;
    pub(super) const MSS: u8 = 2;
    pub(super) const WSCALE: u8 = 3;
    pub(super) const SACK_PERM: u8 = 4;
    pub(super) const TIMESTAMP: u8 = 8;
}

/// Options of a SYN, SYN ACK or ACK. A value counts if its flag is set.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Options {
    /// Of [`flag`].
    pub present: u8,
    /// Window scale, at most 14; 15 where a cookie says that there is none.
    pub wscale: u8,
    /// Maximum segment size, bytes.
    pub mss: u16,
    /// Timestamp value.
    pub tsval: u32,
    /// Timestamp echo reply.
    pub tsecr: u32,
}

/// Options of a header, one after the other, with where each begins: malformed
/// ones end it.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Walk<'a> {
    /// Kind, offset of the body in the options, body.
    type Item = (u8, usize, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.bytes.get(self.at..)? {
                [] | [kind::END, ..] => return None,
                [kind::NOP, ..] => self.at = self.at.checked_add(1)?,
                [kind, len, ..] => {
                    let body = self.at.checked_add(2)?;
                    let end = self.at.checked_add(usize::from(*len))?;
                    // A length below 2 ends before the body begins.
                    let bytes = self.bytes.get(body..end)?;
                    self.at = end;
                    return Some((*kind, body, bytes));
                }
                // A kind without a length.
                [_] => return None,
            }
        }
    }
}

/// The most bytes that [`Options::words`] gives.
pub const MAX: usize = 20;

impl Options {
    /// The option, or flag, is there.
    #[inline]
    pub const fn has(&self, flag: u8) -> bool {
        self.present & flag == flag
    }

    /// Reads a header's options; from the first one that is malformed on, the
    /// rest is passed over.
    #[inline]
    pub fn read(bytes: &[u8]) -> Self {
        let mut options = Self::default();
        for (kind, _, body) in (Walk { bytes, at: 0 }) {
            match (kind, body) {
                (kind::MSS, [high, low]) => {
                    options.mss = u16::from_be_bytes([*high, *low]);
                    options.present |= flag::MSS;
                }
                (kind::WSCALE, [scale]) => {
                    options.wscale = (*scale).min(MAX_WINDOW_SCALE);
                    options.present |= flag::WSCALE;
                }
                (kind::SACK_PERM, []) => options.present |= flag::SACK_PERM,
                (kind::TIMESTAMP, [v0, v1, v2, v3, e0, e1, e2, e3]) => {
                    options.tsval = u32::from_be_bytes([*v0, *v1, *v2, *v3]);
                    options.tsecr = u32::from_be_bytes([*e0, *e1, *e2, *e3]);
                    options.present |= flag::TIMESTAMP;
                }
                _ => {}
            }
        }
        options
    }

    /// How many bytes [`Options::words`] gives.
    #[inline]
    pub const fn len(&self) -> usize {
        let mut len = 0;
        if self.has(flag::MSS) {
            len += 4;
        }
        if self.has(flag::TIMESTAMP) {
            len += 12;
        } else if self.has(flag::SACK_PERM) {
            len += 4;
        }
        if self.has(flag::WSCALE) {
            len += 4;
        }
        len
    }

    /// None is present.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives the options that are present, each padded to words.
    #[inline]
    pub fn words(&self, mut give: impl FnMut([u8; 4])) {
        let sack = self.has(flag::SACK_PERM);
        if self.has(flag::MSS) {
            let [high, low] = self.mss.to_be_bytes();
            give([kind::MSS, 4, high, low]);
        }
        if self.has(flag::TIMESTAMP) {
            // SACK permitted has no cost where padding would be.
            let [a, b] = if sack {
                [kind::SACK_PERM, 2]
            } else {
                [kind::NOP, kind::NOP]
            };
            give([a, b, kind::TIMESTAMP, 10]);
            give(self.tsval.to_be_bytes());
            give(self.tsecr.to_be_bytes());
        } else if sack {
            give([kind::NOP, kind::NOP, kind::SACK_PERM, 2]);
        }
        if self.has(flag::WSCALE) {
            give([kind::NOP, kind::WSCALE, 3, self.wscale]);
        }
    }
}

/// Where the timestamp options of a header have their values: offsets in the
/// options, with value and echo.
pub fn timestamps(bytes: &[u8]) -> impl Iterator<Item = (usize, u32, u32)> + '_ {
    Walk { bytes, at: 0 }.filter_map(|(kind, at, body)| match (kind, body) {
        (kind::TIMESTAMP, [v0, v1, v2, v3, e0, e1, e2, e3]) => Some((
            at,
            u32::from_be_bytes([*v0, *v1, *v2, *v3]),
            u32::from_be_bytes([*e0, *e1, *e2, *e3]),
        )),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    /// As Linux sends it.
    const SYN: [u8; 20] = [
        2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 1, 2, 0, 0, 3, 4, 1, 3, 3, 7,
    ];

    fn all() -> Options {
        Options {
            present: flag::MSS | flag::WSCALE | flag::SACK_PERM | flag::TIMESTAMP,
            wscale: 7,
            mss: 1460,
            tsval: 0x102,
            tsecr: 0x304,
        }
    }

    fn written(options: &Options) -> Vec<u8> {
        let mut bytes = Vec::new();
        options.words(|word| bytes.extend(word));
        bytes
    }

    #[test]
    fn a_syn() {
        assert_eq!(Options::read(&SYN), all());
        assert_eq!(timestamps(&SYN).collect::<Vec<_>>(), [(8, 0x102, 0x304)]);
    }

    /// Whatever is written is whole words, and reads the same.
    #[test]
    fn round_trip() {
        for present in 0..0x10u8 {
            let options = Options { present, ..all() };
            let bytes = written(&options);
            assert_eq!(
                (bytes.len(), bytes.is_empty()),
                (options.len(), options.is_empty())
            );
            let read = Options::read(&bytes);
            assert_eq!(read.present, present);
            let keep = |flag, value: u32| if options.has(flag) { value } else { 0 };
            assert_eq!(u32::from(read.mss), keep(flag::MSS, 1460));
            assert_eq!(u32::from(read.wscale), keep(flag::WSCALE, 7));
            assert_eq!(read.tsval, keep(flag::TIMESTAMP, 0x102));
            assert_eq!(read.tsecr, keep(flag::TIMESTAMP, 0x304));
        }
        assert_eq!(written(&all()), SYN);
        assert_eq!(all().len(), MAX);
    }

    #[test]
    fn malformed_options_end_it() {
        let hostile: [&[u8]; 9] = [
            // A lone trailing byte.
            &[2],
            &[8],
            &[254],
            // Lengths of 0 and 1, and behind the end.
            &[2, 0, 5, 180],
            &[2, 1, 5, 180],
            &[2, 5, 5, 180],
            &[8, 10, 0, 0],
            &[3, 255, 7],
            // Behind the end of the list.
            &[0, 2, 4, 5, 180],
        ];
        for options in hostile {
            assert_eq!(Options::read(options), Options::default(), "{options:?}");
            assert_eq!(timestamps(options).count(), 0, "{options:?}");
            // What came before counts.
            let after: Vec<u8> = [&SYN[..], options].concat();
            assert_eq!(Options::read(&after), all(), "{options:?}");
            assert_eq!(timestamps(&after).count(), 1, "{options:?}");
        }
        // Whole, but of a wrong length: passed over.
        let odd: Vec<u8> = [&[2, 3, 9, 3, 4, 1, 1, 4, 3, 0, 8, 3, 0][..], &SYN].concat();
        assert_eq!(Options::read(&odd), all());
    }

    /// Any bytes: nothing panics, the walk ends, offsets are inside.
    #[test]
    fn arbitrary_bytes() {
        let mut state = 1u64;
        for _ in 0..100_000 {
            let mut bytes = [0u8; 40];
            for byte in &mut bytes {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
                // Small values often: they are kinds and lengths.
                *byte = ((state >> 33) as u8) >> ((state >> 50) & 7);
            }
            for len in [0, 1, 2, 11, 39, 40] {
                let bytes = &bytes[..len];
                let options = Options::read(bytes);
                assert!(options.wscale <= 14);
                let mut count = 0;
                for (at, tsval, _) in timestamps(bytes) {
                    assert_eq!(bytes[at..at + 4], tsval.to_be_bytes());
                    assert!(at + 8 <= len && bytes[at - 1] == 10 && bytes[at - 2] == 8);
                    count += 1;
                }
                assert_eq!(count > 0, options.has(flag::TIMESTAMP));
            }
        }
    }
}
