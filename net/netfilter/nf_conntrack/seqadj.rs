// SPDX-License-Identifier: GPL-2.0

//! Sequence adjustment: what helpers, SYNPROXY and user space have told to
//! shift, and shifting it in packets.

use netfilter::conntrack::{seqadj as raw, skb::Packet, Conn, Info, Status};
use nf_proto::{l4::number, seqadj::SeqAdj};

pub use netfilter::conntrack::seqadj::offset;

/// Shifts the whole direction of a packet by `offset`, as SYNPROXY does.
pub fn init(conn: &Conn, info: Info, offset: i32) {
    // No shift has to be set only where there was another before.
    if offset == 0 && !conn.status().has(Status::SEQ_ADJUST) {
        return;
    }
    let set = raw::with(conn, |both| {
        *info.direction().of_mut(both) = SeqAdj::whole(offset)
    });
    if set.is_some() {
        raw::mark(conn);
    }
}

/// The payload of the segment at `seq` (host byte order) has grown by `by`
/// bytes, in the direction of a packet.
pub fn set(conn: &Conn, info: Info, seq: u32, by: i32) {
    if by == 0 {
        return;
    }
    let set = raw::with(conn, |both| info.direction().of_mut(both).set(seq, by));
    if set.is_some() {
        raw::mark(conn);
    }
}

/// [`set`] for a packet as it is, before its payload is changed.
pub fn set_tcp(packet: &Packet<'_>, conn: &Conn, info: Info, by: i32) {
    if conn.protocol() != number::TCP {
        return;
    }
    if let Some(seq) = raw::sequence_number(packet, conn.l3num() as u8) {
        set(conn, info, seq, by);
    }
}

/// Adjusts a TCP packet's header at `protoff`. False: it must be dropped.
///
/// Pointers into the packet are invalid afterwards.
pub fn adjust(packet: &mut Packet<'_>, conn: &Conn, info: Info, protoff: u32) -> bool {
    let direction = info.direction();
    let Some(both) = raw::with(conn, |both| *both) else {
        return false;
    };
    let (this, other) = (direction.of(&both), direction.opposite().of(&both));
    raw::adjust(packet, protoff, this, other).is_ok()
}
