// SPDX-License-Identifier: GPL-2.0

//! The segments that SYNPROXY sends: their IP and TCP headers.

use super::options::{self, Options};
use crate::{
    be::Be32,
    packet::tcp::Flags,
    tuple::{Address, Family},
};

/// The most words of an IP header, a TCP header and options.
const MAX: usize = (40 + 20 + options::MAX) / 4;

/// ECN in the flags' byte: ECE, CWR (RFC 3168 section 6.1).
const ECE: u8 = 0x40;
const CWR: u8 = 0x80;

/// What stands in the network header.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// IPv4 or IPv6.
    pub family: Family,
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// Time to live, or hop limit.
    pub ttl: u8,
}

/// What SYNPROXY reads in the header of a segment, all in host byte order.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Header {
    /// Source port.
    pub source: u16,
    /// Destination port.
    pub destination: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number.
    pub ack: u32,
    /// Control bits.
    pub flags: Flags,
    /// Window, not scaled.
    pub window: u16,
}

impl Header {
    /// The fixed part of a header.
    #[inline]
    pub const fn read(bytes: &[u8; 20]) -> Self {
        let &[p0, p1, q0, q1, s0, s1, s2, s3, a0, a1, a2, a3, _, flags, w0, w1, _, _, _, _] = bytes;
        Self {
            source: u16::from_be_bytes([p0, p1]),
            destination: u16::from_be_bytes([q0, q1]),
            seq: u32::from_be_bytes([s0, s1, s2, s3]),
            ack: u32::from_be_bytes([a0, a1, a2, a3]),
            flags: Flags(flags),
            window: u16::from_be_bytes([w0, w1]),
        }
    }

    /// How long the options of a header are that begins with `bytes`; `None` if
    /// it says that it is shorter than its fixed part.
    #[inline]
    pub const fn options_len(bytes: &[u8; 20]) -> Option<usize> {
        let &[_, _, _, _, _, _, _, _, _, _, _, _, offset, ..] = bytes;
        (((offset >> 4) as usize) << 2).checked_sub(20)
    }

    /// The SYN ACK with a cookie to the client, whose SYN this is.
    pub const fn client_syn_ack(&self, cookie: u32, ecn: bool) -> Self {
        let ecn = if ecn { ECE } else { 0 };
        Self {
            seq: cookie,
            ack: self.seq.wrapping_add(1),
            flags: Flags(Flags::SYN | Flags::ACK | ecn),
            // The client must not send before the server is there.
            window: 0,
            ..self.back()
        }
    }

    /// The SYN to the server, when this is the client's ACK; `seq` is the number
    /// behind the client's SYN.
    ///
    /// The acknowledgment number, which means nothing in a SYN, tells the last
    /// hook which number the client knows for the server's.
    pub const fn server_syn(&self, seq: u32, ecn: bool) -> Self {
        let ecn = if ecn { ECE | CWR } else { 0 };
        Self {
            seq: seq.wrapping_sub(1),
            ack: self.ack.wrapping_sub(1),
            flags: Flags(Flags::SYN | ecn),
            ..*self
        }
    }

    /// The ACK to the server, whose SYN ACK this is, with the client's window.
    pub const fn server_ack(&self, window: u16) -> Self {
        Self {
            seq: self.ack,
            ack: self.seq.wrapping_add(1),
            flags: Flags(Flags::ACK),
            window,
            ..self.back()
        }
    }

    /// The ACK to the client by which the server's window is opened, when this
    /// is the server's SYN ACK; `scale` is the server's.
    pub const fn client_ack(&self, scale: u8) -> Self {
        Self {
            seq: self.seq.wrapping_add(1),
            flags: Flags(Flags::ACK),
            // A SYN ACK's window is not scaled, an ACK's is.
            window: match self.window.checked_shr(scale as u32) {
                Some(window) => window,
                None => 0,
            },
            ..*self
        }
    }

    const fn back(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            ..*self
        }
    }
}

