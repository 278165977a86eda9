// SPDX-License-Identifier: GPL-2.0

//! PPTP's GRE: the source key of a tuple comes from the call's keymap.

use netfilter::conntrack::{gre, helper::Help, state, Conn, Net};
use nf_proto::{
    alg::pptp::{self, Control, Ids},
    l4::{self, number},
    packet::{Description, Segment},
    tuple::{Direction, Tuple},
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
            gre::remove_of(master, conn);
        }
    }
}

/// A PPTP call is over: its tunnels, or the expectations of them, go too.
pub fn end_call(control: &Conn) {
    let Some(help) = Help::of(control) else {
        return;
    };
    gre::remove(control);
    let ids = help.remember(control, |kept: &mut Control| kept.ids());
    let tuples = [Direction::Original, Direction::Reply].map(|of| control.tuple(of));
    let [pns, pac] = pptp::tunnel(tuples, ids);
    end(control, &pns);
    end(control, &pac);
    // The stock helper keeps only the id that the PAC knows.
    let [pns, _] = pptp::tunnel(
        tuples,
        Ids {
            pns: ids.pns_outside,
            ..ids
        },
    );
    end(control, &pns);
}

/// Ends what `control` has brought about in one direction: the tunnel, or the
/// expectation of it.
fn end(control: &Conn, tuple: &Tuple) {
    let net = control.net();
    let zone = control.zone();
    let is_own = |master: &Conn| core::ptr::eq(master.as_ptr(), control.as_ptr());
    let found = {
        let _rcu = kernel::sync::rcu::read_lock();
        crate::packet::find(net, zone, tuple)
    };
    if let Some((tunnel, _)) = found {
        if !tunnel.master().is_some_and(is_own) {
            return;
        }
        let mut locked = tunnel.lock();
        let gre: &mut l4::gre::State = state::of(&mut locked);
        (gre.timeout, gre.stream_timeout) = (0, 0);
        drop(locked);
        crate::delete::kill(&tunnel);
    } else if let Some(exp) = crate::expect::find(net, zone, tuple) {
        if is_own(exp.master()) {
            crate::expect::withdraw(&exp);
        }
    }
}

/// Adds the keymap of a call: the tuples of its two directions.
///
/// # Errors
///
/// There is no memory, the call has other keys already, or `control` is over.
pub fn begin_call(control: &Conn, tuples: &[Tuple; 2]) -> Result<(), gre::NotAdded> {
    let [original, reply] = tuples;
    gre::add(control, original, reply)
}
