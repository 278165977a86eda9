// SPDX-License-Identifier: GPL-2.0

//! Packets: read once, from the network header on, into a [`Description`].
//!
//! A view is made from the bytes at hand, which may be fewer than the packet
//! has, and the packet's length; what it has checked cannot be wrong later.
//! What is not at hand is never taken for what is not there: it is
//! [`Reason::Truncated`], and a caller that has fewer bytes at hand than the
//! packet has may try again with more.

use crate::{
    be::Be16,
    l4::{self, number, Reason},
    tuple::{Destination, Family, Source, Tuple},
};

pub mod gre;
pub mod icmp;
pub mod ipv4;
pub mod ipv6;
pub mod sctp;
pub mod tcp;
pub mod udp;

/// What connection tracking knows of a packet; of any protocol, or of one.
#[derive(Clone, Copy, Debug)]
pub struct Description<S = Segment> {
    /// Where it goes; the source key of GRE is not known to the packet.
    pub tuple: Tuple,
    /// Offset of the transport header from the network header, bytes.
    pub transport: u32,
    /// What its protocol reads of it.
    pub segment: S,
}

/// What a protocol reads of a packet.
#[derive(Clone, Copy, Debug)]
pub enum Segment {
    /// TCP.
    Tcp(tcp::Segment),
    /// UDP.
    Udp(udp::Datagram),
    /// ICMP or ICMPv6, by the family.
    Icmp(icmp::Message),
    /// SCTP.
    Sctp(l4::sctp::Segment),
    /// GRE.
    Gre(gre::Header),
    /// Any other protocol: nothing of it is read.
    Other,
}

/// What a protocol reads of a packet's transport header.
pub trait Transport: Sized {
    /// Reads it from `bytes`, which is what is at hand of `len` bytes, and puts
    /// ports or ids into the tuple.
    ///
    /// # Errors
    ///
    /// Why the packet is INVALID.
    fn read(family: Family, tuple: &mut Tuple, bytes: &[u8], len: u32) -> Result<Self, Reason>;
}

impl Transport for tcp::Segment {
    #[inline(always)]
    fn read(_: Family, tuple: &mut Tuple, bytes: &[u8], len: u32) -> Result<Self, Reason> {
        let (ports, segment) = Self::new(bytes, len)?;
        ports.set(tuple);
        Ok(segment)
    }
}

impl Transport for udp::Datagram {
    #[inline(always)]
    fn read(_: Family, tuple: &mut Tuple, bytes: &[u8], len: u32) -> Result<Self, Reason> {
        let (ports, datagram) = Self::new(bytes, len)?;
        ports.set(tuple);
        Ok(datagram)
    }
}

impl Transport for icmp::Echo {
    #[inline(always)]
    fn read(family: Family, tuple: &mut Tuple, bytes: &[u8], _: u32) -> Result<Self, Reason> {
        Self::read(family, tuple, bytes)
    }
}

/// By the tuple's protocol number.
impl Transport for Segment {
    fn read(family: Family, tuple: &mut Tuple, bytes: &[u8], len: u32) -> Result<Self, Reason> {
        Ok(match tuple.dst.protocol {
            number::TCP => Segment::Tcp(Transport::read(family, tuple, bytes, len)?),
            number::UDP => Segment::Udp(Transport::read(family, tuple, bytes, len)?),
            number::ICMP | number::ICMPV6 if icmp::belongs(tuple.dst.protocol, family) => {
                let message = icmp::Message::new(bytes)?;
                message.set(tuple);
                Segment::Icmp(message)
            }
            // The other family's: nothing answers it.
            number::ICMP | number::ICMPV6 => return Err(Reason::IcmpUnexpected),
            number::SCTP => {
                let packet = sctp::Segment::new(bytes, len)?;
                if !packet.chunks.are_at_hand() {
                    return Err(Reason::Truncated);
                }
                Ports([packet.source_port, packet.dest_port]).set(tuple);
                Segment::Sctp(l4::sctp::Segment::new(&packet)?)
            }
            number::GRE => {
                let header = gre::Header::new(bytes, len)?;
                tuple.dst.id = header.call_id();
                Segment::Gre(header)
            }
            _ => Segment::Other,
        })
    }
}

/// The network layer's part of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// Source and destination, without ids.
    pub tuple: Tuple,
    /// Offset of what it carries, bytes.
    pub transport: u32,
}

/// Reads the network header of a packet of `len` bytes.
///
/// # Errors
///
/// As [`ipv4::Header::new`] and [`ipv6::Header::new`].
#[inline(always)]
pub fn network(family: Family, bytes: &[u8], len: u32) -> Result<Network, Reason> {
    match family {
        Family::Ipv4 => {
            let header = ipv4::Header::new(bytes, len)?;
            Ok(Network {
                tuple: Tuple {
                    src: Source {
                        address: header.source,
                        id: Be16::new(0),
                        l3num: family.number(),
                    },
                    dst: Destination {
                        address: header.destination,
                        id: Be16::new(0),
                        protocol: header.protocol,
                        direction: 0,
                    },
                },
                transport: header.len,
            })
        }
        Family::Ipv6 => {
            let header = ipv6::Header::new(bytes, len)?;
            Ok(Network {
                tuple: Tuple {
                    src: Source {
                        address: header.source,
                        id: Be16::new(0),
                        l3num: family.number(),
                    },
                    dst: Destination {
                        address: header.destination,
                        id: Be16::new(0),
                        protocol: header.protocol,
                        direction: 0,
                    },
                },
                transport: header.len,
            })
        }
    }
}