/// The source and destination addresses in a network header.
#[inline]
pub fn ends(family: Family, header: &[u8]) -> Option<(Address, Address)> {
    let word = |at: usize| {
        let bytes = header.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(Be32::new(0), |bytes| Be32::from_bytes(*bytes))
    };
    let v4 = |at| Address([word(at), Be32::new(0), Be32::new(0), Be32::new(0)]);
    let v6 = |[a, b, c, d]: [usize; 4]| Address([word(a), word(b), word(c), word(d)]);
    match family {
        Family::Ipv4 if header.len() >= 20 => Some((v4(12), v4(16))),
        Family::Ipv6 if header.len() >= 40 => Some((v6([8, 12, 16, 20]), v6([24, 28, 32, 36]))),
        _ => None,
    }
}

/// A segment's headers, ready to be sent but for the TCP checksum.
pub struct Built {
    words: [[u8; 4]; MAX],
    len: usize,
    network: usize,
}

impl Built {
    /// All headers.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.words.get(..self.len).unwrap_or(&[]).as_flattened()
    }

    /// Bytes of the network header.
    #[inline]
    pub fn network_len(&self) -> usize {
        self.network
    }
}

/// Builds a segment without data.
pub fn build(network: &Network, header: &Header, options: &Options) -> Built {
    let tcp_len = options.len().saturating_add(20) as u16;
    let mut built = Built {
        words: [[0; 4]; MAX],
        len: 0,
        network: match network.family {
            Family::Ipv4 => 20,
            Family::Ipv6 => 40,
        },
    };
    match network.family {
        Family::Ipv4 => built.ipv4(network, tcp_len),
        Family::Ipv6 => built.ipv6(network, tcp_len),
    }
    built.pair(header.source, header.destination);
    built.put(header.seq.to_be_bytes());
    built.put(header.ack.to_be_bytes());
    let [high, low] = header.window.to_be_bytes();
    // Words, at most ten, in the upper half.
    built.put([(tcp_len << 2) as u8 & 0xf0, header.flags.0, high, low]);
    // Checksum and urgent pointer.
    built.put([0; 4]);
    options.words(|word| built.put(word));
    built
}

impl Built {
    #[inline]
    fn put(&mut self, word: [u8; 4]) {
        if let Some(place) = self.words.get_mut(self.len) {
            *place = word;
            self.len = self.len.saturating_add(1);
        }
    }

    #[inline]
    fn pair(&mut self, first: u16, second: u16) {
        let ([a, b], [c, d]) = (first.to_be_bytes(), second.to_be_bytes());
        self.put([a, b, c, d]);
    }

    fn ipv4(&mut self, network: &Network, tcp_len: u16) {
        self.pair(0x4500, tcp_len.saturating_add(20));
        // Id 0, not to be fragmented.
        self.pair(0, 0x4000);
        // The checksum is made when it is sent.
        self.put([network.ttl, 6, 0, 0]);
        for address in [&network.source, &network.destination] {
            let [word, ..] = address.0;
            self.put(word.to_bytes());
        }
    }

