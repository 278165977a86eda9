// SPDX-License-Identifier: GPL-2.0

//! A packet's way through the NAT hooks.
//!
//! Most packets belong to a connection that is settled, and few of those to one
//! that is translated: for the rest a look at the status is all. The first packet
//! of a connection is shown to the nat chains, at PREROUTING or OUTPUT for the
//! destination, at INPUT or POSTROUTING for the source.

use crate::{
    abi::register::Chains,
    setup::{done, is_initialized, masquerade_index, null_binding},
    translate::{self, applies, Translated},
};
use kernel::error::{Error, Result};
use netfilter::conntrack::{
    account, nat,
    skb::{Carried, Hook, Packet},
    Conn, Info,
};
use nf_bindings as bindings;
use nf_conntrack::delete;
use nf_proto::{
    l4::number,
    nat::Manip,
    tuple::{Direction, Family},
};

const ACCEPT: u32 = bindings::NF_ACCEPT;
const DROP: u32 = bindings::NF_DROP;

/// The side that is changed at a hook (`HOOK2MANIP`).
#[inline]
pub const fn manip_at(hook: u32) -> Manip {
    match hook {
        bindings::nf_inet_hooks_NF_INET_POST_ROUTING | bindings::nf_inet_hooks_NF_INET_LOCAL_IN => {
            Manip::Source
        }
        _ => Manip::Destination,
    }
}

/// What became of a packet at a hook, and its connection.
struct Passed<'a> {
    verdict: u32,
    conn: Option<(&'a Conn, Info)>,
    translated: Translated,
}

impl<'a> Passed<'a> {
    #[inline]
    const fn untouched() -> Self {
        Passed {
            verdict: ACCEPT,
            conn: None,
            translated: Translated::Untouched,
        }
    }

    #[inline]
    const fn stopped(verdict: u32) -> Self {
        Passed {
            verdict,
            conn: None,
            translated: Translated::Failed,
        }
    }

    #[inline]
    fn went(conn: &'a Conn, info: Info, translated: Translated) -> Self {
        Passed {
            verdict: translated.verdict(),
            conn: Some((conn, info)),
            translated,
        }
    }
}

/// Before routing: another destination is another route. A packet of this host
/// that comes in by the loopback device has its route, and was changed already.
#[inline]
pub fn pre_routing(
    mut packet: Packet<'_>,
    hook: Hook<'_>,
    chains: Chains<'_>,
    family: Family,
) -> u32 {
    let passed = pass(&mut packet, hook, chains, Manip::Destination, family);
    if passed.translated == Translated::Moved {
        packet.drop_route();
    }
    passed.verdict
}

/// To this host: a socket that was found by what the packet was before is not its
/// own.
#[inline]
pub fn local_in(mut packet: Packet<'_>, hook: Hook<'_>, chains: Chains<'_>, family: Family) -> u32 {
    let passed = pass(&mut packet, hook, chains, Manip::Source, family);
    if matches!(passed.translated, Translated::Changed | Translated::Moved) {
        packet.forget_socket();
    }
    passed.verdict
}

/// From this host: another destination is another route, and IPsec may have
/// another policy.
#[inline]
pub fn local_out(
    mut packet: Packet<'_>,
    hook: Hook<'_>,
    chains: Chains<'_>,
    family: Family,
) -> u32 {
    let passed = pass(&mut packet, hook, chains, Manip::Destination, family);
    match passed.conn {
        Some((conn, info)) if passed.verdict == ACCEPT => {
            let status = conn.status();
            if !applies(status, info.direction(), Manip::Destination) {
                return ACCEPT;
            }
            let direction = info.direction();
            let (this, other) = (conn.tuple(direction), conn.tuple(direction.opposite()));
            verdict(if this.dst.address != other.src.address {
                packet.route_again(hook, family == Family::Ipv6)
            } else if has_ports(conn) {
                packet.policy_again(hook, family == Family::Ipv6)
            } else {
                Ok(())
            })
        }
        _ => passed.verdict,
    }
}

/// Out: IPsec may have another policy for another source.
#[inline]
pub fn post_routing(
    mut packet: Packet<'_>,
    hook: Hook<'_>,
    chains: Chains<'_>,
    family: Family,
) -> u32 {
    let passed = pass(&mut packet, hook, chains, Manip::Source, family);
    match passed.conn {
        Some((conn, info)) if passed.verdict == ACCEPT => {
            let direction = info.direction();
            if !applies(conn.status(), direction, Manip::Source) {
                return ACCEPT;
            }
            let (this, other) = (conn.tuple(direction), conn.tuple(direction.opposite()));
            if this.src.address == other.dst.address && !has_ports(conn) {
                return ACCEPT;
            }
            verdict(packet.policy_again(hook, family == Family::Ipv6))
        }
        _ => passed.verdict,
    }
}

