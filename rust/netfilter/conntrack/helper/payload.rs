// SPDX-License-Identifier: GPL-2.0

//! What a packet carries for its application, in one piece.

use crate::conntrack::skb::Packet;
use nf_bindings as bindings;

/// The payload of a TCP segment.
#[derive(Clone, Copy)]
pub struct Segment<'p> {
    /// The sequence number of the payload's first byte, host order.
    pub seq: u32,
    /// At least a byte.
    pub payload: &'p [u8],
}

impl Segment<'_> {
    /// The sequence number behind the payload.
    #[inline]
    pub fn end(&self) -> u32 {
        self.seq.wrapping_add(self.payload.len() as u32)
    }
}

impl Packet<'_> {
    /// Brings all of the packet into its linear part. False if there is no
    /// memory.
    #[inline]
    pub fn linearize(&mut self) -> bool {
        // SAFETY: The packet is valid, and nothing points into it: it is
        // borrowed mutably.
        unsafe { bindings::skb_linearize(self.as_ptr()) == 0 }
    }

    /// The linear part from `offset` bytes after the data on.
    fn linear_from(&self, offset: u32) -> &[u8] {
        // SAFETY: The packet is valid; its linear part is initialised, and
        // stays where it is while it is borrowed.
        let linear = unsafe {
            let skb = &*self.as_ptr();
            core::slice::from_raw_parts(skb.data, skb.len.wrapping_sub(skb.data_len) as usize)
        };
        linear.get(offset as usize..).unwrap_or(&[])
    }

    /// The TCP segment whose header is `transport` bytes after the packet's
    /// data, of a packet that is linear; none without payload.
    pub fn segment(&self, transport: u32) -> Option<Segment<'_>> {
        let bytes = self.linear_from(transport);
        let [_, _, _, _, a, b, c, d, _, _, _, _, offset, ..] = *bytes else {
            return None;
        };
        let header = usize::from(offset >> 4) << 2;
        if header < TCP_HEADER {
            return None;
        }
        let payload = bytes.get(header..).filter(|payload| !payload.is_empty())?;
        Some(Segment {
            seq: u32::from_be_bytes([a, b, c, d]),
            payload,
        })
    }

    /// The payload of the UDP datagram whose header is `transport` bytes after
    /// the packet's data, of a packet that is linear; none if it is empty.
    pub fn datagram(&self, transport: u32) -> Option<&[u8]> {
        let payload = self.linear_from(transport).get(UDP_HEADER..)?;
        (!payload.is_empty()).then_some(payload)
    }
}

const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
