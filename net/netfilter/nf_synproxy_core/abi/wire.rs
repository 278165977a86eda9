// SPDX-License-Identifier: GPL-2.0

//! The stack's functions that are used (send.c): cookies, clock, output.

use netfilter::conntrack::{
    skb::{Carried, Packet, Window},
    Conn, Info, Net,
};
use nf_bindings as bindings;
use nf_proto::{
    synproxy::{
        options::Options,
        segment::{self, Header},
    },
    tuple::{Address, Family},
};

/// A time in milliseconds, for cookies.
pub fn clock() -> u32 {
    // SAFETY: Reads a clock.
    unsafe { bindings::rustynat_syn_clock() }
}

/// A packet has been dealt with: frees it.
pub fn consume(packet: Packet<'_>) {
    // SAFETY: The hook's packet is its own if it says NF_STOLEN; the value that
    // borrows it ends here.
    unsafe { bindings::consume_skb(packet.as_ptr()) };
}

/// A header at an alignment that C can live with.
#[repr(C, align(4))]
struct Aligned([u8; 20]);

/// Where an answer to a packet goes.
#[derive(Clone, Copy)]
pub enum Way {
    /// To where it came from.
    Back,
    /// To where it goes.
    On,
}

/// Which connection an answer carries.
pub enum Attach<'a> {
    /// None: tracking looks it up.
    Nothing,
    /// The packet's own, as a reply; none, untracked, if it is untracked.
    Packets,
    /// A template, from which a connection is made.
    Template(&'a Conn),
}

/// A TCP packet that is answered.
pub struct Wire<'p, 'a> {
    net: Net,
    family: Family,
    packet: &'p Packet<'a>,
    raw: Aligned,
    source: Address,
    destination: Address,
}

impl<'p, 'a> Wire<'p, 'a> {
    /// A packet in a hook, of this family, and the fixed part of its TCP header.
    pub fn new(
        net: Net,
        family: Family,
        packet: &'p Packet<'a>,
        header: &[u8; 20],
    ) -> Option<Self> {
        let mut window = Window::new();
        let bytes = packet.network_bytes(&mut window);
        let (source, destination) = segment::ends(family, bytes)?;
        Some(Wire {
            net,
            family,
            packet,
            raw: Aligned(*header),
            source,
            destination,
        })
    }

    /// Its header.
    pub fn header(&self) -> Header {
        Header::read(&self.raw.0)
    }

    fn is_ipv6(&self) -> bool {
        self.family == Family::Ipv6
    }

    fn tcphdr(&self) -> *const bindings::tcphdr {
        const { assert!(align_of::<bindings::tcphdr>() <= align_of::<Aligned>()) };
        (&raw const self.raw).cast()
    }

    /// The cookie for it, a SYN from a client that takes segments of `mss` bytes.
    pub fn cookie(&self, mss: u16) -> u32 {
        // SAFETY: The packet is valid with its network header, the header is
        // 20 bytes, aligned.
        unsafe {
            bindings::rustynat_syn_cookie(self.packet.as_ptr(), self.tcphdr(), self.is_ipv6(), mss)
        }
    }

    /// The MSS in the cookie that it acknowledges, if it is one.
    pub fn cookie_mss(&self) -> Option<u16> {
        // SAFETY: As in `cookie`.
        let mss = unsafe {
            bindings::rustynat_syn_cookie_check(self.packet.as_ptr(), self.tcphdr(), self.is_ipv6())
        };
        u16::try_from(mss).ok().filter(|mss| *mss != 0)
    }

    /// Sends a segment without data, if memory and routing allow.
    pub fn send(&self, way: Way, header: &Header, options: &Options, attach: Attach<'_>) {
        let (source, destination) = match way {
            Way::On => (self.source, self.destination),
            Way::Back => (self.destination, self.source),
        };
        let network = segment::Network {
            family: self.family,
            source,
            destination,
            // SAFETY: The namespace is that of the packet.
            ttl: unsafe { bindings::rustynat_syn_ttl(self.net.as_ptr(), self.is_ipv6()) },
        };
        let built = segment::build(&network, header, options);
        let (conn, info) = match attach {
            Attach::Nothing => (core::ptr::null_mut(), Info::ESTABLISHED),
            Attach::Template(template) => (template.as_ptr(), Info::NEW),
            Attach::Packets => match self.packet.carried() {
                Carried::Connection(conn, _) | Carried::Template(conn) => {
                    (conn.as_ptr(), Info::ESTABLISHED_REPLY)
                }
                Carried::Untracked => (core::ptr::null_mut(), Info::UNTRACKED),
                Carried::Nothing => (core::ptr::null_mut(), Info::ESTABLISHED),
            },
        };
        let bytes = built.bytes();
        // SAFETY: All are valid for the call, which takes its own reference to
        // the connection; the packet is routed.
        unsafe {
            bindings::rustynat_syn_send(
                self.net.as_ptr(),
                self.packet.as_ptr(),
                bytes.as_ptr(),
                bytes.len() as u32,
                built.network_len() as u32,
                conn,
                info.number(),
            );
        }
    }
}
