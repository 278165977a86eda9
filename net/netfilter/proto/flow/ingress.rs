// SPDX-License-Identifier: GPL-2.0

//! Reading a packet at a device's ingress: encapsulations, a tunnel, network and
//! transport header.
//!
//! Whatever is unusual is left to the stack ([`Stop::Pass`]): options, fragments,
//! a TTL that ends here, lengths that contradict each other.

mod plain;

pub use plain::plain;

use super::key::{Encap, Key, Parts, Tunnel, ENCAPS};
use crate::{
    be::{Be16, Be32},
    l4::number,
    tuple::{Address, Family},
};

/// `ETH_P_8021Q`
pub const VLAN: u16 = 0x8100;
/// `ETH_P_8021AD`
pub const QINQ: u16 = 0x88a8;
/// `ETH_P_PPP_SES`
pub const PPPOE: u16 = 0x8864;
/// `ETH_P_IP`
pub const IPV4: u16 = 0x0800;
/// `ETH_P_IPV6`
pub const IPV6: u16 = 0x86dd;
/// `PPP_IP`
pub const PPP_IPV4: u16 = 0x0021;
/// `PPP_IPV6`
pub const PPP_IPV6: u16 = 0x0057;
/// Bytes of a VLAN header behind the Ethernet type.
pub const VLAN_LEN: u32 = 4;
/// Bytes of a PPPoE header and the PPP protocol.
pub const PPPOE_LEN: u32 = 8;
/// `IPPROTO_IPIP`
pub const IPIP: u8 = 4;
/// `IPPROTO_IPV6`
pub const IP6IP6: u8 = 41;

/// What the device says of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Index of the device.
    pub device: i32,
    /// What the bytes begin with, `ETH_P_*` in host order.
    pub protocol: u16,
    /// The tag that the device has taken off.
    pub tag: Option<Encap>,
    /// It is several packets in one: lengths that do not fit are zero.
    pub several: bool,
}

/// Why a packet is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// It is for the stack.
    Pass,
    /// So many bytes must be at hand, and are in the packet.
    Pull(u32),
}

/// What of a TCP segment begins or ends a connection.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Control(u8);

impl Control {
    /// SYN.
    #[inline]
    pub const fn opens(self) -> bool {
        self.0 & 2 != 0
    }

    /// FIN or RST.
    #[inline]
    pub const fn closes(self) -> bool {
        self.0 & 5 != 0
    }
}

/// A packet that may be one of a flow.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// Its flow's key.
    pub key: Key,
    /// Bytes of VLAN or PPPoE header before the network header.
    pub encap: u32,
    /// Bytes of the tunnel's header; 0 if there is none.
    pub tunnel: u32,
    /// Where the transport header is.
    pub transport: u32,
    /// Where the part of the transport header ends that was read.
    pub headers: u32,
    /// Where the packet ends; padding follows.
    pub end: u32,
    /// What TCP has to say.
    pub control: Control,
}

impl Packet {
    /// Where the network header is that the flow is known by.
    #[inline]
    pub const fn network(&self) -> u32 {
        self.encap.saturating_add(self.tunnel)
    }
}

/// Bytes asked for where not even the first header is at hand.
const PULL: u32 = 96;

/// The bytes at hand of a packet.
#[derive(Clone, Copy)]
struct Bytes<'a> {
    bytes: &'a [u8],
    len: u32,
}

impl<'a> Bytes<'a> {
    #[inline(always)]
    fn at<const N: usize>(self, offset: u32) -> Result<&'a [u8; N], Stop> {
        let rest = self.bytes.get(offset as usize..);
        match rest.and_then(|rest| rest.first_chunk::<N>()) {
            Some(chunk) => Ok(chunk),
            None => Err(self.short(offset.saturating_add(N as u32))),
        }
    }

    #[cold]
    fn short(self, needed: u32) -> Stop {
        if needed > self.len || self.bytes.len() >= needed as usize {
            Stop::Pass
        } else {
            Stop::Pull(if PULL > needed && PULL <= self.len {
                PULL
            } else {
                needed
            })
        }
    }
}

/// A network header.
struct Network {
    source: Address,
    destination: Address,
    protocol: u8,
    /// Offset of what it carries.
    next: u32,
    /// Where the packet ends, by its own word.
    end: u32,
    /// The routers on the way were congested (RFC 3168 section 5).
    congested: bool,
}

impl Network {
    #[inline(always)]
    fn new(family: Family, bytes: Bytes<'_>, offset: u32, several: bool) -> Result<Self, Stop> {
        match family {
            Family::Ipv4 => Self::v4(bytes, offset, several),
            Family::Ipv6 => Self::v6(bytes, offset, several),
        }
    }

