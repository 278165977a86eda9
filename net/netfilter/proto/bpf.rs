// SPDX-License-Identifier: GPL-2.0

//! How BPF programs say which connection they mean: the memory that they give to
//! the functions `bpf_xdp_ct_lookup`, `bpf_skb_ct_alloc` and their like.
//!
//! It is `struct bpf_ct_opts` of the kernel's nf_conntrack_bpf.c, as long as the
//! program knows it, and `struct bpf_sock_tuple` (include/uapi/linux/bpf.h), whose
//! length says what family it is of. A program may write any bytes to both.

use crate::{
    be::{Be16, Be32},
    l4::number,
    tuple::{Address, Destination, Direction, Family, Source, Tuple},
};

/// Bytes of the options of programs that know no zones.
pub const SHORT: u32 = 12;

/// Bytes of the options.
pub const LONG: u32 = 16;

/// Up to which byte the options have room for an error.
pub const ERROR_END: u32 = 8;

/// Bytes of a tuple of IPv4 addresses.
pub const IPV4: u32 = 12;

/// Bytes of a tuple of IPv6 addresses.
pub const IPV6: u32 = 36;

/// `BPF_F_CURRENT_NETNS`: the namespace that the packet is in.
const CURRENT: i32 = -1;

/// For both directions (`NF_CT_DEFAULT_ZONE_DIR`).
const BOTH: u8 = 3;

/// Why a program gets no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// A length or a field that must not be so (`EINVAL`).
    Invalid,
    /// Neither TCP nor UDP (`EPROTO`).
    Protocol,
    /// A tuple of another length (`EAFNOSUPPORT`).
    Family,
    /// There is no such namespace (`ENONET`).
    Namespace,
    /// There is no such connection (`ENOENT`).
    Absent,
    /// The table is full, or memory is short (`ENOMEM`).
    NoRoom,
}

/// What the options say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    namespace: i32,
    protocol: u8,
    zone: u16,
    /// Of long options.
    directions: Option<u8>,
}

impl Options {
    /// Reads options of `length` bytes, of which there are no more in `bytes` than
    /// that; the rest of it is zero.
    ///
    /// # Errors
    ///
    /// [`Refused::Invalid`] if it is neither of the two lengths, if a reserved byte
    /// is set, or a zone's id by a program that knows no zones.
    pub fn read(bytes: [u8; LONG as usize], length: u32) -> Result<Self, Refused> {
        let [n0, n1, n2, n3, _, _, _, _, protocol, _, z0, z1, directions, reserved @ ..] = bytes;
        let zone = u16::from_ne_bytes([z0, z1]);
        let directions = match length {
            LONG if reserved == [0; 3] => Some(directions),
            SHORT if zone == 0 => None,
            _ => return Err(Refused::Invalid),
        };
        Ok(Self {
            namespace: i32::from_ne_bytes([n0, n1, n2, n3]),
            protocol,
            zone,
            directions,
        })
    }

    /// The number of the namespace as the packet's namespace knows it, or nothing
    /// for that one itself.
    ///
    /// # Errors
    ///
    /// [`Refused::Invalid`] for a number that none can have.
    pub fn namespace(&self) -> Result<Option<i32>, Refused> {
        match self.namespace {
            CURRENT => Ok(None),
            number @ 0.. => Ok(Some(number)),
            _ => Err(Refused::Invalid),
        }
    }

    /// The protocol's number.
    ///
    /// # Errors
    ///
    /// [`Refused::Protocol`] if it is another one than TCP and UDP.
    pub fn protocol(&self) -> Result<u8, Refused> {
        match self.protocol {
            number::TCP | number::UDP => Ok(self.protocol),
            _ => Err(Refused::Protocol),
        }
    }

    /// The zone: its id, and for which directions (`NF_CT_ZONE_DIR_*`).
    pub fn zone(&self) -> (u16, u8) {
        match self.directions {
            Some(0) | None => (self.zone, BOTH),
            Some(directions) => (self.zone, directions),
        }
    }

    /// The directions that the program did not choose and is to be told.
    pub fn chosen_directions(&self) -> Option<u8> {
        (self.directions == Some(0)).then_some(BOTH)
    }

