// SPDX-License-Identifier: GPL-2.0

//! PPTP's GRE: the source key of a tuple comes from the call's keymap.

use netfilter::conntrack::{gre, state, Conn, Net};
use nf_proto::{
    l4::{self, number},
    packet::{Description, Segment},
    tuple::Direction,
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

/// A PPTP call is over: its tunnels, or the expectations of them, go too.
pub fn end_call(control: &Conn) {
    let Some((pns, pac)) = gre::call_ids(control) else {
        return;
    };
    gre::remove(control);
    let net = control.net();
    let zone = control.zone();
    for (direction, src, dst) in [
        (Direction::Original, pns, pac),
        (Direction::Reply, pac, pns),
    ] {
        let mut tuple = *control.tuple(direction);
        tuple.dst.protocol = number::GRE;
        tuple.src.id = src;
        tuple.dst.id = dst;
        let found = {
            let _rcu = kernel::sync::rcu::read_lock();
            crate::packet::find(net, zone, &tuple)
        };
        if let Some((sibling, _)) = found {
            let mut locked = sibling.lock();
            let gre: &mut l4::gre::State = state::of(&mut locked);
            (gre.timeout, gre.stream_timeout) = (0, 0);
            drop(locked);
            crate::delete::kill(&sibling);
        } else if let Some(exp) = crate::expect::find(net, zone, &tuple) {
            crate::expect::withdraw(&exp);
        }
    }
}
