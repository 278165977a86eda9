// SPDX-License-Identifier: GPL-2.0

//! The internet checksum, RFC 1071, and its incremental update, RFC 1624.

/// The checksum of `bytes`: what stands in a header whose checksum field is
/// zero in them. Network order.
pub fn internet(bytes: &[u8]) -> u16 {
    !fold(sum(bytes))
}

/// The ones' complement sum of `bytes`, to be added to others and folded.
pub fn sum(bytes: &[u8]) -> u64 {
    let pairs = bytes.chunks_exact(2);
    let last = match pairs.remainder() {
        [last] => u64::from(u16::from_be_bytes([*last, 0])),
        _ => 0,
    };
    pairs.fold(last, |sum, pair| match pair {
        [a, b] => sum.wrapping_add(u64::from(u16::from_be_bytes([*a, *b]))),
        _ => sum,
    })
}

/// Folds a sum to 16 bits.
pub const fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff).wrapping_add(sum >> 16);
    }
    sum as u16
}

/// The checksum after the 16-bit word `old` became `new` (RFC 1624, equation
/// 3).
pub const fn update(checksum: u16, old: u16, new: u16) -> u16 {
    let sum = (!checksum as u64)
        .wrapping_add(!old as u64)
        .wrapping_add(new as u64);
    !fold(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of RFC 1071's example, section 3.
    #[test]
    fn sum_of_the_rfc() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(fold(sum(&bytes)), 0xddf2);
        assert_eq!(internet(&bytes), !0xddf2);
    }

    /// RFC 1624, section 4: the case that RFC 1141 gets wrong.
    #[test]
    fn update_of_the_rfc() {
        assert_eq!(update(0xdd2f, 0x5555, 0x3285), 0x0000);
    }

    #[test]
    fn odd_length() {
        assert_eq!(sum(&[1, 2, 3]), 0x0102 + 0x0300);
    }
}