    /// The tuple, from words of which `length` bytes are the program's.
    ///
    /// # Errors
    ///
    /// As [`protocol`](Self::protocol), and [`Refused::Family`] if a tuple is of
    /// another length.
    pub fn tuple(&self, words: [u32; IPV6 as usize / 4], length: u32) -> Result<Tuple, Refused> {
        let protocol = self.protocol()?;
        let [a, b, c, d, e, f, g, h, last] = words;
        let address = |words: [u32; 4]| Address(words.map(Be32::from_raw));
        let (family, source, destination, ports) = match length {
            IPV4 => (
                Family::Ipv4,
                address([a, 0, 0, 0]),
                address([b, 0, 0, 0]),
                c,
            ),
            IPV6 => (
                Family::Ipv6,
                address([a, b, c, d]),
                address([e, f, g, h]),
                last,
            ),
            _ => return Err(Refused::Family),
        };
        let [s0, s1, d0, d1] = ports.to_ne_bytes();
        Ok(Tuple {
            src: Source {
                address: source,
                id: Be16::from_bytes([s0, s1]),
                l3num: family.number(),
            },
            dst: Destination {
                address: destination,
                id: Be16::from_bytes([d0, d1]),
                protocol,
                direction: Direction::Original as u8,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: [u8; 16] = [0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 6, 1, 0, 0, 0, 0, 0, 0];

    fn with(changes: &[(usize, u8)]) -> [u8; 16] {
        let mut bytes = TCP;
        for (at, value) in changes {
            bytes[*at] = *value;
        }
        bytes
    }

    #[test]
    fn lengths() {
        for length in 0..40 {
            let read = Options::read(TCP, length);
            assert_eq!(read.is_ok(), length == SHORT || length == LONG, "{length}");
        }
    }

    #[test]
    fn zones() {
        let set = with(&[(10, 5)]);
        assert_eq!(Options::read(set, SHORT), Err(Refused::Invalid));
        let options = Options::read(set, LONG).unwrap();
        assert_eq!(options.zone(), (5, 3));
        assert_eq!(options.chosen_directions(), Some(3));
        let options = Options::read(with(&[(10, 5), (12, 1)]), LONG).unwrap();
        assert_eq!(options.zone(), (5, 1));
        assert_eq!(options.chosen_directions(), None);
        // What a program that knows no zones has behind its options is not theirs.
        let options = Options::read(with(&[(12, 1)]), SHORT).unwrap();
        assert_eq!(options.zone(), (0, 3));
        assert_eq!(options.chosen_directions(), None);
    }

    #[test]
    fn reserved() {
        for at in 13..16 {
            assert_eq!(Options::read(with(&[(at, 1)]), LONG), Err(Refused::Invalid));
            assert!(Options::read(with(&[(at, 1)]), SHORT).is_ok());
        }
    }

    #[test]
    fn namespaces() {
        let namespace = |number: i32| {
            let mut bytes = TCP;
            bytes[..4].copy_from_slice(&number.to_ne_bytes());
            Options::read(bytes, LONG).unwrap().namespace()
        };
        assert_eq!(namespace(-1), Ok(None));
        assert_eq!(namespace(0), Ok(Some(0)));
        assert_eq!(namespace(i32::MAX), Ok(Some(i32::MAX)));
        assert_eq!(namespace(-2), Err(Refused::Invalid));
        assert_eq!(namespace(i32::MIN), Err(Refused::Invalid));
    }

    #[test]
    fn tuples() {
        let words: [u32; 9] = core::array::from_fn(|i| 0x0102_0304 * (i as u32 + 1));
        let options = Options::read(TCP, LONG).unwrap();
        let tuple = options.tuple(words, IPV4).unwrap();
        assert_eq!(tuple.src.l3num, 2);
        assert_eq!(tuple.src.address.0[0].raw(), words[0]);
        assert_eq!(tuple.dst.address.0[0].raw(), words[1]);
        assert_eq!(tuple.dst.address.0[1].raw(), 0);
        assert_eq!(tuple.src.id.to_bytes(), words[2].to_ne_bytes()[..2]);
        assert_eq!(tuple.dst.id.to_bytes(), words[2].to_ne_bytes()[2..]);
        assert_eq!(tuple.dst.protocol, 6);
        let tuple = options.tuple(words, IPV6).unwrap();
        assert_eq!(tuple.src.l3num, 10);
        assert_eq!(tuple.src.address.0[3].raw(), words[3]);
        assert_eq!(tuple.dst.address.0[0].raw(), words[4]);
        assert_eq!(tuple.dst.id.to_bytes(), words[8].to_ne_bytes()[2..]);
        for length in (0..64).filter(|length| *length != IPV4 && *length != IPV6) {
            assert_eq!(options.tuple(words, length), Err(Refused::Family));
        }
        let icmp = Options::read(with(&[(8, 1)]), LONG).unwrap();
        assert_eq!(icmp.protocol(), Err(Refused::Protocol));
        assert_eq!(icmp.tuple(words, 0), Err(Refused::Protocol));
        let udp = Options::read(with(&[(8, 17)]), LONG).unwrap();
        assert_eq!(udp.tuple(words, IPV4).unwrap().dst.protocol, 17);
    }
}
