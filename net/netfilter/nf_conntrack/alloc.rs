// SPDX-License-Identifier: GPL-2.0

//! Making a connection.

use crate::{
    early_drop,
    store::{CACHE, TABLE},
};
use core::sync::atomic::Ordering;
use netfilter::conntrack::{ext, log, settings, Conn, Fresh, Net, Zone};
use nf_bindings as bindings;
use nf_proto::tuple::{Direction, Tuple};

/// The namespace's table is full, or memory is short: the packet is dropped.
pub struct NoRoom;

/// A connection from `original` to `reply`, which nobody else can reach yet.
///
/// `hash` is that of `original`: if the table is full, something near it is
/// dropped early.
pub fn allocate(
    net: Net,
    zone: Zone,
    original: &Tuple,
    reply: &Tuple,
    gfp: bindings::gfp_t,
    hash: u32,
) -> Result<Fresh, NoRoom> {
    let connections = net.connections();
    // Counted first, so that CPUs cannot pass the limit together.
    let count = connections.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    let limit = settings::max();
    if count as u32 > limit && !early_drop::make_room(&TABLE, net, hash) {
        crate::gc::press();
        connections.fetch_sub(1, Ordering::Relaxed);
        log::table_full(net);
        return Err(NoRoom);
    }
    let fresh = CACHE
        .allocate(gfp, net, zone, original, reply)
        .ok_or_else(|| {
            connections.fetch_sub(1, Ordering::Relaxed);
            NoRoom
        })?;
    // Kept for confirmation; the reply tuple may yet be changed by NAT.
    fresh.conn().set_hash(Direction::Original, hash);
    Ok(fresh)
}

/// A connection made from SYNPROXY's template gets what SYNPROXY needs.
pub fn inherit_synproxy(conn: &Conn, template: &Conn) -> Result<(), NoRoom> {
    if template.ext::<bindings::nf_conn_synproxy>().is_some() {
        ext::add_ext::<bindings::nf_conn_seqadj>(conn).ok_or(NoRoom)?;
        ext::add_ext::<bindings::nf_conn_synproxy>(conn).ok_or(NoRoom)?;
    }
    Ok(())
}
