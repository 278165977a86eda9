// SPDX-License-Identifier: GPL-2.0

//! Connection tracking on bridge ports: the drop-in for the stock
//! `nf_conntrack_bridge.ko`.
//!
//! Packets are tracked as they come into the bridge ([`enter`]), and confirmed as
//! they leave by a port ([`leave`]). Fragments are put together for tracking, and
//! leave as they came. nf_conntrack registers the hooks while somebody wants
//! bridged packets tracked.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::conntrack::{
    skb::{Carried, Window},
    Zone,
};
use nf_bindings as bindings;
use nf_conntrack::packet;
use nf_proto::{
    frame::claimed_len,
    tuple::{Direction, Family},
};

pub mod abi;

use abi::{Frame, Gathered, State};

module! {
    type: Bridge,
    name: "nf_conntrack_bridge",
    authors: ["rustynat"],
    description: "Bridge IPv4 and IPv6 connection tracking",
    license: "GPL",
    alias: ["nf_conntrack-7"],
}

/// The loaded module.
struct Bridge {
    _registration: abi::Registration,
}

impl kernel::Module for Bridge {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _registration: abi::Registration::new(),
        })
    }
}

const ACCEPT: u32 = bindings::NF_ACCEPT;
const DROP: u32 = bindings::NF_DROP;
const STOLEN: u32 = bindings::NF_STOLEN;

/// A packet comes into the bridge. Returns an `NF_*` verdict.
pub fn enter(mut frame: Frame<'_>, state: State<'_>) -> u32 {
    let zone = match frame.packet().carried() {
        Carried::Connection(..) | Carried::Untracked => return ACCEPT,
        Carried::Template(template) => template.zone(),
        Carried::Nothing => Zone::DEFAULT,
    };
    let zone = zone.id(Direction::Original);
    let Some(family) = frame.family() else {
        frame.reset();
        frame.packet_mut().set_untracked();
        return ACCEPT;
    };
    // What is no packet of its kind is left as it is, and is INVALID.
    let Some(len) = frame
        .pull_header(family)
        .then(|| len(&frame, family))
        .flatten()
    else {
        return ACCEPT;
    };
    if !frame.trim(len) {
        return ACCEPT;
    }
    if family == Family::Ipv6 || frame.packet().is_ipv4_fragment() {
        match frame.gather(state, family, zone) {
            Gathered::Whole => {}
            Gathered::Kept => return STOLEN,
            Gathered::Broken => return DROP,
        }
    }
    state.of_family(family, |hook| packet::track(frame.into_packet(), hook))
}

/// How long the packet is by its header, without what the link has added, from the
/// packet's data on; nothing if that cannot be.
fn len(frame: &Frame<'_>, family: Family) -> Option<u32> {
    let mut window = Window::new();
    let packet = frame.packet();
    let bytes = packet.network_bytes(&mut window);
    let len = claimed_len(family, bytes, packet.network_len(), frame.is_gso())?;
    packet.network_offset().checked_add(len)
}

/// A packet goes up to the host.
pub fn arrive(mut frame: Frame<'_>) -> u32 {
    if frame.is_promiscuous() {
        // It is not the host's: what the bridge tracks is its copy for the port.
        frame.reset();
    } else if !frame.is_for_host() {
        // A copy of what is flooded to ports as well. A connection that is not
        // confirmed belongs to one packet: the host's copy gets one of its own.
        let unconfirmed = match frame.packet().carried() {
            Carried::Connection(conn, _) => !conn.is_confirmed(),
            _ => false,
        };
        if unconfirmed {
            drop(frame.packet_mut().detach());
        }
    }
    ACCEPT
}

/// A packet leaves by a port.
pub fn leave(frame: Frame<'_>, state: State<'_>) -> u32 {
    let reassembled = frame.is_reassembled();
    let verdict = packet::leave(frame.packet_again(), state.hook());
    if verdict != ACCEPT || !reassembled || frame.family().is_none() {
        return verdict;
    }
    frame.refragment(state);
    STOLEN
}
