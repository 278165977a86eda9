// SPDX-License-Identifier: GPL-2.0

//! The IPv6 header and its extension headers, RFC 8200.

use crate::{be::Be32, l4::Reason, tuple::Address};

/// The most extension headers that are passed over.
const MAX_EXTENSIONS: usize = 32;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NONE: u8 = 59;
const DESTINATION: u8 = 60;

/// A header that can be, with its extension headers, of a packet's first
/// fragment.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// What follows the extension headers, `IPPROTO_*`.
    pub protocol: u8,
    /// Length with extension headers, bytes.
    pub len: u32,
}

impl Header {
    /// Reads the headers of a packet of `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Reason::Truncated`] if one is cut off, [`Reason::BadNetworkHeader`] if
    /// the packet is a later fragment or has too many headers.
    #[inline]
    pub fn new(bytes: &[u8], len: u32) -> Result<Self, Reason> {
        let header = bytes.first_chunk::<40>().ok_or(Reason::Truncated)?;
        let [_, _, _, _, _, _, next, _, addresses @ ..] = header;
        let (source, destination) = addresses.split_first_chunk::<16>().ok_or(Reason::Truncated)?;
        let destination = destination.first_chunk::<16>().ok_or(Reason::Truncated)?;
        let (protocol, offset) = if is_extension(*next) {
            skip_extensions(bytes, *next)?
        } else {
            (*next, 40)
        };
        if offset > len {
            return Err(Reason::Truncated);
        }
        Ok(Self {
            source: address(source),
            destination: address(destination),
            protocol,
            len: offset,
        })
    }
}

#[inline]
fn is_extension(next: u8) -> bool {
    matches!(
        next,
        HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | NONE | DESTINATION
    )
}

fn skip_extensions(bytes: &[u8], mut next: u8) -> Result<(u8, u32), Reason> {
    let mut offset: usize = 40;
    for _ in 0..MAX_EXTENSIONS {
        if !is_extension(next) {
            return Ok((next, u32::try_from(offset).map_err(|_| Reason::Truncated)?));
        }
        if next == NONE {
            return Err(Reason::BadNetworkHeader);
        }
        let header = bytes
            .get(offset..)
            .and_then(|rest| rest.first_chunk::<4>())
            .ok_or(Reason::Truncated)?;
        let &[after, len, f0, f1] = header;
        let len = match next {
            FRAGMENT => {
                if u16::from_be_bytes([f0, f1]) & !7 != 0 {
                    return Err(Reason::BadNetworkHeader);
                }
                8
            }
            AUTHENTICATION => usize::from(len).wrapping_add(2) << 2,
            _ => usize::from(len).wrapping_add(1) << 3,
        };
        offset = offset.saturating_add(len);
        next = after;
    }
    Err(Reason::BadNetworkHeader)
}

#[inline]
fn address(bytes: &[u8; 16]) -> Address {
    let &[a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = bytes;
    Address([
        Be32::from_bytes([a0, a1, a2, a3]),
        Be32::from_bytes([b0, b1, b2, b3]),
        Be32::from_bytes([c0, c1, c2, c3]),
        Be32::from_bytes([d0, d1, d2, d3]),
    ])
}
