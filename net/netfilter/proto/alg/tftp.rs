// SPDX-License-Identifier: GPL-2.0

//! TFTP (RFC 1350): the server answers a request from another port than the one
//! asked.

/// A datagram asks for a file, or to take one: the operations RRQ and WRQ.
pub const fn is_request(payload: &[u8]) -> bool {
    matches!(payload, [0, 1 | 2, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        assert!(is_request(b"\0\x01file\0octet\0"));
        assert!(is_request(b"\0\x02file\0octet\0"));
        assert!(!is_request(b"\0\x03\0\x01data"));
        assert!(!is_request(b"\x01\x01file\0octet\0"));
        assert!(!is_request(b"\0"));
        assert!(!is_request(b""));
    }
}