/// Reads a packet of `len` bytes, of which `bytes` are at hand, as nearly all
/// are: nothing between its network header and that of the protocol of `S`, whose
/// number is `protocol`, so that everything is where it always is. Nothing of any
/// other packet, or of one that is INVALID: that is for [`network`] to say.
#[inline(always)]
pub fn plain<S: Transport>(
    family: Family,
    protocol: u8,
    bytes: &[u8],
    len: u32,
) -> Option<Description<S>> {
    let ((source, destination), transport, rest) = match family {
        Family::Ipv4 => {
            let (header, rest) = bytes.split_first_chunk::<20>()?;
            (ipv4::plain(header, protocol)?, 20, rest)
        }
        Family::Ipv6 => {
            let (header, rest) = bytes.split_first_chunk::<40>()?;
            (ipv6::plain(header, protocol)?, 40, rest)
        }
    };
    let mut tuple = Tuple {
        src: Source {
            address: source,
            id: Be16::new(0),
            l3num: family.number(),
        },
        dst: Destination {
            address: destination,
            id: Be16::new(0),
            protocol,
            direction: 0,
        },
    };
    let segment = S::read(family, &mut tuple, rest, len.wrapping_sub(transport)).ok()?;
    Some(Description {
        tuple,
        transport,
        segment,
    })
}

impl Network {
    /// Reads on: what a protocol reads of the packet, of `len` bytes of which
    /// `bytes` are at hand. `S` must be that protocol's, or [`Segment`].
    ///
    /// # Errors
    ///
    /// As [`Transport::read`].
    #[inline(always)]
    pub fn describe<S: Transport>(
        self,
        family: Family,
        bytes: &[u8],
        len: u32,
    ) -> Result<Description<S>, Reason> {
        let Self {
            mut tuple,
            transport,
        } = self;
        let rest = within(bytes, len).get(transport as usize..).unwrap_or(&[]);
        let segment = S::read(family, &mut tuple, rest, len.saturating_sub(transport))?;
        Ok(Description {
            tuple,
            transport,
            segment,
        })
    }
}

/// Reads a packet of `len` bytes, of which `bytes` are at hand.
///
/// # Errors
///
/// Why the packet is INVALID, whatever connection it might belong to. A later
/// fragment is: packets are put together before they are tracked.
#[inline]
pub fn parse(family: Family, bytes: &[u8], len: u32) -> Result<Description, Reason> {
    network(family, within(bytes, len), len)?.describe(family, bytes, len)
}

/// The tuple of a packet of which there may be little more than the network
/// header, as of one that an ICMP error quotes: only ports or ids are read. And
/// whether it is one of PPTP's GRE, whose source key must be looked up.
///
/// # Errors
///
/// [`Reason::Truncated`] if the quoted bytes do not reach so far, else as
/// [`network`].
pub fn parse_quoted(family: Family, bytes: &[u8], len: u32) -> Result<(Tuple, bool), Reason> {
    let bytes = within(bytes, len);
    let mut pptp = false;
    let Network {
        mut tuple,
        transport,
    } = network(family, bytes, len)?;
    let rest = bytes.get(transport as usize..).unwrap_or(&[]);
    match tuple.dst.protocol {
        number::TCP | number::UDP | number::SCTP => Ports::new(rest)?.set(&mut tuple),
        number::ICMP | number::ICMPV6 if icmp::belongs(tuple.dst.protocol, family) => {
            icmp::Message::new(rest)?.set(&mut tuple);
        }
        number::ICMP | number::ICMPV6 => return Err(Reason::IcmpUnexpected),
        number::GRE => {
            let header = gre::Header::new(rest, len.saturating_sub(transport))?;
            tuple.dst.id = header.call_id();
            pptp = header.is_pptp();
        }
        _ => {}
    }
    Ok((tuple, pptp))
}

/// Of the bytes at hand, those of the packet.
#[inline]
fn within(bytes: &[u8], len: u32) -> &[u8] {
    bytes.get(..len as usize).unwrap_or(bytes)
}

/// Source and destination port, the first four bytes of TCP, UDP and SCTP.
#[derive(Clone, Copy, Debug)]
pub struct Ports(pub [Be16; 2]);

impl Ports {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// [`Reason::Truncated`] if they are cut off.
    #[inline]
    pub fn new(bytes: &[u8]) -> Result<Self, Reason> {
        let &[a, b, c, d] = bytes.first_chunk::<4>().ok_or(Reason::Truncated)?;
        Ok(Self([Be16::from_bytes([a, b]), Be16::from_bytes([c, d])]))
    }

    /// Puts them into a tuple.
    #[inline]
    pub fn set(self, tuple: &mut Tuple) {
        let Self([source, destination]) = self;
        tuple.src.id = source;
        tuple.dst.id = destination;
    }
}
