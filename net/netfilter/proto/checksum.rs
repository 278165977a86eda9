// SPDX-License-Identifier: GPL-2.0

//! The internet checksum, RFC 1071, and its incremental update, RFC 1624;
//! SCTP's CRC32c.
//!
//! Checksums are numbers in host order: what stands in a header is their bytes
//! in network order, except for CRC32c, see there.

use crate::tuple::Address;

/// The checksum of `bytes`: what stands in a header whose checksum field is
/// zero in them.
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

/// The checksum after the bytes `old`, which begin at an even offset, became
/// `new`, as many.
pub fn update_bytes(checksum: u16, old: &[u8], new: &[u8]) -> u16 {
    let sum = u64::from(!checksum)
        .wrapping_add(u64::from(!fold(sum(old))))
        .wrapping_add(sum(new));
    !fold(sum)
}

/// The sum of the pseudo header of IPv4 (RFC 9293 section 3.1) before `len`
/// bytes of transport header and data.
pub fn pseudo_v4(source: Address, destination: Address, protocol: u8, len: u16) -> u64 {
    let (Address([source, ..]), Address([destination, ..])) = (source, destination);
    sum(&source.to_bytes())
        .wrapping_add(sum(&destination.to_bytes()))
        .wrapping_add(u64::from(protocol))
        .wrapping_add(u64::from(len))
}

/// The sum of the pseudo header of IPv6 (RFC 8200 section 8.1) before `len`
/// bytes of transport header and data. `protocol` is the transport's, whatever
/// extension headers stand before it.
pub fn pseudo_v6(source: Address, destination: Address, protocol: u8, len: u32) -> u64 {
    let Address(source) = source;
    let Address(destination) = destination;
    source
        .iter()
        .chain(&destination)
        .fold(sum(&len.to_be_bytes()), |total, word| {
            total.wrapping_add(sum(&word.to_bytes()))
        })
        .wrapping_add(u64::from(protocol))
}

/// The CRC32c of a packet with checksum field zero (RFC 9260 appendix A). It
/// stands in the header least significant byte first.
pub fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, crc32c_byte)
}

/// The CRC32c after four bytes, behind which `following` more stand, were
/// exchanged.
///
/// A CRC is linear: what differs is that of the bytes' difference, and what
/// follows multiplies that by a power of x.
pub fn crc32c_update(crc: u32, old: [u8; 4], new: [u8; 4], following: u32) -> u32 {
    let mut difference = old
        .iter()
        .zip(&new)
        .fold(0, |crc, (old, new)| crc32c_byte(crc, &(old ^ new)));
    let mut bits = following;
    for power in &POWERS {
        if bits & 1 != 0 {
            difference = multiply(difference, *power);
        }
        bits >>= 1;
    }
    crc ^ difference
}

/// CRC32c's polynomial, its bits in reverse: that of the highest power is the
/// lowest.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// Of x, the powers 8, 16, 32 ... : by what 1, 2, 4 ... bytes that follow
/// multiply.
static POWERS: [u32; 32] = {
    let mut powers = [0; 32];
    let mut power = 0x0080_0000;
    let mut i = 0;
    while i < powers.len() {
        powers[i] = power;
        power = multiply(power, power);
        i += 1;
    }
    powers
};

fn crc32c_byte(crc: u32, byte: &u8) -> u32 {
    let mut crc = crc ^ u32::from(*byte);
    for _ in 0..8 {
        crc = times_x(crc);
    }
    crc
}

/// The product modulo CRC32c's polynomial.
const fn multiply(mut a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    while a != 0 {
        // The highest bit is the power 0.
        if a >> 31 != 0 {
            product ^= b;
        }
        a <<= 1;
        b = times_x(b);
    }
    product
}

const fn times_x(a: u32) -> u32 {
    (a >> 1) ^ (POLYNOMIAL & (a & 1).wrapping_neg())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::be::Be32;

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

    /// From 127.0.0.1:40000 to 127.0.0.53:53, two bytes of data.
    #[test]
    fn udp_over_ipv4() {
        let address = |last: u32| Address::v4(Be32::new(0x7f00_0000 | last));
        let datagram = [0x9c, 0x40, 0, 53, 0, 10, 0, 0, b'a', b'b'];
        let pseudo = pseudo_v4(address(1), address(53), 17, 10);
        let checksum = !fold(pseudo + sum(&datagram));
        // By hand: 7f00 + 0001 + 7f00 + 0035 + 0011 + 000a
        //        + 9c40 + 0035 + 000a + 0000 + 6162
        let total = 0x7f00 + 1 + 0x7f00 + 0x35 + 0x11 + 0xa + 0x9c40 + 0x35 + 0xa + 0x6162;
        assert_eq!(checksum, !(((total & 0xffff) + (total >> 16)) as u16));
    }

    /// The pseudo header of IPv6 is one of 40 bytes.
    #[test]
    fn pseudo_header_of_ipv6() {
        let bytes: [u8; 32] = core::array::from_fn(|i| (i * 7) as u8);
        let word = |i: usize| Be32::from_bytes(core::array::from_fn(|j| bytes[4 * i + j]));
        let source = Address([word(0), word(1), word(2), word(3)]);
        let destination = Address([word(4), word(5), word(6), word(7)]);
        let mut header = [0; 40];
        header[..32].copy_from_slice(&bytes);
        header[32..36].copy_from_slice(&0x0001_2345u32.to_be_bytes());
        header[39] = 58;
        assert_eq!(
            fold(pseudo_v6(source, destination, 58, 0x0001_2345)),
            fold(sum(&header))
        );
    }

    /// RFC 3720, appendix B.4, and the check value of every CRC catalogue.
    #[test]
    fn crc32c_of_the_rfc() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let up: [u8; 32] = core::array::from_fn(|i| i as u8);
        assert_eq!(crc32c(&up), 0x46dd_794e);
        let mut changed = up;
        changed[8..12].copy_from_slice(b"9260");
        assert_eq!(
            crc32c_update(crc32c(&up), [8, 9, 10, 11], *b"9260", 20),
            crc32c(&changed)
        );
        let down: [u8; 32] = core::array::from_fn(|i| 31 - i as u8);
        assert_eq!(crc32c(&down), 0x113f_db5c);
    }
}
