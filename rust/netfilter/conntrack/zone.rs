// SPDX-License-Identifier: GPL-2.0

//! Zones: which table, so to speak, a connection is in.

use core::mem::size_of;
use nf_bindings as bindings;
use nf_proto::tuple::Direction;

/// A conntrack zone (`struct nf_conntrack_zone`): an id, and for which
/// directions it holds; the other direction is in zone 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Zone {
    id: u16,
    flags: u8,
    dir: u8,
}

const _: () = assert!(size_of::<Zone>() == 4);

impl Zone {
    /// The zone that everything is in when no rule says otherwise.
    pub const DEFAULT: Zone = Zone {
        id: 0,
        flags: 0,
        dir: 3,
    };

    /// A zone by its id, for the directions in `directions`
    /// (`NF_CT_ZONE_DIR_*`: bit 0 original, bit 1 reply).
    #[inline]
    pub const fn new(id: u16, directions: u8) -> Self {
        Zone {
            id,
            flags: 0,
            dir: directions,
        }
    }

    /// The id for one direction (`nf_ct_zone_id`).
    #[inline]
    pub const fn id(&self, direction: Direction) -> u16 {
        if self.dir & (1 << direction as u8) != 0 {
            self.id
        } else {
            0
        }
    }

    /// Both have the same id for one direction.
    #[inline]
    pub const fn same_id(self, other: Zone, direction: Direction) -> bool {
        // Almost always all of it is the same.
        self.word() == other.word() || self.id(direction) == other.id(direction)
    }

    #[inline]
    const fn word(self) -> u32 {
        self.id as u32 | (self.flags as u32) << 16 | (self.dir as u32) << 24
    }

    /// The id, whatever the directions.
    #[inline]
    pub const fn raw_id(&self) -> u16 {
        self.id
    }

    /// The directions (`NF_CT_ZONE_DIR_*`).
    #[inline]
    pub const fn directions(&self) -> u8 {
        self.dir
    }

    /// The id is taken from the packet's mark (`NF_CT_FLAG_MARK`).
    #[inline]
    pub const fn by_mark(&self) -> bool {
        self.flags & bindings::NF_CT_FLAG_MARK as u8 != 0
    }

    /// From C.
    #[inline]
    pub const fn from_c(zone: &bindings::nf_conntrack_zone) -> Self {
        Zone {
            id: zone.id,
            flags: zone.flags,
            dir: zone.dir,
        }
    }

    /// To C.
    #[inline]
    pub const fn to_c(self) -> bindings::nf_conntrack_zone {
        bindings::nf_conntrack_zone {
            id: self.id,
            flags: self.flags,
            dir: self.dir,
        }
    }
}