    fn ipv6(&mut self, network: &Network, tcp_len: u16) {
        self.pair(0x6000, 0);
        let [high, low] = tcp_len.to_be_bytes();
        self.put([high, low, 6, network.ttl]);
        for address in [&network.source, &network.destination] {
            for word in address.0 {
                self.put(word.to_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{packet, packet::Segment};
    use options::flag;

    fn address(words: [u32; 4]) -> Address {
        Address(words.map(Be32::new))
    }

    fn header(flags: u8) -> Header {
        Header {
            source: 4000,
            destination: 80,
            seq: 100,
            ack: 200,
            flags: Flags(flags),
            window: 0x4000,
        }
    }

    /// What is built is read as what it was built from.
    #[test]
    fn built_is_read() {
        let families = [
            (
                Family::Ipv4,
                address([0x0a00_0102, 0, 0, 0]),
                address([0x0a00_0202, 0, 0, 0]),
                20,
            ),
            (
                Family::Ipv6,
                address([0xfd00_0001, 0, 0, 2]),
                address([0xfd00_0002, 0, 0, 2]),
                40,
            ),
        ];
        for (family, source, destination, len) in families {
            for present in 0..0x10 {
                let network = Network {
                    family,
                    source,
                    destination,
                    ttl: 64,
                };
                let options = Options {
                    present,
                    mss: 1460,
                    wscale: 5,
                    tsval: 1,
                    tsecr: 2,
                };
                let built = build(&network, &header(Flags::SYN), &options);
                let bytes = built.bytes();
                assert_eq!(built.network_len(), len);
                assert_eq!(ends(family, bytes), Some((source, destination)));
                assert_eq!(ends(family, &bytes[..len - 1]), None);
                let parsed = packet::parse(family, bytes, bytes.len() as u32).unwrap();
                assert_eq!(parsed.tuple.src.address, source);
                assert_eq!(parsed.tuple.dst.address, destination);
                assert_eq!(parsed.transport as usize, len);
                let Segment::Tcp(segment) = parsed.segment else {
                    panic!("not TCP")
                };
                assert_eq!((segment.seq, segment.ack, segment.payload), (100, 200, 0));
                let tcp: &[u8; 20] = bytes[len..].first_chunk().unwrap();
                assert_eq!(Header::read(tcp), header(Flags::SYN));
                let options_len = Header::options_len(tcp).unwrap();
                assert_eq!(len + 20 + options_len, bytes.len());
                let read = Options::read(&bytes[len + 20..]);
                assert_eq!(read.present, present);
                assert!(present & flag::TIMESTAMP == 0 || (read.tsval, read.tsecr) == (1, 2));
            }
        }
    }

    #[test]
    fn a_handshake() {
        let syn = header(Flags::SYN);
        let syn_ack = syn.client_syn_ack(5000, true);
        assert_eq!((syn_ack.source, syn_ack.destination), (80, 4000));
        assert_eq!((syn_ack.seq, syn_ack.ack, syn_ack.window), (5000, 101, 0));
        assert_eq!(syn_ack.flags.0, Flags::SYN | Flags::ACK | ECE);
        let ack = Header {
            seq: syn_ack.ack,
            ack: syn_ack.seq + 1,
            ..header(Flags::ACK)
        };
        let to_server = ack.server_syn(ack.seq, true);
        // The client's own SYN, with the cookie where nobody looks.
        assert_eq!((to_server.seq, to_server.ack), (syn.seq, 5000));
        assert_eq!((to_server.source, to_server.destination), (4000, 80));
        assert_eq!(to_server.flags.0, Flags::SYN | ECE | CWR);
        assert_eq!(to_server.window, ack.window);
        let answer = Header {
            source: 80,
            destination: 4000,
            seq: 9000,
            ack: 101,
            flags: Flags(Flags::SYN | Flags::ACK),
            window: 0x8000,
        };
        let server_ack = answer.server_ack(77);
        assert_eq!((server_ack.source, server_ack.destination), (4000, 80));
        assert_eq!(
            (server_ack.seq, server_ack.ack, server_ack.window),
            (101, 9001, 77)
        );
        let client_ack = answer.client_ack(7);
        assert_eq!((client_ack.source, client_ack.destination), (80, 4000));
        assert_eq!((client_ack.seq, client_ack.ack), (9001, 101));
        assert_eq!(client_ack.window, 0x8000 >> 7);
        assert_eq!(client_ack.flags.0, Flags::ACK);
        assert_eq!(answer.client_ack(200).window, 0);
    }

    #[test]
    fn lengths_that_cannot_be() {
        for words in 0..16u8 {
            let mut bytes = [0; 20];
            bytes[12] = words << 4;
            let len = Header::options_len(&bytes);
            assert_eq!(len, (usize::from(words) * 4).checked_sub(20));
        }
    }
}
