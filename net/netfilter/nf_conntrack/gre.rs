// SPDX-License-Identifier: GPL-2.0

//! PPTP's GRE: the source key of a tuple comes from the call's keymap.

use netfilter::conntrack::{gre, Conn, Net};
use nf_proto::{
    l4::number,
    packet::{Description, Segment},
};

pub use netfilter::conntrack::gre::source_key;

/// Completes the tuple of a PPTP packet. Under RCU.
#[inline]
pub fn complete(description: &mut Description, net: Net) {
    if let Segment::Gre(header) = description.segment {
        if header.is_pptp() {
            description.tuple.src.id = source_key(net, &description.tuple);
        }
    }
}

/// A tunnel is over: the keymap of the call that it belonged to goes with it.
pub fn forget(conn: &Conn) {
    if conn.protocol() != number::GRE {
        return;
    }
    if let Some(master) = conn.master() {
        if crate::helper::has_destroy(master) {
            gre::remove(master);
        }
    }
}
