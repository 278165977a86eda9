// SPDX-License-Identifier: GPL-2.0

//! What identifies a direction of a flow: the first part of the kernel's `struct
//! flow_offload_tuple`, in its layout.

use crate::{
    be::{Be16, Be32},
    hash,
    tuple::{Address, Family},
};

/// Words of a key, of 32 bits.
pub const WORDS: usize = 22;

/// How many encapsulations at most a key has.
pub const ENCAPS: usize = 2;

/// One encapsulation: VLAN tag or PPPoE session.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Encap {
    /// Tag control information or session id, host order.
    pub id: u16,
    /// `ETH_P_8021Q`, `ETH_P_8021AD` or `ETH_P_PPP_SES`; zero if there is none.
    pub protocol: Be16,
}

/// The tunnel that a packet comes in: addresses of its outer header, as in the
/// packet. Its layout is that of the kernel's `struct flow_offload_tunnel`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tunnel {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// `IPPROTO_IPIP` or `IPPROTO_IPV6`; 0 if there is none.
    pub protocol: u8,
}

/// What a key is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts {
    /// Network layer.
    pub family: Family,
    /// Transport protocol, `IPPROTO_*`.
    pub protocol: u8,
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// Source and destination port; zero for protocols without.
    pub ports: [Be16; 2],
    /// Index of the device that packets come in by.
    pub device: i32,
    /// The encapsulations, the outermost first.
    pub encaps: [Encap; ENCAPS],
    /// The tunnel.
    pub tunnel: Tunnel,
}

/// A key. What is unused of it is zero, so that keys compare as memory.
#[repr(C, align(8))]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key([u32; WORDS]);

#[inline(always)]
const fn halves(first: [u8; 2], second: [u8; 2]) -> u32 {
    let ([a, b], [c, d]) = (first, second);
    u32::from_ne_bytes([a, b, c, d])
}

impl Key {
    /// The key of these parts.
    #[inline(always)]
    pub fn new(parts: &Parts) -> Self {
        let Address([s0, s1, s2, s3]) = parts.source;
        let Address([d0, d1, d2, d3]) = parts.destination;
        let Address([a0, a1, a2, a3]) = parts.tunnel.source;
        let Address([b0, b1, b2, b3]) = parts.tunnel.destination;
        let [source, destination] = parts.ports;
        let [outer, inner] = parts.encaps;
        Self([
            s0.raw(),
            s1.raw(),
            s2.raw(),
            s3.raw(),
            d0.raw(),
            d1.raw(),
            d2.raw(),
            d3.raw(),
            halves(source.to_bytes(), destination.to_bytes()),
            parts.device as u32,
            halves(
                [parts.family.number() as u8, parts.protocol],
                outer.id.to_ne_bytes(),
            ),
            halves(outer.protocol.to_bytes(), inner.id.to_ne_bytes()),
            halves(inner.protocol.to_bytes(), [0; 2]),
            a0.raw(),
            a1.raw(),
            a2.raw(),
            a3.raw(),
            b0.raw(),
            b1.raw(),
            b2.raw(),
            b3.raw(),
            halves([parts.tunnel.protocol, 0], [0; 2]),
        ])
    }

    /// Network layer; none if the key is of neither.
    #[inline]
    pub fn family(&self) -> Option<Family> {
        let Self([_, _, _, _, _, _, _, _, _, _, kind, ..]) = self;
        let [family, ..] = kind.to_ne_bytes();
        Family::from_number(family.into())
    }

    /// Transport protocol, `IPPROTO_*`.
    #[inline]
    pub const fn protocol(&self) -> u8 {
        let Self([_, _, _, _, _, _, _, _, _, _, kind, ..]) = self;
        let [_, protocol, ..] = kind.to_ne_bytes();
        protocol
    }

    /// Source address.
    #[inline]
    pub const fn source(&self) -> Address {
        let Self([a, b, c, d, ..]) = *self;
        Address([
            Be32::from_raw(a),
            Be32::from_raw(b),
            Be32::from_raw(c),
            Be32::from_raw(d),
        ])
    }

    /// Destination address.
    #[inline]
    pub const fn destination(&self) -> Address {
        let Self([_, _, _, _, a, b, c, d, ..]) = *self;
        Address([
            Be32::from_raw(a),
            Be32::from_raw(b),
            Be32::from_raw(c),
            Be32::from_raw(d),
        ])
    }

    /// Source and destination port.
    #[inline]
    pub const fn ports(&self) -> [Be16; 2] {
        let Self([_, _, _, _, _, _, _, _, ports, ..]) = *self;
        let [a, b, c, d] = ports.to_ne_bytes();
        [Be16::from_bytes([a, b]), Be16::from_bytes([c, d])]
    }

    /// Index of the device that packets come in by.
    #[inline]
    pub const fn device(&self) -> i32 {
        let Self([_, _, _, _, _, _, _, _, _, device, ..]) = *self;
        device as i32
    }

    /// The encapsulations, the outermost first.
    #[inline]
    pub const fn encaps(&self) -> [Encap; ENCAPS] {
        let Self([_, _, _, _, _, _, _, _, _, _, kind, encap, last, ..]) = *self;
        let ([_, _, i0, i1], [p0, p1, j0, j1], [q0, q1, _, _]) =
            (kind.to_ne_bytes(), encap.to_ne_bytes(), last.to_ne_bytes());
        [
            Encap {
                id: u16::from_ne_bytes([i0, i1]),
                protocol: Be16::from_bytes([p0, p1]),
            },
            Encap {
                id: u16::from_ne_bytes([j0, j1]),
                protocol: Be16::from_bytes([q0, q1]),
            },
        ]
    }

