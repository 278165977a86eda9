// SPDX-License-Identifier: GPL-2.0

//! Where protocols meet connections: the one place that picks a connection's
//! protocol and applies what it says of a packet.

use crate::{delete, ecache, timeout};
use netfilter::conntrack::{
    account,
    conn::now,
    log, seqadj,
    skb::{Hook, Packet},
    state, Conn, Info, Status, HZ,
};
use nf_bindings as bindings;
use nf_proto::{
    l4::{
        gre, icmp, icmpv6, number, sctp, tcp, udp, Changes, Flow, Outcome, Protocol, Reason,
        Verdict,
    },
    packet::{Description, Segment},
    tuple::Direction,
};

/// What becomes of a packet.
pub enum Judged {
    /// It belongs to the connection.
    Accept,
    /// It passes without a connection.
    Invalid(Reason),
    /// It is dropped.
    Drop(Reason),
    /// The connection is over; the packet begins a new one.
    Reopen,
}

/// Lets the connection's protocol judge a packet, and applies the outcome.
#[inline]
pub fn judge(
    conn: &Conn,
    info: Info,
    packet: &Packet<'_>,
    hook: Hook<'_>,
    description: &Description,
) -> Judged {
    let net = conn.net();
    let status = conn.status();
    let flow = Flow {
        direction: info.direction(),
        confirmed: status.has(Status::CONFIRMED),
        seen_reply: status.has(Status::SEEN_REPLY),
        assured: status.any(Status::ASSURED | Status::NAT_CLASH),
        translated: status.any(Status::NAT_MASK | Status::SEQ_ADJUST),
        // No protocol asks whether it came over loopback, and only TCP for the
        // next two.
        loopback: false,
        synproxy: false,
        ack_offset: 0,
        now: now(),
    };
    let policy = timeout::policy(conn);
    let outcome = match &description.segment {
        Segment::Tcp(segment) => {
            let policy = state::tcp_policy(net, policy);
            let flow = Flow {
                synproxy: conn.ext::<bindings::nf_conn_synproxy>().is_some(),
                ack_offset: seqadj::offset(
                    conn,
                    flow.direction.opposite(),
                    segment.ack.wrapping_sub(1),
                ),
                ..flow
            };
            run::<tcp::Tcp>(conn, segment, &flow, &policy)
        }
        Segment::Udp(datagram) => {
            let policy = state::udp_policy(net, policy);
            // Two words that may be written twice: no lock.
            let mut udp = state::udp(conn);
            let outcome = udp::Udp::update(&mut udp, datagram, &flow, &policy);
            if !flow.confirmed {
                state::set_udp(conn, udp);
            }
            outcome
        }
        Segment::Icmp(message) => {
            let opens = match description.tuple.dst.protocol {
                number::ICMP => icmp::opens(message.kind) || flow.confirmed,
                _ => icmpv6::opens(message.kind) || flow.confirmed,
            };
            if opens {
                Outcome::accept(state::icmp_timeout(
                    net,
                    policy,
                    description.tuple.src.l3num,
                ))
            } else {
                Outcome::invalid(Reason::IcmpUnexpected)
            }
        }
        Segment::Sctp(segment) => {
            let policy = state::sctp_policy(net, policy);
            run::<sctp::Sctp>(conn, segment, &flow, &policy)
        }
        Segment::Gre(header) => {
            let policy = state::gre_policy(net, policy);
            run::<gre::Gre>(conn, header, &flow, &policy)
        }
        Segment::Other => Outcome::accept(state::generic_timeout(net, policy)),
    };
    apply(conn, info.direction(), packet, hook, &outcome)
}

/// Runs a protocol that keeps a state, under the connection's lock.
#[inline]
fn run<P>(conn: &Conn, segment: &P::Segment, flow: &Flow, policy: &P::Policy) -> Outcome
where
    P: Protocol,
    P::State: state::OfConnection,
{
    let mut locked = conn.lock();
    let state = state::of::<P::State>(&mut locked);
    // Unconfirmed, it is this packet's alone.
    if !flow.confirmed {
        match P::open(segment, policy) {
            Ok(opened) => *state = opened,
            Err(reason) => return Outcome::invalid(reason),
        }
    }
    P::update(state, segment, flow, policy)
}

/// Applies an outcome: the one place where packets change connections.
#[inline]
fn apply(
    conn: &Conn,
    direction: Direction,
    packet: &Packet<'_>,
    hook: Hook<'_>,
    outcome: &Outcome,
) -> Judged {
    match outcome.verdict {
        Verdict::Accept => {}
        Verdict::Invalid(reason) => {
            if outcome.changes.cap {
                cap(conn, outcome.timeout.unwrap_or(u32::MAX));
            }
            return Judged::Invalid(reason);
        }
        Verdict::Drop(reason) => return Judged::Drop(reason),
        Verdict::Reopen => return Judged::Reopen,
    }
    let Changes {
        assured,
        protoinfo,
        kill,
        note,
        ..
    } = outcome.changes;
    if let Some(reason) = note {
        log::invalid(packet, hook, reason, conn.protocol());
    }
    if kill {
        account::add(conn, direction, 1, packet.len());
        delete::kill(conn);
        return Judged::Accept;
    }
    if protoinfo {
        ecache::cache(conn, ecache::Event::ProtoInfo);
    }
    if let Some(timeout) = outcome.timeout {
        refresh(conn, direction, timeout, packet.len());
    }
    if assured && !conn.test_and_set_status(Status::ASSURED) {
        ecache::cache(conn, ecache::Event::Assured);
    }
    Judged::Accept
}

/// Ends of a connection that cannot be believed: it may be over, and should not
/// stay for days.
#[cold]
fn cap(conn: &Conn, timeout: u32) {
    const WORTH_IT: u32 = 120 * HZ;
    let left = conn.expires(now());
    if left > timeout && left > WORTH_IT && !conn.status().has(Status::FIXED_TIMEOUT) {
        conn.set_timeout(now().wrapping_add(timeout));
    }
}

/// Sets a connection's timeout to `timeout` jiffies from now, unless it is
/// fixed, and counts the packet, if `bytes` is not 0.
#[inline]
pub fn refresh(conn: &Conn, direction: Direction, timeout: u32, bytes: u32) {
    let status = conn.status();
    if !status.has(Status::FIXED_TIMEOUT) {
        // Before confirmation it is only how long it will live.
        let until = if status.has(Status::CONFIRMED) {
            timeout.wrapping_add(now())
        } else {
            timeout
        };
        conn.set_timeout(until);
    }
    if bytes != 0 {
        account::add(conn, direction, 1, bytes);
    }
}

/// The first answer was seen.
#[cold]
pub fn seen_reply(conn: &Conn) {
    if !conn.test_and_set_status(Status::SEEN_REPLY) {
        ecache::cache(conn, ecache::Event::Reply);
    }
}

/// An assured connection that can be spared when the table is full: one that
/// is closing.
pub fn can_early_drop(conn: &Conn) -> bool {
    match conn.protocol() {
        number::TCP => state::peek::<tcp::State>(conn).can_early_drop(),
        number::SCTP => state::peek::<sctp::State>(conn).can_early_drop(),
        _ => false,
    }
}
