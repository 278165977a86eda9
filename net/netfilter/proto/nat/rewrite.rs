// SPDX-License-Identifier: GPL-2.0

//! Changing one side of a packet: address, port or what stands for it, and the
//! checksums over them.
//!
//! Checksums are changed by what the words that they cover are changed (RFC
//! 1624; for SCTP, by the linearity of its CRC): nothing else of the packet is
//! read, and a packet that was damaged before still is one afterwards.
//!
//! Whoever calls has made [`headers`] bytes writable. What is a header of the
//! packet but not among the bytes is an error, and then nothing has been
//! changed.

mod error;
mod ip;
mod transport;

pub use error::{error, error_headers};

use super::Manip;
use crate::{
    be::Be16,
    l4::number,
    packet,
    tuple::{Address, Family, Tuple},
};

/// What follows a header that nothing follows (RFC 8200 section 4.7).
const NO_NEXT_HEADER: u8 = 59;

/// Where the headers of a packet are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Its network layer.
    pub family: Family,
    /// Its transport protocol, `IPPROTO_*`.
    pub protocol: u8,
    /// Offset of the transport header from the network header, bytes.
    pub transport: u32,
    /// Bytes from the network header to the packet's end; of a packet that is
    /// quoted, as far as it is.
    pub len: u32,
}

impl Layout {
    /// Of the packet of `len` bytes that `bytes` are the beginning of.
    ///
    /// # Errors
    ///
    /// [`Failed`] if its network header cannot be, or is not all there.
    #[inline]
    pub fn new(family: Family, bytes: &[u8], len: u32) -> Result<Self, Failed> {
        let network = packet::network(family, bytes, len).map_err(|_| Failed)?;
        Ok(Self {
            family,
            protocol: network.tuple.dst.protocol,
            transport: network.transport,
            len,
        })
    }

    /// Of a packet of which nothing but the addresses can be changed, as of a
    /// later fragment.
    #[inline]
    pub const fn network_only(family: Family, len: u32) -> Self {
        Self {
            family,
            protocol: NO_NEXT_HEADER,
            transport: match family {
                Family::Ipv4 => 20,
                Family::Ipv6 => 40,
            },
            len,
        }
    }
}

/// What one side of a packet becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct New {
    /// Its address.
    pub address: Address,
    /// Port, ICMP id or GRE key. Without meaning for protocols that have none.
    pub id: Be16,
}

impl New {
    /// The side `manip` of `tuple`.
    #[inline]
    pub fn of(tuple: &Tuple, manip: Manip) -> Self {
        let id = match (tuple.dst.protocol, manip) {
            (number::ICMP | number::ICMPV6, _) | (_, Manip::Source) => tuple.src.id,
            (_, Manip::Destination) => tuple.dst.id,
        };
        Self {
            address: manip.address(tuple),
            id,
        }
    }

    /// The side `manip` of the tuple to which `other` is the answer: of packets
    /// in the one direction of a connection, `other` being the tuple of its
    /// other direction.
    #[inline]
    pub fn against(other: &Tuple, manip: Manip) -> Self {
        Self::of(other, manip.opposite())
    }
}

/// What the transport checksum field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// The checksum.
    Full,
    /// The sum of the pseudo header only, to which hardware or a later layer
    /// adds the rest: the packet is `CHECKSUM_PARTIAL`, and this header is the
    /// one meant (`csum_start` is its offset; or the packet is GSO, and all of
    /// its headers are so).
    Pseudo,
}

/// The packet cannot be translated, and is to be dropped: it is too short.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed;

/// What was changed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Change {
    sum: u16,
    moved: bool,
}

impl Change {
    /// By how much the ones' complement sum of the packet's bytes has changed, as
    /// a word of this machine's memory: to be added as `__wsum` to `skb->csum` of
    /// a `CHECKSUM_COMPLETE` packet. Without meaning for others.
    #[inline]
    pub const fn raw(self) -> u16 {
        self.sum.to_be()
    }

    /// The sum in host order.
    #[inline]
    pub const fn sum(self) -> u16 {
        self.sum
    }

    /// The packet's address is another one than before. It is not if the packet
    /// comes by once more, as one to this host does on its loopback device.
    #[inline]
    pub const fn moved(self) -> bool {
        self.moved
    }
}

/// Bytes from the network header on that must be at hand and writable.
#[inline]
pub const fn headers(layout: &Layout) -> u32 {
    let end = layout
        .transport
        .saturating_add(transport_header(layout.protocol));
    if end < layout.len {
        end
    } else {
        layout.len
    }
}

/// Bytes of a transport header that count here.
#[inline]
const fn transport_header(protocol: u8) -> u32 {
    match protocol {
        number::TCP => 20,
        number::SCTP => 12,
        number::UDP | number::ICMP | number::ICMPV6 | number::GRE => 8,
        _ => 0,
    }
}

/// Changes the side `manip` of a packet to `new`. `bytes` begin with its network
/// header.
///
/// A transport header that ends early, as that of a packet that is quoted may,
/// is changed as far as it goes.
///
/// # Errors
///
/// [`Failed`], with nothing changed: `bytes` are fewer than [`headers`].
#[inline(always)]
pub fn packet(
    bytes: &mut [u8],
    layout: &Layout,
    new: &New,
    manip: Manip,
    form: Form,
) -> Result<Change, Failed> {
    if (bytes.len() as u64) < u64::from(headers(layout)) {
        return Err(Failed);
    }
    let (network, transport) = bytes
        .split_at_mut_checked(layout.transport as usize)
        .ok_or(Failed)?;
    let following = ip::following(network, layout);
    let address = ip::set(network, layout.family, new.address, manip)?;
    let rest = transport::set(
        transport,
        layout.protocol,
        new.id,
        manip,
        Sums {
            form,
            pseudo: address.pseudo,
            following,
        },
    );
    Ok(Change {
        sum: address.all.and(rest).fold(),
        moved: address.moved,
    })
}

/// What transport checksums need to know of the rest.
#[derive(Clone, Copy)]
struct Sums {
    form: Form,
    /// By how much the pseudo header has changed.
    pseudo: Difference,
    /// Bytes from the transport header's start to the packet's end.
    following: u32,
}

/// A difference of sums: what is to be added, as ones' complement, for words
/// that were exchanged.
#[derive(Clone, Copy, Default)]
struct Difference(u64);

impl Difference {
    /// For one word.
    #[inline(always)]
    const fn of(old: u16, new: u16) -> Self {
        Self((!old as u64).wrapping_add(new as u64))
    }

    /// For two.
    #[inline(always)]
    const fn of_long(old: u32, new: u32) -> Self {
        // The halves need not be taken apart: 2^16 counts as 1.
        Self((!old as u64).wrapping_add(new as u64))
    }

    /// Both.
    #[inline(always)]
    const fn and(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    #[inline(always)]
    const fn fold(self) -> u16 {
        crate::checksum::fold(self.0)
    }
}

/// Changes a checksum field, and returns by how much. `no_zero`: a result of
/// 0 is written as its other form, as 0 says that there is no checksum.
#[inline(always)]
fn apply(field: &mut [u8; 2], difference: Difference, form: Form, no_zero: bool) -> Difference {
    let old = u16::from_be_bytes(*field);
    let sum = match form {
        Form::Full => !old,
        Form::Pseudo => old,
    };
    let sum = Difference(u64::from(sum)).and(difference).fold();
    let mut new = match form {
        Form::Full => !sum,
        Form::Pseudo => sum,
    };
    if new == 0 && no_zero {
        new = u16::MAX;
    }
    *field = new.to_be_bytes();
    Difference::of(old, new)
}