    /// The tunnel.
    #[inline]
    pub const fn tunnel(&self) -> Tunnel {
        let Self([.., a, b, c, d, e, f, g, h, last]) = *self;
        let [protocol, ..] = last.to_ne_bytes();
        Tunnel {
            source: Address([
                Be32::from_raw(a),
                Be32::from_raw(b),
                Be32::from_raw(c),
                Be32::from_raw(d),
            ]),
            destination: Address([
                Be32::from_raw(e),
                Be32::from_raw(f),
                Be32::from_raw(g),
                Be32::from_raw(h),
            ]),
            protocol,
        }
    }

    /// What it is made of, as far as it has a family.
    pub fn parts(&self) -> Option<Parts> {
        Some(Parts {
            family: self.family()?,
            protocol: self.protocol(),
            source: self.source(),
            destination: self.destination(),
            ports: self.ports(),
            device: self.device(),
            encaps: self.encaps(),
            tunnel: self.tunnel(),
        })
    }

    /// Its hash. Equal keys have equal ones; which keys share a bucket, nobody can
    /// tell without the secret.
    #[inline(always)]
    pub fn hash(&self, secret: &hash::Start) -> u32 {
        let Self(
            [s0, s1, s2, s3, d0, d1, d2, d3, ports, device, kind, encap, last, t @ .., tunnel],
        ) = *self;
        // Seldom more than the protocols; that they share a word with the device
        // lets few keys collide, and those compare unequal.
        let mut rest = device ^ kind.rotate_left(16) ^ encap ^ last.rotate_left(8);
        if tunnel != 0 {
            rest = t
                .iter()
                .fold(rest, |rest, word| rest.rotate_left(5) ^ *word);
        }
        let tail = pair(ports, rest);
        if kind.to_ne_bytes().first() == Some(&(Family::Ipv4.number() as u8)) {
            return secret.hash([pair(s0, d0), tail]);
        }
        secret.hash([pair(s0, s1), pair(s2, s3), pair(d0, d1), pair(d2, d3), tail])
    }
}

#[inline(always)]
const fn pair(low: u32, high: u32) -> u64 {
    low as u64 | ((high as u64) << 32)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn parts() -> Parts {
        let word = |n: u32| Be32::new(n);
        Parts {
            family: Family::Ipv4,
            protocol: 6,
            source: Address::v4(word(0x0a00_0001)),
            destination: Address::v4(word(0x0a00_0002)),
            ports: [Be16::new(1000), Be16::new(80)],
            device: 3,
            encaps: [Encap::default(); ENCAPS],
            tunnel: Tunnel::default(),
        }
    }

    #[test]
    fn parts_come_back() {
        let key = Key::new(&parts());
        assert_eq!(key.family(), Some(Family::Ipv4));
        assert_eq!(key.protocol(), 6);
        assert_eq!(key.source(), parts().source);
        assert_eq!(key.destination(), parts().destination);
        assert_eq!(key.ports(), parts().ports);
        let address = |n| Address([n, n + 1, n + 2, n + 3].map(Be32::new));
        let encap = |id| Encap {
            id,
            protocol: Be16::new(id + 1),
        };
        let all = Parts {
            family: Family::Ipv6,
            source: address(1),
            destination: address(5),
            encaps: [encap(9), encap(11)],
            tunnel: Tunnel {
                source: address(13),
                destination: address(17),
                protocol: 41,
            },
            ..parts()
        };
        assert_eq!(Key::new(&all).parts(), Some(all));
        assert_eq!(Key([0; WORDS]).parts(), None);
    }

    #[test]
    fn every_part_counts() {
        let tag = Encap {
            id: 5,
            protocol: Be16::new(0x8100),
        };
        let far = Address::v4(Be32::new(9));
        let mut all = Vec::from([parts(); 11]);
        all[1].family = Family::Ipv6;
        all[2].protocol = 17;
        all[3].source = far;
        all[4].destination = far;
        all[5].ports = [Be16::new(80), Be16::new(1000)];
        all[6].device = 4;
        all[7].encaps = [tag, Encap::default()];
        all[8].encaps = [tag, tag];
        all[9].tunnel.protocol = 4;
        all[10].tunnel = Tunnel {
            source: far,
            destination: far,
            protocol: 4,
        };
        let secret = hash::Key::new([1, 2]).start();
        let keys: Vec<Key> = all.iter().map(Key::new).collect();
        for (i, a) in keys.iter().enumerate() {
            for (j, b) in keys.iter().enumerate() {
                assert_eq!(a == b, i == j, "{i} {j}");
                // Not promised of any two keys, but of these with this secret.
                assert_eq!(a.hash(&secret) == b.hash(&secret), i == j, "{i} {j}");
            }
        }
    }

    #[test]
    fn layout_is_that_of_the_tuple() {
        assert_eq!(core::mem::size_of::<Key>(), 88);
        assert_eq!(core::mem::size_of::<Tunnel>(), 36);
        let Key(words) = Key::new(&Parts {
            encaps: [
                Encap {
                    id: 0x1234,
                    protocol: Be16::new(0x8100),
                },
                Encap {
                    id: 0x5678,
                    protocol: Be16::new(0x8864),
                },
            ],
            ..parts()
        });
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert_eq!(bytes[40..42], [2, 6]);
        assert_eq!(bytes[42..44], 0x1234u16.to_ne_bytes());
        assert_eq!(bytes[44..46], [0x81, 0]);
        assert_eq!(bytes[46..48], 0x5678u16.to_ne_bytes());
        assert_eq!(bytes[48..50], [0x88, 0x64]);
        assert_eq!(bytes[50..], [0; 38]);
    }
}
