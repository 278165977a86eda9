// SPDX-License-Identifier: GPL-2.0

//! TPKT (RFC 1006): messages in a stream, each after a header that has its
//! length.
//!
//! Messages that are cut by a segment's end are not read. But there are phones
//! that send a header and its message in segments of their own.

const HEADER: usize = 4;
const VERSION: [u8; 2] = [3, 0];

/// The messages of a segment.
pub struct Messages<'p> {
    payload: &'p [u8],
    /// How much of it is done.
    done: usize,
    /// Of what length a message is announced.
    announced: u16,
}

impl<'p> Messages<'p> {
    /// Those of a segment. `announced` is what [`Messages::announced`] was after
    /// the one before it in its direction; 0 at first.
    pub fn new(payload: &'p [u8], announced: u16) -> Self {
        Messages {
            payload,
            done: 0,
            announced,
        }
    }

    /// The length of the message in the next segment, if this one ends with the
    /// header alone; otherwise 0.
    pub fn announced(&self) -> u16 {
        self.announced
    }

    /// The message of which there was only the header before.
    fn begun(&mut self) -> Option<(u16, &'p [u8])> {
        let len = usize::from(core::mem::take(&mut self.announced));
        let message = self.payload.get(..len)?;
        if len == 0 || (len != self.payload.len() && self.payload.starts_with(&VERSION)) {
            return None;
        }
        self.done = len;
        Some((0, message))
    }
}

impl<'p> Iterator for Messages<'p> {
    type Item = (u16, &'p [u8]);

    /// The next message, and where it begins in the payload.
    fn next(&mut self) -> Option<(u16, &'p [u8])> {
        if self.done == 0 && self.announced != 0 {
            if let Some(message) = self.begun() {
                return Some(message);
            }
        }
        let rest = self.payload.get(self.done..)?;
        let (header, behind) = rest.split_first_chunk::<HEADER>()?;
        let [version, reserved, high, low] = *header;
        let len = u16::from_be_bytes([high, low]).checked_sub(HEADER as u16)?;
        if [version, reserved] != VERSION {
            self.done = self.payload.len();
            return None;
        }
        let Some(message) = behind.get(..usize::from(len)) else {
            self.done = self.payload.len();
            if behind.is_empty() {
                self.announced = len;
            }
            return None;
        };
        let at = self.done.saturating_add(HEADER);
        self.done = at.saturating_add(message.len());
        Some((u16::try_from(at).ok()?, message))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{vec, vec::Vec};

    fn all(payload: &[u8], announced: u16) -> (Vec<(u16, &[u8])>, u16) {
        let mut messages = Messages::new(payload, announced);
        let mut list = Vec::new();
        for message in &mut messages {
            list.push(message);
        }
        (list, messages.announced())
    }

    #[test]
    fn several_in_a_segment() {
        let payload = b"\x03\0\0\x05a\x03\0\0\x04\x03\0\0\x07xyz";
        let three = vec![(4, &b"a"[..]), (9, &b""[..]), (13, &b"xyz"[..])];
        assert_eq!(all(payload, 0), (three, 0));
        for cut in 0..payload.len() {
            let (list, announced) = all(&payload[..cut], 0);
            let whole = [5, 9, 16].iter().filter(|end| cut >= **end).count();
            assert_eq!(list.len(), whole, "{cut}");
            // The second is announced when its header ends: it is empty.
            assert_eq!(
                announced,
                if cut == 4 {
                    1
                } else {
                    u16::from(cut == 13) * 3
                }
            );
        }
    }

    #[test]
    fn header_and_message_apart() {
        assert_eq!(all(b"\x03\0\0\x07", 0), (vec![], 3));
        assert_eq!(all(b"abc", 3), (vec![(0, &b"abc"[..])], 0));
        // Another one follows.
        let two = vec![(0, &b"abc"[..]), (7, &b"d"[..])];
        assert_eq!(all(b"abc\x03\0\0\x05d", 3), (two, 0));
        // In more pieces than that it is not read, nor what is behind it.
        assert_eq!(all(b"ab", 3), (vec![], 0));
        // A control message may begin like a header.
        assert_eq!(
            all(b"\x03\0\0\x09", 4),
            (vec![(0, &b"\x03\0\0\x09"[..])], 0)
        );
        assert_eq!(all(b"\x03\0\0\x05a", 3), (vec![(4, &b"a"[..])], 0));
        assert_eq!(all(b"\x03\0\0\x07", 3), (vec![], 3));
    }

    #[test]
    fn what_is_no_header() {
        assert_eq!(all(b"", 0), (vec![], 0));
        assert_eq!(all(b"\x03\x01\0\x05a", 0), (vec![], 0));
        assert_eq!(all(b"\x02\0\0\x05a", 0), (vec![], 0));
        for short in 0..4 {
            assert_eq!(all(&[3, 0, 0, short, 1, 2], 0), (vec![], 0));
        }
        assert_eq!(all(b"\x03\0\xff\xffa", 0), (vec![], 0));
    }
}
