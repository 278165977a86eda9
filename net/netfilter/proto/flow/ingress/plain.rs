// SPDX-License-Identifier: GPL-2.0

//! Packets as nearly all are.

use super::{address, Control, Packet};
use crate::{
    be::{Be16, Be32},
    flow::key::{Encap, Key, Parts, Tunnel, ENCAPS},
    l4::number,
    tuple::{Address, Family},
};

/// [`read`](super::read), for packets as nearly all are: neither encapsulated nor in a tunnel,
/// and all headers are at hand, so that everything is where it always is. Nothing of
/// any other packet: that is for [`read`](super::read) to say.
#[inline(always)]
pub fn plain(family: Family, bytes: &[u8], len: u32, device: i32) -> Option<Packet> {
    let (source, destination, protocol, transport, end, rest): (_, _, _, u32, _, _) = match family {
        Family::Ipv4 => {
            let (header, rest) = bytes.split_first_chunk::<20>()?;
            let &[first, _, l0, l1, _, _, f0, f1, ttl, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] =
                header;
            if first != 0x45 || u16::from_be_bytes([f0, f1]) & 0x3fff != 0 || ttl <= 1 {
                return None;
            }
            (
                Address::v4(Be32::from_bytes([s0, s1, s2, s3])),
                Address::v4(Be32::from_bytes([d0, d1, d2, d3])),
                protocol,
                20,
                u32::from(u16::from_be_bytes([l0, l1])),
                rest,
            )
        }
        Family::Ipv6 => {
            let (header, rest) = bytes.split_first_chunk::<40>()?;
            let &[v0, _, _, _, l0, l1, protocol, hops, ref addresses @ ..] = header;
            if v0 >> 4 != 6 || hops <= 1 {
                return None;
            }
            let (source, destination) = addresses.split_at(16);
            (
                address(source),
                address(destination),
                protocol,
                40,
                // Of 0 it is not known.
                match u16::from_be_bytes([l0, l1]) {
                    0 => 0,
                    payload => u32::from(payload).wrapping_add(40),
                },
                rest,
            )
        }
    };
    let (&[s0, s1, d0, d1], headers, control) = match protocol {
        number::TCP => {
            let header = rest.first_chunk::<20>()?;
            let &[_, _, _, _, _, _, _, _, _, _, _, _, offset, flags, ..] = header;
            if offset >> 4 < 5 {
                return None;
            }
            (header.first_chunk::<4>()?, 20, Control(flags))
        }
        number::UDP => {
            let header = rest.first_chunk::<8>()?;
            let &[_, _, _, _, l0, l1, _, _] = header;
            let len = u32::from(u16::from_be_bytes([l0, l1]));
            if len < 8 || len.saturating_add(transport) > end {
                return None;
            }
            (header.first_chunk::<4>()?, 8, Control(0))
        }
        _ => return None,
    };
    let headers = transport.saturating_add(headers);
    if end > len || headers > end {
        return None;
    }
    Some(Packet {
        key: Key::new(&Parts {
            family,
            protocol,
            source,
            destination,
            ports: [Be16::from_bytes([s0, s1]), Be16::from_bytes([d0, d1])],
            device,
            encaps: [Encap::default(); ENCAPS],
            tunnel: Tunnel::default(),
        }),
        encap: 0,
        tunnel: 0,
        transport,
        headers,
        end,
        control,
    })
}