/// The hooks' common part (`nf_nat_inet_fn`), by itself.
pub fn inet(mut packet: Packet<'_>, hook: Hook<'_>, chains: Chains<'_>) -> u32 {
    let manip = manip_at(hook.number().into());
    let Carried::Connection(conn, info) = packet.carried() else {
        return ACCEPT;
    };
    if hook.is_vrf_output() {
        return ACCEPT;
    }
    settle(&mut packet, hook, chains, conn, info, manip).verdict
}

#[inline]
fn is_established(info: Info) -> bool {
    info == Info::ESTABLISHED || info == Info::ESTABLISHED_REPLY
}

/// An id that policies can see.
#[inline]
fn has_ports(conn: &Conn) -> bool {
    !matches!(conn.protocol(), number::ICMP | number::ICMPV6)
}

#[inline]
fn verdict(result: Result) -> u32 {
    match result {
        Ok(()) => ACCEPT,
        Err(error) => drop_error(error),
    }
}

/// `NF_DROP_ERR`.
#[cold]
fn drop_error(error: Error) -> u32 {
    (error.to_errno().unsigned_abs() << 16) | DROP
}

#[inline(always)]
fn pass<'a>(
    packet: &mut Packet<'a>,
    hook: Hook<'_>,
    chains: Chains<'_>,
    manip: Manip,
    family: Family,
) -> Passed<'a> {
    let Carried::Connection(conn, info) = packet.carried() else {
        return Passed::untouched();
    };
    let status = conn.status();
    if is_established(info) || (info == Info::NEW && status.has(done(manip))) {
        let direction = info.direction();
        // It may be masqueraded, and then must go out by the same device.
        let bound =
            manip == Manip::Source && direction == Direction::Original && nat::is_marked(conn);
        if !applies(status, direction, manip) && !bound {
            return Passed::untouched();
        }
        return established(packet, hook, conn, info, manip);
    }
    first(packet, hook, chains, conn, info, manip, family)
}

#[inline(always)]
fn established<'a>(
    packet: &mut Packet<'_>,
    hook: Hook<'_>,
    conn: &'a Conn,
    info: Info,
    manip: Manip,
) -> Passed<'a> {
    if hook.is_vrf_output() {
        // It will come out of the real device once more.
        return Passed::untouched();
    }
    if has_other_device(hook, conn, info) {
        return give_up(packet, conn, info);
    }
    Passed::went(conn, info, translate::packet(packet, conn, info, manip))
}

/// The packet leaves by another device than the one whose address its connection
/// was masqueraded with.
#[inline]
fn has_other_device(hook: Hook<'_>, conn: &Conn, info: Info) -> bool {
    if u32::from(hook.number()) != bindings::nf_inet_hooks_NF_INET_POST_ROUTING
        || info.direction() != Direction::Original
    {
        return false;
    }
    let index = masquerade_index(conn);
    index != 0 && index != hook.output_index()
}

/// The connection cannot go on; the next packet makes a new one.
#[cold]
fn give_up<'a>(packet: &Packet<'_>, conn: &Conn, info: Info) -> Passed<'a> {
    account::add(conn, info.direction(), 1, packet.len());
    delete::kill(conn);
    Passed::stopped(DROP)
}

/// A packet that begins a connection, one before the first answer, or an error
/// about a connection.
#[inline(never)]
fn first<'a>(
    packet: &mut Packet<'a>,
    hook: Hook<'_>,
    chains: Chains<'_>,
    conn: &'a Conn,
    info: Info,
    manip: Manip,
    family: Family,
) -> Passed<'a> {
    if hook.is_vrf_output() {
        return Passed::untouched();
    }
    if info != Info::NEW {
        if let Some(transport) = translate::icmp_header(packet, family) {
            // The nat chains are for beginnings.
            let translated = translate::error(packet, conn, info, manip, transport);
            return Passed::went(conn, info, translated);
        }
    }
    settle(packet, hook, chains, conn, info, manip)
}

#[inline]
fn settle<'a>(
    packet: &mut Packet<'a>,
    hook: Hook<'_>,
    chains: Chains<'_>,
    conn: &'a Conn,
    info: Info,
    manip: Manip,
) -> Passed<'a> {
    if is_initialized(conn, manip) || is_established(info) {
        if has_other_device(hook, conn, info) {
            return give_up(packet, conn, info);
        }
    } else {
        let verdict = chains.ask(packet, hook, || is_initialized(conn, manip));
        if verdict != ACCEPT {
            return Passed::stopped(verdict);
        }
        let verdict = null_binding(conn, manip);
        if verdict != ACCEPT {
            return Passed::stopped(verdict);
        }
    }
    Passed::went(conn, info, translate::packet(packet, conn, info, manip))
}
