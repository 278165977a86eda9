// SPDX-License-Identifier: GPL-2.0

//! Checksums that are updated are those that are computed anew.

use nf_proto::checksum::{crc32c, fold, internet, sum, update, update_bytes};
use proptest::{prelude::*, sample::Index};

/// Bytes of a packet: never all zero, as a header with addresses never is.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 2..200).prop_map(|mut packet| {
        packet.splice(0..0, [0x45, 0]);
        packet
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn update_of_a_word(mut packet in packet(), index: Index, new in prop_oneof![any::<u16>(), Just(0), Just(0xffff)]) {
        let before = internet(&packet);
        let at = 2 + index.index((packet.len() - 2) / 2) * 2;
        let old = u16::from_be_bytes([packet[at], packet[at + 1]]);
        packet[at..at + 2].copy_from_slice(&new.to_be_bytes());
        prop_assert_eq!(update(before, old, new), internet(&packet));
        prop_assert_eq!(update(internet(&packet), new, old), before);
    }

    #[test]
    fn update_of_an_address(mut packet in packet(), index: Index, new in any::<[u8; 16]>()) {
        let before = internet(&packet);
        let at = 2 + index.index((packet.len() - 2) / 2) * 2;
        let end = packet.len().min(at + 16);
        let old = packet[at..end].to_vec();
        packet[at..end].copy_from_slice(&new[..end - at]);
        prop_assert_eq!(update_bytes(before, &old, &new[..end - at]), internet(&packet));
    }

    /// A receiver sums up all, the checksum included, and gets ones.
    #[test]
    fn a_packet_with_its_checksum_sums_up_to_ones(packet in packet()) {
        prop_assert_eq!(fold(sum(&packet) + u64::from(internet(&packet))), 0xffff);
    }

    /// The remainder by the polynomial, bit by bit from the front, as RFC 9260
    /// appendix A has it.
    #[test]
    fn crc32c_is_the_remainder(packet in packet()) {
        let mut remainder = u32::MAX;
        for byte in &packet {
            for bit in 0..8 {
                let top = (remainder >> 31) ^ u32::from((byte >> bit) & 1);
                remainder = (remainder << 1) ^ (top * 0x1edc_6f41);
            }
        }
        prop_assert_eq!(crc32c(&packet), !remainder.reverse_bits());
    }
}
