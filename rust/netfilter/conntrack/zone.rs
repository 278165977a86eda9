// SPDX-License-Identifier: GPL-2.0

//! Zones: which table, so to speak, a connection is in.

use core::mem::{offset_of, size_of};
use nf_bindings as bindings;
use nf_proto::tuple::Direction;

/// A conntrack zone (`struct nf_conntrack_zone`): an id, and for which
/// directions it holds; the other direction is in zone 0.
///
/// It is one word here: from the lowest bits on, the id, the flags, the directions,
/// as they lie in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Zone(u32);

const _: () = {
    type C = bindings::nf_conntrack_zone;
    assert!(cfg!(target_endian = "little") && size_of::<C>() == size_of::<Zone>());
    assert!(offset_of!(C, id) == 0 && offset_of!(C, flags) == 2 && offset_of!(C, dir) == 3);
};

impl Zone {
    /// The zone that everything is in when no rule says otherwise.
    pub const DEFAULT: Zone = Zone::new(0, 3);

    /// A zone by its id, for the directions in `directions`
    /// (`NF_CT_ZONE_DIR_*`: bit 0 original, bit 1 reply).
    #[inline]
    pub const fn new(id: u16, directions: u8) -> Self {
        Zone(id as u32 | (directions as u32) << 24)
    }

    /// The id for one direction (`nf_ct_zone_id`).
    #[inline]
    pub const fn id(&self, direction: Direction) -> u16 {
        if self.directions() & (1 << direction as u8) != 0 {
            self.raw_id()
        } else {
            0
        }
    }

    /// Both have the same id for one direction.
    #[inline]
    pub const fn same_id(self, other: Zone, direction: Direction) -> bool {
        // Almost always all of it is the same.
        self.0 == other.0 || self.id(direction) == other.id(direction)
    }

    /// The id, whatever the directions.
    #[inline]
    pub const fn raw_id(&self) -> u16 {
        self.0 as u16
    }

    /// The directions (`NF_CT_ZONE_DIR_*`).
    #[inline]
    pub const fn directions(&self) -> u8 {
        (self.0 >> 24) as u8
    }

    #[inline]
    const fn flags(&self) -> u8 {
        (self.0 >> 16) as u8
    }

    /// The id is taken from the packet's mark (`NF_CT_FLAG_MARK`).
    #[inline]
    pub const fn by_mark(&self) -> bool {
        self.flags() & bindings::NF_CT_FLAG_MARK as u8 != 0
    }

    /// From C.
    #[inline]
    pub const fn from_c(zone: &bindings::nf_conntrack_zone) -> Self {
        // SAFETY: Four bytes, laid out as asserted above.
        Zone(unsafe { core::ptr::from_ref(zone).cast::<u32>().read_unaligned() })
    }

    /// To C.
    #[inline]
    pub const fn to_c(self) -> bindings::nf_conntrack_zone {
        bindings::nf_conntrack_zone {
            id: self.raw_id(),
            flags: self.flags(),
            dir: self.directions(),
        }
    }
}
