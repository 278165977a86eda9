// SPDX-License-Identifier: GPL-2.0

//! Ports, ids and keys in transport headers, and their checksums.

use super::{apply, Difference, Form, Manip, Sums};
use crate::{
    be::Be16,
    checksum,
    l4::number,
    nat::{has_icmp_id, has_icmpv6_id},
};

/// Sets the id of one side, as far as the header is there. Returns by how much
/// the header has changed.
#[inline(always)]
pub(super) fn set(
    header: &mut [u8],
    protocol: u8,
    id: Be16,
    manip: Manip,
    sums: Sums,
) -> Difference {
    match protocol {
        number::TCP => tcp(header, id, manip, sums),
        number::UDP => udp(header, id, manip, sums),
        number::SCTP => sctp(header, id, manip, sums),
        number::ICMP => icmp(header, id, sums.form),
        number::ICMPV6 => icmpv6(header, id, sums),
        number::GRE if manip == Manip::Destination => gre(header, id),
        _ => Difference::default(),
    }
}

/// Sets a port at the beginning of a header.
#[inline(always)]
fn port(header: &mut [u8], port: Be16, manip: Manip) -> Option<Difference> {
    let [s0, s1, d0, d1] = header.first_chunk_mut::<4>()?;
    let place = match manip {
        Manip::Source => [s0, s1],
        Manip::Destination => [d0, d1],
    };
    Some(exchange(place, port))
}

/// What a checksum over the pseudo header covers: the addresses, and if it is
/// not that of the pseudo header only, the id.
#[inline(always)]
const fn covered(id: Difference, sums: Sums) -> Difference {
    match sums.form {
        Form::Full => sums.pseudo.and(id),
        Form::Pseudo => sums.pseudo,
    }
}

#[inline(always)]
fn tcp(header: &mut [u8], new: Be16, manip: Manip, sums: Sums) -> Difference {
    let Some(id) = port(header, new, manip) else {
        return Difference::default();
    };
    // Of a quoted segment there may be no more than eight bytes.
    let Some([_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, c0, c1]) =
        header.first_chunk_mut::<18>()
    else {
        return id;
    };
    id.and(update([c0, c1], covered(id, sums), sums.form, false))
}

/// A datagram without checksum (RFC 768: 0) stays without, and one with a
/// checksum never looks like one without.
#[inline(always)]
fn udp(header: &mut [u8], new: Be16, manip: Manip, sums: Sums) -> Difference {
    let Some(id) = port(header, new, manip) else {
        return Difference::default();
    };
    match header.first_chunk_mut::<8>() {
        None | Some([_, _, _, _, _, _, 0, 0]) => id,
        Some([_, _, _, _, _, _, c0, c1]) => {
            id.and(update([c0, c1], covered(id, sums), sums.form, true))
        }
    }
}

/// The CRC does not cover addresses. That of a packet whose CRC is still to be
/// filled in is left alone.
#[inline(always)]
fn sctp(header: &mut [u8], new: Be16, manip: Manip, sums: Sums) -> Difference {
    let old_ports = header.first_chunk::<4>().copied();
    let Some(id) = port(header, new, manip) else {
        return Difference::default();
    };
    let new_ports = header.first_chunk::<4>().copied();
    let (Some(old_ports), Some(new_ports), Form::Full) = (old_ports, new_ports, sums.form) else {
        return id;
    };
    let Some([_, _, _, _, _, _, _, _, c0, c1, c2, c3]) = header.first_chunk_mut::<12>() else {
        return id;
    };
    let old = [*c0, *c1, *c2, *c3];
    let crc = checksum::crc32c_update(
        u32::from_le_bytes(old),
        old_ports,
        new_ports,
        sums.following.saturating_sub(4),
    );
    let new = crc.to_le_bytes();
    [*c0, *c1, *c2, *c3] = new;
    id.and(Difference::of_long(
        u32::from_be_bytes(old),
        u32::from_be_bytes(new),
    ))
}

/// ICMP's checksum has no pseudo header.
#[inline(always)]
fn icmp(header: &mut [u8], new: Be16, form: Form) -> Difference {
    let Some([kind, _, c0, c1, i0, i1, _, _]) = header.first_chunk_mut::<8>() else {
        return Difference::default();
    };
    if !has_icmp_id(*kind) {
        return Difference::default();
    }
    let id = exchange([i0, i1], new);
    match form {
        Form::Full => id.and(update([c0, c1], id, form, false)),
        Form::Pseudo => id,
    }
}

#[inline(always)]
fn icmpv6(header: &mut [u8], new: Be16, sums: Sums) -> Difference {
    let Some([kind, _, c0, c1, i0, i1, _, _]) = header.first_chunk_mut::<8>() else {
        return Difference::default();
    };
    let id = if has_icmpv6_id(*kind) {
        exchange([i0, i1], new)
    } else {
        Difference::default()
    };
    id.and(update([c0, c1], covered(id, sums), sums.form, false))
}

/// The call id of PPTP's enhanced header (RFC 2637 section 4.1), which is that
/// of the destination; the packet does not have the source's. The header has no
/// checksum.
#[inline(always)]
fn gre(header: &mut [u8], key: Be16) -> Difference {
    match header.first_chunk_mut::<8>() {
        Some([_, version, _, _, _, _, k0, k1]) if *version & 7 == 1 => exchange([k0, k1], key),
        _ => Difference::default(),
    }
}

#[inline(always)]
fn exchange(place: [&mut u8; 2], new: Be16) -> Difference {
    let [a, b] = place;
    let old = u16::from_be_bytes([*a, *b]);
    [*a, *b] = new.to_bytes();
    Difference::of(old, new.get())
}

#[inline(always)]
fn update(field: [&mut u8; 2], by: Difference, form: Form, no_zero: bool) -> Difference {
    let [a, b] = field;
    let mut bytes = [*a, *b];
    let difference = apply(&mut bytes, by, form, no_zero);
    [*a, *b] = bytes;
    difference
}
