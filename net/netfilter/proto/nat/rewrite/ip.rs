// SPDX-License-Identifier: GPL-2.0

//! Addresses in network headers.

use super::{apply, Difference, Failed, Form, Layout, Manip};
use crate::{
    be::Be32,
    tuple::{Address, Family},
};

/// What the change of an address changed.
pub(super) struct Changed {
    /// Of what transport checksums cover: the address.
    pub(super) pseudo: Difference,
    /// Of all of the header.
    pub(super) all: Difference,
    /// The address is another one.
    pub(super) moved: bool,
}

/// Bytes behind the transport header's start, as the header says; 0 if it
/// does not.
#[inline(always)]
pub(super) fn following(header: &[u8], layout: &Layout) -> u32 {
    let total = match (layout.family, header) {
        (Family::Ipv4, &[_, _, high, low, ..]) => u32::from(u16::from_be_bytes([high, low])),
        (Family::Ipv6, &[_, _, _, _, high, low, ..]) => {
            u32::from(u16::from_be_bytes([high, low])).saturating_add(40)
        }
        _ => 0,
    };
    total.saturating_sub(layout.transport)
}

/// The header is long enough to have addresses.
pub(super) fn has_addresses(header: &[u8], family: Family) -> bool {
    match family {
        Family::Ipv4 => header.len() >= 20,
        Family::Ipv6 => header.len() >= 40,
    }
}

/// Sets one address, and the header's checksum.
#[inline(always)]
pub(super) fn set(
    header: &mut [u8],
    family: Family,
    address: Address,
    manip: Manip,
) -> Result<Changed, Failed> {
    match family {
        Family::Ipv4 => set_v4(header, address, manip),
        Family::Ipv6 => set_v6(header, address, manip),
    }
}

#[inline(always)]
fn set_v4(header: &mut [u8], address: Address, manip: Manip) -> Result<Changed, Failed> {
    let header = header.first_chunk_mut::<20>().ok_or(Failed)?;
    let [_, _, _, _, _, _, _, _, _, _, c0, c1, s0, s1, s2, s3, d0, d1, d2, d3] = header;
    let field = match manip {
        Manip::Source => [s0, s1, s2, s3],
        Manip::Destination => [d0, d1, d2, d3],
    };
    let Address([word, ..]) = address;
    let (pseudo, moved) = exchange(field, word);

    let mut check = [*c0, *c1];
    let checksum = apply(&mut check, pseudo, Form::Full, false);
    [*c0, *c1] = check;
    Ok(Changed {
        pseudo,
        all: pseudo.and(checksum),
        moved,
    })
}

#[inline(always)]
fn set_v6(header: &mut [u8], address: Address, manip: Manip) -> Result<Changed, Failed> {
    let header = header.first_chunk_mut::<40>().ok_or(Failed)?;
    let (_, addresses) = header.split_at_mut_checked(8).ok_or(Failed)?;
    let (source, destination) = addresses.split_at_mut_checked(16).ok_or(Failed)?;
    let field = match manip {
        Manip::Source => source,
        Manip::Destination => destination,
    };
    let Address(words) = address;
    let mut pseudo = Difference::default();
    let mut moved = false;
    for (place, word) in field.chunks_exact_mut(4).zip(words) {
        if let [a, b, c, d] = place {
            let (difference, other) = exchange([a, b, c, d], word);
            pseudo = pseudo.and(difference);
            moved |= other;
        }
    }
    Ok(Changed {
        pseudo,
        all: pseudo,
        moved,
    })
}

#[inline(always)]
fn exchange(field: [&mut u8; 4], word: Be32) -> (Difference, bool) {
    let [a, b, c, d] = field;
    let old = u32::from_be_bytes([*a, *b, *c, *d]);
    [*a, *b, *c, *d] = word.to_bytes();
    (Difference::of_long(old, word.get()), old != word.get())
}
