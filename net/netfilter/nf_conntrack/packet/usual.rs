// SPDX-License-Identifier: GPL-2.0

//! The way of nearly every packet: of TCP, UDP or an echo, without options between its
//! headers, in the default zone. It is compiled for each family and protocol, and
//! holds what it knows of the packet in registers; whatever is not usual leaves it.

use super::{family_of, follow, info_of, make, track_any, Followed, Refused, ACCEPT, DROP};
use crate::{
    alloc, delete,
    proto::Subject,
    store::{hash, TABLE},
};
use netfilter::conntrack::{
    conn::now,
    log,
    skb::{Hook, Packet},
    stat::Counter,
    table::Met,
    ConnRef, Info, Status, Zone,
};
use nf_proto::{
    l4::Reason,
    packet::{self, Description},
    tuple::Direction,
};

/// A packet as nearly all are: straight on, as long as it is of a connection and
/// its protocol has nothing to say but that it goes on.
#[inline(never)]
pub(super) fn track_as<const FAMILY: bool, S: Subject>(
    mut packet: Packet<'_>,
    hook: Hook<'_>,
) -> u32 {
    let family = family_of::<FAMILY>();
    let plain = packet
        .linear_part()
        .and_then(|(bytes, len)| packet::plain::<S>(family, S::number(family), bytes, len));
    let Some(description) = plain else {
        return track_any(packet, hook, family);
    };
    if !S::checksum_ok(&description, &packet, hook) {
        return bad_checksum::<S>(&packet, hook, S::number(family));
    }
    let (net, now) = (hook.net(), now());
    let hash = hash(
        &description.tuple,
        net,
        Zone::DEFAULT.id(Direction::Original),
    );
    let met = TABLE.meet::<FAMILY>(hash, &description.tuple, net, now, delete::collect);
    let Some(met) = met else {
        return begin_plain(&mut packet, hook, &apart(&description), hash)
            .unwrap_or_else(|refused| refused.apply(&packet, hook));
    };
    let Met {
        conn,
        direction,
        status,
    } = met;
    if S::goes_on(
        &description,
        &conn,
        direction,
        status,
        net,
        packet.len(),
        now,
    ) {
        packet.attach(conn, info_of(status, direction));
        return ACCEPT;
    }
    follow_plain(
        &mut packet,
        hook,
        conn,
        direction,
        &apart(&description),
        hash,
    )
    .unwrap_or_else(|refused| refused.apply(&packet, hook))
}

/// Its checksum is wrong.
#[cold]
fn bad_checksum<S: Subject>(packet: &Packet<'_>, hook: Hook<'_>, protocol: u8) -> u32 {
    let reason = Reason::BadChecksum;
    if S::COUNTS_ERRORS {
        hook.net().count(Counter::Error);
        log::invalid(packet, hook, reason, protocol);
        return ACCEPT;
    }
    Refused { reason, protocol }.apply(packet, hook)
}

/// A copy in memory, for what is not compiled into the same function: so the
/// original can stay in registers.
#[inline(always)]
fn apart<S: Subject>(description: &Description<S>) -> Description<S> {
    *description
}

/// A packet about which the protocol has more to say.
#[inline(never)]
fn follow_plain<S: Subject>(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    conn: ConnRef,
    direction: Direction,
    description: &Description<S>,
    hash: u32,
) -> Result<u32, Refused> {
    let protocol = description.tuple.dst.protocol;
    match follow(packet, hook, conn, direction, description) {
        Followed::Done(verdict) => Ok(verdict),
        Followed::Invalid(reason) => Err(Refused { reason, protocol }),
        Followed::Reopen => begin_plain(packet, hook, description, hash),
    }
}

/// A packet in the default zone that is of no connection: it begins one.
#[inline(never)]
fn begin_plain<S: Subject>(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    description: &Description<S>,
    hash: u32,
) -> Result<u32, Refused> {
    let protocol = description.tuple.dst.protocol;
    let refuse = |reason| Refused { reason, protocol };
    let conn = match make(hook, Zone::DEFAULT, &description.tuple, None, hash) {
        Ok(Some(conn)) => conn,
        Ok(None) => return Err(refuse(Reason::Unexpected)),
        Err(alloc::NoRoom) => {
            hook.net().count(Counter::Drop);
            return Ok(DROP);
        }
    };
    // Unless it was expected.
    if conn.status() == Status::NONE && S::begins(description, &conn, packet.len(), now()) {
        packet.attach(conn, Info::NEW);
        return Ok(ACCEPT);
    }
    match follow(packet, hook, conn, Direction::Original, description) {
        Followed::Done(verdict) => Ok(verdict),
        Followed::Invalid(reason) => Err(refuse(reason)),
        // What has just begun is not over.
        Followed::Reopen => Err(refuse(Reason::Unexpected)),
    }
}
