// SPDX-License-Identifier: GPL-2.0

//! Headers that a packet gets on its way out.

use super::ingress::{IP6IP6, IPIP, IPV4, IPV6, PPP_IPV4, PPP_IPV6};
use crate::{checksum, tuple::Address};

/// A VLAN header: tag control information, and what follows (`ETH_P_*`).
#[inline]
pub const fn vlan(tci: u16, protocol: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (tci.to_be_bytes(), protocol.to_be_bytes());
    [a, b, c, d]
}

/// A PPPoE header before `len` bytes of `protocol` (`ETH_P_*`), with PPP's. None
/// if PPP does not know it, or the length does not fit.
#[inline]
pub fn pppoe(session: u16, protocol: u16, len: u32) -> Option<[u8; 8]> {
    let [p0, p1] = match protocol {
        IPV4 => PPP_IPV4,
        IPV6 => PPP_IPV6,
        _ => return None,
    }
    .to_be_bytes();
    let [s0, s1] = session.to_be_bytes();
    let [l0, l1] = u16::try_from(len.checked_add(2)?).ok()?.to_be_bytes();
    Some([0x11, 0, s0, s1, l0, l1, p0, p1])
}

/// The ends of a tunnel, as its packets have them.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
}

/// The outer header of IPv4 in IPv4 (RFC 2003) for a packet with the header
/// `inner` and, with the outer one, `len` bytes. `id` identifies it, and
/// `fragment` says whether it may be cut up whatever the inner header says.
/// Too long packets, to be cut up later, have length 0.
pub fn ipip(inner: &[u8; 20], ends: &Ends, len: u32, id: u16, fragment: bool) -> [u8; 20] {
    let &[_, tos, _, _, _, _, f0, _, ttl, ..] = inner;
    let Address([source, ..]) = ends.source;
    let Address([destination, ..]) = ends.destination;
    let [s0, s1, s2, s3] = source.to_bytes();
    let [d0, d1, d2, d3] = destination.to_bytes();
    let [l0, l1] = u16::try_from(len).unwrap_or(0).to_be_bytes();
    let [i0, i1] = id.to_be_bytes();
    let flags = if fragment { 0 } else { f0 & 0x40 };
    let head = [0x45, tos, l0, l1, i0, i1, flags, 0, ttl, IPIP];
    let tail = [s0, s1, s2, s3, d0, d1, d2, d3];
    let sum = checksum::sum(&head).wrapping_add(checksum::sum(&tail));
    let [c0, c1] = (!checksum::fold(sum)).to_be_bytes();
    let [h0, h1, h2, h3, h4, h5, h6, h7, h8, h9] = head;
    [
        h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, c0, c1, s0, s1, s2, s3, d0, d1, d2, d3,
    ]
}

/// The outer header of IPv6 in IPv6 (RFC 2473), without addresses, for a packet
/// with the header `inner` of, without the outer one, `len` bytes. `label` is the
/// flow label, 20 bits.
pub fn ip6ip6(inner: &[u8; 40], len: u32, label: u32) -> [u8; 8] {
    let &[v0, v1, _, _, _, _, _, hops, ..] = inner;
    let [_, a, b, c] = label.to_be_bytes();
    let [l0, l1] = u16::try_from(len).unwrap_or(0).to_be_bytes();
    [
        0x60 | v0 & 0x0f,
        v1 & 0xf0 | a & 0x0f,
        b,
        c,
        l0,
        l1,
        IP6IP6,
        hops,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::be::Be32;

    #[test]
    fn pppoe_header() {
        assert_eq!(
            pppoe(0x1234, IPV4, 100),
            Some([0x11, 0, 0x12, 0x34, 0, 102, 0, 0x21])
        );
        assert_eq!(
            pppoe(1, IPV6, 0xfffd),
            Some([0x11, 0, 0, 1, 0xff, 0xff, 0, 0x57])
        );
        assert_eq!(pppoe(1, IPV4, 0xfffe), None);
        assert_eq!(pppoe(1, IPV4, u32::MAX), None);
        assert_eq!(pppoe(1, 0x0806, 100), None);
    }

    #[test]
    fn vlan_header() {
        assert_eq!(vlan(0xe005, IPV6), [0xe0, 5, 0x86, 0xdd]);
    }

    #[test]
    fn ipip_header() {
        let mut inner = [0; 20];
        (inner[0], inner[1], inner[6], inner[8]) = (0x45, 0xb9, 0x40, 63);
        let ends = Ends {
            source: Address::v4(Be32::new(0xc000_0201)),
            destination: Address::v4(Be32::new(0xc000_0202)),
        };
        let outer = ipip(&inner, &ends, 1480, 0x1234, false);
        assert_eq!(
            outer[..10],
            [0x45, 0xb9, 5, 0xc8, 0x12, 0x34, 0x40, 0, 63, 4]
        );
        assert_eq!(outer[12..], [192, 0, 2, 1, 192, 0, 2, 2]);
        assert_eq!(checksum::internet(&outer), 0);
        assert_eq!(ipip(&inner, &ends, 1480, 1, true)[6], 0);
        assert_eq!(ipip(&inner, &ends, 65536, 1, true)[2..4], [0, 0]);
    }

    #[test]
    fn ip6ip6_header() {
        let mut inner = [0; 40];
        (inner[0], inner[1], inner[7]) = (0x6b, 0x9f, 5);
        assert_eq!(
            ip6ip6(&inner, 1460, 0x000a_bcde),
            [0x6b, 0x9a, 0xbc, 0xde, 5, 0xb4, 41, 5]
        );
    }
}
