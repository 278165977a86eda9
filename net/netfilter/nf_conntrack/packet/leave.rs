// SPDX-License-Identifier: GPL-2.0

//! Where a packet goes out or to a socket: helpers, sequence adjustment,
//! confirmation.

use super::{ACCEPT, DROP};
use crate::{
    abi::core::confirm_and_deliver,
    confirm::{self, Confirmed},
    helper, seqadj,
};
use netfilter::conntrack::{
    skb::{Carried, Hook, Packet},
    stat::Counter,
    Conn, Info, Status,
};
use nf_bindings as bindings;
use nf_proto::{packet, tuple::Family};

/// The packet goes out or to a socket: its helper reads it, its sequence
/// numbers are adjusted, its connection is confirmed. Returns an `NF_*`
/// verdict. Under RCU.
#[inline]
pub fn leave(mut packet: Packet<'_>, hook: Hook<'_>) -> u32 {
    let Some((conn, info)) = packet.refers_to() else {
        return ACCEPT;
    };
    // Most packets belong to a connection that is in the table and wants
    // nothing else of them.
    let status = conn.status();
    if status.0 & (Status::CONFIRMED | Status::SEQ_ADJUST).0 == Status::CONFIRMED.0
        && conn.extensions().is_none_or(|all| {
            all.has::<bindings::nf_conn_help>() | all.has::<bindings::nf_conntrack_ecache>() == 0
        })
    {
        return ACCEPT;
    }
    if confirm::is_untouched(status) && info == Info::NEW {
        return leave_first(packet, hook, conn);
    }
    leave_with(&mut packet, hook, conn, info)
}

/// The first packet of a connection, of which nothing is known but that.
#[inline(never)]
fn leave_first(mut packet: Packet<'_>, hook: Hook<'_>, conn: &Conn) -> u32 {
    if !conn.has_extensions() && !hook.is_vrf_output() && confirm::confirm_usual(conn) {
        return ACCEPT;
    }
    leave_with(&mut packet, hook, conn, Info::NEW)
}

#[inline(never)]
fn leave_with(packet: &mut Packet<'_>, hook: Hook<'_>, conn: &Conn, info: Info) -> u32 {
    let status = conn.status();
    // From a VRF it will come out of the real device once more.
    if status.has(Status::TEMPLATE) || hook.is_vrf_output() {
        return ACCEPT;
    }
    if !conn.has_extensions() && !status.any(Status::CONFIRMED | Status::SEQ_ADJUST) {
        return match confirm::confirm(conn, info) {
            Confirmed::Yes => ACCEPT,
            Confirmed::Merged(winner) => {
                packet.replace(winner, info);
                confirm_and_deliver(packet)
            }
            Confirmed::No => DROP,
        };
    }
    let adjusted = status.has(Status::SEQ_ADJUST) && !packet.is_loopback();
    let help = helper::has_extension(conn);
    // Errors about the connection are not what helpers read.
    if (help || adjusted) && info != Info::RELATED_REPLY {
        // Its own reference, as the packet is changed below.
        let conn = conn.get();
        if let Some(transport) = transport_of(packet, &conn) {
            if help {
                let verdict = helper::call(packet, &conn, info, transport);
                if verdict != ACCEPT {
                    return verdict;
                }
            }
            if adjusted && !seqadj::adjust(packet, &conn, info, transport) {
                conn.net().count(Counter::Drop);
                return DROP;
            }
        }
    }
    confirm_and_deliver(packet)
}

/// Offset of the transport header from the packet's data, of a packet of the
/// connection.
fn transport_of(packet: &Packet<'_>, conn: &Conn) -> Option<u32> {
    let family = Family::from_number(conn.l3num())?;
    let len = packet.network_len();
    let network = packet
        .with_network_bytes(|bytes| packet::network(family, bytes, len))
        .ok()?;
    Some(packet.network_offset().wrapping_add(network.transport))
}

/// What follows when user space gives a queued packet back: the helper in user
/// space has seen it (`nf_ct_hook->update`).
pub fn update(packet: &mut Packet<'_>) -> u32 {
    let Carried::Connection(conn, info) = packet.carried() else {
        return ACCEPT;
    };
    if !helper::in_user_space(conn) {
        return ACCEPT;
    }
    let conn = conn.get();
    if conn.status().has(Status::SEQ_ADJUST) && !packet.is_loopback() {
        let Some(transport) = transport_of(packet, &conn) else {
            return ACCEPT;
        };
        if !seqadj::adjust(packet, &conn, info, transport) {
            conn.net().count(Counter::Drop);
            return DROP;
        }
    }
    confirm_and_deliver(packet)
}
