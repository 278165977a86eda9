// SPDX-License-Identifier: GPL-2.0

//! Making a connection.

use crate::{
    early_drop,
    store::{CACHE, TABLE},
};
use core::sync::atomic::{AtomicI32, Ordering};
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
    allocate_counted(net.connections(), net, zone, (original, reply), gfp, hash)
}

/// [`allocate`] for who has the namespace's number of connections at hand.
#[inline(always)]
pub fn allocate_counted(
    connections: &AtomicI32,
    net: Net,
    zone: Zone,
    (original, reply): (&Tuple, &Tuple),
    gfp: bindings::gfp_t,
    hash: u32,
) -> Result<Fresh, NoRoom> {
    // Counted first, so that CPUs cannot pass the limit together.
    let count = connections.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    let limit = settings::max();
    if count as u32 > limit && !make_room(connections, net, hash) {
        return Err(NoRoom);
    }
    let Some(fresh) = CACHE.allocate(gfp, net, zone, original, reply) else {
        connections.fetch_sub(1, Ordering::Relaxed);
        return Err(NoRoom);
    };
    // Kept for confirmation; the reply tuple may yet be changed by NAT.
    fresh.conn().set_hash(Direction::Original, hash);
    Ok(fresh)
}

/// Makes room in a full table; if that fails, the connection does not count.
#[cold]
fn make_room(connections: &AtomicI32, net: Net, hash: u32) -> bool {
    if early_drop::make_room(&TABLE, net, hash) {
        return true;
    }
    crate::gc::press();
    connections.fetch_sub(1, Ordering::Relaxed);
    log::table_full(net);
    false
}

/// A connection made from SYNPROXY's template gets what SYNPROXY needs.
pub fn inherit_synproxy(conn: &Conn, template: &Conn) -> Result<(), NoRoom> {
    if template.ext::<bindings::nf_conn_synproxy>().is_some() {
        ext::add_ext::<bindings::nf_conn_seqadj>(conn).ok_or(NoRoom)?;
        ext::add_ext::<bindings::nf_conn_synproxy>(conn).ok_or(NoRoom)?;
    }
    Ok(())
}
