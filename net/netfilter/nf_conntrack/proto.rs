// SPDX-License-Identifier: GPL-2.0

//! Where protocols meet connections: the one place that picks a connection's
//! protocol and applies what it says of a packet.

mod echo;
mod tcp;

use crate::{delete, ecache, timeout};
use netfilter::conntrack::{
    account,
    conn::now,
    log,
    skb::{Hook, Packet},
    state::{self, OwnTimeouts},
    Conn, Info, Net, Status, HZ,
};
use nf_bindings as bindings;
use nf_proto::{
    l4::{
        self, gre, icmp, icmpv6, number, sctp, udp, Changes, Flow, Jiffies, Outcome, Protocol,
        Reason, Verdict,
    },
    packet::{self, Description, Segment, Transport},
    tuple::{Direction, Family},
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

/// What a protocol reads of a packet, and does with it.
pub trait Subject: Transport + Copy {
    /// A wrong checksum counts as an error, and not among what is INVALID.
    const COUNTS_ERRORS: bool = false;

    /// Its protocol's number.
    fn number(family: Family) -> u8;

    /// The transport header's checksum is right, or need not be: a wrong one must
    /// not move the state of a connection.
    fn checksum_ok(description: &Description<Self>, packet: &Packet<'_>, hook: Hook<'_>) -> bool;

    /// What the protocol says of the packet.
    fn outcome(
        description: &Description<Self>,
        conn: &Conn,
        flow: Flow,
        own: OwnTimeouts,
    ) -> Outcome;

    /// The packet, of `len` bytes, is one as most are, of a connection in the table
    /// with which nothing is special: it has been dealt with, and is accepted.
    /// Else nothing has happened, and [`judge`] is to be asked.
    ///
    /// `status` is the connection's, read just now.
    fn goes_on(
        description: &Description<Self>,
        conn: &Conn,
        direction: Direction,
        status: Status,
        net: Net,
        len: u32,
        now: Jiffies,
    ) -> bool;

    /// The packet, of `len` bytes, begins the connection, which has no template, as
    /// most do: it has been dealt with, and is accepted. Else nothing has happened.
    fn begins(description: &Description<Self>, conn: &Conn, len: u32, now: Jiffies) -> bool;
}

impl Subject for packet::udp::Datagram {
    #[inline(always)]
    fn number(_: Family) -> u8 {
        number::UDP
    }

    #[inline]
    fn checksum_ok(description: &Description<Self>, packet: &Packet<'_>, hook: Hook<'_>) -> bool {
        !description.segment.has_checksum
            || hook.checksum_ok(packet, description.transport, number::UDP)
    }

    #[inline(always)]
    fn outcome(
        description: &Description<Self>,
        conn: &Conn,
        flow: Flow,
        own: OwnTimeouts,
    ) -> Outcome {
        let policy = state::udp_policy(conn.net(), own);
        // Two words that may be written twice: no lock.
        let mut udp = state::udp(conn);
        let outcome = udp::Udp::update(&mut udp, &description.segment, &flow, &policy);
        if !flow.confirmed {
            state::set_udp(conn, udp);
        }
        outcome
    }

    #[inline(always)]
    fn goes_on(
        _: &Description<Self>,
        conn: &Conn,
        direction: Direction,
        status: Status,
        net: Net,
        len: u32,
        now: Jiffies,
    ) -> bool {
        let extensions = conn.extensions();
        let first_answer = direction == Direction::Reply && !status.has(Status::SEEN_REPLY);
        if first_answer
            || status.has(Status::FIXED_TIMEOUT)
            || extensions.is_some_and(|all| all.has::<bindings::nf_conn_timeout>() != 0)
        {
            return false;
        }
        let timeouts = &state::udp_timeouts(&net, None);
        let seen_reply = status.has(Status::SEEN_REPLY);
        let assured = status.any(Status::ASSURED | Status::NAT_CLASH);
        let Some(timeout) = udp::steady(|| state::udp(conn), seen_reply, assured, now, timeouts)
        else {
            return false;
        };
        conn.set_timeout(now.wrapping_add(timeout));
        if extensions.is_some() {
            account::add(conn, direction, 1, len);
        }
        true
    }

    #[inline(always)]
    fn begins(_: &Description<Self>, conn: &Conn, len: u32, now: Jiffies) -> bool {
        let net = conn.net();
        let (state, timeout) = udp::first(now, &state::udp_policy(net, None));
        state::set_udp(conn, state);
        conn.set_timeout(timeout);
        account::add(conn, Direction::Original, 1, len);
        true
    }
}

/// No protocol's number: that of all.
const ANY: u8 = u8::MAX;

/// Any protocol.
impl Subject for Segment {
    fn number(_: Family) -> u8 {
        ANY
    }

    fn checksum_ok(description: &Description<Self>, packet: &Packet<'_>, hook: Hook<'_>) -> bool {
        match description.segment {
            Segment::Tcp(segment) => Subject::checksum_ok(&of(description, segment), packet, hook),
            Segment::Udp(datagram) => {
                Subject::checksum_ok(&of(description, datagram), packet, hook)
            }
            Segment::Sctp(_) => hook.sctp_checksum_ok(packet, description.transport),
            Segment::Icmp(_) | Segment::Gre(_) | Segment::Other => true,
        }
    }

    #[inline(never)]
    fn outcome(
        description: &Description<Self>,
        conn: &Conn,
        flow: Flow,
        own: OwnTimeouts,
    ) -> Outcome {
        let net = conn.net();
        match &description.segment {
            Segment::Tcp(segment) => Subject::outcome(&of(description, *segment), conn, flow, own),
            Segment::Udp(datagram) => {
                Subject::outcome(&of(description, *datagram), conn, flow, own)
            }
            Segment::Icmp(message) => {
                let opens = match description.tuple.dst.protocol {
                    number::ICMP => icmp::opens(message.kind) || flow.confirmed,
                    _ => icmpv6::opens(message.kind) || flow.confirmed,
                };
                if opens {
                    let l3num = description.tuple.src.l3num;
                    Outcome::accept(state::icmp_timeout(net, own, l3num))
                } else {
                    Outcome::invalid(Reason::IcmpUnexpected)
                }
            }
            Segment::Sctp(segment) => {
                run::<sctp::Sctp>(conn, segment, &flow, &state::sctp_policy(net, own))
            }
            Segment::Gre(header) => {
                run::<gre::Gre>(conn, header, &flow, &state::gre_policy(net, own))
            }
            Segment::Other => Outcome::accept(state::generic_timeout(net, own)),
        }
    }

    fn goes_on(
        _: &Description<Self>,
        _: &Conn,
        _: Direction,
        _: Status,
        _: Net,
        _: u32,
        _: Jiffies,
    ) -> bool {
        false
    }

    fn begins(_: &Description<Self>, _: &Conn, _: u32, _: Jiffies) -> bool {
        false
    }
}

/// The same packet, as one of a protocol.
fn of<S>(description: &Description, segment: S) -> Description<S> {
    Description {
        tuple: description.tuple,
        transport: description.transport,
        segment,
    }
}

/// Lets the connection's protocol judge a packet, and applies the outcome.
/// `status` is the connection's, read just now.
#[inline(always)]
pub fn judge<S: Subject>(
    conn: &Conn,
    info: Info,
    status: Status,
    packet: &Packet<'_>,
    hook: Hook<'_>,
    description: &Description<S>,
) -> Judged {
    let flow = Flow {
        direction: info.direction(),
        confirmed: status.has(Status::CONFIRMED),
        seen_reply: status.has(Status::SEEN_REPLY),
        assured: status.any(Status::ASSURED | Status::NAT_CLASH),
        // Only TCP asks for these two.
        synproxy: false,
        ack_offset: 0,
        now: now(),
    };
    let outcome = S::outcome(description, conn, flow, timeout::policy(conn));
    apply(conn, info.direction(), status, packet, hook, &outcome)
}

/// Runs a protocol that keeps a state, under the connection's lock.
#[inline(always)]
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
#[inline(always)]
fn apply(
    conn: &Conn,
    direction: Direction,
    status: Status,
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
        refresh_with(conn, status, direction, timeout, packet.len());
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
    refresh_with(conn, conn.status(), direction, timeout, bytes);
}

#[inline(always)]
fn refresh_with(conn: &Conn, status: Status, direction: Direction, timeout: u32, bytes: u32) {
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
        number::TCP => state::peek::<l4::tcp::State>(conn).can_early_drop(),
        number::SCTP => state::peek::<sctp::State>(conn).can_early_drop(),
        _ => false,
    }
}
