// SPDX-License-Identifier: GPL-2.0

//! Connections that BPF programs look up and make (`bpf_ct_*`).
//!
//! A program at XDP or TC says which one by options and a tuple. What it makes is
//! its own until it inserts it, which the verifier sees to; it has no extensions,
//! and nobody is told of it, as in stock.

use crate::{alloc, confirm, packet, store};
use netfilter::conntrack::{
    attributes::Draft, conn::now, net::NetRef, ConnRef, Fresh, Net, Status, Zone, HZ,
};
use nf_bindings as bindings;
use nf_proto::{
    bpf::{Options, Refused},
    tuple::{Direction, Tuple},
};

/// How long a connection lives whose program does not say, seconds.
const LIFETIME: u32 = 10;

/// Calls `act` with the namespace that a program means, which does not end
/// meanwhile.
fn in_namespace<R>(
    packet: Net,
    number: Option<i32>,
    act: impl FnOnce(Net) -> Result<R, Refused>,
) -> Result<R, Refused> {
    match number {
        None => act(packet),
        Some(number) => {
            let held = NetRef::by_number(packet, number).ok_or(Refused::Namespace)?;
            act(held.net())
        }
    }
}

fn zone(options: &Options) -> Zone {
    let (id, directions) = options.zone();
    Zone::new(id, directions)
}

/// The connection that has a tuple, and the tuple's direction in it. `tuple` is
/// made of the options when they are found to be right. `net` is the packet's
/// namespace. Under RCU.
///
/// # Errors
///
/// [`Refused::Absent`], and what the options and the tuple may be refused for.
pub fn lookup(
    net: Net,
    options: &Options,
    tuple: impl FnOnce() -> Result<Tuple, Refused>,
) -> Result<(ConnRef, Direction), Refused> {
    options.protocol()?;
    let number = options.namespace()?;
    let tuple = tuple()?;
    in_namespace(net, number, |net| {
        packet::find(net, zone(options), &tuple).ok_or(Refused::Absent)
    })
}

/// A new connection of a tuple, whose answers are not translated yet. As
/// [`lookup`].
///
/// # Errors
///
/// [`Refused::NoRoom`], and what the options and the tuple may be refused for.
pub fn allocate(
    net: Net,
    options: &Options,
    tuple: impl FnOnce() -> Result<Tuple, Refused>,
) -> Result<Fresh, Refused> {
    let number = options.namespace()?;
    let original = tuple()?;
    let reply = original.invert().ok_or(Refused::Protocol)?;
    in_namespace(net, number, |net| {
        let zone = zone(options);
        let hash = store::hash_of(&original, net, zone, Direction::Original);
        let gfp = bindings::GFP_ATOMIC;
        let fresh = alloc::allocate(net, zone, &original, &reply, gfp, hash)
            .map_err(|_| Refused::NoRoom)?;
        fresh.conn().set_timeout(HZ.wrapping_mul(LIFETIME));
        Ok(fresh)
    })
}

/// Puts a new connection into the table, and its lifetime begins. Nothing, and it
/// is freed, if there is one of its tuples, or no room. Under RCU.
pub fn insert(fresh: Fresh) -> Option<ConnRef> {
    let draft = Draft::new(fresh);
    let conn = draft.conn();
    conn.set_timeout(now().wrapping_add(conn.timeout()));
    conn.set_status(Status::CONFIRMED);
    draft.insert(confirm::insert).ok()
}
