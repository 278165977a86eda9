// SPDX-License-Identifier: GPL-2.0

//! Changing a packet's length at its end.

use super::Packet;
use nf_bindings as bindings;
use nf_proto::nat::settle::Partial;

/// A packet that is linear and its own, with room at its end.
pub struct Roomy<'p, 'a> {
    packet: &'p mut Packet<'a>,
    room: u32,
}

impl<'a> Packet<'a> {
    /// Makes all of the packet linear and its own, with room for `extra` bytes.
    /// None if memory is short. The packet says the same afterwards, but
    /// pointers into it are invalid.
    pub fn make_room(&mut self, extra: u32) -> Option<Roomy<'_, 'a>> {
        // SAFETY: The packet is valid; no reference into it is alive, as `self`
        // is borrowed mutably.
        unsafe { bindings::packet_make_room(self.as_ptr(), extra) }.then_some(Roomy {
            packet: self,
            room: extra,
        })
    }

    /// The packet's checksum is still to be completed (`CHECKSUM_PARTIAL`).
    pub fn is_partial(&self) -> bool {
        u32::from(self.headers().ip_summed()) == bindings::CHECKSUM_PARTIAL
    }
}

impl Roomy<'_, '_> {
    /// Adds zeroes at the end. False, and nothing happens, if there is no room.
    #[must_use]
    pub fn lengthen(&mut self, by: u32) -> bool {
        let Some(rest) = self.room.checked_sub(by) else {
            return false;
        };
        self.room = rest;
        // SAFETY: The packet is valid and linear, with room for so many.
        unsafe { bindings::packet_lengthen(self.packet.as_ptr(), by) };
        true
    }

    /// Cuts bytes off at the end. False, and nothing happens, if there are fewer
    /// from the network header on.
    #[must_use]
    pub fn shorten(&mut self, by: u32) -> bool {
        if by > self.packet.network_len() {
            return false;
        }
        let len = self.packet.len().wrapping_sub(by);
        // SAFETY: The packet is valid, linear, and longer.
        unsafe { bindings::packet_shorten(self.packet.as_ptr(), len) };
        true
    }

    /// All of the packet from the network header on.
    pub fn bytes(&mut self) -> &mut [u8] {
        let len = self.packet.network_len();
        self.packet.writable(len).unwrap_or_default()
    }

    /// The transport checksum is to be completed by who sends or receives it.
    pub fn set_partial(&mut self, partial: Partial) {
        let start = self.packet.network_offset().wrapping_add(partial.start);
        // SAFETY: The packet is valid; the checksum is within it.
        unsafe { bindings::packet_set_partial(self.packet.as_ptr(), start, partial.field) };
    }
}
