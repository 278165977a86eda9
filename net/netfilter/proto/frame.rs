// SPDX-License-Identifier: GPL-2.0

//! What a bridge knows of a packet: the link may have added bytes to it, and nobody
//! has looked at its network header yet.

use crate::tuple::Family;

/// How long a packet is by its network header, of which `bytes` has the fixed part;
/// `available` bytes came. `None` if it is no packet of this family, or more than
/// came.
///
/// One that stands for several segments (`gso`) may be too long for its length
/// field, which is 0 then.
#[inline]
pub fn claimed_len(family: Family, bytes: &[u8], available: u32, gso: bool) -> Option<u32> {
    let (field, added, least) = match (family, bytes) {
        (Family::Ipv4, [first, _, high, low, ..]) if first >> 4 == 4 && first & 0xf >= 5 => {
            let header = u32::from(first & 0xf).wrapping_mul(4);
            (u16::from_be_bytes([*high, *low]), 0, header)
        }
        (Family::Ipv6, [first, _, _, _, high, low, ..]) if first >> 4 == 6 => {
            (u16::from_be_bytes([*high, *low]), 40, 40)
        }
        _ => return None,
    };
    let len = if field == 0 && gso {
        available
    } else {
        u32::from(field).wrapping_add(added)
    };
    (least <= len && len <= available).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ipv4(first: u8, total: u16) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[0] = first;
        bytes[2..4].copy_from_slice(&total.to_be_bytes());
        bytes
    }

    fn ipv6(first: u8, payload: u16) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[0] = first;
        bytes[4..6].copy_from_slice(&payload.to_be_bytes());
        bytes
    }

    #[test]
    fn ipv4_lengths() {
        let len = |bytes: &[u8], available| claimed_len(Family::Ipv4, bytes, available, false);
        // As short as Ethernet makes it, and as it was.
        assert_eq!(len(&ipv4(0x45, 28), 46), Some(28));
        assert_eq!(len(&ipv4(0x45, 28), 28), Some(28));
        assert_eq!(len(&ipv4(0x45, 20), 20), Some(20));
        // Less than its header, more than there is, another version, no header.
        assert_eq!(len(&ipv4(0x45, 19), 46), None);
        assert_eq!(len(&ipv4(0x4f, 59), 100), None);
        assert_eq!(len(&ipv4(0x45, 0), 46), None);
        assert_eq!(len(&ipv4(0x45, 47), 46), None);
        assert_eq!(len(&ipv4(0x65, 28), 46), None);
        assert_eq!(len(&ipv4(0x44, 28), 46), None);
        assert_eq!(len(&[0x45, 0, 0], 46), None);
    }

    #[test]
    fn ipv6_lengths() {
        let len = |bytes: &[u8], available| claimed_len(Family::Ipv6, bytes, available, false);
        assert_eq!(len(&ipv6(0x60, 8), 60), Some(48));
        assert_eq!(len(&ipv6(0x60, 0), 60), Some(40));
        assert_eq!(len(&ipv6(0x60, u16::MAX), 65575), Some(65575));
        assert_eq!(len(&ipv6(0x60, 21), 60), None);
        assert_eq!(len(&ipv6(0x40, 8), 60), None);
        assert_eq!(len(&[0x60; 5], 60), None);
    }

    #[test]
    fn large_segments() {
        let (v4, v6) = (ipv4(0x45, 0), ipv6(0x60, 0));
        assert_eq!(claimed_len(Family::Ipv4, &v4, 100_000, true), Some(100_000));
        assert_eq!(claimed_len(Family::Ipv6, &v6, 100_000, true), Some(100_000));
        assert_eq!(claimed_len(Family::Ipv4, &v4, 100_000, false), None);
        assert_eq!(claimed_len(Family::Ipv6, &v6, 100_000, false), Some(40));
    }
}
