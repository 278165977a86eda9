// SPDX-License-Identifier: GPL-2.0

//! SANE's network protocol: the server's answer to SANE_NET_START has the TCP
//! port from which the client fetches the picture.

use super::room::{Kept, Reader, Writer};

/// Whether the next answer is one to SANE_NET_START.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Asked(pub bool);

impl Kept for Asked {
    fn load(reader: &mut Reader<'_>) -> Self {
        Asked(reader.byte() != 0)
    }

    fn store(&self, writer: &mut Writer<'_>) {
        writer.byte(self.0.into());
    }
}

/// SANE_NET_START, a request's code.
const START: u32 = 7;

/// A client's segment, if it is a request: whether it asks for a picture.
pub fn request(payload: &[u8]) -> Option<Asked> {
    // Code and handle, and nothing else.
    match *payload {
        [a, b, c, d, _, _, _, _] => Some(Asked(u32::from_be_bytes([a, b, c, d]) == START)),
        _ => None,
    }
}

/// The TCP port that the answer to such a request announces, host order; none
/// if the server refuses, or what it says cannot be right.
pub fn port(payload: &[u8]) -> Option<u16> {
    // Status, then the port as a 32-bit word.
    match *payload {
        [0, 0, 0, 0, 0, 0, high, low, ..] => match u16::from_be_bytes([high, low]) {
            0 => None,
            port => Some(port),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::room::tests::is_kept, *};

    #[test]
    fn golden() {
        assert_eq!(request(&[0, 0, 0, 7, 0, 0, 0, 1]), Some(Asked(true)));
        assert_eq!(request(&[0, 0, 0, 8, 0, 0, 0, 1]), Some(Asked(false)));
        assert_eq!(request(&[0, 0, 0, 7, 0, 0, 0, 1, 0]), None);
        is_kept(Asked(true));
        assert_eq!(
            port(&[0, 0, 0, 0, 0, 0, 4, 210, 0, 0, 0x12, 0x34]),
            Some(1234)
        );
    }

    #[test]
    fn refusals_and_nonsense() {
        assert_eq!(port(&[0, 0, 0, 3, 0, 0, 4, 210]), None);
        assert_eq!(port(&[0, 0, 0, 0, 0, 1, 4, 210]), None);
        assert_eq!(port(&[0, 0, 0, 0, 0, 0, 0, 0]), None);
        let whole = [0, 0, 0, 0, 0, 0, 4, 210];
        for cut in 0..whole.len() {
            assert_eq!(port(&whole[..cut]), None);
            assert_eq!(request(&whole[..cut]), None);
        }
    }
}