    #[inline(always)]
    fn v4(bytes: Bytes<'_>, offset: u32, several: bool) -> Result<Self, Stop> {
        let &[first, tos, l0, l1, _, _, f0, f1, ttl, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] =
            bytes.at::<20>(offset)?;
        // No options, no fragment, and it may go on.
        if first != 0x45 || u16::from_be_bytes([f0, f1]) & 0x3fff != 0 || ttl <= 1 {
            return Err(Stop::Pass);
        }
        let total = u32::from(u16::from_be_bytes([l0, l1]));
        Ok(Self {
            source: Address::v4(Be32::from_bytes([s0, s1, s2, s3])),
            destination: Address::v4(Be32::from_bytes([d0, d1, d2, d3])),
            protocol,
            next: offset.saturating_add(20),
            end: end(total, offset, bytes, several && total == 0)?,
            congested: tos & 3 == 3,
        })
    }

    #[inline(always)]
    fn v6(bytes: Bytes<'_>, offset: u32, several: bool) -> Result<Self, Stop> {
        let &[v0, v1, _, _, l0, l1, protocol, hops, rest @ ..] = bytes.at::<40>(offset)?;
        if v0 >> 4 != 6 || hops <= 1 {
            return Err(Stop::Pass);
        }
        let (source, destination) = rest.split_at(16);
        let payload = u32::from(u16::from_be_bytes([l0, l1]));
        Ok(Self {
            source: address(source),
            destination: address(destination),
            protocol,
            next: offset.saturating_add(40),
            end: end(
                payload.saturating_add(40),
                offset,
                bytes,
                several && payload == 0,
            )?,
            congested: (v1 >> 4) & 3 == 3,
        })
    }
}

#[inline(always)]
fn address(bytes: &[u8]) -> Address {
    match bytes {
        &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] => Address([
            Be32::from_bytes([a, b, c, d]),
            Be32::from_bytes([e, f, g, h]),
            Be32::from_bytes([i, j, k, l]),
            Be32::from_bytes([m, n, o, p]),
        ]),
        _ => Address::default(),
    }
}

/// Where a packet ends that begins at `offset` and says to have `total` bytes,
/// unless it has too many for that.
#[inline(always)]
fn end(total: u32, offset: u32, bytes: Bytes<'_>, unknown: bool) -> Result<u32, Stop> {
    if unknown {
        return Ok(bytes.len);
    }
    let end = offset.saturating_add(total);
    if end > bytes.len {
        return Err(Stop::Pass);
    }
    Ok(end)
}

/// The inner network layer's protocol of a PPPoE session's packet, the session,
/// and where the packet ends.
#[inline]
fn pppoe(bytes: Bytes<'_>, several: bool) -> Result<(u16, u16, u32), Stop> {
    let &[kind, code, s0, s1, l0, l1, p0, p1] = bytes.at::<8>(0)?;
    let payload = u32::from(u16::from_be_bytes([l0, l1]));
    let end = if several {
        bytes.len
    } else {
        payload.saturating_add(6)
    };
    // Version and type 1, session data (RFC 2516 section 4).
    if kind != 0x11 || code != 0 || end > bytes.len {
        return Err(Stop::Pass);
    }
    let protocol = match u16::from_be_bytes([p0, p1]) {
        PPP_IPV4 => IPV4,
        PPP_IPV6 => IPV6,
        _ => return Err(Stop::Pass),
    };
    Ok((protocol, u16::from_be_bytes([s0, s1]), end))
}

/// The network layer's protocol, `ETH_P_*`, of a packet that may be
/// encapsulated.
///
/// # Errors
///
/// As [`read`].
#[inline]
pub fn protocol(bytes: &[u8], len: u32, arrival: &Arrival) -> Result<u16, Stop> {
    let bytes = Bytes { bytes, len };
    match arrival.protocol {
        VLAN => {
            let &[_, _, p0, p1] = bytes.at::<4>(0)?;
            Ok(u16::from_be_bytes([p0, p1]))
        }
        PPPOE => Ok(pppoe(bytes, arrival.several)?.0),
        other => Ok(other),
    }
}

/// Reads a packet of `len` bytes, of which `bytes` are at hand, from behind the
/// Ethernet header on. Of another family's it is for the stack.
///
/// # Errors
///
/// [`Stop`]
#[inline(always)]
pub fn read(family: Family, bytes: &[u8], len: u32, arrival: &Arrival) -> Result<Packet, Stop> {
    let bytes = Bytes { bytes, len };
    let wanted = match family {
        Family::Ipv4 => IPV4,
        Family::Ipv6 => IPV6,
    };
    if arrival.protocol == wanted && arrival.tag.is_none() {
        return read_network(family, bytes, 0, [Encap::default(); ENCAPS], arrival);
    }
    read_encapsulated(family, wanted, bytes, arrival)
}

