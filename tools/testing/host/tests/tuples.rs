// SPDX-License-Identifier: GPL-2.0

//! Tuples of any kind: inversion, equality and what is hashed of them.

use nf_proto::{
    be::{Be16, Be32},
    tuple::{Address, Destination, Source, Tuple},
};
use proptest::{prelude::*, sample::select};

fn address() -> impl Strategy<Value = Address> {
    any::<[u32; 4]>().prop_map(|words| Address(words.map(Be32::new)))
}

/// Of the protocols that differ, and any.
fn protocol() -> impl Strategy<Value = u8> {
    prop_oneof![select(vec![1, 6, 17, 47, 58, 132]), any::<u8>()]
}

fn tuple() -> impl Strategy<Value = Tuple> {
    (
        (address(), any::<u16>(), select(vec![2, 10])),
        (address(), any::<u16>(), protocol(), 0..2u8),
    )
        .prop_map(
            |((source, src_id, l3num), (destination, dst_id, protocol, direction))| Tuple {
                src: Source {
                    address: source,
                    id: Be16::new(src_id),
                    l3num,
                },
                dst: Destination {
                    address: destination,
                    id: Be16::new(dst_id),
                    protocol,
                    direction,
                },
            },
        )
}

/// The bytes that tell a tuple from others.
fn bytes(tuple: &Tuple) -> Vec<u8> {
    let address = |address: Address| address.0.map(Be32::to_bytes).concat();
    [
        &address(tuple.src.address)[..],
        &address(tuple.dst.address),
        &tuple.src.id.to_bytes(),
        &tuple.dst.id.to_bytes(),
        &tuple.src.l3num.to_ne_bytes(),
        &[tuple.dst.protocol],
    ]
    .concat()
}

/// The tuple with one bit of it, the direction left out, the other way round.
fn flipped(mut tuple: Tuple, bit: usize) -> Tuple {
    let mask = 1 << (bit % 16);
    let in_word = |address: &mut Address, bit: usize| {
        let word = &mut address.0[bit / 32];
        *word = Be32::from_raw(word.raw() ^ (1 << (bit % 32)));
    };
    match bit {
        0..128 => in_word(&mut tuple.src.address, bit),
        128..256 => in_word(&mut tuple.dst.address, bit - 128),
        256..272 => tuple.src.id = Be16::from_raw(tuple.src.id.raw() ^ mask),
        272..288 => tuple.dst.id = Be16::from_raw(tuple.dst.id.raw() ^ mask),
        288..304 => tuple.src.l3num ^= mask,
        _ => tuple.dst.protocol ^= 1 << (bit % 8),
    }
    tuple
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn inversion_is_an_involution(tuple in tuple()) {
        if let Some(answer) = tuple.invert() {
            let back = answer.invert();
            prop_assert_eq!(back, Some(tuple));
            prop_assert_eq!(back.map(|back| back.dst.direction), Some(tuple.dst.direction));
            prop_assert_ne!(answer.dst.direction, tuple.dst.direction);
        } else {
            prop_assert!([1, 58].contains(&tuple.dst.protocol));
        }
    }

    /// Equality and the words to be hashed are about the same bytes.
    #[test]
    fn every_bit_counts(tuple in tuple(), bit in 0..312usize) {
        let other = flipped(tuple, bit);
        prop_assert_ne!(bytes(&tuple), bytes(&other));
        prop_assert_ne!(tuple, other);
        prop_assert_ne!(tuple.words(), other.words());
        prop_assert!(tuple.same_source(&other) != tuple.same_destination(&other));
    }

    #[test]
    fn the_direction_does_not(tuple in tuple()) {
        let mut other = tuple;
        other.dst.direction ^= 1;
        prop_assert_eq!(tuple, other);
        prop_assert_eq!(tuple.words(), other.words());
    }
}
