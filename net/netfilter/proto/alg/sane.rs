// SPDX-License-Identifier: GPL-2.0

//! SANE's network protocol: the server's answer to SANE_NET_START has the TCP
//! port from which the client fetches the picture.

/// SANE_NET_START, a request's code.
const START: u32 = 7;

/// A client's request asks for a picture.
pub fn is_start(payload: &[u8]) -> bool {
    // Code and handle, and nothing else.
    match *payload {
        [a, b, c, d, _, _, _, _] => u32::from_be_bytes([a, b, c, d]) == START,
        _ => false,
    }
}

/// A request is whole, as far as this protocol's requests of interest go: it
/// says whether the next answer is one to SANE_NET_START.
pub const fn is_request(payload: &[u8]) -> bool {
    payload.len() == 8
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
    use super::*;

    #[test]
    fn golden() {
        assert!(is_start(&[0, 0, 0, 7, 0, 0, 0, 1]));
        assert!(!is_start(&[0, 0, 0, 8, 0, 0, 0, 1]));
        assert!(!is_start(&[0, 0, 0, 7, 0, 0, 0, 1, 0]));
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
            assert!(!is_start(&whole[..cut]));
        }
    }
}
