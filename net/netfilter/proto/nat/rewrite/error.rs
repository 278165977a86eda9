// SPDX-License-Identifier: GPL-2.0

//! ICMP and ICMPv6 errors: the packet that is quoted is changed back to what
//! its sender knows, and the error itself is sent to it.

use super::{apply, headers, ip, packet, Change, Difference, Failed, Form, Layout, New};
use crate::{l4::number, nat::Manip, packet::icmp::HEADER_LEN, tuple::Tuple};

/// Bytes of the quoted packet that are looked at: enough for its network
/// header with options or extensions, and a transport header.
const QUOTED: u32 = 256;

/// Bytes from the network header of an error on that must be at hand and
/// writable.
#[inline]
pub const fn error_headers(outer: &Layout) -> u32 {
    let end = outer.transport.saturating_add(HEADER_LEN + QUOTED);
    if end < outer.len {
        end
    } else {
        outer.len
    }
}

/// Changes the side `manip` of an error about a packet of a connection, and of
/// the packet that it quotes the other side. `other` is the connection's tuple
/// of the direction against that of the error: the quoted packet's, as its
/// sender knows it. `bytes` begin with the network header.
///
/// # Errors
///
/// [`Failed`], with nothing changed: `bytes` are fewer than [`error_headers`],
/// it is no ICMP, or the quoted packet is not one of the connection's
/// protocol, or cut off within its network header.
pub fn error(
    bytes: &mut [u8],
    outer: &Layout,
    other: &Tuple,
    manip: Manip,
    form: Form,
) -> Result<Change, Failed> {
    let over_pseudo_header = match outer.protocol {
        number::ICMP => false,
        number::ICMPV6 => true,
        _ => return Err(Failed),
    };
    if (bytes.len() as u64) < u64::from(error_headers(outer)) {
        return Err(Failed);
    }
    let (network, icmp) = bytes
        .split_at_mut_checked(outer.transport as usize)
        .ok_or(Failed)?;
    let (icmp, quoted) = icmp.split_first_chunk_mut::<8>().ok_or(Failed)?;
    let quoted_len = outer
        .len
        .saturating_sub(outer.transport)
        .saturating_sub(HEADER_LEN);
    let inner = Layout::new(outer.family, quoted, quoted_len)?;
    if inner.protocol != other.dst.protocol
        || (quoted.len() as u64) < u64::from(headers(&inner))
        || !ip::has_addresses(network, outer.family)
    {
        return Err(Failed);
    }

    let back = New::of(other, manip.opposite());
    let inside = packet(quoted, &inner, &back, manip.opposite(), Form::Full)?;
    let inside = Difference(inside.sum().into());
    // The error goes where the quoted packet came from, or comes from where it
    // went.
    let outside = ip::set(network, outer.family, back.address, manip)?;

    let covered = match (form, over_pseudo_header) {
        (Form::Full, false) => inside,
        (Form::Full, true) => inside.and(outside.pseudo),
        (Form::Pseudo, true) => outside.pseudo,
        (Form::Pseudo, false) => Difference::default(),
    };
    let [_, _, c0, c1, ..] = icmp;
    let mut field = [*c0, *c1];
    let checksum = apply(&mut field, covered, form, false);
    [*c0, *c1] = field;
    Ok(Change {
        sum: inside.and(outside.all).and(checksum).fold(),
        moved: outside.moved,
    })
}