#[inline(never)]
fn read_encapsulated(
    family: Family,
    wanted: u16,
    bytes: Bytes<'_>,
    arrival: &Arrival,
) -> Result<Packet, Stop> {
    let none = Encap::default();
    let mut bytes = bytes;
    let inline = |id| Encap {
        id,
        protocol: Be16::new(arrival.protocol),
    };
    let (protocol, offset, encap) = match arrival.protocol {
        VLAN => {
            let &[t0, t1, p0, p1] = bytes.at::<4>(0)?;
            let tag = inline(u16::from_be_bytes([t0, t1]));
            (u16::from_be_bytes([p0, p1]), VLAN_LEN, tag)
        }
        PPPOE => {
            let (protocol, session, end) = pppoe(bytes, arrival.several)?;
            // What follows is padding.
            bytes.len = end;
            (protocol, PPPOE_LEN, inline(session))
        }
        other => (other, 0, none),
    };
    if protocol != wanted {
        return Err(Stop::Pass);
    }
    let encaps = match arrival.tag {
        Some(tag) => [tag, encap],
        None => [encap, none],
    };
    read_network(family, bytes, offset, encaps, arrival)
}

#[inline(always)]
fn read_network(
    family: Family,
    bytes: Bytes<'_>,
    encap: u32,
    encaps: [Encap; ENCAPS],
    arrival: &Arrival,
) -> Result<Packet, Stop> {
    let outer = Network::new(family, bytes, encap, arrival.several)?;
    let tunneled = match family {
        Family::Ipv4 => IPIP,
        Family::Ipv6 => IP6IP6,
    };
    if outer.protocol != tunneled {
        return read_transport(
            family,
            bytes,
            &outer,
            encap,
            0,
            encaps,
            Tunnel::default(),
            arrival,
        );
    }
    // What the outer header says of congestion is for the inner one (RFC 6040),
    // which the stack knows how to do.
    let inner = Network::new(family, bytes, outer.next, arrival.several)?;
    if outer.congested || inner.end != outer.end {
        return Err(Stop::Pass);
    }
    let tunnel = Tunnel {
        source: outer.source,
        destination: outer.destination,
        protocol: tunneled,
    };
    let header = outer.next.saturating_sub(encap);
    read_transport(
        family, bytes, &inner, encap, header, encaps, tunnel, arrival,
    )
}

#[inline(always)]
#[allow(clippy::too_many_arguments)] // Inlined: a struct would be built in vain.
fn read_transport(
    family: Family,
    bytes: Bytes<'_>,
    network: &Network,
    encap: u32,
    tunnel_len: u32,
    encaps: [Encap; ENCAPS],
    tunnel: Tunnel,
    arrival: &Arrival,
) -> Result<Packet, Stop> {
    let transport = network.next;
    let (ports, len, control) = match network.protocol {
        number::TCP => {
            let &[s0, s1, d0, d1, _, _, _, _, _, _, _, _, offset, flags, ..] =
                bytes.at::<20>(transport)?;
            if offset >> 4 < 5 {
                return Err(Stop::Pass);
            }
            let ports = [Be16::from_bytes([s0, s1]), Be16::from_bytes([d0, d1])];
            (ports, 20, Control(flags))
        }
        number::UDP => {
            let &[s0, s1, d0, d1, l0, l1, ..] = bytes.at::<8>(transport)?;
            let len = u32::from(u16::from_be_bytes([l0, l1]));
            // Connection tracking would not know such a datagram (RFC 768).
            if !arrival.several && (len < 8 || transport.saturating_add(len) > network.end) {
                return Err(Stop::Pass);
            }
            let ports = [Be16::from_bytes([s0, s1]), Be16::from_bytes([d0, d1])];
            (ports, 8, Control(0))
        }
        number::GRE => {
            let &[_, version, _, _] = bytes.at::<4>(transport)?;
            if version & 7 != 0 {
                return Err(Stop::Pass);
            }
            ([Be16::new(0); 2], 4, Control(0))
        }
        _ => return Err(Stop::Pass),
    };
    let headers = transport.saturating_add(len);
    if headers > network.end {
        return Err(Stop::Pass);
    }
    Ok(Packet {
        key: Key::new(&Parts {
            family,
            protocol: network.protocol,
            source: network.source,
            destination: network.destination,
            ports,
            device: arrival.device,
            encaps,
            tunnel,
        }),
        encap,
        tunnel: tunnel_len,
        transport,
        headers,
        end: network.end,
        control,
    })
}

#[cfg(test)]
mod tests;
